"""Whether one demand surely includes another, seen at a glance: a proof that most comparisons need no search for."""

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from iam_policy.globs import Stems, covers, is_stem, matches, may_overlap, overlap
from iam_policy.patterns import FIRST_SYMBOL, Template, is_wild
from iam_policy.statement import PatternSet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from iam_policy.budget import Budget
    from iam_policy.conditions import Condition
    from iam_policy.kinds import Value
    from iam_policy.patterns import Pattern
    from iam_policy.statement import Scope

_COMPARISONS_OF_A_STEP = 4
#: More pairs of values than these are left to the search.
_MOST_PAIRS = 2_500
#: Two globs are not looked at side by side where the product of their lengths is more than this.
_MOST_LETTERS = 20_000


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


def beyond(narrow: "Scope", wide: "Sequence[Scope]", budget: "Budget") -> "Scope | None":
    """What is left of a demand without the resources for which one of others is surely met; None when nothing is.

    Raises
    ------
    OutOfBudgetError
    """
    budget.spend(1 + len(wide) // _COMPARISONS_OF_A_STEP)
    if narrow in wide:
        return None
    element = narrow.resources
    left = element
    for other in wide:
        budget.spend(1)
        if other.principals not in (None, narrow.principals):
            continue
        if not _conditions_within(narrow.conditions, other.conditions, budget):
            continue
        if other.resources is None:
            return None
        if left is None or element is None:
            continue
        if left.negated or other.resources.negated:
            if _resources_within(left, other.resources, budget):
                return None
            continue
        left = PatternSet(frozenset(_not_covered(left, other.resources, budget)))
        if not left.patterns:
            return None
    return narrow if left == element else replace(narrow, resources=left)


def _resources_within(narrow: "PatternSet", wide: "PatternSet", budget: "Budget") -> bool:
    if narrow == wide:
        return True
    if narrow.negated and wide.negated:
        return _excludes(narrow, wide, budget)
    if narrow.negated:
        return False
    if wide.negated:
        return _are_apart(narrow, wide, budget)
    return next(_not_covered(narrow, wide, budget), None) is None


def _not_covered(narrow: "PatternSet", wide: "PatternSet", budget: "Budget") -> "Iterator[Pattern]":
    """The patterns of a Resource that another one does not surely have."""
    stems, others = _wildcards_of(wide)
    templates = wide.templates
    for one in narrow.patterns:
        if one in wide.patterns:
            continue
        text = one.widest if isinstance(one, Template) else one
        budget.spend(1)
        if stems.cover(text):
            continue
        budget.spend((len(others) + len(templates)) // _COMPARISONS_OF_A_STEP)
        if any(covers(other, text) for other in others):
            continue
        if not isinstance(one, Template) or not any(_template_covers(other, one) for other in templates):
            yield one


def _are_apart(narrow: "PatternSet", wide: "PatternSet", budget: "Budget") -> bool:
    """Whether no resource of a Resource is surely one that a NotResource names.

    A variable without a value keeps a NotResource from holding.
    """
    excluded = [one for one in wide.patterns if isinstance(one, str)]
    if len(excluded) < len(wide.patterns) or len(excluded) * len(narrow.patterns) > _MOST_PAIRS:
        return False
    for one in narrow.patterns:
        text = one.widest if isinstance(one, Template) else one
        for other in excluded:
            budget.spend(1)
            if may_overlap(text, other) and (len(text) * len(other) > _MOST_LETTERS or overlap(text, other)):
                return False
    return True


def _excludes(narrow: "PatternSet", wide: "PatternSet", budget: "Budget") -> bool:
    """Whether one NotResource surely names all that another one names.

    A variable without a value keeps a NotResource from holding, so those of the wide one must be in the narrow one.
    """
    stems, others = _wildcards_of(narrow)
    for one in wide.patterns - narrow.patterns:
        if isinstance(one, Template):
            return False
        budget.spend(1 + len(others) // _COMPARISONS_OF_A_STEP)
        if not stems.cover(one) and not any(covers(other, one) for other in others):
            return False
    return True


def _template_covers(wide: Template, narrow: Template) -> bool:
    """Whether a pattern matches all that another one does: a variable is within a star, and within itself."""
    symbols = {variable: chr(FIRST_SYMBOL + index) for index, variable in enumerate(dict.fromkeys(narrow.variables))}
    if not symbols.keys() >= set(wide.variables):
        return False
    outer, inner = (
        "".join(part if isinstance(part, str) else symbols[part] for part in pattern.parts)
        for pattern in (wide, narrow)
    )
    return "?" not in outer and covers(outer, inner)  # a question mark takes no variable


def pattern_of(element: "PatternSet", text: str, budget: "Budget") -> str | None:
    """A glob of a Resource that matches a text, or None.

    Raises
    ------
    OutOfBudgetError
    """
    if text in element.patterns:
        return text
    stems, others = _wildcards_of(element)
    budget.spend(len(others) // _COMPARISONS_OF_A_STEP)
    return stems.covering(text) or next((glob for glob in others if matches(glob, text)), None)


@lru_cache(maxsize=256)
def _wildcards_of(element: "PatternSet") -> tuple[Stems, tuple[str, ...]]:
    globs = sorted(pattern for pattern in element.patterns if isinstance(pattern, str) and is_wild(pattern))
    return Stems(globs), tuple(glob for glob in globs if not is_stem(glob))
