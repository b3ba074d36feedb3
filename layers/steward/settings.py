"""The files that an operator edits, read into dataclasses, with errors that name file, line and what would be right."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import yaml

from steward.errors import SettingsError

DIRECTORY = Path("/opt/python/settings")
"""Where the settings layer lies in Lambda."""

type Place = tuple[str | int, ...]
"""The way from a document's root to a place in it."""

_WHERE = re.compile(r"(?P<what>.*?)(?: - at `(?P<path>\$.*)`)?", re.DOTALL)
_STEP = re.compile(r"\.(?P<key>\w+)|\[(?P<index>\d+|\.\.\.)\]")


def load[T](path: Path, into: type[T]) -> T:
    """Read a YAML file into the dataclass ``into``, strictly: no unknown, repeated or mistyped key passes.

    Parameters
    ----------
    path
        The file.
    into
        A dataclass. Its fields may be dataclasses, tuples, dicts, literals, and subclasses of ``str`` that check their
        text. A ``ValueError`` of theirs, or of a ``__post_init__``, is reported at its line.

    Raises
    ------
    SettingsError
        The file is missing, empty, not YAML, or does not fit. The message starts with ``file:line:``.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SettingsError(f"{path.name}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path.name}: is not UTF-8 text (byte {error.start})") from error
    try:
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
        raw = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise SettingsError(f"{path.name}:{line}: is not YAML: {getattr(error, 'problem', error)}") from error
    if root is None:
        raise SettingsError(f"{path.name}:1: is empty; see the shipped file for what belongs in it")
    for key in _repeated_keys(root):
        raise SettingsError(f"{path.name}:{key.start_mark.line + 1}: the key {key.value!r} stands here twice")
    try:
        return convert(raw, into)
    except UnfitError as error:
        line = _line_of(root, error.path)
        raise SettingsError(f"{path.name}:{line}: {error}") from error


class UnfitError(ValueError):
    """A value does not fit a type: ``path`` leads to the place, the text says what is wrong there."""

    def __init__(self, what: str, path: Place) -> None:
        place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")
        super().__init__(f"{place}: {what}" if place else what)
        self.path = path


def convert[T](raw: object, into: type[T]) -> T:
    """Fit plain JSON or YAML values into the dataclass ``into``, refusing unknown keys.

    Raises
    ------
    UnfitError
        Something is missing, unknown, mistyped or refused by a ``__post_init__``.
    """
    try:
        value = msgspec.convert(raw, into, dec_hook=_from_text)
    except msgspec.ValidationError as error:
        found = _WHERE.fullmatch(str(error))
        what, path = found.group("what", "path") if found else (str(error), "")
        raise UnfitError(what, _steps(path or "")) from error
    for place, known in _unknown_keys(raw, msgspec.to_builtins(value, enc_hook=str), ()):
        raise UnfitError(f"unknown key; known here are {', '.join(known)}", place)
    return value


def _from_text(kind: type[Any], value: object) -> object:
    """Build a text that checks itself: a pattern, a name."""
    if not isinstance(value, str):
        raise ValueError(f"Expected `str`, got `{type(value).__name__}`")  # noqa: TRY004 - msgspec reports ValueError
    return kind(value)


def _steps(path: str) -> Place:
    """The path that msgspec writes as ``$.a[0].b``; a key that it leaves out (``[...]``) ends the path there."""
    steps: list[str | int] = []
    for found in _STEP.finditer(path):
        key, index = found.group("key", "index")
        if index == "...":
            break
        steps.append(key if key is not None else int(index))
    return tuple(steps)


def _unknown_keys(raw: object, read: object, path: Place) -> Iterator[tuple[Place, list[str]]]:
    """Keys of ``raw`` that did not become a field, each with the keys that would have."""
    if isinstance(raw, dict) and isinstance(read, dict):
        for key, value in raw.items():
            if key not in read:
                yield (*path, key), sorted(read)
            else:
                yield from _unknown_keys(value, read[key], (*path, key))
    elif isinstance(raw, list) and isinstance(read, (list, tuple)):
        for index, (value, built) in enumerate(zip(raw, read, strict=True)):
            yield from _unknown_keys(value, built, (*path, index))


def _line_of(node: yaml.Node, path: Place) -> int:
    """The line, counted from 1, where the deepest existing part of ``path`` stands."""
    line = node.start_mark.line + 1
    for step in path:
        if isinstance(node, yaml.MappingNode):
            entry = next(((key, value) for key, value in node.value if key.value == step), None)
            if entry is None:
                break
            line, node = entry[0].start_mark.line + 1, entry[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            break
    return line


def _repeated_keys(node: yaml.Node) -> Iterator[yaml.Node]:
    """Keys that stand twice in one mapping; YAML readers silently take the last."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                yield key
            seen.add(key.value)
            yield from _repeated_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated_keys(item)
