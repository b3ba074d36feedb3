"""What may be said of a comparison of policies with opaque values in them.

The engine compares the policies as if each opaque value were a text of its own that occurs nowhere else. This module
asks whether the answer holds whatever the values are. A request proves a difference for certain when one side allows it
by statements that surely match and no Deny that may, and the other side surely does not allow it. Nothing was added for
certain when live's Allow statements are within those of baseline and no Deny is missing: what one pattern covers with
an opaque text in it, it covers with any other in its place, unless an element is negated.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from enum import Enum

from ecr_steward.gate.opaque import ANY_OTHER, PSEUDO_SERVICE, can_match, has_token, may_overlap
from iam_policy import Access, Comparison, Verdict, Witness, compare
from iam_policy.conditions import Condition
from iam_policy.evaluation import Request
from iam_policy.globs import matches
from iam_policy.operators import Quantifier
from iam_policy.patterns import Template, literal
from iam_policy.principals import EVERYONE, Principal, Principals, parse
from iam_policy.statement import PatternSet, Statement

ACCESS_IS_UNKNOWN = "it rests on values that the files do not hold"


class Answer(Enum):
    """Whether something matches, or holds."""

    NO = 0
    PERHAPS = 1
    YES = 2


def certain(before: Access, now: Access, comparison: Comparison) -> Comparison:
    """The comparison with the verdict that holds for every value of what is opaque; UNKNOWN where none does.

    Witnesses that are certain come first. Those that rest on opaque values remain where nothing is certain: they are
    then what may be possible.
    """
    if not (_is_opaque(before) or _is_opaque(now)) or _statements(before) == _statements(now):
        return comparison
    added, may_add = _direction(before, now, comparison.newly_allowed)
    removed, may_remove = _direction(now, before, comparison.newly_denied)
    if comparison.verdict is Verdict.UNKNOWN:
        may_add = may_remove = True
    witnesses = (added or comparison.newly_allowed, removed or comparison.newly_denied)
    if added:
        return Comparison(Verdict.INCOMPARABLE if removed else Verdict.BROADENED, *witnesses)
    if may_add:
        return Comparison(Verdict.UNKNOWN, *witnesses, comparison.reason or ACCESS_IS_UNKNOWN)
    if removed:
        return Comparison(Verdict.NARROWED, *witnesses)
    if may_remove:
        return Comparison(Verdict.UNKNOWN, *witnesses, comparison.reason or f"it allows no more; {ACCESS_IS_UNKNOWN}")
    return Comparison(Verdict.EQUIVALENT)


def _direction(smaller: Access, larger: Access, found: tuple[Witness, ...]) -> tuple[tuple[Witness, ...], bool]:
    """The witnesses that surely only the larger side allows, and whether there may be some where there are none."""
    asked = [other for one in found for other in (one, *_elsewhere(larger, one))]
    sure = tuple(one for one in asked if _surely_only(larger, smaller, one))[: len(found)]
    return sure, not sure and not (not found and _surely_within(larger, smaller))


def _elsewhere(allowing: Access, witness: Witness) -> Iterator[Witness]:
    """The request on resources that nothing in the files names, where the side allows it on more than named ones."""
    globs = {
        glob
        for statement in allowing.layers[0]
        if statement.allows and statement.scope.resources is not None and not statement.scope.resources.negated
        for glob in statement.scope.resources.patterns
        if isinstance(glob, str) and "*" in glob and not has_token(glob) and matches(glob, literal(witness.resource))
    }
    if any(statement.allows and statement.scope.resources is None for statement in allowing.layers[0]):
        globs.add(f"arn:aws:{witness.action.partition(':')[0]}:::*")
    for glob in sorted(globs, key=len):
        before, _, after = glob.rpartition("*")
        yield replace(witness, resource=f"{before.replace('*', ANY_OTHER)}{ANY_OTHER}{after}".replace("?", "x"))


def _surely_only(allowing: Access, denying: Access, witness: Witness) -> bool:
    if witness.action.startswith(f"{PSEUDO_SERVICE}:"):
        return False
    allowed = all(_layer(layer, witness)[0] is Answer.YES for layer in allowing.layers)
    return (
        allowed
        and all(_layer(layer, witness)[1] is Answer.NO for layer in allowing.layers)
        and any(
            _layer(layer, witness)[0] is Answer.NO or _layer(layer, witness)[1] is Answer.YES
            for layer in denying.layers
        )
    )


def _layer(layer: Iterable[Statement], witness: Witness) -> tuple[Answer, Answer]:
    """Whether a layer allows the request, and whether it denies it."""
    answers = {True: Answer.NO, False: Answer.NO}
    for statement in layer:
        answer = _statement(statement, witness)
        if answer.value > answers[statement.allows].value:
            answers[statement.allows] = answer
    return answers[True], answers[False]


def _statement(statement: Statement, asked: Request) -> Answer:
    scope = statement.scope
    parts = [_patterns(statement.actions, asked.action.lower(), asked)]
    if scope.principals is not None:
        parts.append(_principals(scope.principals, asked.principal))
    if scope.resources is not None:
        parts.append(_patterns(scope.resources, asked.resource, asked))
    parts += [_condition(condition, asked) for condition in scope.conditions]
    return Answer(min(part.value for part in parts))


def _patterns(element: PatternSet, text: str, asked: Request) -> Answer:
    """The element with all that its patterns and the text may be."""

    def value_of(key: str) -> str | None:
        return _value_of(asked, key)

    matched = PatternSet(element.patterns).match(literal(text), value_of)
    if matched:
        return Answer.NO if element.negated else Answer.YES
    globs = (pattern.widest if isinstance(pattern, Template) else pattern for pattern in element.patterns)
    perhaps = any(
        can_match(glob, text)
        if ANY_OTHER in text
        else (has_token(glob) or has_token(text)) and may_overlap(glob, literal(text))
        for glob in globs
    )
    if perhaps:
        return Answer.PERHAPS
    return Answer.YES if element.negated else Answer.NO


def _value_of(asked: Request, key: str) -> str | None:
    for name, value in asked.context.items():
        if name.lower() == key:
            return value if isinstance(value, str) else None
    return None


def _principals(element: Principals, asking: str | None) -> Answer:
    if asking is None:
        return Answer.NO
    asked = parse(asking)
    matched = element.match(asked)
    # A service is no account. What is opaque as an AWS principal may be everyone.
    alike = [one.value for one in element.named if one.type == asked.type or _may_be_everyone(one)]
    opaque = any(has_token(asking) or has_token(value) for value in alike)
    if not opaque or matched != element.negated:
        return Answer.YES if matched else Answer.NO
    return Answer.PERHAPS


def _may_be_everyone(named: Principal) -> bool:
    return named.type == "AWS" and (named.value == EVERYONE or has_token(named.value))


def _condition(condition: Condition, asked: Request) -> Answer:
    values = next((value for key, value in asked.context.items() if key.lower() == condition.key), ())
    texts = (values,) if isinstance(values, str) else tuple(map(str, values)) if isinstance(values, tuple) else ()
    holds = condition.holds(texts, lambda key: _value_of(asked, key))
    named = [value.widest if isinstance(value, Template) else str(value) for value in condition.values]
    if not texts or not (any(map(has_token, texts)) or any(map(has_token, named))):
        return Answer.YES if holds else Answer.NO
    operator = condition.operator
    if holds != operator.negated and operator.quantifier is Quantifier.NONE:
        return Answer.YES if holds else Answer.NO
    return Answer.PERHAPS


def _surely_within(smaller: Access, larger: Access) -> bool:
    """Whether one side allows no more than the other for every value of what is opaque."""
    if len(smaller.layers) < len(larger.layers):
        return False
    for inner, outer in zip(smaller.layers, larger.layers, strict=False):
        if not _denies(outer) <= _denies(inner):
            return False
        only_inner = _allows(inner) - _allows(outer)
        if not only_inner:
            continue
        # A negated element in both covers, as written, what its value may leave out, so it counts here too.
        if any(_is_negated(one) and _has_tokens(one) for one in _allows(inner) | _allows(outer)):
            return False
        allowed = Access((tuple(_allows(outer)),)), Access((tuple(_allows(inner)),))
        if compare(*allowed, most_witnesses=1).verdict not in (Verdict.EQUIVALENT, Verdict.NARROWED):
            return False
    return True


def _allows(layer: Iterable[Statement]) -> frozenset[Statement]:
    return frozenset(one for one in layer if one.allows)


def _denies(layer: Iterable[Statement]) -> frozenset[Statement]:
    return frozenset(one for one in layer if not one.allows)


def _is_negated(statement: Statement) -> bool:
    scope = statement.scope
    elements = (statement.actions, scope.resources, scope.principals, *(one.operator for one in scope.conditions))
    return any(element is not None and element.negated for element in elements) or any(
        one.operator.quantifier is Quantifier.ALL or one.operator.holds_on_missing_key for one in scope.conditions
    )


def _statements(access: Access) -> list[set[Statement]]:
    return [set(layer) for layer in access.layers]


def _is_opaque(access: Access) -> bool:
    return any(_has_tokens(statement) for layer in access.layers for statement in layer)


def _has_tokens(statement: Statement) -> bool:
    written = repr(replace(statement, pointer=""))
    return has_token(written) or f"{PSEUDO_SERVICE}:" in written
