"""The commands of the pages, in their order: blocks for a shell, and commands in a sentence or a table."""

import re
from dataclasses import dataclass
from pathlib import Path

from tests.docs.test_pages import PAGES, PROJECT

PROGRAMS = ("aws", "call", "curl", "docker", "export", "git", "jq", "make", "python", "sam", "sed", "steward", "sudo")
_BLOCK = re.compile(r"^(?P<indent> *)```(?P<language>\w+)?[^\n]*\n(?P<body>.*?)^ *```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(rf"(?<!`)`((?:(?:[A-Z_]+=\S+|\.venv/bin/)\s*)*(?:{'|'.join(PROGRAMS)})[\w.]* [^`]+)`(?!`)")
_PROMPT = re.compile(r"^\W*\$ (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Command:
    """A command as it is printed: one line of a sentence or a whole block, which is one script."""

    page: str
    line: int
    text: str

    def __str__(self) -> str:
        """Where it stands, for the name of its test."""
        return f"{self.page}:{self.line}"


def commands_of(page: Path) -> list[Command]:
    """All commands of a page, in the order in which a reader meets them."""
    text, found = page.read_text(), []
    name = str(page.relative_to(PROJECT))

    def add(offset: int, command: str) -> None:
        found.append(Command(name, text.count("\n", 0, offset) + 1, command))

    prose = list(text)
    for block in _BLOCK.finditer(text):
        prose[block.start() : block.end()] = "\n" * (block.end() - block.start())
        if block["language"] in ("bash", "sh"):
            indent = len(block["indent"])
            add(block.start("body"), "\n".join(line[indent:] for line in block["body"].splitlines()))
        else:
            for prompt in _PROMPT.finditer(block["body"]):
                add(block.start("body") + prompt.start(), prompt[1])
    for inline in _INLINE.finditer("".join(prose)):
        add(inline.start(), " ".join(inline[1].split()))
    return sorted(found, key=lambda command: command.line)


COMMANDS = [command for page in PAGES if page.parent.name != "decisions" for command in commands_of(page)]
"""Decisions record what was, and ask for no command."""
