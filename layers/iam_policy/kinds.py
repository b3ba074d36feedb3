"""The kinds of condition values: how each is read from a document, matched with a request's value, and compared.

A condition operator of a new kind takes one object here, and its names in `operators`.

AWS: "IAM JSON policy elements: Condition operators".
"""

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Container, Iterable
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Network, IPv6Network
from typing import NoReturn, Protocol

from iam_policy import patterns, values
from iam_policy.automaton import Matching
from iam_policy.errors import quoted
from iam_policy.globs import arn_covers, arn_matches, covers, matches
from iam_policy.patterns import Pattern, Refusal, Template, ValueOf, folded, is_wild, literal, resolved
from iam_policy.values import Network

Value = Pattern | Decimal | Network
"""A policy's value: a glob or template, a number or seconds since 1970, or a network."""

_ARN_COLONS = 5


class Relation(Enum):
    """How a request's number or date must stand to the policy's."""

    EQUAL = "="
    LESS = "<"
    LESS_OR_EQUAL = "<="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="


_RELATIONS: dict[Relation, Callable[[Decimal, Decimal], bool]] = {
    Relation.EQUAL: operator.eq,
    Relation.LESS: operator.lt,
    Relation.LESS_OR_EQUAL: operator.le,
    Relation.GREATER: operator.gt,
    Relation.GREATER_OR_EQUAL: operator.ge,
}


class Kind(ABC):
    """What an operator takes its values for. There is one object of each kind: they are compared by identity.

    Parameters
    ----------
    constant : str
        The name of the object in this module.
    family : str
        Kinds of one family match alike; documents spell their values differently.
    allowed : str
        What a document may have there.
    matching : Matching, optional
        How the values are matched where they are patterns of a text; None where a value is measured or looked for.
    """

    def __init__(self, constant: str, family: str, allowed: str, matching: Matching | None = None) -> None:
        self._constant = constant
        self.family = family
        self.allowed = allowed
        self.matching = matching

    def __repr__(self) -> str:
        return self._constant

    def __reduce__(self) -> str:
        return self._constant  # copies, also those of other processes, are the object itself

    @abstractmethod
    def read(self, text: str, *, variables: bool, refuse: Refusal) -> Value:
        """The value that a document's text means; `variables` says whether ``${...}`` is a variable."""

    def refuse(self, text: str, refuse: Refusal) -> NoReturn:
        """Say that a document's text is none of this kind."""
        refuse(f"{quoted(text)} is not what the operator takes", self.allowed)

    @abstractmethod
    def matches_any(self, named: Iterable[Value], asked: str, relation: Relation, value_of: ValueOf) -> bool | None:
        """Whether a request's value is matched by one of the policy's.

        None where the operator fails, negated or not: the request's value is none of this kind, or nothing matches and
        a variable has no value (AWS: it "causes the statement to be invalid").
        """

    @abstractmethod
    def covers(self, wide: Value, narrow: Value, relation: Relation) -> bool:
        """Whether one value surely matches all that another, an unequal one, matches."""

    def fitting(self, named: Iterable[Value], kept: Container[str], value_of: ValueOf) -> Iterable[Value]:
        """The values without those that a variable's value keeps from matching; variables of kept keys have any."""
        del kept, value_of
        return named


class _Reader(Protocol):
    def __call__(self, text: str, *, variables: bool, refuse: Refusal) -> Pattern: ...


class _Text(Kind):
    """Texts, and patterns of texts: `matches` a glob and a text, `covers` a glob and one that is within it."""

    def __init__(
        self,
        constant: str,
        family: str,
        allowed: str,
        matching: Matching | None,
        reader: _Reader,
        *,
        matches: Callable[[str, str], bool] = matches,
        covers: Callable[[str, str], bool] = covers,
    ) -> None:
        super().__init__(constant, family, allowed, matching)
        self._read, self._matches, self._covers = reader, matches, covers

    def read(self, text: str, *, variables: bool, refuse: Refusal) -> Value:
        return self._read(text, variables=variables, refuse=refuse)

    def matches_any(self, named: Iterable[Value], asked: str, relation: Relation, value_of: ValueOf) -> bool | None:
        del relation
        text = literal(asked)
        globs = resolved(self.fitting(named, (), value_of), value_of)
        if any(glob is not None and self._matches(glob, text) for glob in globs):
            return True
        return None if None in globs else False

    def covers(self, wide: Value, narrow: Value, relation: Relation) -> bool:
        del relation
        if not isinstance(narrow, str | Template) or not isinstance(wide, str) or not is_wild(wide):
            return False
        return self._covers(wide, narrow.widest if isinstance(narrow, Template) else narrow)


class _Arn(_Text):
    """ARNs, matched part by part."""

    def fitting(self, named: Iterable[Value], kept: Container[str], value_of: ValueOf) -> Iterable[Value]:
        return [value for value in named if not isinstance(value, Template) or value.fits_an_arn(kept, value_of)]


class _Measure(Kind):
    """Numbers and dates, on one line each."""

    def __init__(self, constant: str, family: str, allowed: str, reader: Callable[..., Decimal | None]) -> None:
        super().__init__(constant, family, allowed)
        self._read = reader

    def read(self, text: str, *, variables: bool, refuse: Refusal) -> Value:
        del variables
        value = self._read(text)
        if value is None:
            self.refuse(text, refuse)
        return value

    def matches_any(self, named: Iterable[Value], asked: str, relation: Relation, value_of: ValueOf) -> bool | None:
        del value_of
        value = self._read(asked, asked=True)
        if value is None:
            return None
        stands = _RELATIONS[relation]
        return any(stands(value, one) for one in named if isinstance(one, Decimal))

    def covers(self, wide: Value, narrow: Value, relation: Relation) -> bool:
        if not isinstance(narrow, Decimal) or not isinstance(wide, Decimal):
            return False
        if relation in (Relation.LESS, Relation.LESS_OR_EQUAL):
            return narrow <= wide
        return relation is not Relation.EQUAL and narrow >= wide


class _Address(Kind):
    """Addresses, in blocks of either version."""

    def read(self, text: str, *, variables: bool, refuse: Refusal) -> Value:
        del variables
        block = values.network(text)
        if block is None:
            self.refuse(text, refuse)
        return block

    def matches_any(self, named: Iterable[Value], asked: str, relation: Relation, value_of: ValueOf) -> bool | None:
        del relation, value_of
        source = values.address(asked)
        if source is None:
            return None
        return any(source in block for block in named if isinstance(block, IPv4Network | IPv6Network))

    def covers(self, wide: Value, narrow: Value, relation: Relation) -> bool:
        del relation
        if isinstance(narrow, IPv4Network) and isinstance(wide, IPv4Network):
            return narrow.subnet_of(wide)
        return isinstance(narrow, IPv6Network) and isinstance(wide, IPv6Network) and narrow.subnet_of(wide)


def _exact(text: str, *, variables: bool, refuse: Refusal) -> Pattern:
    return patterns.parse(text, variables=variables, wildcards=False, refuse=refuse)


def _like(text: str, *, variables: bool, refuse: Refusal) -> Pattern:
    pattern = patterns.parse(text, variables=variables, wildcards=True, refuse=refuse)
    return patterns.tidied(pattern) if isinstance(pattern, str) else pattern


def _folded(text: str, *, variables: bool, refuse: Refusal) -> Pattern:
    pattern = _exact(text, variables=variables, refuse=refuse)
    return folded(pattern) if isinstance(pattern, str) else pattern


def _arn(text: str, *, variables: bool, refuse: Refusal) -> Pattern:
    pattern = patterns.parse(text, variables=variables, wildcards=True, refuse=refuse)
    if text.count(":") < _ARN_COLONS:
        refuse(f"{quoted(text)} is no ARN", ARN.allowed)
    return pattern


def _truth(text: str, *, variables: bool, refuse: Refusal) -> Pattern:
    del variables
    value = values.truth(text)
    if value is None:
        BOOLEAN.refuse(text, refuse)
    return value


def _binary(text: str, *, variables: bool, refuse: Refusal) -> Pattern:
    del variables
    value = values.binary(text)
    if value is None:
        BINARY.refuse(text, refuse)
    return literal(value)


EXACT_TEXT = _Text("EXACT_TEXT", "text", "text", Matching.WHOLE, _exact)
LIKE_TEXT = _Text("LIKE_TEXT", "text", "text with wildcards", Matching.WHOLE, _like)
FOLDED_TEXT = _Text(
    *("FOLDED_TEXT", "text, capitals ignored", "text", Matching.FOLDED, _folded),
    matches=lambda glob, text: folded(glob) == folded(text),
)
BOOLEAN = _Text("BOOLEAN", "text", "true or false", Matching.WHOLE, _truth)
BINARY = _Text("BINARY", "text", "base64", Matching.WHOLE, _binary)
ARN = _Arn(
    *("ARN", "ARN", "an ARN of six parts, wildcards allowed", Matching.ARN, _arn),
    matches=arn_matches,
    covers=arn_covers,
)
NUMBER = _Measure("NUMBER", "number", "an integer or a decimal", values.number)
DATE = _Measure("DATE", "date", "an ISO 8601 date, a time with its zone, or Unix time", values.instant)
ADDRESS = _Address("ADDRESS", "address", "an IP address or a CIDR block")
#: Whether the request has the key at all: ``true`` where it must not.
PRESENCE = _Text("PRESENCE", "presence", "true or false", None, _truth)
