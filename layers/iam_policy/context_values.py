"""The values that a context key can take, one for each way in which the conditions on it can be met.

Conditions are numbered by their place; bit i of what is held stands for condition i.
"""

import itertools
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from iam_policy import symbols
from iam_policy.automaton import Matching
from iam_policy.bits import bits_of, places
from iam_policy.kinds import ADDRESS, BOOLEAN, DATE, NUMBER, PRESENCE, Kind
from iam_policy.operators import Quantifier
from iam_policy.patterns import Pattern, Template
from iam_policy.values import EXACT, instant_text, number_and_no_instant_text, number_text, unix_time_text, years_about

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from iam_policy.budget import Budget
    from iam_policy.conditions import Condition

# The addresses of both versions on one line, those of version 4 first.
_VERSION_4 = 4
_LAST_OF_VERSION_4 = (1 << 32) - 1
_END = (1 << 32) + (1 << 128)
_NOT_EMPTY: frozenset[Pattern] = frozenset(["?*"])

#: A set of so many conditions costs a step more, in time and in memory.
_CONDITIONS_OF_A_STEP = 512
_CONDITIONS_OF_A_CASE = 8

#: What is held by a value, and the value; None where it is not known that there is one.
Held = tuple[int, str | None]


def single(conditions: "Sequence[Condition]", budget: "Budget", like: "Mapping[str, str] | None" = None) -> list[Held]:
    """For each way in which one value of a key can meet the conditions on it, such a value.

    ``like`` is what `symbols.cases` takes.

    A key that is only ever compared as a number, date, address or truth value has such values; any other has texts.

    Raises
    ------
    OutOfBudgetError
    """
    textual = [place for place, condition in enumerate(conditions) if condition.operator.kind.matching]
    measured = [
        place
        for place, condition in enumerate(conditions)
        if not condition.operator.kind.matching and condition.operator.kind is not PRESENCE
    ]
    present = _presence(conditions, "example")
    if not textual and not measured:
        empty = _presence(conditions, "")  # a variable has an empty value, too, although the key counts as missing
        return [(present, "example")] if empty == present else [(present, "example"), (empty, "")]
    if not measured and all(_is_boolean(conditions[place]) for place in textual):
        return [(present | _held(conditions, textual, value), value) for value in ("true", "false")]
    if not textual:
        return [(present | held, value) for held, value in _measured(conditions, measured, budget)]
    texts = _textual(conditions, textual, budget, like)
    if not measured:
        return texts
    return _mixed(conditions, texts, measured, budget)


def several(
    conditions: "Sequence[Condition]", singles: "Sequence[Held]", budget: "Budget"
) -> list[tuple[int, tuple[str, ...], bool]]:
    """For each way in which two values of a key or more can meet the conditions on it: held, values, certain.

    A condition that is met by any value holds for two sets of values together when it holds for one of them, the
    others when it holds for both; so the ways are found by putting single values together until nothing is new.

    Raises
    ------
    OutOfBudgetError
    """
    by_any = bits_of(_is_met_by_any(condition) for condition in conditions)
    by_all = ~by_any
    known = {(held, text is not None) for held, text in singles}
    queue = [(held, (text,) if text is not None else (), text is not None) for held, text in singles]
    price = 1 + len(conditions) // _CONDITIONS_OF_A_STEP
    found = []
    for held, values, certain in queue:
        budget.spend(len(singles) * price)
        for other, text in singles:
            both = (held | other) & by_any | held & other & by_all
            sure = certain and text is not None
            if (both, sure) in known or (both, True) in known:
                continue
            known.add((both, sure))
            together = (both, (*values, text) if text is not None else values, sure)
            queue.append(together)
            found.append(together)
    return found


def _textual(
    conditions: "Sequence[Condition]",
    textual: "Sequence[int]",
    budget: "Budget",
    like: "Mapping[str, str] | None" = None,
) -> list[Held]:
    sets = [
        (_patterns(conditions[place]), how) for place in textual if (how := conditions[place].operator.kind.matching)
    ]
    present, empty = (_presence(conditions, value) for value in ("example", ""))
    knows_empty = present != empty or any(
        conditions[place].operator.quantifier is not Quantifier.NONE for place in textual
    )
    if knows_empty:
        sets.append((_NOT_EMPTY, Matching.WHOLE))
    found: dict[int, str | None] = {}
    negated, by_sets, by_all = (
        sum(1 << place for place in textual if asks(conditions[place].operator))
        for asks in (
            lambda operator: operator.negated,
            lambda operator: operator.quantifier is not Quantifier.NONE,
            lambda operator: operator.quantifier is Quantifier.ALL,
        )
    )
    for matched, text in symbols.cases(sets, budget, like=like):
        matching = places(matched & ((1 << len(textual)) - 1))
        budget.spend(len(matching) // _CONDITIONS_OF_A_CASE)
        held = negated
        for index in matching:
            held ^= 1 << textual[index]
        if knows_empty and not matched >> len(textual) & 1:  # no value at all to a set operator
            held = held & ~by_sets | by_all | empty
        else:
            held |= present
        if found.get(held) is None:
            found[held] = text
    return list(found.items())


def _measured(conditions: "Sequence[Condition]", measured: "Sequence[int]", budget: "Budget") -> list[tuple[int, str]]:
    """One number, date or address for each way in which the conditions that measure can be met."""
    by_kind: dict[Kind, list[int]] = {}
    for place in measured:
        by_kind.setdefault(conditions[place].operator.kind, []).append(place)
    if list(by_kind) == [ADDRESS]:
        return _addresses(conditions, measured, budget)
    places_of_addresses = by_kind.pop(ADDRESS, [])
    values = [address for _, address in _addresses(conditions, places_of_addresses, budget) if places_of_addresses]
    named = {
        kind: [value for place in places for value in conditions[place].values if isinstance(value, Decimal)]
        for kind, places in by_kind.items()
    }
    values += _numbers_and_dates(named.get(NUMBER, []), named.get(DATE, []))
    budget.spend(len(values) * sum(len(conditions[place].values) for place in measured))
    found: dict[int, str] = {}
    for value in values:
        found.setdefault(_held(conditions, measured, value), value)
    return list(found.items())


def _addresses(conditions: "Sequence[Condition]", measured: "Sequence[int]", budget: "Budget") -> list[tuple[int, str]]:
    """One address for each way in which these conditions can be met, found by going up the line of all addresses."""
    borders: dict[int, list[tuple[int, int]]] = {0: [], _LAST_OF_VERSION_4 + 1: [], _END: []}
    for place in measured:
        for block in conditions[place].values:
            if not isinstance(block, str | Template | Decimal):
                shift = 0 if block.version == _VERSION_4 else _LAST_OF_VERSION_4 + 1
                borders.setdefault(int(block[0]) + shift, []).append((place, 1))
                borders.setdefault(int(block[-1]) + shift + 1, []).append((place, -1))
    budget.spend(len(borders) * (1 + len(measured)))
    inside = dict.fromkeys(measured, 0)
    found: dict[int, str] = {}
    for border in sorted(borders):
        for place, change in borders[border]:
            inside[place] += change
        held = sum(1 << place for place in measured if bool(inside[place]) != conditions[place].operator.negated)
        if border < _END:
            shift = 0 if border <= _LAST_OF_VERSION_4 else _LAST_OF_VERSION_4 + 1
            found.setdefault(held, str(IPv6Address(border - shift) if shift else IPv4Address(border)))
    return list(found.items())


def _mixed(
    conditions: "Sequence[Condition]", texts: "Sequence[Held]", measured: "Sequence[int]", budget: "Budget"
) -> list[Held]:
    """Both at once: what is not met by any value that was tried is reported as not known."""
    every = range(len(conditions))
    numbers = _measured(conditions, measured, budget)
    found: dict[int, str | None] = {}
    for text in [text for _, text in texts if text is not None] + [text for _, text in numbers]:
        found.setdefault(_held(conditions, every, text) | _presence(conditions, text), text)
    budget.spend(len(texts) * (len(numbers) + 1))
    for held, _ in texts:
        for measure in (0, *(measure for measure, _ in numbers)):
            found.setdefault(held | measure, None)
    return list(found.items())


def _held(conditions: "Sequence[Condition]", places: "Sequence[int]", value: str) -> int:
    return sum(
        1 << place
        for place in places
        if conditions[place].operator.kind is not PRESENCE and conditions[place].holds_for(value, _no_value)
    )


def _numbers_and_dates(numbers: "Sequence[Decimal]", dates: "Sequence[Decimal]") -> list[str]:
    """Texts for all that conditions can distinguish of the number and the instant that a text is read as.

    Where both are asked about, a text may be a number only, a date only, the same as both (Unix time), or a year.
    """
    texts = [*map(number_text, _points(numbers)), *map(instant_text, _points(dates))]
    if numbers and dates:
        texts += map(unix_time_text, _points([*numbers, *dates]))
        texts += map(number_and_no_instant_text, _points(numbers))
        texts += years_about(numbers, dates)
    return texts


def _points(named: "Sequence[Decimal]") -> list[Decimal]:
    """These numbers, one between each two neighbours, and one on either side."""
    ordered = sorted(set(named))
    between = [EXACT.divide(EXACT.add(low, high), Decimal(2)) for low, high in itertools.pairwise(ordered)]
    ends = [EXACT.subtract(ordered[0], Decimal(1)), EXACT.add(ordered[-1], Decimal(1))] if ordered else []
    return [*ordered, *between, *ends]


def _presence(conditions: "Sequence[Condition]", value: str) -> int:
    """The conditions on the presence of a key that hold for a value of it."""
    return bits_of(
        condition.operator.kind is PRESENCE and condition.holds((value,), _no_value) for condition in conditions
    )


def _is_met_by_any(condition: "Condition") -> bool:
    """Whether one of several values is enough; of a key that must be missing, all values must be empty."""
    if condition.operator.kind is PRESENCE:
        return "false" in condition.values
    return condition.operator.is_met_by_any_value


def _is_boolean(condition: "Condition") -> bool:
    return condition.operator.kind is BOOLEAN and not condition.templates


def _patterns(condition: "Condition") -> frozenset[Pattern]:
    return frozenset(value for value in condition.values if isinstance(value, str | Template))


def _no_value(_: str) -> None:
    return None
