"""The page of the gate: its files and commands, run as they stand there."""

import re
import shlex
from pathlib import Path

from ecr_steward.app import main

PAGE = (Path(__file__).parents[2] / "docs" / "policy-gate.md").read_text(encoding="utf-8")


def test_the_commands_print_what_the_page_shows(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name, content in re.findall(r"```(?:json|yaml) (\S+\.(?:json|yaml))\n(.*?)```", PAGE, re.DOTALL):
        Path(name).write_text(content)
    shown = re.findall(r"```console gate\n\$ steward (.*?)\n(.*?)```", PAGE, re.DOTALL)

    assert len(shown) == 2
    for command, printed in shown:
        main(shlex.split(command))
        assert capsys.readouterr().out == printed
