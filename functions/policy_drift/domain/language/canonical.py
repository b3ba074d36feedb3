"""One spelling for policies that differ in spelling only, and its hash.

Equal hashes mean equal access. Different hashes say nothing: `comparison.compare` does.
"""

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .access import access_of
from .globs import without_covered
from .patterns import Pattern, Template, Variable
from .statement import PatternSet, Statement

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .access import Policies
    from .conditions import Condition
    from .principals import Principals


def canonical_form(policies: "Policies") -> list[Any]:
    """The layers of some policies as plain JSON values, the same for every spelling of the same statements.

    Sid, order, duplicates, one-element lists, capitals where they do not count, account ids, the split of a statement's
    actions or resources over several, and patterns that another one of the same list covers, leave no trace.

    Raises
    ------
    PolicyDocumentError
        When a document is malformed.
    """
    return [_sorted(_written(statement) for statement in merged(layer)) for layer in access_of(policies).layers]


def canonical_hash(policies: "Policies") -> str:
    """SHA-256 of the canonical form, in hexadecimal digits.

    Raises
    ------
    PolicyDocumentError
        When a document is malformed.
    """
    text = json.dumps(canonical_form(policies), ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def merged(layer: "Iterable[Statement]") -> list[Statement]:
    """Statements that differ in their actions alone put together, then those that differ in their resources alone."""
    by_actions: dict[tuple[object, ...], list[Statement]] = {}
    for statement in dict.fromkeys(map(_without_covered_patterns, layer)):
        key: tuple[object, ...] = (
            ("alone", statement) if statement.actions.negated else (statement.allows, statement.rest)
        )
        by_actions.setdefault(key, []).append(statement)
    by_resources: dict[tuple[object, ...], list[Statement]] = {}
    for alike in by_actions.values():
        joined = replace(alike[0], actions=_union([statement.actions for statement in alike]))
        rest = joined.rest
        positive = rest.resources is not None and not rest.resources.negated
        meaning = (
            joined.allows,
            joined.actions,
            rest.principals,
            rest.conditions,
            None if positive else rest.resources,
            positive,
        )
        by_resources.setdefault(meaning, []).append(joined)
    return [
        replace(
            alike[0], rest=replace(alike[0].rest, resources=_union([statement.rest.resources for statement in alike]))
        )
        for alike in by_resources.values()
    ]


def _without_covered_patterns(statement: Statement) -> Statement:
    return replace(
        statement,
        actions=_union([statement.actions]),
        rest=replace(statement.rest, resources=_union([statement.rest.resources])),
    )


def _union[Element: PatternSet | None](elements: list[Element]) -> Element:
    """The patterns of elements that agree in all else, without those that another one covers."""
    first = elements[0]
    if first is None:
        return first
    patterns = frozenset[Pattern]().union(*(element.patterns for element in elements if element is not None))
    globs = frozenset(pattern for pattern in patterns if isinstance(pattern, str))
    kept = without_covered(globs) | (patterns - globs)
    return replace(first, patterns=kept)


def _written(statement: Statement) -> dict[str, Any]:
    actions, rest = statement.actions, statement.rest
    written: dict[str, Any] = {"Effect": "Allow" if statement.allows else "Deny"}
    written["NotAction" if actions.negated else "Action"] = _sorted(map(_text, actions.patterns))
    if rest.resources is not None:
        written["NotResource" if rest.resources.negated else "Resource"] = _sorted(map(_text, rest.resources.patterns))
    if rest.principals is not None:
        written["NotPrincipal" if rest.principals.negated else "Principal"] = _named(rest.principals)
    if rest.conditions:
        written["Condition"] = _sorted(map(_condition, rest.conditions))
    return written


def _named(principals: "Principals") -> list[str]:
    return sorted(f"{principal.type}:{principal.value}" for principal in principals.named)


def _condition(condition: "Condition") -> list[Any]:
    operator = condition.operator
    name = [operator.kind.value, operator.relation.value, operator.negated, operator.quantifier.value]
    return [condition.key, *name, operator.holds_on_missing_key, _sorted(map(_text, condition.values))]


def _text(pattern: object) -> Any:
    if isinstance(pattern, Template):
        return [[part.key, part.default] if isinstance(part, Variable) else part for part in pattern.parts]
    return str(pattern)


def _sorted(values: "Iterable[Any]") -> list[Any]:
    return sorted(values, key=lambda value: json.dumps(value, sort_keys=True))
