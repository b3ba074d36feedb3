"""The indexes of the documentation and of the decisions are complete, and every decision has a status and a date."""

import re
from datetime import date
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
DECISIONS = sorted((DOCS / "decisions").glob("[0-9]*.md"))
STATUS = re.compile(r"\A# (\d+)\. (.+)\n\n(Accepted|Superseded by \[\d+\]\(\S+\)) (\d{4}-\d\d-\d\d)\n\n")
ROW = re.compile(r"^\| \[(\d+)\. (.+)\]\((\S+)\) \| (.+) \| (\S+) \|$", re.MULTILINE)


@pytest.mark.parametrize(
    "page", [page for page in DOCS.glob("*.md") if page.name != "README.md"], ids=lambda page: page.name
)
def test_the_index_names_every_page(page):
    assert f"]({page.name})" in (DOCS / "README.md").read_text()


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda decision: decision.stem)
def test_a_decision_has_its_number_its_status_and_the_date_of_it(decision):
    number, _, _, since = STATUS.match(decision.read_text()).groups()

    assert decision.name.startswith(f"{int(number):04}-")
    assert date.fromisoformat(since) >= date(2026, 11, 23)


def test_the_index_of_the_decisions_says_what_they_say():
    said = [(decision.name, *STATUS.match(decision.read_text()).groups()) for decision in DECISIONS]
    listed = [(name, number, title, status, since) for number, title, name, status, since in rows()]

    assert listed == [(name, number, title, status.lower(), since) for name, number, title, status, since in said]


def rows():
    return ROW.findall((DOCS / "decisions" / "README.md").read_text())
