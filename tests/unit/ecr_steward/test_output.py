"""How answers are shown."""

import io
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_steward.output import write

ROWS = [{"name": "team-a/web", "result": "created"}, {"name": "b", "result": "exists"}]


class Terminal(io.StringIO):
    """A terminal without colours."""

    def isatty(self):
        return True


@pytest.mark.parametrize("value", [ROWS, ROWS[0], [], "text"])
def test_a_program_and_a_person_read_the_same_table(value, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    seen = []
    for stdout in (Terminal(), io.StringIO()):
        monkeypatch.setattr(sys, "stdout", stdout)
        write("table", value, ("name", "result") if isinstance(value, list) else ())
        seen.append([line.split() for line in stdout.getvalue().splitlines() if line.strip()])

    assert seen[0] == seen[1]


def test_columns_begin_below_their_headings(capsys):
    write("table", ROWS, ("name", "result"))

    assert capsys.readouterr().out == "NAME        RESULT\nteam-a/web  created\nb           exists\n"


@given(st.lists(st.dictionaries(st.sampled_from(["a", "b"]), st.text() | st.none() | st.booleans()), max_size=4))
def test_any_answer_is_one_line_for_each_object(rows):
    stdout, sys.stdout = sys.stdout, io.StringIO()
    try:
        write("table", rows, ("a", "b"))
        lines = sys.stdout.getvalue().split("\n")
    finally:
        sys.stdout = stdout

    assert len(lines) == len(rows) + 2
