"""What a statement asks of a request besides the action, in words: resources, principals and conditions."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from iam_policy.kinds import ADDRESS, DATE, LIKE_TEXT, PRESENCE, Relation, Value
from iam_policy.operators import Quantifier
from iam_policy.patterns import Template, is_wild, readable
from iam_policy.wording import visible

if TYPE_CHECKING:
    from iam_policy.conditions import Condition
    from iam_policy.statement import Scope

#: Names in one list that are written out; the rest is counted.
_MOST_NAMES = 5
_MOST_CONDITIONS = 4
_RELATIONS = {
    Relation.EQUAL: "is",
    Relation.LESS: "is less than",
    Relation.LESS_OR_EQUAL: "is at most",
    Relation.GREATER: "is more than",
    Relation.GREATER_OR_EQUAL: "is at least",
}
_OF_DATES = {
    Relation.EQUAL: "is",
    Relation.LESS: "is before",
    Relation.LESS_OR_EQUAL: "is not after",
    Relation.GREATER: "is after",
    Relation.GREATER_OR_EQUAL: "is not before",
}


def demands_in_words(demands: "Iterable[Scope]") -> str:
    """On which resources, for which principals and under which conditions something is allowed."""
    demands = list(demands)
    resources = sorted(_resources(scope) for scope in demands if scope.resources is not None)
    words = "on " + (" that are also ".join(dict.fromkeys(resources)) or "any resource")
    principals = sorted({_principals(scope) for scope in demands if scope.principals is not None})
    if principals:
        words += " by " + " who is also ".join(principals)
    conditions = sorted({_condition(condition) for scope in demands for condition in scope.conditions})
    if conditions:
        words += ", if " + listed(conditions, "and", _MOST_CONDITIONS, "conditions")
    return words


def listed(names: Sequence[str], joint: str, most: int = _MOST_NAMES, of: str = "") -> str:
    """Names in a sentence; those beyond the most are counted."""
    if len(names) > most:
        return f"{', '.join(names[:most])} {joint} {len(names) - most:,} more{of and ' '}{of}"
    return f" {joint} ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _resources(scope: "Scope") -> str:
    element = scope.resources
    if element is None:
        return "any resource"
    patterns = sorted(_shown(pattern) for pattern in element.patterns)
    if not element.negated:
        return "any resource" if "*" in patterns else listed(patterns, "and", of="resources")
    if "*" in patterns:
        return "no resource"
    return f"any resource but {listed(patterns, 'and', of='resources')}" if patterns else "any resource"


def _principals(scope: "Scope") -> str:
    if scope.principals is None:
        return ""
    named = sorted("anyone" if str(one) == "*" else visible(str(one)) for one in scope.principals.named)
    words = "anyone" if "anyone" in named else listed(named, "or", of="principals")
    return f"anyone but {words}" if scope.principals.negated else words


def _condition(condition: "Condition") -> str:
    operator, key = condition.operator, visible(condition.key)
    if operator.kind is PRESENCE:
        states = sorted("is missing or empty" if value == "true" else "has a value" for value in condition.values)
        return f"{key} {' or '.join(states)}"
    subject = {
        Quantifier.NONE: key,
        Quantifier.ANY: f"one value of {key}",
        Quantifier.ALL: f"every value of {key}",
    }[operator.quantifier]
    relation = (_OF_DATES if operator.kind is DATE else _RELATIONS)[operator.relation]
    values = sorted(_value(condition, value) for value in condition.values)
    wild = operator.kind is LIKE_TEXT and any(isinstance(one, str) and is_wild(one) for one in condition.values)
    if wild:
        relation = "is like"
    elif operator.kind is ADDRESS:
        relation = "is in"
    if operator.negated:
        relation = relation.replace("is", "is not", 1)
    words = f"{subject} {relation} {listed(values, 'or', of='values') if values else 'nothing'}"
    optional = operator.holds_on_missing_key and operator.quantifier is Quantifier.NONE and not operator.negated
    return f"{words}, if it is there" if optional else words


def _value(condition: "Condition", value: Value) -> str:
    if isinstance(value, Decimal):
        if condition.operator.kind is DATE:
            return _instant(value)
        return f"{value:f}"
    if isinstance(value, str | Template):
        return _shown(value) or "an empty text"
    return str(value)


def _instant(seconds: Decimal) -> str:
    try:
        return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return f"second {seconds:f} of 1970"


def _shown(pattern: str | Template) -> str:
    if isinstance(pattern, str):
        return visible(readable(pattern))
    parts = (readable(part) if isinstance(part, str) else f"${{{part.key}}}" for part in pattern.parts)
    return visible("".join(parts))
