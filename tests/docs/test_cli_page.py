"""Every command on the page of the command line exists, with the options that it shows."""

import re
import shlex
from pathlib import Path

import pytest
import typer.main

from ecr_steward.app import app

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ (?:.*\| )?steward (.+)$", PAGE, re.MULTILINE)


def test_the_page_has_commands():
    assert len(COMMANDS) > 15


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_is_parsed(line):
    command, words = typer.main.get_command(app), shlex.split(line)
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]

    assert command.make_context(line, words).params.keys() >= {
        option.removeprefix("--").replace("-", "_") for option in words if option.startswith("--") and "=" not in option
    }
