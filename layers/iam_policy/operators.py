"""The condition operators of the policy language, and how their names are put together.

AWS: "IAM JSON policy elements: Condition operators" and "Multivalued context keys".
"""

from dataclasses import dataclass
from enum import Enum
from functools import cache


class Kind(Enum):
    """What an operator takes its values for."""

    TEXT = "text"
    FOLDED_TEXT = "text, capitals ignored"
    ARN = "ARN"
    NUMBER = "number"
    DATE = "date"
    ADDRESS = "address"
    PRESENCE = "presence"


class Relation(Enum):
    """How a request's number or date must stand to the policy's."""

    EQUAL = "="
    LESS = "<"
    LESS_OR_EQUAL = "<="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="


class Quantifier(Enum):
    """How many of a key's several values must match."""

    NONE = ""
    ANY = "ForAnyValue"
    ALL = "ForAllValues"


class Reading(Enum):
    """What the values of an operator look like in a document."""

    LIKE = "text with wildcards"
    EXACT = "text"
    ARN = "an ARN of six parts, wildcards allowed"
    NUMBER = "an integer or a decimal"
    DATE = "an ISO 8601 date, a time with its zone, or Unix time"
    TRUTH = "true or false"
    BINARY = "base64"
    ADDRESS = "an IP address or a CIDR block"


@dataclass(frozen=True, slots=True)
class Operator:
    """A condition operator, taken apart.

    Attributes
    ----------
    negated : bool
        Whether it holds where none of the policy's values match.
    holds_on_missing_key : bool
        Its answer when the request has no such key (for `Kind.PRESENCE` the value decides).
    """

    kind: Kind
    reading: Reading
    relation: Relation = Relation.EQUAL
    negated: bool = False
    quantifier: Quantifier = Quantifier.NONE
    holds_on_missing_key: bool = False

    @property
    def is_met_by_any_value(self) -> bool:
        """Whether one of several values is enough; otherwise every value must do.

        An operator without a quantifier is meant for keys with one value. Should the key have several, it matches
        when any of them does, and its negation is the opposite.
        """
        if self.quantifier is Quantifier.NONE:
            return not self.negated
        return self.quantifier is Quantifier.ANY


_BASES: dict[str, tuple[Kind, Reading, Relation, bool]] = {
    "Bool": (Kind.TEXT, Reading.TRUTH, Relation.EQUAL, False),
    "BinaryEquals": (Kind.TEXT, Reading.BINARY, Relation.EQUAL, False),
    "IpAddress": (Kind.ADDRESS, Reading.ADDRESS, Relation.EQUAL, False),
    "NotIpAddress": (Kind.ADDRESS, Reading.ADDRESS, Relation.EQUAL, True),
}
for _name, _kind, _reading in (
    ("String{}Equals", Kind.TEXT, Reading.EXACT),
    ("String{}EqualsIgnoreCase", Kind.FOLDED_TEXT, Reading.EXACT),
    ("String{}Like", Kind.TEXT, Reading.LIKE),
    ("Arn{}Equals", Kind.ARN, Reading.ARN),
    ("Arn{}Like", Kind.ARN, Reading.ARN),
    ("Numeric{}Equals", Kind.NUMBER, Reading.NUMBER),
    ("Date{}Equals", Kind.DATE, Reading.DATE),
):
    _BASES[_name.format("")] = (_kind, _reading, Relation.EQUAL, False)
    _BASES[_name.format("Not")] = (_kind, _reading, Relation.EQUAL, True)
for _kind, _reading, _prefix in ((Kind.NUMBER, Reading.NUMBER, "Numeric"), (Kind.DATE, Reading.DATE, "Date")):
    _BASES[_prefix + "LessThan"] = (_kind, _reading, Relation.LESS, False)
    _BASES[_prefix + "LessThanEquals"] = (_kind, _reading, Relation.LESS_OR_EQUAL, False)
    _BASES[_prefix + "GreaterThan"] = (_kind, _reading, Relation.GREATER, False)
    _BASES[_prefix + "GreaterThanEquals"] = (_kind, _reading, Relation.GREATER_OR_EQUAL, False)

#: Every operator name without quantifier and ``IfExists``, for error messages.
NAMES = (*sorted(_BASES), "Null")


@cache
def _known(name: str) -> Operator:
    if name == "Null":
        return Operator(Kind.PRESENCE, Reading.TRUTH)
    quantifier = Quantifier.NONE
    before, colon, base = name.partition(":")
    if colon:
        quantifier = Quantifier(before)
    else:
        base = name
    stem = base.removesuffix("IfExists")
    kind, reading, relation, negated = _BASES[stem]
    missing = stem != base or (negated if quantifier is Quantifier.NONE else quantifier is Quantifier.ALL)
    return Operator(kind, reading, relation, negated, quantifier, missing)


def operator(name: str) -> Operator | None:
    """The operator of this name, or None when there is none.

    Notes
    -----
    ``ForAnyValue`` fails on a missing key, negated or not; ``ForAllValues`` holds; ``…IfExists`` always holds.
    """
    try:
        return _known(name)
    except (KeyError, ValueError):
        return None
