"""What a policy document says once it is read."""

from dataclasses import dataclass, field

from .conditions import Condition, ValueOf
from .globs import matches
from .patterns import Pattern, Template
from .principals import Principals


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
        """Whether the element applies to a string (one that `patterns.literal` was applied to)."""
        return self.negated != any(
            glob is not None and matches(glob, text)
            for glob in (
                pattern.resolve(value_of) if isinstance(pattern, Template) else pattern for pattern in self.patterns
            )
        )


@dataclass(frozen=True, slots=True)
class Rest:
    """All that a statement asks of a request besides the action; None asks nothing."""

    principals: Principals | None
    resources: PatternSet | None
    conditions: frozenset[Condition]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. Two that are equal mean the same, whatever their Sid and place."""

    allows: bool
    actions: PatternSet
    rest: Rest
    pointer: str = field(compare=False)


@dataclass(frozen=True, slots=True)
class Document:
    """A policy document that was read without an error."""

    statements: tuple[Statement, ...]
