"""The dimensions of a request besides its action, each cut into the cases that statements can distinguish."""

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

from iam_policy import context_values, symbols
from iam_policy.automaton import Matching
from iam_policy.bits import bits_of, places
from iam_policy.conditions import Condition
from iam_policy.operators import Quantifier
from iam_policy.patterns import Pattern, Variable, is_wild, literal, readable
from iam_policy.principals import examples, matching

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from iam_policy.budget import Budget
    from iam_policy.statement import Scope

Example = tuple[str, ...]
_Element = TypeVar("_Element")

PRINCIPAL = "principal"
RESOURCE = "resource"
_KEY = "key "

_NOT_EMPTY: frozenset[Pattern] = frozenset(["?*"])
#: What a request names where policies ask for no resource in particular.
_PLAUSIBLE_RESOURCES = (literal("*"), "arn:aws:example:us-east-1:111122223333:example")
_SCOPES_OF_A_STEP = 8


@dataclass(frozen=True, slots=True)
class Case:
    """What some requests have in common in one dimension.

    Attributes
    ----------
    met : int
        Bit i is set when what statement scope i asks in this dimension is met.
    example : tuple of str
        The values of such a request; empty for a missing context key.
    certain : bool
        Whether the example is known to be of this case. A case that is not certain may be empty.
    """

    met: int
    example: Example
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Assignment:
    """What is known of the context keys that policy variables stand for.

    Attributes
    ----------
    values : mapping
        A value for a key whose variables were replaced by it; None for a key whose variables have no value.
    symbolic : frozenset of str
        Keys that have a value, and any.
    like : mapping, optional
        For each symbolic key a value of the class that its value is of (see `value_classes`).
    """

    values: "Mapping[str, str | None]"
    symbolic: frozenset[str] = frozenset()
    like: "Mapping[str, str] | None" = None

    def value_of(self, key: str) -> str | None:
        """The value that replaces a variable."""
        return self.values.get(key)

    def of(self, keys: "Iterable[str]") -> "Assignment":
        """What is known of these keys."""
        return Assignment(
            {key: self.values[key] for key in keys if key in self.values}, self.symbolic.intersection(keys), self.like
        )


def asked_in(scope: "Scope") -> list[str]:
    """The names of the dimensions in which something is asked."""
    names = [_KEY + condition.key for condition in scope.conditions]
    if scope.principals is not None:
        names.append(PRINCIPAL)
    if scope.resources is not None:
        names.append(RESOURCE)
    return names


def context_of(examples: "Mapping[str, Example]") -> dict[str, str | tuple[str, ...]]:
    """The context keys among examples by the name of the dimension, those that are missing left out."""
    return {
        name.removeprefix(_KEY): values[0] if len(values) == 1 else values
        for name, values in examples.items()
        if name.startswith(_KEY) and values
    }


def cases(
    name: str, scopes: "Mapping[int, Scope]", assignment: Assignment, within: "Pattern", budget: "Budget"
) -> "Sequence[Case]":
    """The cases of a dimension.

    Parameters
    ----------
    scopes : mapping
        By their bit, the statement scopes that ask something in this dimension.
    within : pattern
        What the resource has to match.

    Raises
    ------
    OutOfBudgetError
    """
    if name == PRINCIPAL:
        return principal_cases(scopes, budget)
    if name == RESOURCE:
        return resource_cases(scopes, budget, assignment.like, within)
    return key_cases(name.removeprefix(_KEY), scopes, assignment, budget)


def principal_cases(scopes: "Mapping[int, Scope]", budget: "Budget") -> list[Case]:
    """The principals that the Principal and NotPrincipal elements distinguish."""
    elements = _bits_by((scope.principals, number) for number, scope in scopes.items() if scope.principals is not None)
    budget.spend(sum(len(element.named) for element in elements))
    principals = examples(elements)
    budget.spend(len(principals) * (1 + len(scopes) // _SCOPES_OF_A_STEP))
    met = matching(elements)
    return _first_of_each(Case(met(principal), (str(principal),)) for principal in principals)


def resource_cases(
    scopes: "Mapping[int, Scope]",
    budget: "Budget",
    like: "Mapping[str, str] | None" = None,
    within: "Pattern" = "*",
) -> list[Case]:
    """The resources of a pattern that the Resource and NotResource elements distinguish."""
    bits = _bits_by((scope.resources, number) for number, scope in scopes.items() if scope.resources is not None)
    flipped = bits_of(element.negated for element in bits)
    cases = []
    sets = [(element.patterns, Matching.WHOLE) for element in bits]
    knows_empty = any(map(_is_any_text_but_empty, chain.from_iterable(element.patterns for element in bits)))
    if knows_empty:
        sets.append((_NOT_EMPTY, Matching.WHOLE))
    for matched, text in symbols.cases(sets, budget, _PLAUSIBLE_RESOURCES, like, within):
        if knows_empty and not matched >> len(bits):
            continue  # no request has an empty resource
        budget.spend(1 + len(bits) // _SCOPES_OF_A_STEP)
        met = 0
        for index, asking in enumerate(bits.values()):
            if (matched ^ flipped) >> index & 1:
                met |= asking
        cases.append(Case(met, (readable(text or ""),), text is not None))
    return _first_of_each(cases)


def _is_any_text_but_empty(pattern: "Pattern") -> bool:
    """Whether a pattern asks of a text how long it is, and nothing else."""
    glob = pattern if isinstance(pattern, str) else pattern.widest
    return "?" in glob and not glob.strip("*?")


def key_cases(key: str, scopes: "Mapping[int, Scope]", assignment: Assignment, budget: "Budget") -> list[Case]:
    """The values of a context key, and its absence, that the conditions on it distinguish."""
    met = _Needs(key, scopes)
    conditions = met.conditions

    def case(held: int, example: Example, *, certain: bool) -> Case:
        return Case(met.by(held, budget), example, certain)

    absent = case(bits_of(condition.holds((), assignment.value_of) for condition in conditions), (), certain=True)
    is_several = any(condition.operator.quantifier is not Quantifier.NONE for condition in conditions)
    if (fixed := assignment.values.get(key)) is not None:
        held = bits_of(condition.holds((fixed,), assignment.value_of) for condition in conditions)
        return [case(held, (fixed,), certain=True)]
    if key in assignment.values and not is_several:
        return [absent]
    if assignment.like is not None and key in assignment.symbolic:
        held_by_class = _of_a_class(key, conditions, assignment.like[key], budget)
        return _first_of_each(case(held, (), certain=False) for held in held_by_class)
    singles = context_values.single(conditions, budget, assignment.like)
    found = [case(held, (readable(text or ""),), certain=text is not None) for held, text in singles]
    if key not in assignment.symbolic:
        found.insert(0, absent)
        if is_several:
            found += [
                case(held, tuple(map(readable, example)), certain=certain)
                for held, example, certain in context_values.several(conditions, singles, budget)
            ]
    if key in assignment.values:  # variables have no value when the key has several
        found = [one if len(one.example) != 1 else Case(one.met, one.example, certain=False) for one in found]
    return _first_of_each(found)


def _of_a_class(key: str, conditions: "Sequence[Condition]", value: str, budget: "Budget") -> "Iterator[int]":
    """What may be held by the values of a class: with variables of other keys, or with wildcards, both is possible."""
    text = readable(value)
    open_ones = [1 << place for place, condition in enumerate(conditions) if not _is_settled(condition, key)]
    surely = bits_of(condition.holds((text,), {key: text}.get) for condition in conditions) & ~sum(open_ones)
    budget.spend(1 << min(len(open_ones), 40))
    for chosen in range(1 << len(open_ones)):
        yield surely | sum(open_ones[place] for place in places(chosen))


def _is_settled(condition: "Condition", key: str) -> bool:
    """Whether all values of a class of the key meet the condition, or none.

    A value is equal to itself, and to no text that has more than it.
    """
    return all(
        part.key == key if isinstance(part, Variable) else not is_wild(part)
        for template in condition.templates
        for part in template.parts
    )


class _Needs:
    """The conditions on a key, numbered by their place, and which statement scopes ask for which of them."""

    def __init__(self, key: str, scopes: "Mapping[int, Scope]") -> None:
        needs = {
            number: [condition for condition in scope.conditions if condition.key == key]
            for number, scope in scopes.items()
        }
        self.conditions = list(dict.fromkeys(condition for needed in needs.values() for condition in needed))
        self.conditions.sort(key=Condition.order)
        place = {condition: index for index, condition in enumerate(self.conditions)}
        of_one = _bits_by((needed[0], number) for number, needed in needs.items() if len(needed) == 1)
        self._of_one = [of_one.get(condition, 0) for condition in self.conditions]
        self._all_of_one = sum(self._of_one)
        self._of_several = [
            (1 << number, sum(1 << place[condition] for condition in needed))
            for number, needed in needs.items()
            if len(needed) > 1
        ]

    def by(self, held: int, budget: "Budget") -> int:
        """The scopes that are met when these conditions hold.

        Raises
        ------
        OutOfBudgetError
        """
        failed = ~held & ((1 << len(self.conditions)) - 1)
        fewer = places(min(held, failed, key=int.bit_count))
        budget.spend(1 + (len(fewer) + len(self._of_several)) // _SCOPES_OF_A_STEP)
        met = 0
        for index in fewer:
            met |= self._of_one[index]
        if failed.bit_count() < held.bit_count():
            met = self._all_of_one & ~met
        for number, needed in self._of_several:
            if not needed & failed:
                met |= number
        return met


def _bits_by(numbered: "Iterable[tuple[_Element, int]]") -> dict[_Element, int]:
    """For each element the bits of all that have it."""
    bits: dict[_Element, int] = {}
    for element, number in numbered:
        bits[element] = bits.get(element, 0) | 1 << number
    return bits


def _first_of_each(cases: "Iterable[Case]") -> list[Case]:
    """One case for each combination of what is met, certain ones first."""
    found: dict[int, Case] = {}
    for case in cases:
        known = found.get(case.met)
        if known is None or (case.certain and not known.certain):
            found[case.met] = case
    return list(found.values())
