"""One condition of a statement: a key, an operator, and the policy's values."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from iam_policy.globs import arn_matches, matches
from iam_policy.operators import Kind, Operator, Quantifier, Relation
from iam_policy.patterns import Pattern, Template, ValueOf, folded, grounded, literal, resolved
from iam_policy.values import Network, address, instant, number

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Sequence

Value = Pattern | Decimal | Network

_RELATIONS: dict[Relation, "Callable[[Decimal, Decimal], bool]"] = {
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

    def holds(self, asked: "Sequence[str]", value_of: ValueOf) -> bool:
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
        A variable without a value matches nothing, and fails a negated operator (AWS: it "causes the statement to be
        invalid").
        """
        operator = self.operator
        kind = operator.kind
        if kind in (Kind.NUMBER, Kind.DATE):
            asked = (number if kind is Kind.NUMBER else instant)(value, asked=True)
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
        globs = resolved(self._fitting((), value_of), value_of)
        if None in globs and operator.negated:
            return False
        return any(glob is not None and self._matches(glob, text) for glob in globs) != operator.negated

    def grounded(self, kept: "Container[str]", value_of: ValueOf) -> "Condition":
        """The same condition with variables replaced, except those of the keys that are kept."""
        if not self.templates:
            return self
        replaced = [
            grounded(value, kept, value_of) if isinstance(value, str | Template) else value
            for value in self._fitting(kept, value_of)
        ]
        if None in replaced and self.operator.negated:
            return replace(self, operator=replace(self.operator, negated=False), values=frozenset())
        return replace(self, values=frozenset(value for value in replaced if value is not None))

    @property
    def templates(self) -> tuple[Template, ...]:
        """The values that have variables in them."""
        return tuple(value for value in self.values if isinstance(value, Template))

    def _fitting(self, kept: "Container[str]", value_of: ValueOf) -> "Iterable[Value]":
        """The values without the ARN patterns that match nothing because of a colon in a variable's value."""
        if self.operator.kind is not Kind.ARN:
            return self.values
        return [value for value in self.values if not isinstance(value, Template) or value.fits_an_arn(kept, value_of)]

    def _matches(self, glob: str, text: str) -> bool:
        if self.operator.kind is Kind.FOLDED_TEXT:
            return folded(glob) == folded(text)
        if self.operator.kind is Kind.ARN:
            return arn_matches(glob, text)
        return matches(glob, text)
