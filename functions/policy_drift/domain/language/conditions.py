"""One condition of a statement: a key, an operator, and the policy's values."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from .globs import arn_matches, matches
from .operators import Kind, Operator, Quantifier, Relation
from .patterns import Pattern, Template, literal
from .values import Network, address, instant, number

Value = Pattern | Decimal | Network
ValueOf = Callable[[str], str | None]

_RELATIONS: dict[Relation, Callable[[Decimal, Decimal], bool]] = {
    Relation.EQUAL: lambda asked, named: asked == named,
    Relation.LESS: lambda asked, named: asked < named,
    Relation.LESS_OR_EQUAL: lambda asked, named: asked <= named,
    Relation.GREATER: lambda asked, named: asked > named,
    Relation.GREATER_OR_EQUAL: lambda asked, named: asked >= named,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that a request's context meets or not.

    Attributes
    ----------
    key : str
        The context key, in lower case.
    operator : Operator
        How to compare.
    values : frozenset
        The policy's values: globs and templates, numbers, seconds since 1970, or networks, as the operator's kind says.
        For `Kind.PRESENCE` the text ``"true"`` (the key must be missing) or ``"false"``.
    """

    key: str
    operator: Operator
    values: frozenset[Value]

    def holds(self, asked: Sequence[str], value_of: ValueOf) -> bool:
        """Whether the condition is met by the key's values in a request; none at all is a missing key."""
        operator = self.operator
        if operator.kind is Kind.PRESENCE:
            return ("false" if asked else "true") in self.values
        if not asked:
            return operator.holds_on_missing_key
        if operator.quantifier is not Quantifier.NONE:
            asked = [value for value in asked if value]  # AWS: an empty string is an empty set to a set operator
        test = any if operator.is_met_by_any_value else all
        return test(self.holds_for(value, value_of) for value in asked)

    def holds_for(self, value: str, value_of: ValueOf) -> bool:
        """Whether the condition is met by one value, the negation of its operator counted in.

        A value that is no number, date or address fails the operators for those, negated or not: they do not apply.
        """
        operator = self.operator
        kind = operator.kind
        if kind in (Kind.NUMBER, Kind.DATE):
            asked = number(value) if kind is Kind.NUMBER else instant(value)
            relation = _RELATIONS[operator.relation]
            return asked is not None and (
                any(relation(asked, named) for named in self.values if isinstance(named, Decimal)) != operator.negated
            )
        if kind is Kind.ADDRESS:
            source = address(value)
            return source is not None and (
                any(source in block for block in self.values if not isinstance(block, str | Template | Decimal))
                != operator.negated
            )
        text = literal(value)
        return any(self._glob_matches(pattern, text, value_of) for pattern in self.values) != operator.negated

    def _glob_matches(self, pattern: Value, text: str, value_of: ValueOf) -> bool:
        glob = pattern.resolve(value_of) if isinstance(pattern, Template) else pattern
        if not isinstance(glob, str):
            return False  # a variable without a value
        if self.operator.kind is Kind.FOLDED_TEXT:
            return glob.lower() == text.lower()
        if self.operator.kind is Kind.ARN:
            return arn_matches(glob, text)
        return matches(glob, text)
