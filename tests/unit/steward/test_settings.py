"""Settings files: lines are right however the file is laid out."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steward import settings
from steward.errors import SettingsError


@dataclass(frozen=True)
class Entry:
    number: int


@dataclass(frozen=True)
class Settings:
    entries: tuple[Entry, ...]


@given(before=st.integers(0, 20), blank=st.integers(0, 3), position=st.integers(0, 4))
def test_an_error_names_the_line_however_many_lines_stand_before(tmp_path_factory, before, blank, position):
    entries = [f"  - number: {'x' if index == position else index}" + "\n" * blank for index in range(5)]
    path = tmp_path_factory.mktemp("settings") / "some.yaml"
    path.write_text("\n".join(["# a comment"] * before + ["entries:", *entries]))
    line = before + 2 + position * (1 + blank)

    with pytest.raises(SettingsError, match=rf"^some\.yaml:{line}: entries\[{position}\]\.number: Expected `int`"):
        settings.load(path, Settings)


def test_a_byte_order_mark_is_no_error(tmp_path):
    path = tmp_path / "some.yaml"
    path.write_bytes(b"\xef\xbb\xbfentries: [{number: 1}]\n")

    assert settings.load(path, Settings) == Settings((Entry(1),))


def test_an_alias_that_contains_itself_is_refused(tmp_path):
    path = tmp_path / "some.yaml"
    path.write_text("entries: &all [*all]\n")

    with pytest.raises(SettingsError, match=r"^some\.yaml: "):
        settings.load(path, Settings)


def test_a_folder_in_place_of_the_file_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read"):
        settings.load(tmp_path, Settings)


def test_a_place_is_shown_as_file_and_line(tmp_path):
    path = tmp_path / "some.yaml"
    path.write_text("entries:\n  - number: 1\n  - number: 2\n")

    assert settings.position(path, ("entries", 1)) == "some.yaml:3"
    assert settings.position(path, ("entries", 7)) == "some.yaml:1"
    assert settings.position(path, ("nowhere",)) == "some.yaml:1"
