"""One condition of a statement: a key, an operator, and the policy's values."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from iam_policy.kinds import PRESENCE, Value
from iam_policy.operators import Operator, Quantifier
from iam_policy.patterns import Template, ValueOf, grounded

if TYPE_CHECKING:
    from collections.abc import Container, Sequence


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
        For `PRESENCE` the text ``"true"`` (the key must be missing) or ``"false"``.
    """

    key: str
    operator: Operator
    values: frozenset[Value]

    def holds(self, asked: "Sequence[str]", value_of: ValueOf) -> bool:
        """Whether the condition is met by the key's values in a request; none at all is a missing key."""
        operator = self.operator
        if operator.kind is PRESENCE:
            return ("false" if any(asked) else "true") in self.values  # AWS: an empty value counts as a missing key
        if not asked:
            return operator.holds_on_missing_key
        if operator.quantifier is not Quantifier.NONE:
            asked = [value for value in asked if value]  # AWS: an empty string is an empty set to a set operator
        test = any if operator.is_met_by_any_value else all
        return test(self.holds_for(value, value_of) for value in asked)

    def holds_for(self, value: str, value_of: ValueOf) -> bool:
        """Whether the condition is met by one value, the negation of its operator counted in.

        A value that is no number, date or address fails the operators for those, negated or not: they do not apply.
        A variable without a value matches nothing, and fails a negated operator.
        """
        operator = self.operator
        matched = operator.kind.matches_any(self.values, value, operator.relation, value_of)
        return matched is not None and matched != operator.negated

    def grounded(self, kept: "Container[str]", value_of: ValueOf) -> "Condition":
        """The same condition with variables replaced, except those of the keys that are kept."""
        if not self.templates:
            return self
        replaced = [
            grounded(value, kept, value_of) if isinstance(value, str | Template) else value
            for value in self.operator.kind.fitting(self.values, kept, value_of)
        ]
        if None in replaced and self.operator.negated:
            return replace(self, operator=replace(self.operator, negated=False), values=frozenset())
        return replace(self, values=frozenset(value for value in replaced if value is not None))

    def order(self) -> tuple[str, list[str]]:
        """A key by which conditions on one context key are sorted, the same in every run."""
        return repr(self.operator), sorted(map(repr, self.values))

    @property
    def templates(self) -> tuple[Template, ...]:
        """The values that have variables in them."""
        return tuple(value for value in self.values if isinstance(value, Template))
