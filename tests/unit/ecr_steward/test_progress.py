"""Long work shows a bar at a terminal, on the error stream alone."""

import io
import sys

import pytest

from ecr_steward.commands.context import progress, waiting

ERASES_THE_LINE, SHOWS_THE_CURSOR = "\x1b[2K", "\x1b[?25h"


class Terminal(io.StringIO):
    """A terminal that keeps what it was sent."""

    def isatty(self):
        return True


@pytest.fixture
def at_a_terminal(monkeypatch):
    """Gives the error stream a terminal; called in the test, because pytest captures each phase anew."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)

    def begin():
        monkeypatch.setattr(sys, "stderr", Terminal())
        return sys.stderr

    return begin


def test_a_bar_says_what_is_done_and_goes_away(at_a_terminal, capsys):
    terminal = at_a_terminal()

    assert list(progress(["a", "b"], "Ensuring")) == ["a", "b"]

    shown = terminal.getvalue()
    assert "Ensuring" in shown
    assert "100%" in shown
    assert shown.rstrip().endswith((ERASES_THE_LINE, SHOWS_THE_CURSOR))
    assert shown.rfind(ERASES_THE_LINE) > shown.rfind("100%")
    assert capsys.readouterr().out == ""


def test_a_bar_goes_away_when_the_work_fails(at_a_terminal):
    terminal = at_a_terminal()

    def upload():
        for _ in progress(["a", "b"], "Uploading"):
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        upload()

    assert SHOWS_THE_CURSOR in terminal.getvalue()


@pytest.mark.parametrize("items", [[], ["a"]])
def test_a_bar_of_one_step_is_left_out(at_a_terminal, items):
    terminal = at_a_terminal()

    assert list(progress(items, "Ensuring")) == items
    assert terminal.getvalue() == ""


def test_work_of_unknown_length_turns_and_goes_away(at_a_terminal):
    terminal = at_a_terminal()

    with waiting("Deploying"):
        pass

    shown = terminal.getvalue()
    assert "Deploying" in shown
    assert shown.rfind(ERASES_THE_LINE) > shown.rfind("Deploying")


def test_a_pipeline_sees_no_bar(capsys):
    assert list(progress(["a", "b"], "Ensuring")) == ["a", "b"]
    with waiting("Deploying"):
        pass

    assert capsys.readouterr() == ("", "")
