"""The values that a context key can take, one for each way in which the conditions on it can be met.

Conditions are numbered by their place; bit i of what is held stands for condition i.
"""

from collections.abc import Sequence
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address, ip_address

from . import symbols
from .automaton import Matching
from .bits import bits_of
from .budget import Budget
from .conditions import Condition
from .operators import Kind, Quantifier, Reading
from .patterns import Pattern, Template
from .values import Network, instant_text

_MATCHING = {Kind.TEXT: Matching.WHOLE, Kind.FOLDED_TEXT: Matching.FOLDED, Kind.ARN: Matching.ARN}

#: What is held by a value, and the value; None where it is not known that there is one.
Held = tuple[int, str | None]


def single(conditions: Sequence[Condition], budget: Budget) -> list[Held]:
    """For each way in which one value of a key can meet the conditions on it, such a value.

    A key that is only ever compared as a number, date, address or truth value has such values; any other has texts.

    Raises
    ------
    OutOfBudgetError
    """
    textual = [place for place, condition in enumerate(conditions) if condition.operator.kind in _MATCHING]
    measured = [
        place
        for place, condition in enumerate(conditions)
        if condition.operator.kind not in _MATCHING and condition.operator.kind is not Kind.PRESENCE
    ]
    present = bits_of(condition.operator.kind is Kind.PRESENCE and condition.holds(("",), _no_value) for condition in conditions)
    if not textual and not measured:
        return [(present, "example")]
    if not measured and all(_is_boolean(conditions[place]) for place in textual):
        return [(present | _held(conditions, textual, value), value) for value in ("true", "false")]
    if not textual:
        return [(present | held, value) for held, value in _measured(conditions, measured, budget)]
    texts = _textual(conditions, textual, budget)
    if not measured:
        return [(present | held, value) for held, value in texts]
    return [(present | held, value) for held, value in _mixed(conditions, texts, measured, budget)]


def several(
    conditions: Sequence[Condition], singles: Sequence[Held], budget: Budget
) -> list[tuple[int, tuple[str, ...], bool]]:
    """For each way in which two values of a key or more can meet the conditions on it: held, values, certain.

    A condition that is met by any value holds for two sets of values together when it holds for one of them, the
    others when it holds for both; so the ways are found by putting single values together until nothing is new.

    Raises
    ------
    OutOfBudgetError
    """
    by_any = bits_of(condition.operator.is_met_by_any_value for condition in conditions)
    presence = bits_of(condition.operator.kind is Kind.PRESENCE for condition in conditions)
    by_all = ~by_any & ~presence
    known = {(held, text is not None) for held, text in singles}
    queue = [(held, (text,) if text is not None else (), text is not None) for held, text in singles]
    found = []
    for held, values, certain in queue:
        budget.spend(len(singles))
        for other, text in singles:
            both = (held | other) & by_any | held & other & by_all | held & presence
            sure = certain and text is not None
            if (both, sure) in known or (both, True) in known:
                continue
            known.add((both, sure))
            together = (both, (*values, text) if text is not None else values, sure)
            queue.append(together)
            found.append(together)
    return found


def _textual(conditions: Sequence[Condition], textual: Sequence[int], budget: Budget) -> list[Held]:
    sets = [
        (_patterns(conditions[place]), _MATCHING[conditions[place].operator.kind]) for place in textual
    ]
    found: list[Held] = []
    for matched, text in symbols.cases(sets, budget):
        held = 0
        for index, place in enumerate(textual):
            operator = conditions[place].operator
            if text == "" and operator.quantifier is not Quantifier.NONE:  # not a value to a set operator
                met = operator.quantifier is Quantifier.ALL
            else:
                met = bool(matched >> index & 1) != operator.negated
            held |= met << place
        found.append((held, text))
    return found


def _measured(conditions: Sequence[Condition], measured: Sequence[int], budget: Budget) -> list[tuple[int, str]]:
    """One number, date or address for each way in which the conditions that measure can be met."""
    kinds = {conditions[place].operator.kind for place in measured}
    values: list[str] = []
    for kind in sorted(kinds, key=lambda kind: kind.value):
        named = {value for place in measured if conditions[place].operator.kind is kind for value in conditions[place].values}
        if kind is Kind.ADDRESS:
            values += _addresses([value for value in named if not isinstance(value, str | Template | Decimal)])
        else:
            write = instant_text if kind is Kind.DATE else _number_text
            values += [write(point) for point in _points([value for value in named if isinstance(value, Decimal)])]
    budget.spend(len(values) * len(measured))
    found: dict[int, str] = {}
    for value in values:
        found.setdefault(_held(conditions, measured, value), value)
    return [(held, value) for held, value in found.items()]


def _mixed(
    conditions: Sequence[Condition], texts: Sequence[Held], measured: Sequence[int], budget: Budget
) -> list[Held]:
    """Both at once: what is not met by any value that was tried is reported as not known."""
    every = range(len(conditions))
    numbers = _measured(conditions, measured, budget)
    found: dict[int, str | None] = {}
    for text in [text for _, text in texts if text is not None] + [text for _, text in numbers]:
        found.setdefault(_held(conditions, every, text), text)
    budget.spend(len(texts) * (len(numbers) + 1))
    for held, _ in texts:
        for measure in (0, *(measure for measure, _ in numbers)):
            found.setdefault(held | measure, None)
    return list(found.items())


def _held(conditions: Sequence[Condition], places: Sequence[int], value: str) -> int:
    return sum(
        1 << place
        for place in places
        if conditions[place].operator.kind is not Kind.PRESENCE and conditions[place].holds_for(value, _no_value)
    )


def _points(named: Sequence[Decimal]) -> list[Decimal]:
    """These numbers, one between each two neighbours, and one on either side."""
    ordered = sorted(set(named))
    between = [(low + high) / 2 for low, high in zip(ordered, ordered[1:], strict=False)]
    return [*ordered, *between, ordered[0] - 1, ordered[-1] + 1]


def _addresses(named: Sequence[Network]) -> list[str]:
    """The addresses where a block begins or has just ended, and the first of both families."""
    found: list[IPv4Address | IPv6Address] = []
    for block in named:
        found += [block[0], block[-1]]
        if int(block[-1]) + 1 < 1 << block.max_prefixlen:
            found.append(block[-1] + 1)
    return [str(address) for address in dict.fromkeys([*found, ip_address("0.0.0.0"), ip_address("::")])]  # noqa: S104


def _number_text(number: Decimal) -> str:
    return format(number, "f")


def _is_boolean(condition: Condition) -> bool:
    return condition.operator.reading is Reading.TRUTH and not condition.templates


def _patterns(condition: Condition) -> frozenset[Pattern]:
    return frozenset(value for value in condition.values if isinstance(value, str | Template))


def _no_value(_: str) -> None:
    return None
