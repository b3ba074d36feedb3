"""What a policy document says once it is read."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from iam_policy.globs import covers, matches
from iam_policy.patterns import Pattern, Template, ValueOf, grounded, resolved

if TYPE_CHECKING:
    from collections.abc import Container

    from iam_policy.conditions import Condition
    from iam_policy.principals import Principals


@dataclass(frozen=True, slots=True)
class PatternSet:
    """An Action, NotAction, Resource or NotResource element.

    Attributes
    ----------
    patterns : frozenset
        Globs and templates; those of actions in lower case.
    negated : bool
        Whether the element applies to everything that no pattern matches.
    """

    patterns: frozenset[Pattern]
    negated: bool = False

    def match(self, text: str, value_of: ValueOf) -> bool:
        """Whether the element applies to a string (one that `patterns.literal` was applied to).

        A variable without a value matches nothing, and keeps a negated element from applying.
        """
        globs = resolved(self.patterns, value_of)
        if None in globs and self.negated:
            return False
        return self.negated != any(glob is not None and matches(glob, text) for glob in globs)

    def grounded(self, kept: "Container[str]", value_of: ValueOf) -> "PatternSet":
        """The same element with variables replaced, except those of the keys that are kept."""
        replaced = [grounded(pattern, kept, value_of) for pattern in self.patterns]
        if None in replaced and self.negated:
            return PatternSet(frozenset())
        return PatternSet(frozenset(pattern for pattern in replaced if pattern is not None), self.negated)

    def is_within(self, other: "PatternSet") -> bool:
        """Whether an Action element surely has only what another one has; that is not looked at for a NotAction."""
        if self == other:
            return True
        if self.negated or other.negated:
            return False
        globs = [glob for glob in other.patterns if isinstance(glob, str)]
        return all(
            pattern in other.patterns or (isinstance(pattern, str) and any(covers(glob, pattern) for glob in globs))
            for pattern in self.patterns
        )

    @property
    def templates(self) -> tuple[Template, ...]:
        """The patterns that have variables in them."""
        return tuple(pattern for pattern in self.patterns if isinstance(pattern, Template))


@dataclass(frozen=True, slots=True)
class Scope:
    """All that a statement asks of a request besides the action; None asks nothing."""

    principals: "Principals | None"
    resources: PatternSet | None
    conditions: frozenset["Condition"]

    @property
    def size(self) -> int:
        """How many things are asked; what it costs to read them once more."""
        resources = 0 if self.resources is None else len(self.resources.patterns)
        return 1 + resources + sum(len(condition.values) for condition in self.conditions)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. Two that are equal mean the same, with any Sid and in any place."""

    allows: bool
    actions: PatternSet
    scope: Scope
    pointer: str = field(compare=False)


@dataclass(frozen=True, slots=True)
class Document:
    """A policy document that was read without an error; ``notes`` say what in it can match nothing, and where."""

    statements: tuple[Statement, ...]
    notes: tuple[str, ...] = ()
