"""One spelling for policies that differ in spelling only, and its hash.

Equal hashes mean equal access. Different hashes say nothing: `comparison.compare` does.
"""

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from iam_policy.access import access_of
from iam_policy.globs import without_covered
from iam_policy.patterns import Pattern, Template, Variable
from iam_policy.statement import PatternSet, Statement

if TYPE_CHECKING:
    from collections.abc import Iterable

    from iam_policy.access import Policies
    from iam_policy.conditions import Condition
    from iam_policy.principals import Principals

_Element = TypeVar("_Element", bound=PatternSet | None)


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
    """The statements with those put together that differ in their actions alone, or in their resources alone."""
    statements = list(dict.fromkeys(map(_without_covered_patterns, layer)))
    while True:
        fewer = _with_resources_joined(_with_actions_joined(statements))
        if len(fewer) == len(statements):
            return fewer
        statements = fewer


def _with_actions_joined(statements: "Iterable[Statement]") -> list[Statement]:
    alike: dict[tuple[object, ...], list[Statement]] = {}
    for statement in statements:
        alone = statement if statement.actions.negated else None
        alike.setdefault((statement.allows, statement.scope, alone), []).append(statement)
    return [replace(group[0], actions=_union([statement.actions for statement in group])) for group in alike.values()]


def _with_resources_joined(statements: "Iterable[Statement]") -> list[Statement]:
    alike: dict[tuple[object, ...], list[Statement]] = {}
    for statement in statements:
        scope = statement.scope
        alone = scope.resources if scope.resources is None or scope.resources.negated else "any"
        meaning = (statement.allows, statement.actions, scope.principals, scope.conditions, alone)
        alike.setdefault(meaning, []).append(statement)
    return [
        replace(
            group[0],
            scope=replace(group[0].scope, resources=_union([statement.scope.resources for statement in group])),
        )
        for group in alike.values()
    ]


def _without_covered_patterns(statement: Statement) -> Statement:
    return replace(
        statement,
        actions=_union([statement.actions]),
        scope=replace(statement.scope, resources=_union([statement.scope.resources])),
    )


def _union(elements: list[_Element]) -> _Element:
    """The patterns of elements that agree in all else, without those that another one covers."""
    first = elements[0]
    if first is None:
        return first
    patterns = frozenset[Pattern]().union(*(element.patterns for element in elements if element is not None))
    globs = frozenset(pattern for pattern in patterns if isinstance(pattern, str))
    kept = without_covered(globs) | (patterns - globs)
    return replace(first, patterns=kept)


def _written(statement: Statement) -> dict[str, Any]:
    actions, scope = statement.actions, statement.scope
    written: dict[str, Any] = {"Effect": "Allow" if statement.allows else "Deny"}
    written["NotAction" if actions.negated else "Action"] = _sorted(map(_text, actions.patterns))
    if scope.resources is not None:
        written["NotResource" if scope.resources.negated else "Resource"] = _sorted(
            map(_text, scope.resources.patterns)
        )
    if scope.principals is not None:
        written["NotPrincipal" if scope.principals.negated else "Principal"] = _named(scope.principals)
    if scope.conditions:
        written["Condition"] = _sorted(map(_condition, scope.conditions))
    return written


def _named(principals: "Principals") -> list[str]:
    return sorted(f"{principal.type}:{principal.value}" for principal in principals.named)


def _condition(condition: "Condition") -> list[Any]:
    operator = condition.operator
    name = [operator.kind.family, operator.relation.value, operator.negated, operator.quantifier.value]
    return [condition.key, *name, operator.holds_on_missing_key, _sorted(map(_text, condition.values))]


def _text(pattern: object) -> Any:
    if isinstance(pattern, Template):
        return [[part.key, part.default] if isinstance(part, Variable) else part for part in pattern.parts]
    return str(pattern)


def _sorted(values: "Iterable[Any]") -> list[Any]:
    return sorted(values, key=lambda value: json.dumps(value, sort_keys=True))
