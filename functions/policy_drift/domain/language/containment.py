"""Whether one demand surely includes another, seen at a glance: a proof that most comparisons need no search for."""

from decimal import Decimal
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING

from .globs import arn_covers, covers
from .operators import Kind, Relation
from .patterns import Template, is_wild

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .conditions import Condition, Value
    from .operators import Operator
    from .patterns import Pattern
    from .statement import PatternSet, Rest


#: More pairs of values than these are not seen at a glance.
_MOST_PAIRS = 2_500


def is_refuted(
    allows: "Sequence[Sequence[Rest]]",
    denies: "Sequence[Rest]",
    refusing_allows: "Sequence[Sequence[Rest]]",
    refusing_denies: "Sequence[Rest]",
) -> bool:
    """Whether surely nothing is allowed by one side and refused by the other, whatever variables stand for.

    Parameters
    ----------
    allows, refusing_allows : sequences of demands
        Layer by layer, one of which is to be met.
    denies, refusing_denies : sequence of demands
        None of which may be met.
    """
    left = [[rest for rest in layer if not _all_within([rest], denies)] for layer in allows]
    if not all(left):
        return True
    return _all_within(refusing_denies, denies) and all(
        any(_all_within(layer, other) for layer in left) for other in refusing_allows
    )


def _all_within(narrow: "Sequence[Rest]", wide: "Sequence[Rest]") -> bool:
    """Whether whoever meets one of the first demands surely meets one of the second; each is held against each."""
    return all(any(_within(one, other) for other in wide) for one in narrow)


def _within(narrow: "Rest", wide: "Rest") -> bool:
    if narrow == wide:
        return True
    return (
        _conditions_within(narrow.conditions, wide.conditions)
        and wide.principals in (None, narrow.principals)
        and (
            wide.resources is None
            or (narrow.resources is not None and _resources_within(narrow.resources, wide.resources))
        )
    )


def _conditions_within(narrow: "frozenset[Condition]", wide: "frozenset[Condition]") -> bool:
    return all(one in narrow or any(_implies(other, one) for other in narrow) for one in wide)


def _implies(narrow: "Condition", wide: "Condition") -> bool:
    """Whether any values of the key, or none, that meet the one condition surely meet the other."""
    this, that = narrow.operator, wide.operator
    if (narrow.key, this.kind, this.relation, this.negated, this.quantifier) != (
        wide.key,
        that.kind,
        that.relation,
        that.negated,
        that.quantifier,
    ) or this.holds_on_missing_key > that.holds_on_missing_key:
        return False
    if this.negated:  # a variable without a value keeps a negation from holding
        return set(wide.templates) <= narrow.values and _values_within(wide.values, narrow)
    return _values_within(narrow.values, wide)


def _values_within(values: "frozenset[Value]", wide: "Condition") -> bool:
    if values <= wide.values:
        return True
    return len(values) * len(wide.values) <= _MOST_PAIRS and all(
        value in wide.values or any(_value_within(value, other, wide.operator) for other in wide.values)
        for value in values
    )


def _value_within(narrow: "Value", wide: "Value", operator: "Operator") -> bool:
    """Whether what the one value of this operator matches is surely matched by the other, an unequal one."""
    if isinstance(narrow, Decimal) and isinstance(wide, Decimal):
        if operator.relation in (Relation.LESS, Relation.LESS_OR_EQUAL):
            return narrow <= wide
        return operator.relation is not Relation.EQUAL and narrow >= wide
    if isinstance(narrow, IPv4Network) and isinstance(wide, IPv4Network):
        return narrow.subnet_of(wide)
    if isinstance(narrow, IPv6Network) and isinstance(wide, IPv6Network):
        return narrow.subnet_of(wide)
    if isinstance(narrow, str | Template) and isinstance(wide, str) and is_wild(wide):
        covering = arn_covers if operator.kind is Kind.ARN else covers
        return covering(wide, narrow.widest if isinstance(narrow, Template) else narrow)
    return False


def _resources_within(narrow: "PatternSet", wide: "PatternSet") -> bool:
    if narrow == wide:
        return True
    if narrow.negated or wide.negated:
        return False
    return all(any(_pattern_within(one, other) for other in wide.patterns) for one in narrow.patterns)


def _pattern_within(narrow: "Pattern", wide: "Pattern") -> bool:
    if isinstance(wide, Template):
        return narrow == wide
    return covers(wide, narrow.widest if isinstance(narrow, Template) else narrow)
