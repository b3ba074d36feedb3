"""From a JSON object to statements, with an error for what AWS would refuse or what is ambiguous."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn, cast

from iam_policy import patterns, principals, values
from iam_policy.conditions import Condition
from iam_policy.errors import PolicyDocumentError, quoted
from iam_policy.operators import NAMES, operator
from iam_policy.patterns import Pattern, Template
from iam_policy.source import escaped, read
from iam_policy.statement import Document, PatternSet, Scope, Statement

_VARIABLES_SINCE = "2012-10-17"
_VERSIONS = {"2008-10-17", _VARIABLES_SINCE}
_DOCUMENT_KEYS = ("Version", "Id", "Statement")
_STATEMENT_KEYS = (
    *("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"),
)
_EVERYTHING = PatternSet(frozenset("*"))
_NO_CONDITIONS: frozenset[Condition] = frozenset()
_ARN_COLONS = 5

#: Most characters of patterns or values in one list: more than any policy has that AWS stores.
_MAX_PATTERN_CHARACTERS = 262_144


def parse(document: str | Mapping[str, Any], *, stored: bool = False) -> Document:
    """Read a policy document.

    Parameters
    ----------
    document : str or mapping
        JSON text, or the object that it spells.
    stored : bool
        Whether IAM has it: then no action is refused for its form.

    Raises
    ------
    PolicyDocumentError
        With the problem, a JSON pointer to it, and what is allowed.
    """
    members = read(document)
    _only(members, _DOCUMENT_KEYS, "")
    version = members.get("Version", "2008-10-17")
    if not isinstance(version, str) or version not in _VERSIONS:
        raise PolicyDocumentError(
            f"{quoted(version)} is no version of the language", "/Version", " or ".join(sorted(_VERSIONS))
        )
    if not isinstance(members.get("Id", ""), str):
        raise PolicyDocumentError("an Id that is not text", "/Id", "a string")
    variables = version == _VARIABLES_SINCE
    listed = members.get("Statement")
    if isinstance(listed, Mapping):
        listed, pointers = [listed], ["/Statement"]
    else:
        pointers = [f"/Statement/{index}" for index in range(len(listed))] if isinstance(listed, list) else []
    if not isinstance(listed, list) or not listed:
        problem = "no Statement" if listed is None else "no list of statements" if listed != [] else "an empty list"
        raise PolicyDocumentError(problem, "/Statement" if "Statement" in members else "", "one statement or more")
    notes: list[str] = []
    statements = [
        _statement(member, pointer, notes, variables=variables, stored=stored)
        for member, pointer in zip(listed, pointers, strict=True)
    ]
    return Document(tuple(statements), tuple(notes))


def _statement(members: object, pointer: str, notes: list[str], *, variables: bool, stored: bool) -> Statement:
    if not isinstance(members, Mapping):
        raise PolicyDocumentError("a statement that is no object", pointer, "an object")
    _only(members, _STATEMENT_KEYS, pointer)
    if not isinstance(members.get("Sid", ""), str):
        raise PolicyDocumentError("a Sid that is not text", pointer + "/Sid", "a string")
    effect = members.get("Effect")
    if effect not in ("Allow", "Deny"):
        problem = "no Effect" if "Effect" not in members else f"{quoted(effect)} is no effect"
        raise PolicyDocumentError(problem, pointer + "/Effect" if "Effect" in members else pointer, "Allow or Deny")
    named = _principals(members, pointer)
    key = _one_of(members, "Action", "NotAction", pointer)
    if key is None:
        raise PolicyDocumentError("neither Action nor NotAction", pointer, "one of the two")
    actions = _actions(*_strings(members[key], f"{pointer}/{key}"), notes, stored=stored)
    everything = "*" in actions
    resources = _resources(members, pointer, named, variables=variables)
    condition = members.get("Condition")
    return Statement(
        effect == "Allow",
        PatternSet(_EVERYTHING.patterns if everything else actions, key == "NotAction"),
        Scope(
            named,
            resources,
            _conditions(condition, pointer, variables=variables) if "Condition" in members else _NO_CONDITIONS,
        ),
        pointer,
    )


def _actions(
    texts: list[str], pointers: Iterable[Callable[[], str]], notes: list[str], *, stored: bool
) -> frozenset[Pattern]:
    """The globs of actions; one that can match no action is left out and noted."""
    found = set()
    for text, pointer in zip(texts, pointers, strict=False):
        try:
            found.add(_action(text, pointer))
        except PolicyDocumentError as error:
            if not stored and not _is_padded(text):
                raise
            notes.append(f"{error.pointer}: {error.problem}; it matches no action")
    return frozenset(found)


def _is_padded(text: str) -> bool:
    """Whether a text is an action but for blanks about the service or the name; IAM has stored such ones."""
    without_blanks = ":".join(part.strip(" ") for part in text.split(":"))
    return without_blanks != text and _is_action(without_blanks)


def _is_action(text: str) -> bool:
    service, colon, name = text.partition(":")
    return text == "*" or bool(
        colon and service and name and ":" not in name and not text.count(" ") and text.isascii()
    )


def _action(text: str, pointer: Callable[[], str]) -> str:
    if not _is_action(text):
        problem = "is malformed" if ":" in text else "names no service"
        raise PolicyDocumentError(f"action {quoted(text)} {problem}", pointer(), "service:action, or *")
    glob = patterns.tidied(text.lower())
    return "*" if glob == "*:*" else glob


def _resources(
    members: Mapping[str, Any], pointer: str, named: principals.Principals | None, *, variables: bool
) -> PatternSet | None:
    key = _one_of(members, "Resource", "NotResource", pointer)
    if key is None:
        if named is None:
            problem = "neither Resource nor NotResource"
            raise PolicyDocumentError(
                problem, pointer, "one of the two; only a statement with a Principal may go without"
            )
        return None
    at = f"{pointer}/{key}"
    listed = frozenset(
        _resource(text, where, variables=variables) for text, where in zip(*_strings(members[key], at), strict=False)
    )
    if "*" in listed:
        return None if key == "Resource" else PatternSet(_EVERYTHING.patterns, negated=True)
    return PatternSet(listed, key == "NotResource")


def _resource(text: str, pointer: Callable[[], str], *, variables: bool) -> Pattern:
    if text.startswith("arn:") and text.count(":") >= _ARN_COLONS and "${" not in text and text.isascii():
        return patterns.tidied(text)
    pattern = patterns.parse(text, variables=variables, wildcards=True, refuse=_refusal(pointer))
    head = pattern.parts[0] if isinstance(pattern, Template) else pattern
    head = head if isinstance(head, str) else "*"
    wild = min((head.find(wildcard) for wildcard in "*?" if wildcard in head), default=len(head))
    open_ended = isinstance(pattern, Template) or "*" in pattern
    if not ("arn:".startswith(head[:wild]) if wild < len("arn:") else head.startswith("arn:")) or (
        not open_ended and text.count(":") < _ARN_COLONS
    ):
        raise PolicyDocumentError(
            f"resource {quoted(text)} is no ARN", pointer(), "an ARN of six parts, with wildcards, or *"
        )
    return patterns.tidied(pattern) if isinstance(pattern, str) else pattern


def _principals(members: Mapping[str, Any], pointer: str) -> principals.Principals | None:
    key = _one_of(members, "Principal", "NotPrincipal", pointer)
    if key is None:
        return None
    at = f"{pointer}/{key}"
    element = members[key]
    if element == principals.EVERYONE:
        return principals.Principals(frozenset([principals.ANONYMOUS]), key == "NotPrincipal")
    if not isinstance(element, Mapping) or not element:
        raise PolicyDocumentError("no principal", at, f"'*', or an object with {', '.join(principals.TYPES)}")
    _only(element, principals.TYPES, at)
    named = set()
    for kind, listed in element.items():
        for text, where in zip(*_strings(listed, f"{at}/{kind}"), strict=False):
            if problem := principals.problem_of(kind, text):
                raise PolicyDocumentError(problem, where(), "an ARN, account id, unique id, service, provider or '*'")
            named.add(principals.named(kind, text))
    return principals.Principals(frozenset(named), key == "NotPrincipal")


def _conditions(block: object, pointer: str, *, variables: bool) -> frozenset[Condition]:
    at = pointer + "/Condition"
    if not isinstance(block, Mapping):
        raise PolicyDocumentError("a Condition that is no object", at, "an object of operators")
    found = []
    for name, keys in block.items():
        here = f"{at}/{escaped(name)}"
        known = operator(name) if isinstance(name, str) else None
        if known is None:
            problem = f"{quoted(name)} is no condition operator"
            raise PolicyDocumentError(problem, here, f"{', '.join(NAMES)}, with ForAnyValue:, ForAllValues:, IfExists")
        if not isinstance(keys, Mapping):
            raise PolicyDocumentError("an operator without keys", here, "an object of context keys")
        seen: set[str] = set()
        for key, listed in keys.items():
            where = f"{here}/{escaped(key)}"
            if not isinstance(key, str) or not key or key.lower() in seen:
                problem = f"context key {quoted(key)} occurs twice" if key else "an empty context key"
                raise PolicyDocumentError(problem, where, "each context key once, capitals ignored")
            seen.add(key.lower())
            read_values = [
                known.kind.read(text, variables=variables, refuse=_refusal(place))
                for text, place in zip(*_strings(listed, where, scalars=True), strict=False)
            ]
            found.append(Condition(key.lower(), known, frozenset(read_values)))
    return frozenset(found)


def _strings(value: object, pointer: str, *, scalars: bool = False) -> tuple[list[str], "_Pointers"]:
    """The strings of an element that takes one or a list, and where each is; with `scalars`, also what is no text."""
    is_list = isinstance(value, list)
    listed: list[Any] = cast("list[Any]", value) if is_list else [value]
    if not listed:
        raise PolicyDocumentError("an empty list", pointer, "one string or more")
    if scalars:
        listed = list(map(_scalar_text, listed, _Pointers(pointer, listed=is_list)))
    for member, where in zip(listed, _Pointers(pointer, listed=is_list), strict=False):
        if type(member) is not str:
            kinds = "strings" if not scalars else "strings, numbers and booleans"
            raise PolicyDocumentError(f"{type(member).__name__} where a string belongs", where(), kinds)
    if sum(map(len, listed)) > _MAX_PATTERN_CHARACTERS:
        raise PolicyDocumentError("too long", pointer, f"at most {_MAX_PATTERN_CHARACTERS} characters")
    return listed, _Pointers(pointer, listed=is_list)


def _scalar_text(value: object, pointer: Callable[[], str]) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, int | float):
        return value
    if (text := values.plain_text(value)) is None:
        raise PolicyDocumentError("a number that is not finite, or very long", pointer(), "numbers of a few digits")
    return text


class _Pointers:
    """Pointers to the members of a list, or to what stands there without one, written only when an error needs one."""

    def __init__(self, pointer: str, *, listed: bool) -> None:
        self._pointer = pointer
        self._listed = listed
        self._index = -1

    def __iter__(self) -> "_Pointers":
        return self

    def __next__(self) -> Callable[[], str]:
        self._index += 1
        return self._text

    def _text(self) -> str:
        return f"{self._pointer}/{self._index}" if self._listed else self._pointer


def _refusal(pointer: Callable[[], str]) -> patterns.Refusal:
    def refuse(problem: str, allowed: str) -> NoReturn:
        raise PolicyDocumentError(problem, pointer(), allowed)

    return refuse


def _one_of(members: Mapping[str, Any], key: str, other: str, pointer: str) -> str | None:
    if key in members:
        if other in members:
            raise PolicyDocumentError(f"both {key} and {other}", pointer, "one of the two")
        return key
    return other if other in members else None


def _only(members: Mapping[str, Any], known: tuple[str, ...], pointer: str) -> None:
    for key in members:
        if key not in known:
            raise PolicyDocumentError(f"unknown key {quoted(key)}", f"{pointer}/{escaped(key)}", ", ".join(known))
