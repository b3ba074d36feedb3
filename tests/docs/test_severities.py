"""The tables of severities in the docs are those of ``layers/settings/severities.yaml``, and have every entry."""

import pytest

from scripts.severity_tables import OF_ITS_OWN, PAGES, listed, severities, with_severities
from tests.published_events import NAMES


@pytest.mark.parametrize("part", ["events", "drift"])
def test_the_table_says_what_the_file_says(part):
    page = PAGES[part].read_text(encoding="utf-8")

    assert with_severities(page, part) == page, "run python scripts/severity_tables.py"


@pytest.mark.parametrize("part", ["events", "drift"])
def test_the_table_has_every_entry_of_the_file(part):
    assert severities(part).keys() <= listed(PAGES[part].read_text(encoding="utf-8"))


def test_every_published_event_has_its_severity_in_the_table_or_carries_it():
    page = PAGES["events"].read_text(encoding="utf-8")

    assert listed(page) == {*NAMES, "unknown_event"}
    assert page.count(OF_ITS_OWN) == len(NAMES) + 1 - len(severities("events"))
