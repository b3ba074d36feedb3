"""Every command on the page of the command line, and on the first page, exists, with the options that it shows."""

import re
import shlex
from pathlib import Path

import pytest
import typer.main

from ecr_steward.app import app

PROJECT = Path(__file__).parents[2]
PAGES = [(PROJECT / name).read_text(encoding="utf-8") for name in ("docs/cli.md", "README.md")]
COMMANDS = re.findall(r"^\$ (?:.*\| )?steward (.+)$", "\n".join(PAGES), re.MULTILINE)


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    """The folders that the page names."""
    for name in ("work/ecr-steward-0.1.0", "work/ecr-steward-0.2.0", "our-steward"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work")


def test_the_page_has_commands():
    assert len(COMMANDS) > 15


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_is_parsed(line):
    command, words = typer.main.get_command(app), shlex.split(line, comments=True)
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]

    assert command.make_context(line, words).params.keys() >= {
        option.removeprefix("--").replace("-", "_") for option in words if option.startswith("--") and "=" not in option
    }
