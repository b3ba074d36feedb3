"""From plain JSON or YAML values to dataclasses, strictly, with errors that name the place."""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import is_dataclass
from enum import Enum
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from steward.errors import Place, ValidationError

_WHERE = re.compile(r"(?P<what>.*?)(?: - at `(?P<path>\$.*)`)?", re.DOTALL)
_STEP = re.compile(r"\.(?P<key>\w+)|\[(?P<index>\d+|\.\.\.)\]")


def convert[T](raw: object, into: type[T]) -> T:
    """Fit plain JSON or YAML values into the dataclass ``into``, refusing unknown keys.

    Raises
    ------
    ValidationError
        Something is missing, unknown, mistyped, no finite number or refused by a ``__post_init__``.
    """
    for place in _without_end(raw, ()):
        raise ValidationError("is not a finite number", place)
    try:
        value = msgspec.convert(raw, into, dec_hook=_from_text)
    except msgspec.ValidationError as error:
        found = _WHERE.fullmatch(str(error))
        what, path = found.group("what", "path") if found else (str(error), "")
        place = _steps(path or "")
        if isinstance(error.__cause__, ValidationError):
            raise ValidationError(error.__cause__.what, (*place, *error.__cause__.path)) from error
        choices = ", ".join(_choices(into, place))
        raise ValidationError(f"{what}; one of {choices}" if choices else what, place) from error
    for place, known in _unknown_keys(raw, msgspec.to_builtins(value, enc_hook=str), ()):
        raise ValidationError(f"unknown key; known keys are {', '.join(known)}", place)
    return value


def _choices(into: object, path: Place) -> list[str]:
    """The values that a type admits at a place, where it lists them; msgspec says only which one is wrong."""
    kinds = [into]
    for step in path:
        kinds = [inner for kind in kinds for inner in _inside(kind, step)]
    return [str(choice) for kind in kinds for choice in _listed(kind)]


def _inside(kind: Any, step: str | int) -> Iterator[object]:
    """The types that stand one step inside a dataclass, a tuple or a dict."""
    if isinstance(kind, type) and is_dataclass(kind):
        yield from _alternatives(get_type_hints(kind).get(str(step)))
    elif get_origin(kind) in {tuple, dict}:
        yield from _alternatives(get_args(kind)[0 if get_origin(kind) is tuple else 1])


def _alternatives(kind: Any) -> Iterator[object]:
    yield from get_args(kind) if get_origin(kind) in {Union, UnionType} else (kind,)


def _listed(kind: Any) -> Iterable[object]:
    if get_origin(kind) is Literal:
        return get_args(kind)
    return kind if isinstance(kind, type) and issubclass(kind, Enum) else ()


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


def _without_end(raw: object, path: Place) -> Iterator[Place]:
    """Where ``.nan`` or ``.inf`` stands: no comparison with a limit holds for the one, and no limit for the other."""
    match raw:
        case float() if not math.isfinite(raw):
            yield path
        case dict():
            for key, value in raw.items():
                yield from _without_end(value, (*path, key))
        case list():
            for index, value in enumerate(raw):
                yield from _without_end(value, (*path, index))


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
