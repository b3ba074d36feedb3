"""The files that an operator edits, read into dataclasses, with errors that name file, line and the correction."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import yaml

from steward.conversion import convert
from steward.errors import Place, SettingsError, ValidationError


def locate(name: str) -> Path:
    """Where the settings file ``name`` lies: in the package ``settings``, which is a layer in Lambda."""
    return Path(str(files("settings") / name))


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
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that no calendar has
        mark = getattr(error, "problem_mark", None)
        place = f"{path.name}:{mark.line + 1}" if mark else path.name
        raise SettingsError(f"{place}: is not YAML: {getattr(error, 'problem', error)}") from error
    if root is None:
        raise SettingsError(f"{path.name}:1: is empty; see the default file for its contents")
    try:
        for key in _repeated_keys(root):
            raise SettingsError(f"{path.name}:{key.start_mark.line + 1}: the key {key.value!r} appears twice")
        return convert(raw, into)
    except RecursionError as error:
        raise SettingsError(f"{path.name}: nests too deep, or an alias contains itself") from error
    except ValidationError as error:
        line = _line_of(root, error.path)
        raise SettingsError(f"{path.name}:{line}: {error}") from error


def position(path: Path, place: Place) -> str:
    """``file:line`` of a place in a file that has been loaded."""
    root = yaml.compose(path.read_text(encoding="utf-8-sig"), Loader=yaml.CSafeLoader)
    return f"{path.name}:{_line_of(root, place) if root else 1}"


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
