"""Completion in the real shells: installed as the page says, then asked for with the Tab key at a terminal."""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3]
SHELLS = {"bash": ["bash", "-i"], "zsh": ["zsh", "-i"], "fish": ["fish", "-i"]}
READY, PATIENCE = "ready> ", 60
PROMPTS = {
    "bash": "PS1='rea''dy> '\n",
    "zsh": "PROMPT='rea''dy> '\n",
    "fish": "function fish_prompt; printf 'rea''dy> '; end\n",
}
"""What sets the prompt, which the terminal echoes; READY is seen when it is done."""
CONTROL = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|[()][A-B0-2]|[=>])|[\r\x07]")


class Terminal:
    """A shell at a terminal."""

    def __init__(self, command, environment):
        self._process, self._end = pty.fork()
        if self._process == 0:
            os.execvpe(command[0], command, environment)  # noqa: S606 - a shell of this machine
        self.seen = ""

    def type(self, text):
        self.seen = ""
        os.write(self._end, text.encode())

    def waits_for(self, text):
        """Whether the terminal shows a text in time."""
        until = time.monotonic() + PATIENCE
        while text not in self.seen and time.monotonic() < until:
            if select.select([self._end], [], [], 0.2)[0]:
                try:
                    self.seen = CONTROL.sub("", self.seen + os.read(self._end, 65536).decode(errors="replace"))
                except OSError:
                    break
        return text in self.seen

    def close(self):
        os.kill(self._process, 9)
        os.waitpid(self._process, 0)
        os.close(self._end)


@pytest.fixture
def environment(tmp_path):
    """A home without anything, and the command on the PATH."""
    command = tmp_path / "bin" / "steward"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -P -m ecr_steward "$@"\n')
    command.chmod(0o755)
    path = ":".join(str(PROJECT / part) for part in ("cli", "functions", "layers"))
    return {
        "HOME": str(tmp_path),
        "PATH": f"{command.parent}:/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": path,
        "TERM": "xterm",
    }


@pytest.mark.parametrize("shell", SHELLS)
def test_the_tab_key_completes_commands_and_options(shell, environment, tmp_path):
    if shutil.which(shell) is None and not os.environ.get("CI"):
        pytest.skip(f"{shell} is not installed; CI installs it")
    install = ["-c", "steward --install-completion; true"]  # so that the shell stays its parent
    subprocess.run([shell, *install], env=environment, check=True, capture_output=True, cwd=tmp_path)
    terminal = Terminal(SHELLS[shell], environment)
    try:
        terminal.type(PROMPTS[shell])
        assert terminal.waits_for(READY), terminal.seen
        terminal.type("steward drift basel\t\t")  # at the first one, zsh loads the completion
        assert terminal.waits_for("baseline"), terminal.seen
        terminal.type("pu\t\t")
        assert terminal.waits_for("push"), terminal.seen
    finally:
        terminal.close()
