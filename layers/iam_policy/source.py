"""Reading the JSON text of a policy, as strictly as AWS does."""

import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from iam_policy.errors import PolicyDocumentError, quoted

#: Longest text that is read. The largest policies that AWS stores stay below it, indented by eight spaces too.
MAX_CHARACTERS = 900_000
_MOST_DIGITS = 400


def read(document: str | Mapping[str, Any]) -> Mapping[str, Any]:
    """The JSON object of a policy document, from its text or as it is.

    Raises
    ------
    PolicyDocumentError
        For text that is not JSON, too long, nested too deep, not an object, or has a key twice in one object.
    """
    if isinstance(document, Mapping):
        return document
    return _object(_loaded(document))


def read_documents(text: str) -> list[Any]:
    """The documents of a JSON text that holds one, or an array of them.

    Raises
    ------
    PolicyDocumentError
        As `read` does, except that what the members of an array are is not looked at.
    """
    value = _loaded(text)
    return value if isinstance(value, list) else [_object(value)]


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise PolicyDocumentError(f"JSON {_kind(value)} is no policy document", "", "an object")
    return value


def _loaded(text: object) -> Any:
    if not isinstance(text, str):
        raise PolicyDocumentError(f"{type(text).__name__} is no policy document", "", "an object or JSON text")
    if len(text) > MAX_CHARACTERS:
        raise PolicyDocumentError(f"{len(text)} characters are too many", "", f"at most {MAX_CHARACTERS} characters")
    repeated: list[_Repeated] = []
    try:
        value = json.loads(
            text.removeprefix("\ufeff"),
            object_pairs_hook=lambda pairs: _members(pairs, repeated),
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_short,
        )
    except json.JSONDecodeError as error:
        problem = f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        raise PolicyDocumentError(problem, "", "JSON text") from error
    except RecursionError as error:
        raise PolicyDocumentError("nested too deep", "", "at most seven levels, as the grammar has") from error
    if repeated:  # the outermost was read last
        raise PolicyDocumentError(
            f"key {quoted(repeated[-1].name)} occurs twice", _pointer_to(repeated[-1], value), "each key once"
        )
    return value


def _no_constant(name: str) -> NoReturn:
    raise PolicyDocumentError(f"not JSON: {name}", "", "JSON text")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise PolicyDocumentError(f"number {quoted(text)} is too large", "", "numbers of a few digits")
    return number


def _short(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise PolicyDocumentError("a number is too long", "", "numbers of a few digits")
    return int(text)


@dataclass(frozen=True, slots=True)
class _Repeated:
    name: str
    members: dict[str, Any]


def _members(pairs: list[tuple[str, Any]], repeated: list[_Repeated]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        times = Counter(name for name, _ in pairs)
        repeated.append(_Repeated(next(name for name, count in times.items() if count > 1), members))
    return members


def _pointer_to(repeated: _Repeated, document: object) -> str:
    """Where the key that was read last of all repeated ones stands: nothing that holds it is itself repeated."""
    pending = [("", document)]
    while pending:
        pointer, value = pending.pop()
        if value is repeated.members:
            return pointer + "/" + escaped(repeated.name)
        if isinstance(value, dict):
            pending += [(f"{pointer}/{escaped(name)}", member) for name, member in value.items()]
        elif isinstance(value, list):
            pending += [(f"{pointer}/{index}", member) for index, member in enumerate(value)]
    return ""


def escaped(name: object) -> str:
    """A member's name as one part of a JSON pointer; a name that JSON does not have is quoted."""
    text = name if isinstance(name, str) else quoted(name)
    return text.replace("~", "~0").replace("/", "~1")


def _kind(value: object) -> str:
    kinds = {list: "array", str: "string", bool: "boolean", int: "number", float: "number", type(None): "null"}
    return kinds.get(type(value), type(value).__name__)
