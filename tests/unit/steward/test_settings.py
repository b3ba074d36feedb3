"""Settings files: lines are right however the file is laid out."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from steward import settings
from steward.errors import SettingsError, ValidationError


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
    document = settings.read(path, Settings)

    assert document.position(("entries", 1)) == "some.yaml:3"
    assert document.position(("entries", 7)) == "some.yaml:1"
    assert document.position(("nowhere",)) == "some.yaml:1"


@dataclass(frozen=True)
class Inner:
    RENAMED: ClassVar = {"old": "new"}

    new: int = 0
    other: int = 0


@dataclass(frozen=True)
class Outer:
    ELSEWHERE: ClassVar = {"colour": "the colour is chosen at the door"}

    inner: Inner = field(default_factory=Inner)
    entries: tuple[Inner, ...] = ()
    names: dict[str, str] = field(default_factory=dict)

    def __post_init__(self):
        if self.inner.new + len(self.entries) > 10:
            raise ValidationError("new and entries are more than 10", ("entries",))


@pytest.fixture
def merged(tmp_path, monkeypatch):
    """Reads a shipped file with an operator's over it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ours").mkdir()

    def read(shipped, own):
        (tmp_path / "some.yaml").write_text(shipped)
        (tmp_path / "ours" / "some.yaml").write_text(own)
        return settings.read((tmp_path / "some.yaml", Path("ours/some.yaml")), Outer)

    return read


SHIPPED = "inner: {new: 1, other: 2}\nentries:\n  - {new: 3}\n  - {new: 4}\nnames: {a: x}\n"


def test_an_operators_file_holds_only_what_differs(merged):
    document = merged(SHIPPED, "inner: {other: 5}\n")

    assert document.value == Outer(Inner(1, 5), (Inner(3), Inner(4)), {"a": "x"})
    assert document.position(("inner", "new")) == "some.yaml:1"
    assert document.position(("inner", "other")) == "ours/some.yaml:1"


def test_a_list_takes_the_place_of_the_shipped_one(merged):
    document = merged(SHIPPED, "entries: [{other: 7}]\n")

    assert document.value.entries == (Inner(0, 7),)


VALUES = st.recursive(
    st.integers() | st.text("abc", max_size=3) | st.lists(st.integers(), max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=12,
)
MAPPINGS = st.dictionaries(st.sampled_from("abcd"), VALUES, min_size=1, max_size=4)


@dataclass(frozen=True)
class Anything:
    a: Any = None
    b: Any = None
    c: Any = None
    d: Any = None


def over(lower, upper):
    if not (isinstance(lower, dict) and isinstance(upper, dict)):
        return upper
    return lower | {key: over(lower[key], value) if key in lower else value for key, value in upper.items()}


@given(MAPPINGS, MAPPINGS)
def test_any_two_files_merge_key_by_key(tmp_path_factory, shipped, own):
    folder = tmp_path_factory.mktemp("settings")
    paths = folder / "some.yaml", folder / "own.yaml"
    for path, content in zip(paths, (shipped, own), strict=True):
        path.write_text(yaml.safe_dump(content))

    assert settings.read(paths, Anything).raw == over(shipped, own)


@pytest.mark.parametrize(
    ("own", "says"),
    [
        ("inner: {new: x}", "ours/some.yaml:1: inner.new: Expected `int`"),
        ("inner: {knew: 1}", "ours/some.yaml:1: inner.knew: unknown key; known keys are new, other"),
        ("colour: blue", "ours/some.yaml:1: colour: unknown key; the colour is chosen at the door"),
        ("inner: {new: 1, new: 2}", "ours/some.yaml:1: the key 'new' appears twice"),
        ("inner: {new: [}", "ours/some.yaml:1: is not YAML"),
        ("inner: {<<: 5}", "ours/some.yaml:1: is not YAML: expected a mapping"),
        ("? [a]\n: 1", "ours/some.yaml:1: a key is a text"),
        ("", "ours/some.yaml:1: is empty; write what differs from the default, or delete the file"),
        ("entries:", "ours/some.yaml:1: entries: Expected `array`, got `null`"),
        ("inner: {new: 010}", "ours/some.yaml:1: 010 begins with a zero: write it in quotes"),
        ("inner: {new: 089}", "ours/some.yaml:1: 089 begins with a zero: write it in quotes"),
        ("\ninner: {new: 10}", "ours/some.yaml: does not go with some.yaml:2: entries: new and entries are more"),
        ("names: {b: 4711}", "ours/some.yaml:1: names.b: Expected `str`, got `int`; write it in quotes"),
        ("names: {b: 2026-01-01}", "ours/some.yaml:1: names.b: Expected `str`, got `date`; write it in quotes"),
        ("inner: {new: '5'}", "ours/some.yaml:1: inner.new: Expected `int`, got `str`; write it without quotes"),
        ("inner: '{new: 5}'", "inner: Expected `object`, got `str`; write its keys and values themselves"),
        ("entries: new", "ours/some.yaml:1: entries: Expected `array`, got `str`; write a list"),
    ],
)
def test_a_mistake_of_the_operator_is_named_in_the_operators_file(merged, own, says):
    with pytest.raises(SettingsError) as refused:
        merged(SHIPPED, own)

    assert says in str(refused.value)


def test_merge_keys_of_an_operators_file_are_merged_first(merged):
    document = merged(SHIPPED, "entries: [&first {new: 5, other: 6}]\ninner: {<<: *first, other: 8}\n")

    assert document.value.inner == Inner(5, 8)
    assert document.position(("inner", "other")) == "ours/some.yaml:2"


@pytest.mark.parametrize("old_in", ["shipped", "own", "both"])
def test_an_old_name_of_a_key_is_read_as_the_new_one_wherever_it_stands(merged, old_in):
    names = {"shipped": ("old", "new"), "own": ("new", "old"), "both": ("old", "old")}[old_in]
    shipped, own = (
        f"inner: {{{name}: {value}}}\nentries: [{{{name}: 1}}]\n" for name, value in zip(names, (1, 2), strict=True)
    )
    document = merged(shipped, own)

    assert document.value == Outer(Inner(2), (Inner(1),))
    assert {place for place, _ in document.renamed} == {("inner", "new"), ("entries", 0, "new")}


def test_an_old_and_a_new_name_of_one_key_are_refused(merged):
    with pytest.raises(SettingsError, match=r"^ours/some.yaml:2: old is the old name of new, which is here, too"):
        merged(SHIPPED, "inner:\n  old: 1\n  new: 2\n")
