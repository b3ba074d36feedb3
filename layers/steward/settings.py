"""The files that an operator edits, read into dataclasses, with errors that name file, line and the correction.

The product ships every file with its defaults. An operator's folder holds files of the same names with what differs: a
mapping is merged with the shipped one key by key, and anything else, such as a list, takes its place.

A key that was renamed keeps working. The dataclass that has the key declares the old name beside its fields::

    RENAMED: ClassVar[Mapping[str, str]] = {"old_name": "new_name"}

``load`` then reads the old name as the new one, in shipped files and in an operator's, and ``make check`` warns with
file and line. Both names in one mapping of one file are refused.
"""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Generic, TypeVar

import yaml

from steward.conversion import convert, types_inside
from steward.errors import Place, SettingsError, ValidationError

T = TypeVar("T")

OPERATOR = "operator"
"""The folder in the package ``settings`` that a build puts an operator's files into."""

_LEADING_ZERO = re.compile(r"[-+]?0\d+")


@dataclass(frozen=True, slots=True)
class Document(Generic[T]):
    """A settings file, merged with an operator's, and where everything in it comes from.

    Attributes
    ----------
    value : T
        What it says.
    raw : dict
        The same as plain values, without the defaults of the dataclass.
    renamed : tuple
        The old names of keys that it uses: each with its place, under the new name, and a sentence.
    """

    value: T
    raw: dict[str, Any]
    renamed: tuple[tuple[Place, str], ...]
    _root: yaml.Node

    def position(self, place: Place) -> str:
        """``file:line`` of a place, or of the deepest part of it that exists."""
        return _position(self._root, place)


def shipped(name: str = "") -> Path:
    """The shipped settings file ``name``, or the folder of all of them: a package, which is a layer in Lambda."""
    return Path(str(files("settings"))) / name


def locate(name: str, folder: Path | None = None) -> tuple[Path, ...]:
    """The shipped settings file ``name`` and, if there is one, the operator's that is merged over it.

    Parameters
    ----------
    name
        Such as ``rotation.yaml``.
    folder
        The operator's; by default the one that the build put beside the shipped files.
    """
    own = (shipped(OPERATOR) if folder is None else folder) / name
    return (shipped(name), own) if own.exists() else (shipped(name),)


def load(paths: Path | Sequence[Path], into: type[T]) -> T:
    """Read a YAML file, or several merged, into the dataclass ``into``; see ``read``."""
    return read(paths, into).value


def read(paths: Path | Sequence[Path], into: type[T]) -> Document[T]:
    """Read YAML files into the dataclass ``into``, strictly: no unknown, repeated or mistyped key passes.

    Parameters
    ----------
    paths
        The file; or the shipped file and those that are merged over it, as ``locate`` returns them.
    into
        A dataclass. Its fields may be dataclasses, tuples, dicts, literals, and subclasses of ``str`` that check their
        text. A ``ValueError`` of theirs, or of a ``__post_init__``, is reported at its line.

    Raises
    ------
    SettingsError
        A file is missing, empty, not YAML, or does not fit. The message starts with ``file:line:``.
    """
    first, *others = [paths] if isinstance(paths, Path) else paths
    labels = {first: first.name} | {path: str(path) for path in others}
    last = list(labels.values())[-1]
    merged: yaml.Node | None = None
    renamed: list[tuple[Place, str]] = []
    try:
        for path, label in labels.items():
            root = _composed(path, label, beside="see the default file for its contents" if path is first else _EMPTY)
            renamed += _rename(root, (into,), ())
            merged = root if merged is None else _merged(merged, root)
        assert merged is not None  # noqa: S101 - there is a first file
        raw = yaml.constructor.SafeConstructor().construct_document(merged)
        return Document(convert(raw, into), raw, tuple(renamed), merged)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that no calendar has
        if isinstance(error, ValidationError) and merged is not None:
            where = _position(merged, error.path)
            cause = "" if where.startswith(f"{last}:") else f"{last}: does not go with "
            raise SettingsError(f"{cause}{where}: {error}") from error
        mark = getattr(error, "problem_mark", None)
        place = f"{mark.name}:{mark.line + 1}" if mark else last
        raise SettingsError(f"{place}: is not YAML: {getattr(error, 'problem', error)}") from error
    except RecursionError as error:
        raise SettingsError(f"{last}: nests too deep, or an alias contains itself") from error


_EMPTY = "write what differs from the default, or delete the file"


def _composed(path: Path, label: str, *, beside: str) -> yaml.Node:
    """The nodes of a file, with its label as the name in their marks; keys and numbers are checked."""
    try:
        text = io.StringIO(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsError(f"{label}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{label}: is not UTF-8 text (byte {error.start})") from error
    text.name = label  # the name that PyYAML puts into every mark
    root: yaml.Node | None = yaml.compose(text, Loader=yaml.CSafeLoader)
    if root is None:
        raise SettingsError(f"{label}:1: is empty; {beside}")
    for node, complaint in _unsound(root):
        raise SettingsError(f"{_where(node)}: {complaint}")
    return root


def _unsound(node: yaml.Node) -> Iterator[tuple[yaml.Node, str]]:
    """What YAML readers accept silently and read differently: repeated keys, numbers that begin with a zero."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                yield key, "a key is a text"
            elif key.value in seen:
                yield key, f"the key {key.value!r} appears twice"
            else:
                seen.add(key.value)
            yield from _unsound(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _unsound(item)
    elif isinstance(node, yaml.ScalarNode) and not node.style and _LEADING_ZERO.fullmatch(node.value):
        yield node, f'{node.value} begins with a zero: write it in quotes, "{node.value}", or without the zero'


def _rename(node: yaml.Node, kinds: Sequence[object], place: Place) -> Iterator[tuple[Place, str]]:
    """Give keys that were renamed their new names; yields each with a sentence. See the module's docstring."""
    if isinstance(node, yaml.MappingNode):
        new_names: dict[str, str] = {}
        for kind in kinds:
            new_names |= getattr(kind, "RENAMED", {})
        names = {key.value for key, _ in node.value}
        for key, value in node.value:
            old, new = key.value, new_names.get(key.value)
            if new is not None:
                if new in names:
                    raise SettingsError(f"{_where(key)}: {old} is the old name of {new}, which is here, too: delete it")
                key.value = new
                yield (*place, new), f"{old} is now called {new}; the old name still works"
            yield from _rename(value, types_inside(kinds, key.value), (*place, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _rename(item, types_inside(kinds, index), (*place, index))


def _merged(lower: yaml.Node, upper: yaml.Node) -> yaml.Node:
    """Both mappings, key by key, where both are some; else the upper."""
    if not (isinstance(lower, yaml.MappingNode) and isinstance(upper, yaml.MappingNode)):
        return upper
    below, above = _entries(lower), _entries(upper)
    value = [
        (above[name][0], _merged(node, above[name][1])) if name in above else (key, node)
        for name, (key, node) in below.items()
    ]
    value += [entry for name, entry in above.items() if name not in below]
    return yaml.MappingNode(upper.tag, value, upper.start_mark, upper.end_mark)


def _entries(node: yaml.MappingNode) -> Mapping[str, tuple[yaml.Node, yaml.Node]]:
    """Its keys and values by key, with those of its merge keys (``<<``)."""
    yaml.constructor.SafeConstructor().flatten_mapping(node)
    return {key.value: (key, value) for key, value in node.value}


def _position(node: yaml.Node, path: Place) -> str:
    """Where the deepest existing part of ``path`` stands."""
    found = node
    for step in path:
        if isinstance(node, yaml.MappingNode):
            entry = next(((key, value) for key, value in reversed(node.value) if key.value == step), None)
            if entry is None:
                break
            found, node = entry
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            found = node = node.value[step]
        else:
            break
    return _where(found)


def _where(node: yaml.Node) -> str:
    return f"{node.start_mark.name}:{node.start_mark.line + 1}"
