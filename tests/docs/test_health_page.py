"""docs/health.md shows what the checks print, and says what every check is."""

import re
from pathlib import Path

import pytest

from deployment import preflight
from tests.doubles import broken_stacks
from tests.doubles.broken_stacks import BROKEN, healthy, report_of, to_mend, transcript

PAGE = (Path(__file__).parents[2] / "docs" / "health.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"^\*\*(.+?)\*\*.*?```text\n(.*?)\n```", PAGE, re.MULTILINE | re.DOTALL))


def test_a_healthy_stack_is_shown_whole():
    assert BLOCKS["A healthy stack"] == transcript(healthy)


@pytest.mark.parametrize("change", BROKEN, ids=lambda change: change.__name__)
def test_a_broken_stack_is_shown_with_what_is_to_be_mended(change):
    title = change.__name__.replace("_", " ").capitalize()

    assert BLOCKS[title] == to_mend(change)


def test_no_transcript_is_shown_beside_these():
    assert len(BLOCKS) == 1 + len(BROKEN)
    assert all(hasattr(broken_stacks, change.__name__) for change in BROKEN)


def test_every_check_of_health_has_its_row():
    rows = re.findall(r"^\| `([\w ]+)` \|", PAGE.partition("## Checks")[2].partition("\n## ")[0], re.MULTILINE)

    assert rows == [result.check for result in report_of(healthy).results]


def test_every_check_before_a_deployment_has_its_row():
    rows = re.findall(r"^\| `([\w ]+)` \|", PAGE.partition("## Before a deployment")[2], re.MULTILINE)

    assert set(rows) == {
        "partition",
        "stack name",
        "LogRetentionDays",
        "DecisionRetentionDays",
        "documentation",
        "credentials",
        *preflight._OF_AWS,
    }
