"""The pictures of terminals are what the README and the gate say, and load nothing."""

import re

import pytest

from scripts.terminal_pictures import COMMENT, IMAGES, PROJECT, recordings

RECORDINGS = dict(recordings())


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_terminal_shows_what_is_printed(name):
    again = "PYTHONPATH=cli:functions:layers:. .venv/bin/python -m scripts.terminal_pictures"

    assert (IMAGES / name).read_text(encoding="utf-8") == RECORDINGS[name], again


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_picture_loads_nothing_from_elsewhere(name):
    assert re.findall(r"https?://[^\s\"\')]+", RECORDINGS[name].replace("http://www.w3.org/2000/svg", "")) == []


@pytest.mark.parametrize("name", [*RECORDINGS, COMMENT])
def test_a_picture_is_shown_with_a_text_in_its_place(name):
    pages = "".join(path.read_text() for path in [PROJECT / "README.md", *(PROJECT / "docs").glob("*.md")])

    assert re.search(rf"!\[[^\]]{{20,}}\]\([^)]*{re.escape(name)}\)", pages)
