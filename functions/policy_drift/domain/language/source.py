"""Reading the JSON text of a policy, as strictly as AWS does."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import PolicyDocumentError

#: Longest text that is read. The largest policies that AWS stores (resource policies, AWS managed ones) stay far below.
MAX_CHARACTERS = 262_144


def read(document: str | Mapping[str, Any]) -> Mapping[str, Any]:
    """The JSON object of a policy document, from its text or as it is.

    Raises
    ------
    PolicyDocumentError
        For text that is not JSON, too long, nested too deep, not an object, or has a key twice in one object.
    """
    if isinstance(document, Mapping):
        return document
    value = _loaded(document)
    if not isinstance(value, dict):
        raise PolicyDocumentError(f"JSON {_kind(value)} is no policy document", "", "an object")
    return value


def read_documents(text: str) -> list[Any]:
    """The documents of a JSON text that holds one, or an array of them.

    Raises
    ------
    PolicyDocumentError
        As `read` does, except that what the members of an array are is not looked at.
    """
    value = _loaded(text)
    return value if isinstance(value, list) else [read(text)]


def _loaded(text: object) -> Any:
    if not isinstance(text, str):
        raise PolicyDocumentError(f"{type(text).__name__} is no policy document", "", "an object or JSON text")
    if len(text) > MAX_CHARACTERS:
        raise PolicyDocumentError(f"{len(text)} characters are too many", "", f"at most {MAX_CHARACTERS} characters")
    repeated: list[_Repeated] = []
    try:
        value = json.loads(text.removeprefix("\ufeff"), object_pairs_hook=lambda pairs: _members(pairs, repeated))
    except json.JSONDecodeError as error:
        problem = f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        raise PolicyDocumentError(problem, "", "JSON text") from error
    except RecursionError as error:
        raise PolicyDocumentError("nested too deep", "", "at most seven levels, as the grammar has") from error
    except ValueError as error:  # an integer of more digits than the interpreter converts
        raise PolicyDocumentError("a number is too long", "", "numbers of a few digits") from error
    if repeated:
        raise PolicyDocumentError(
            f"key {repeated[0].name!r} occurs twice", _pointer_to(repeated[0], value), "each key once"
        )
    return value


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
    """Where the repeated key stands; the text was not nested too deep to be read, so neither is the search."""
    pending = [("", document)]
    while pending:
        pointer, value = pending.pop()
        if value is repeated.members:
            return pointer + "/" + escaped(repeated.name)
        if isinstance(value, dict):
            pending += [(f"{pointer}/{escaped(name)}", member) for name, member in value.items()]
        elif isinstance(value, list):
            pending += [(f"{pointer}/{index}", member) for index, member in enumerate(value)]
    return ""  # inside the value of another repeated key


def escaped(name: str) -> str:
    """A member's name as one part of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def _kind(value: object) -> str:
    kinds = {list: "array", str: "string", bool: "boolean", int: "number", float: "number", type(None): "null"}
    return kinds.get(type(value), type(value).__name__)
