"""The condition operators of the policy language, and how their names are put together.

AWS: "IAM JSON policy elements: Condition operators" and "Multivalued context keys".
"""

from dataclasses import dataclass
from enum import Enum
from functools import cache

from iam_policy.kinds import (
    ADDRESS,
    ARN,
    BINARY,
    BOOLEAN,
    DATE,
    EXACT_TEXT,
    FOLDED_TEXT,
    LIKE_TEXT,
    NUMBER,
    PRESENCE,
    Kind,
    Relation,
)


class Quantifier(Enum):
    """How many of a key's several values must match."""

    NONE = ""
    ANY = "ForAnyValue"
    ALL = "ForAllValues"


@dataclass(frozen=True, slots=True)
class Operator:
    """A condition operator, taken apart.

    Attributes
    ----------
    negated : bool
        Whether it holds where none of the policy's values match.
    holds_on_missing_key : bool
        Its answer when the request has no such key (for `PRESENCE` the value decides).
    """

    kind: Kind
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


_BASES: dict[str, tuple[Kind, Relation, bool]] = {
    "Bool": (BOOLEAN, Relation.EQUAL, False),
    "BinaryEquals": (BINARY, Relation.EQUAL, False),
    "IpAddress": (ADDRESS, Relation.EQUAL, False),
    "NotIpAddress": (ADDRESS, Relation.EQUAL, True),
}
for _name, _kind in (
    ("String{}Equals", EXACT_TEXT),
    ("String{}EqualsIgnoreCase", FOLDED_TEXT),
    ("String{}Like", LIKE_TEXT),
    ("Arn{}Equals", ARN),
    ("Arn{}Like", ARN),
    ("Numeric{}Equals", NUMBER),
    ("Date{}Equals", DATE),
):
    _BASES[_name.format("")] = (_kind, Relation.EQUAL, False)
    _BASES[_name.format("Not")] = (_kind, Relation.EQUAL, True)
for _kind, _prefix in ((NUMBER, "Numeric"), (DATE, "Date")):
    _BASES[_prefix + "LessThan"] = (_kind, Relation.LESS, False)
    _BASES[_prefix + "LessThanEquals"] = (_kind, Relation.LESS_OR_EQUAL, False)
    _BASES[_prefix + "GreaterThan"] = (_kind, Relation.GREATER, False)
    _BASES[_prefix + "GreaterThanEquals"] = (_kind, Relation.GREATER_OR_EQUAL, False)

#: Every operator name without quantifier and ``IfExists``, for error messages.
NAMES = (*sorted(_BASES), "Null")


@cache
def _known(name: str) -> Operator:
    if name == "Null":
        return Operator(PRESENCE)
    quantifier = Quantifier.NONE
    before, colon, base = name.partition(":")
    if colon:
        quantifier = Quantifier(before)
    else:
        base = name
    stem = base.removesuffix("IfExists")
    kind, relation, negated = _BASES[stem]
    missing = stem != base or (negated if quantifier is Quantifier.NONE else quantifier is Quantifier.ALL)
    return Operator(kind, relation, negated, quantifier, missing)


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
