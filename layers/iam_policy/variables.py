"""Policy variables in a comparison: the values that are worth trying, and the statements with values put in.

A variable stands for a context key of the request. A comparison looks at assignments: which of these keys have a value,
and which value, or any. For an assignment of values everything is decided exactly. For an assignment of *any* value a
comparison finds no difference only where there is none, whatever the values are (see `symbols`).
"""

from itertools import chain, combinations, product
from typing import TYPE_CHECKING

from iam_policy.automaton import fresh_letter
from iam_policy.dimensions import Assignment
from iam_policy.globs import shared
from iam_policy.patterns import Pattern, Template, is_wild, readable
from iam_policy.statement import Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

#: With more variables than this, the assignments are too many to look at.
MOST_KEYS = 5
_MOST_VALUES = 24


def keys_of(scopes: "Iterable[Scope]") -> list[str]:
    """The context keys that variables stand for."""
    return sorted(
        {
            variable.key
            for scope in scopes
            for pattern in _patterns(scope)
            if isinstance(pattern, Template)
            for variable in pattern.variables
        }
    )


def grounded(scope: Scope, assignment: Assignment) -> Scope:
    """The same demands with the variables of an assignment replaced; those of symbolic keys stay."""
    if not any(isinstance(pattern, Template) for pattern in _patterns(scope)):
        return scope
    kept, value_of = assignment.symbolic, assignment.value_of
    resources = scope.resources.grounded(kept, value_of) if scope.resources is not None else None
    return Scope(
        scope.principals, resources, frozenset(condition.grounded(kept, value_of) for condition in scope.conditions)
    )


def partial_assignments(keys: list[str]) -> "Iterator[Assignment]":
    """Every choice of keys that have no value, the others having any; the choice that leaves none included."""
    for missing in _choices(keys):
        yield Assignment(dict.fromkeys(missing), frozenset(keys) - set(missing))


def by_classes(assignment: Assignment, of_key: "Mapping[str, list[str]]") -> "Iterator[tuple[Assignment, Assignment]]":
    """An assignment of any values cut by classes of values: one value for each key, and any of its class.

    An empty value is of no class but its own.
    """
    keys = sorted(assignment.symbolic)
    for chosen in product(*(of_key[key] for key in keys)):
        values = dict(zip(keys, chosen, strict=True))
        exactly = {**assignment.values, **{key: readable(value) for key, value in values.items()}}
        empty = dict.fromkeys((key for key, value in values.items() if not value), "")
        like = {key: value for key, value in values.items() if value}
        yield Assignment(exactly), Assignment({**assignment.values, **empty}, frozenset(like), like)


def fresh_values(keys: list[str], scopes: "Iterable[Scope]") -> dict[str, str]:
    """A value for each key that shares nothing with any text of the policies."""
    texts = "\n".join(dict.fromkeys(readable(text) for scope in scopes for text in _texts(scope))) if keys else ""
    return {key: _fresh(key, number, texts) for number, key in enumerate(keys)}


def likely_values(keys: list[str], scopes: "Iterable[Scope]") -> "Iterator[dict[str, str | None]]":
    """Values of some of the keys that may show a difference: those at which two patterns meet, and none at all."""
    scopes = list(scopes)
    for key in keys:
        yield {key: None}
    candidates = {key: list(_candidates(key, scopes))[:_MOST_VALUES] for key in keys}
    for key in keys:
        for value in candidates[key]:
            yield {key: value}
    if len(keys) > 1:
        for values in zip(*(candidates[key] for key in keys), strict=False):
            yield dict(zip(keys, values, strict=True))
    if len(keys) <= MOST_KEYS:
        yield from (dict.fromkeys(missing) for missing in _choices(keys) if len(missing) != 1)


def _choices(keys: list[str]) -> "Iterator[tuple[str, ...]]":
    return chain.from_iterable(combinations(keys, count) for count in range(len(keys) + 1))


def _patterns(scope: Scope) -> "Iterator[object]":
    if scope.resources is not None:
        yield from scope.resources.patterns
    for condition in scope.conditions:
        yield from condition.values


def _texts(scope: Scope) -> "Iterator[str]":
    for pattern in _patterns(scope):
        if isinstance(pattern, str):
            yield pattern
        elif isinstance(pattern, Template):
            yield from (part for part in pattern.parts if isinstance(part, str))


def _fresh(key: str, number: int, texts: str) -> str:
    """A value that shares nothing with any text of the policies, and reads like a name."""
    plausible = "111122223333" if key.endswith("account") else f"example{number or ''}"
    if plausible not in texts:
        return plausible
    return fresh_letter([texts, "*?"]) * (number + 1)


def _candidates(key: str, scopes: "Iterable[Scope]") -> "Iterator[str]":
    """Values that the conditions on the key name, and values at which a pattern with it meets another pattern."""
    found: dict[str, None] = {}
    for scope in sorted(scopes, key=repr):
        for condition in scope.conditions:
            if condition.key == key and condition.operator.kind.matching is not None:
                found |= dict.fromkeys(_plain(value) for value in condition.values if isinstance(value, str))
    for group in _comparable(scopes):
        for template in (pattern for pattern in group if isinstance(pattern, Template)):
            for other in (pattern for pattern in group if isinstance(pattern, str)):
                found |= dict.fromkeys(_meetings(template, key, other))
    found |= {"*": None, "": None}
    return iter(sorted(found))


def _comparable(scopes: "Iterable[Scope]") -> list[list[Pattern]]:
    """The patterns of each dimension."""
    groups: dict[str, list[Pattern]] = {}
    for scope in sorted(scopes, key=repr):
        if scope.resources is not None:
            groups.setdefault("resource", []).extend(scope.resources.patterns)
        for condition in scope.conditions:
            texts = [value for value in condition.values if isinstance(value, str | Template)]
            groups.setdefault(f"key {condition.key}", []).extend(texts)
    return list(groups.values())


def _meetings(template: Template, key: str, other: str) -> "Iterator[str]":
    """What the variable must be for the template to name what the other pattern does."""
    before = template.parts[0] if isinstance(template.parts[0], str) else ""
    first = template.variables[0]
    text = _plain(other)
    stem = _plain(before)
    if first.key != key:
        return
    yield from _value_of_a_meeting(template, other)
    if not text.startswith(stem):
        return
    remainder = text[len(stem) :]
    following = template.parts[2 if before else 1 :]
    after = following[0] if following and isinstance(following[0], str) else ""
    yield remainder
    if after and not is_wild(after[0]):
        yield remainder.partition(after[0])[0]


def _value_of_a_meeting(template: Template, other: str) -> "Iterator[str]":
    """The value that a variable has at some string that both patterns match; of a template that is text but for it."""
    before, star, after = template.widest.partition("*")
    if star and not is_wild(before) and not is_wild(after) and (meeting := shared(template.widest, other)) is not None:
        yield readable(meeting[len(before) : len(meeting) - len(after)])


def _plain(glob: str) -> str:
    return readable(glob.replace("*", "").replace("?", "x"))
