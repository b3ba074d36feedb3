"""EventBridge's event patterns, as far as the rules of the templates use them, after event-ruler's semantics.

An operator that is not listed here is an error, so that a rule cannot use what was never tried.
Sources: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html and the README of
github.com/aws/event-ruler: a field matches if any of its patterns matches any of its values, and all fields must match;
a field that is absent matches only ``{"exists": false}``.
"""

from collections.abc import Mapping
from typing import Any


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Whether a rule with the pattern takes the event."""
    return all(_field(wanted, event.get(name, _ABSENT)) for name, wanted in pattern.items())


_ABSENT = object()


def _field(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, Mapping):
        return matches(wanted, value) if isinstance(value, Mapping) else matches(wanted, {})
    if not isinstance(wanted, list) or not wanted:
        raise ValueError(f"a field of a pattern is a list with values, not {wanted!r}")
    if value is _ABSENT:
        return any(isinstance(each, Mapping) and each.get("exists") is False for each in wanted)
    if isinstance(value, Mapping):  # "exists" concerns leaves alone
        return any(isinstance(each, Mapping) and each.get("exists") is False for each in wanted)
    values = value if isinstance(value, list) else [value]
    return any(_value(each, one) for each in wanted for one in values)


def _value(wanted: Any, value: Any) -> bool:
    if not isinstance(wanted, Mapping):
        return type(wanted) is type(value) and bool(wanted == value)
    ((operator, operand),) = wanted.items()
    match operator, operand:
        case "exists", bool():
            return operand
        case "prefix", str():
            return isinstance(value, str) and value.startswith(operand)
        case "anything-but", {"prefix": prefix}:
            prefixes = tuple(prefix) if isinstance(prefix, list) else (prefix,)
            return isinstance(value, str) and not value.startswith(prefixes)
        case "anything-but", list() | str():
            return value not in (operand if isinstance(operand, list) else [operand])
    raise ValueError(f"{wanted!r} is no operator that is known here")
