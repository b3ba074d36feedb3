"""From plain JSON or YAML values to dataclasses, strictly, with errors that name the place."""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from functools import cache
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from steward.errors import Place, ValidationError

T = TypeVar("T")

_WHERE = re.compile(r"(?P<what>.*?)(?: - at `(?P<path>\$.*)`)?", re.DOTALL)
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")
_STEP = re.compile(r"\.(?P<key>\w+)|\[(?P<index>\d+|\.\.\.)\]")


def convert(raw: object, into: type[T]) -> T:
    """Fit plain JSON or YAML values into the dataclass ``into``, refusing unknown keys.

    A dataclass may declare keys that people look for in it, with what is right instead::

        ELSEWHERE: ClassVar[Mapping[str, str]] = {"scan_on_push": "scanning is a setting of the registry"}

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
        place, wrong = _exactly(raw, place, what)
        hint = _hint(_types_at(into, place), what, wrong)
        raise ValidationError(f"{what}; {hint}" if hint else what, place) from error
    for place, known in _unknown_keys(raw, msgspec.to_builtins(value, enc_hook=str), ()):
        elsewhere = [
            reason
            for kind in _types_at(into, place[:-1])
            if (reason := getattr(kind, "ELSEWHERE", {}).get(place[-1])) is not None
        ]
        says = elsewhere[0] if elsewhere else f"known keys are {', '.join(known)}"
        raise ValidationError(f"unknown key; {says}", place)
    return value


def types_inside(kinds: Iterable[object], step: str | int) -> list[object]:
    """The types that may stand one step, a key or an index, inside any of the given ones."""
    return [inner for kind in kinds for inner in _inside(kind, step)]


def _types_at(into: object, path: Place) -> list[object]:
    kinds = [into]
    for step in path:
        kinds = types_inside(kinds, step)
    return kinds


def _exactly(raw: object, place: Place, what: str) -> tuple[Place, object]:
    """The place and the value there; in a mapping of texts also the key, which msgspec leaves out."""
    for step in place:
        raw = raw[step]  # type: ignore[index] # the path is that of msgspec in it
    if isinstance(raw, dict) and what.startswith("Expected `str`"):
        for key, value in raw.items():
            if not isinstance(value, str):
                return (*place, key), value
    return place, raw


def _hint(kinds: Iterable[object], what: str, wrong: object) -> str:
    """What would be right instead: msgspec says only what is wrong."""
    kinds = list(kinds)
    choices = [str(choice) for kind in kinds for choice in _listed(kind)]
    if choices and what.startswith("Invalid enum value"):
        objects = [f"keys {', '.join(_keys(kind))}" for kind in kinds if is_dataclass(kind)]
        return " or ".join([f"one of {', '.join(choices)}", *objects])
    if what.startswith("Expected `str") and isinstance(wrong, (bool, int, float, date)):
        return "write it in quotes"
    if isinstance(wrong, str):
        if what.startswith(("Expected `int", "Expected `float")) and _NUMBER.fullmatch(wrong):
            return "write it without quotes"
        if what.startswith("Expected `object"):
            return "write its keys and values themselves, as YAML or JSON, and not a text of them"
        if what.startswith("Expected `array"):
            return "write a list"
    return ""


def _keys(kind: Any) -> list[str]:
    return [field.name for field in fields(kind)]


def _inside(kind: Any, step: str | int) -> Iterator[object]:
    """The types that stand one step inside a dataclass, a tuple or a dict."""
    if isinstance(kind, type) and is_dataclass(kind):
        yield from _alternatives(_type_hints(kind).get(str(step)))
    elif get_origin(kind) in {tuple, dict}:
        yield from _alternatives(get_args(kind)[0 if get_origin(kind) is tuple else 1])


@cache
def _type_hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _alternatives(kind: Any) -> Iterator[object]:
    kind = getattr(kind, "__value__", kind)  # of a type statement
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
                if not isinstance(value, str):  # most values of a document
                    yield from _without_end(value, (*path, key))
        case list():
            for index, value in enumerate(raw):
                if not isinstance(value, str):
                    yield from _without_end(value, (*path, index))


def _unknown_keys(raw: object, read: object, path: Place) -> Iterator[tuple[Place, list[str]]]:
    """Keys of ``raw`` that did not become a field, each with the keys that would have."""
    if raw == read:  # a policy document, say, as a whole
        return
    if isinstance(raw, dict) and isinstance(read, dict):
        for key, value in raw.items():
            if key not in read:
                yield (*path, key), sorted(read)
            else:
                yield from _unknown_keys(value, read[key], (*path, key))
    elif isinstance(raw, list) and isinstance(read, (list, tuple)):
        for index, (value, built) in enumerate(zip(raw, read, strict=True)):
            yield from _unknown_keys(value, built, (*path, index))
