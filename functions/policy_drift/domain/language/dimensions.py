"""The dimensions of a request besides its action, each cut into the cases that statements can tell apart."""

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from . import context_values, symbols
from .automaton import Matching
from .bits import bits_of
from .operators import Quantifier
from .patterns import Pattern, literal, readable
from .principals import examples

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .budget import Budget
    from .statement import Rest

Example = tuple[str, ...]

PRINCIPAL = "principal"
RESOURCE = "resource"
_KEY = "key "

_NOT_EMPTY: frozenset[Pattern] = frozenset(["?*"])
#: What a request names where policies ask for no resource in particular.
_PLAUSIBLE_RESOURCES = (literal("*"), "arn:aws:example:us-east-1:111122223333:example")


@dataclass(frozen=True, slots=True)
class Case:
    """What some requests have in common in one dimension.

    Attributes
    ----------
    met : int
        Bit i is set when what statement rest i asks in this dimension is met (also when it asks nothing).
    example : tuple of str
        The values of such a request; empty for a missing context key.
    certain : bool
        Whether the example is known to be of this case. A case that is not certain may be empty.
    """

    met: int
    example: Example
    certain: bool = True


@dataclass(frozen=True, slots=True)
class World:
    """What is known of the context keys that policy variables stand for.

    Attributes
    ----------
    values : mapping
        A value for a key whose variables were replaced by it; None for a key whose variables have no value.
    symbolic : frozenset of str
        Keys that have a value, and any.
    """

    values: "Mapping[str, str | None]"
    symbolic: frozenset[str] = frozenset()

    def value_of(self, key: str) -> str | None:
        """The value that replaces a variable."""
        return self.values.get(key)

    def of(self, keys: "Iterable[str]") -> "World":
        """What is known of these keys."""
        return World({key: self.values[key] for key in keys if key in self.values}, self.symbolic.intersection(keys))


def asked_in(rest: "Rest") -> list[str]:
    """The names of the dimensions in which something is asked."""
    names = [_KEY + condition.key for condition in rest.conditions]
    if rest.principals is not None:
        names.append(PRINCIPAL)
    if rest.resources is not None:
        names.append(RESOURCE)
    return names


def context_of(examples: "Mapping[str, Example]") -> dict[str, str | tuple[str, ...]]:
    """The context keys among examples by the name of the dimension, those that are missing left out."""
    return {
        name.removeprefix(_KEY): values[0] if len(values) == 1 else values
        for name, values in examples.items()
        if name.startswith(_KEY) and values
    }


def cases(name: str, rests: "Sequence[Rest]", world: World, budget: "Budget") -> "Sequence[Case]":
    """The cases of a dimension.

    Raises
    ------
    OutOfBudgetError
    """
    if name == PRINCIPAL:
        return principal_cases(rests)
    if name == RESOURCE:
        return resource_cases(rests, budget)
    return key_cases(name.removeprefix(_KEY), rests, world, budget)


def principal_cases(rests: "Sequence[Rest]") -> list[Case]:
    """The principals that the Principal and NotPrincipal elements tell apart."""
    elements = [rest.principals for rest in rests if rest.principals is not None]
    return _first_of_each(
        Case(bits_of(rest.principals is None or rest.principals.match(principal) for rest in rests), (str(principal),))
        for principal in examples(elements)
    )


def resource_cases(rests: "Sequence[Rest]", budget: "Budget") -> list[Case]:
    """The resources that the Resource and NotResource elements tell apart."""
    elements = list(dict.fromkeys(rest.resources for rest in rests if rest.resources is not None))
    bits = {element: bits_of(rest.resources == element for rest in rests) for element in elements}
    unconstrained = bits_of(rest.resources is None for rest in rests)
    flipped = bits_of(element.negated for element in elements)
    cases = []
    sets = [(element.patterns, Matching.WHOLE) for element in elements]
    knows_empty = any(map(_is_any_text_but_empty, chain.from_iterable(element.patterns for element in elements)))
    if knows_empty:
        sets.append((_NOT_EMPTY, Matching.WHOLE))
    for matched, text in symbols.cases(sets, budget, _PLAUSIBLE_RESOURCES):
        if knows_empty and not matched >> len(elements):
            continue  # no request has an empty resource
        met = unconstrained
        for index, element in enumerate(elements):
            if (matched ^ flipped) >> index & 1:
                met |= bits[element]
        cases.append(Case(met, (readable(text or ""),), text is not None))
    return _first_of_each(cases)


def _is_any_text_but_empty(pattern: "Pattern") -> bool:
    """Whether a pattern asks of a text how long it is, and nothing else."""
    glob = pattern if isinstance(pattern, str) else pattern.widest
    return "?" in glob and not glob.strip("*?")


def key_cases(key: str, rests: "Sequence[Rest]", world: World, budget: "Budget") -> list[Case]:
    """The values of a context key, and its absence, that the conditions on it tell apart."""
    conditions = list(
        dict.fromkeys(condition for rest in rests for condition in rest.conditions if condition.key == key)
    )
    needed = [bits_of(condition in rest.conditions for condition in conditions) for rest in rests]

    def case(held: int, example: Example, *, certain: bool) -> Case:
        return Case(bits_of(not need & ~held for need in needed), example, certain)

    absent = case(bits_of(condition.holds((), world.value_of) for condition in conditions), (), certain=True)
    is_several = any(condition.operator.quantifier is not Quantifier.NONE for condition in conditions)
    if (fixed := world.values.get(key)) is not None:
        held = bits_of(condition.holds((fixed,), world.value_of) for condition in conditions)
        return [case(held, (fixed,), certain=True)]
    if key in world.values and not is_several:
        return [absent]
    singles = context_values.single(conditions, budget)
    found = [case(held, (readable(text or ""),), certain=text is not None) for held, text in singles]
    if key not in world.symbolic:
        found.insert(0, absent)
        if is_several:
            found += [
                case(held, tuple(map(readable, example)), certain=certain)
                for held, example, certain in context_values.several(conditions, singles, budget)
            ]
    if key in world.values:  # variables have no value when the key has several
        found = [one if len(one.example) != 1 else Case(one.met, one.example, certain=False) for one in found]
    return _first_of_each(found)


def _first_of_each(cases: "Iterable[Case]") -> list[Case]:
    """One case for each combination of what is met, certain ones first."""
    found: dict[int, Case] = {}
    for case in cases:
        known = found.get(case.met)
        if known is None or (case.certain and not known.certain):
            found[case.met] = case
    return list(found.values())
