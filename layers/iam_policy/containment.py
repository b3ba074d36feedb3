"""Whether one demand surely includes another, seen at a glance: a proof that most comparisons need no search for."""

from functools import lru_cache
from typing import TYPE_CHECKING

from iam_policy.globs import Stems, covers, is_stem
from iam_policy.patterns import Template, is_wild

if TYPE_CHECKING:
    from collections.abc import Sequence

    from iam_policy.budget import Budget
    from iam_policy.conditions import Condition
    from iam_policy.kinds import Value
    from iam_policy.statement import PatternSet, Scope

_COMPARISONS_OF_A_STEP = 4
#: More pairs of values than these are left to the search.
_MOST_PAIRS = 2_500


def is_refuted(
    allows: "Sequence[Sequence[Scope]]",
    denies: "Sequence[Scope]",
    refusing_allows: "Sequence[Sequence[Scope]]",
    refusing_denies: "Sequence[Scope]",
    budget: "Budget",
) -> bool:
    """Whether surely nothing is allowed by one side and refused by the other, for all values of variables.

    Parameters
    ----------
    allows, refusing_allows : sequences of demands
        Layer by layer, one of which is to be met.
    denies, refusing_denies : sequence of demands
        None of which may be met.

    Raises
    ------
    OutOfBudgetError
    """
    left = [[scope for scope in layer if not _all_within([scope], denies, budget)] for layer in allows]
    if not all(left):
        return True
    return _all_within(refusing_denies, denies, budget) and all(
        any(_all_within(layer, other, budget) for layer in left) for other in refusing_allows
    )


def _all_within(narrow: "Sequence[Scope]", wide: "Sequence[Scope]", budget: "Budget") -> bool:
    """Whether a request that meets one of the first demands surely meets one of the second; compared pairwise."""
    same = set(wide) if len(narrow) > 1 else wide
    changed = [one for one in narrow if one not in same]
    for one in changed:
        budget.spend(len(wide) // _COMPARISONS_OF_A_STEP)
        if not any(within(one, other, budget) for other in wide):
            return False
    return True


def within(narrow: "Scope", wide: "Scope", budget: "Budget") -> bool:
    """Whether every request that meets the one demand surely meets the other.

    Raises
    ------
    OutOfBudgetError
    """
    return (
        _conditions_within(narrow.conditions, wide.conditions, budget)
        and wide.principals in (None, narrow.principals)
        and (
            wide.resources is None
            or (narrow.resources is not None and _resources_within(narrow.resources, wide.resources, budget))
        )
    )


def _conditions_within(narrow: "frozenset[Condition]", wide: "frozenset[Condition]", budget: "Budget") -> bool:
    for one in wide - narrow:
        budget.spend(len(narrow) // _COMPARISONS_OF_A_STEP)
        if not any(_implies(other, one, budget) for other in narrow):
            return False
    return True


def _implies(narrow: "Condition", wide: "Condition", budget: "Budget") -> bool:
    """Whether any values of the key, or none, that meet the one condition surely meet the other."""
    this, that = narrow.operator, wide.operator
    if (narrow.key, this.kind.family, this.relation, this.negated, this.quantifier) != (
        wide.key,
        that.kind.family,
        that.relation,
        that.negated,
        that.quantifier,
    ) or this.holds_on_missing_key > that.holds_on_missing_key:
        return False
    if this.negated:  # a variable without a value keeps a negation from holding
        return set(wide.templates) <= narrow.values and _values_within(wide.values, narrow, budget)
    return _values_within(narrow.values, wide, budget)


def _values_within(values: "frozenset[Value]", wide: "Condition", budget: "Budget") -> bool:
    changed = values - wide.values
    kind, relation = wide.operator.kind, wide.operator.relation
    if len(changed) * len(wide.values) > _MOST_PAIRS:
        return False
    for value in changed:
        budget.spend(len(wide.values) // _COMPARISONS_OF_A_STEP)
        if not any(kind.covers(other, value, relation) for other in wide.values):
            return False
    return True


def _resources_within(narrow: "PatternSet", wide: "PatternSet", budget: "Budget") -> bool:
    if narrow == wide:
        return True
    if narrow.negated or wide.negated:
        return False
    stems, others = _wildcards_of(wide)
    for one in narrow.patterns:
        if one in wide.patterns:
            continue
        text = one.widest if isinstance(one, Template) else one
        if stems.cover(text):
            continue
        budget.spend(1 + len(others) // _COMPARISONS_OF_A_STEP)
        if not any(covers(other, text) for other in others):
            return False
    return True


@lru_cache(maxsize=64)
def _wildcards_of(element: "PatternSet") -> tuple[Stems, tuple[str, ...]]:
    globs = [pattern for pattern in element.patterns if isinstance(pattern, str) and is_wild(pattern)]
    return Stems(globs), tuple(glob for glob in globs if not is_stem(glob))
