"""Statements in which a condition binds the key of a policy variable, written without the variable.

``b/${aws:PrincipalTag/team}/*`` under ``StringEquals aws:PrincipalTag/team a`` is ``b/a/*``. A statement with several
values is one statement for each of them. Keys that a statement asks to be equal are bound together, and such an
equality is written one way. ``…IfExists`` binds where the resource needs the variable: without the key, it has none.
"""

from collections.abc import Container, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from iam_policy.access import Access
from iam_policy.conditions import Condition
from iam_policy.kinds import EXACT_TEXT, LIKE_TEXT
from iam_policy.operators import Operator, Quantifier
from iam_policy.patterns import Template, Variable, is_wild, readable
from iam_policy.statement import PatternSet, Statement

if TYPE_CHECKING:
    from iam_policy.statement import Scope

#: Statements that one is written out as; where there would be more, a condition stays as it is.
_MOST_STATEMENTS = 32
_EQUALS = Operator(EXACT_TEXT)
_A_PAIR = 2
_BINDING = (_EQUALS, Operator(LIKE_TEXT))
_BINDING_IF_EXISTS = tuple(replace(one, holds_on_missing_key=True) for one in _BINDING)


def bound(*accesses: Access) -> tuple[Access, ...]:
    """The same accesses without the variables that conditions bind.

    A key that a set operator asks for may have several values, and a variable of it then has none: it stays.
    """
    scopes = [statement.scope for access in accesses for layer in access.layers for statement in layer]
    turned = {(one.key, other) for scope in scopes for one in scope.conditions if (other := _equal_key(one))}
    several = {
        condition.key
        for scope in scopes
        for condition in scope.conditions
        if condition.operator.quantifier is not Quantifier.NONE
    }
    if not any(True for scope in scopes for _ in _variables(scope)):
        return accesses
    return tuple(
        Access(
            tuple(
                tuple(one for statement in layer for one in _bound(_in_one_order(statement, turned, several), several))
                for layer in access.layers
            )
        )
        for access in accesses
    )


def _bound(statement: Statement, several: set[str], most: int = _MOST_STATEMENTS) -> Iterator[Statement]:
    if loose := next(_loose_bindings(statement.scope, several), None):
        for one in _by_need(statement, loose):
            yield from _bound(one, several, most)
        return
    binding = next((one for one in _bindings(statement.scope, several) if len(one.values) <= most), None)
    if binding is None:
        yield statement
        return
    most //= len(binding.values) or 1
    for value in sorted(binding.values, key=repr):
        text = readable(value) if isinstance(value, str) else ""
        yield from _bound(_with(statement, binding, replace(binding, values=frozenset([value])), text), several, most)


def _with(statement: Statement, binding: Condition, narrower: Condition, text: str) -> Statement:
    """The statement for one value of a key, which it still asks for."""
    scope = statement.scope
    kept = {variable.key for variable in _variables(scope)} - {binding.key}

    def value_of(_: str) -> str:
        return text

    others = (condition.grounded(kept, value_of) for condition in scope.conditions if condition != binding)
    resources = scope.resources.grounded(kept, value_of) if scope.resources is not None else None
    return replace(statement, scope=replace(scope, resources=resources, conditions=frozenset([narrower, *others])))


def _bindings(scope: "Scope", several: set[str]) -> Iterator[Condition]:
    """The conditions that say what a variable of the statement is."""
    keys = {variable.key for variable in _variables(scope)} - several
    for condition in sorted(scope.conditions, key=lambda one: (one.key, one.order())):
        if condition.key in keys and _is_plain(condition):
            yield condition


def _loose_bindings(scope: "Scope", several: set[str]) -> Iterator[Condition]:
    """The conditions that would say what a variable of the resource is, but hold without its key."""
    resources = scope.resources
    if resources is None or resources.negated:
        return
    keys = {variable.key for one in resources.templates for variable in one.variables if variable.default is None}
    for condition in sorted(scope.conditions, key=lambda one: (one.key, one.order())):
        if condition.key in keys - several and _is_plain(condition, _BINDING_IF_EXISTS):
            yield condition


def _by_need(statement: Statement, loose: Condition) -> Iterator[Statement]:
    """The statement for the resources that need the variable, so that the key must be there, and for the others."""
    scope = statement.scope
    if (resources := scope.resources) is None:
        return
    needing = frozenset(
        one
        for one in resources.templates
        if any(variable.key == loose.key and variable.default is None for variable in one.variables)
    )
    strict = replace(loose, operator=replace(loose.operator, holds_on_missing_key=False))
    narrower = replace(scope, resources=PatternSet(needing), conditions=scope.conditions - {loose} | {strict})
    yield replace(statement, scope=narrower)
    if others := resources.patterns - needing:
        yield replace(statement, scope=replace(scope, resources=PatternSet(others)))


def _is_plain(condition: Condition, operators: Container[Operator] = _BINDING) -> bool:
    """Whether a condition asks for one of some texts."""
    values = condition.values
    return condition.operator in operators and all(isinstance(one, str) and not is_wild(one) for one in values)


def _in_one_order(statement: Statement, equal: set[tuple[str, str]], several: set[str]) -> Statement:
    """The statement with its equalities of keys written one way, and what is asked of a key asked of its equals too.

    Two keys change places only where some statement has them the other way round.
    """
    conditions = set(statement.scope.conditions)
    pairs = {
        one: (one.key, other)
        for one in conditions
        if (other := _equal_key(one)) and other != one.key and not {one.key, other} & several
    }
    if not pairs:
        return statement
    for group in _groups(pairs.values()):
        asked = {condition for condition in conditions if condition.key in group and _is_plain(condition)}
        conditions |= {replace(condition, key=key) for condition in asked for key in group}
        written = {one: pair for one, pair in pairs.items() if pair[0] in group}
        first = min(group)
        if len(group) > _A_PAIR:
            conditions -= written.keys()
            conditions |= {_equality(key, first) for key in group - {first}}
        for one, (key, other) in written.items():
            if len(group) == _A_PAIR and other == first and (other, key) in equal:
                conditions = conditions - {one} | {_equality(other, key)}
    return replace(statement, scope=replace(statement.scope, conditions=frozenset(conditions)))


def _groups(pairs: Iterable[tuple[str, str]]) -> list[frozenset[str]]:
    """The keys that are equal, directly or by others."""
    groups: list[frozenset[str]] = []
    for pair in pairs:
        joined = frozenset(pair).union(*(group for group in groups if not group.isdisjoint(pair)))
        groups = [*(group for group in groups if group.isdisjoint(pair)), joined]
    return sorted(groups, key=min)


def _equality(key: str, other: str) -> Condition:
    return Condition(key, _EQUALS, frozenset([Template((Variable(other),))]))


def _equal_key(condition: Condition) -> str:
    """The key that a condition asks its own to be equal to; empty where it asks for something else."""
    if condition.operator != _EQUALS or len(condition.values) != 1:
        return ""
    (value,) = condition.values
    if not isinstance(value, Template) or len(value.parts) != 1 or value.variables[0].default is not None:
        return ""
    return value.variables[0].key


def _variables(scope: "Scope") -> Iterable[Variable]:
    patterns = [*(scope.resources.templates if scope.resources is not None else ())]
    for condition in scope.conditions:
        patterns += condition.templates
    return [variable for pattern in patterns for variable in pattern.variables]
