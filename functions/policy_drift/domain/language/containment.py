"""Whether one demand surely includes another, seen at a glance: a proof that most comparisons need no search for."""

from typing import TYPE_CHECKING

from .globs import covers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .statement import PatternSet, Rest


def all_within(narrow: "Sequence[Rest]", wide: "Sequence[Rest]") -> bool:
    """Whether whoever meets one of the first demands surely meets one of the second.

    False may mean "not seen at a glance": each demand is held against each other one by itself.
    """
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
    globs = [pattern for pattern in wide.patterns if isinstance(pattern, str)]
    return all(
        pattern in wide.patterns or (isinstance(pattern, str) and any(covers(glob, pattern) for glob in globs))
        for pattern in narrow.patterns
    )
