"""What is left of an access once part of a request is known."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from iam_policy import variables
from iam_policy.access import Access
from iam_policy.dimensions import Assignment
from iam_policy.patterns import Template, is_wild, literal
from iam_policy.statement import PatternSet, Statement

if TYPE_CHECKING:
    from iam_policy.conditions import Condition

PLACEHOLDER = "sts:getcalleridentity"
"""What the action is called then: a known one, so that no comparison looks for a better example."""

_PLACEHOLDER = PatternSet(frozenset({PLACEHOLDER}))


def about(access: Access, action: str) -> Access:
    """The statements that apply to an action, ``service:Action``."""
    name = literal(action.lower())
    service = name.partition(":")[0]
    return Access(
        tuple(
            tuple(
                one
                for one in layer
                if ((services := _services(one.actions)) is None or service in services)
                and one.actions.match(name, lambda _: None)
            )
            for layer in access.layers
        )
    )


@lru_cache(maxsize=8192)
def _services(actions: PatternSet) -> frozenset[str] | None:
    """The services that the element names; None where a star may stand for any.

    Most statements are about one service, and most of the questions are about others.
    """
    services = frozenset("*" if isinstance(one, Template) else one.partition(":")[0] for one in actions.patterns)
    return None if actions.negated or any(map(is_wild, services)) else services


def is_allowed_somewhere(access: Access) -> bool:
    """Whether each layer has a statement that allows; without one, nothing is allowed."""
    return all(any(one.allows for one in layer) for layer in access.layers)


def may_allow(access: Access, action: str) -> bool:
    """Whether an action is allowed anywhere under any conditions, if no Deny stood against it: seen at a glance."""
    return is_allowed_somewhere(about(access, action))


def partially_evaluated(access: Access, action: str, known: Mapping[str, str | None]) -> Access:
    """What an access says to one action of a principal of which some context is known.

    Only resources and the other context keys are left to ask about. The action has no name any more, so that what is
    left for two actions can be put together: layers of both say what resource both may be done to.

    Parameters
    ----------
    access : Access
        Of the principal.
    action : str
        ``service:Action``.
    known : mapping
        The values of context keys, written in lower case; None for one that is missing.
    """
    layers = about(access, action).layers
    keys = set(variables.keys_of(statement.scope for layer in layers for statement in layer))
    assignment = Assignment({key: value for key, value in known.items() if key in keys}, frozenset(keys - known.keys()))
    return Access(tuple(tuple(_left(layer, known, assignment)) for layer in layers))


def _left(layer: Iterable[Statement], known: Mapping[str, str | None], assignment: Assignment) -> Iterable[Statement]:
    for statement in layer:
        scope = variables.grounded(statement.scope, assignment)
        decided = {condition for condition in scope.conditions if _is_decided(condition, known)}
        if all(condition.holds(_values(known[condition.key]), lambda _: None) for condition in decided):
            yield replace(statement, actions=_PLACEHOLDER, scope=replace(scope, conditions=scope.conditions - decided))


def _is_decided(condition: "Condition", known: Mapping[str, str | None]) -> bool:
    return condition.key in known and not any(isinstance(value, Template) for value in condition.values)


def _values(value: str | None) -> tuple[str, ...]:
    return () if value is None else (value,)
