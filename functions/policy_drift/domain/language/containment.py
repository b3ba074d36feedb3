"""Whether one demand surely includes another, seen at a glance: a proof that most comparisons need no search for."""

from typing import TYPE_CHECKING

from .globs import covers
from .patterns import Template

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .patterns import Pattern
    from .statement import PatternSet, Rest


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
        wide.conditions <= narrow.conditions
        and wide.principals in (None, narrow.principals)
        and (
            wide.resources is None
            or (narrow.resources is not None and _resources_within(narrow.resources, wide.resources))
        )
    )


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
