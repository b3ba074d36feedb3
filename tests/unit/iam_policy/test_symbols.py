"""Patterns with variables of any value: no case that some value brings about may be missing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iam_policy import symbols
from iam_policy.automaton import Matching
from iam_policy.budget import Budget, OutOfBudgetError
from iam_policy.conditions import Condition
from iam_policy.globs import matches
from iam_policy.operators import operator
from iam_policy.patterns import Pattern, Template, Variable, literal, readable

USER, TEAM = Variable("aws:username"), Variable("aws:team")
GLOBS = st.text("ab*?", max_size=4)
TEMPLATES = st.lists(st.one_of(GLOBS, st.sampled_from([USER, TEAM])), max_size=3).map(
    lambda parts: Template((*parts, USER))
)
SETS = st.lists(st.frozensets(st.one_of(GLOBS, TEMPLATES), max_size=3), min_size=1, max_size=3)
VALUES = st.text("abc", min_size=1, max_size=3)


def glob_of(pattern: Pattern, values: dict[str, str]) -> str:
    glob = pattern if isinstance(pattern, str) else pattern.resolve(values.get)
    assert glob is not None
    return glob


def matched(text: str, sets: list[frozenset[Pattern]], values: dict[str, str]) -> int:
    return sum(
        1 << place
        for place, patterns in enumerate(sets)
        if any(matches(glob_of(pattern, values), literal(text)) for pattern in patterns)
    )


@given(SETS, VALUES, VALUES, st.text("abc", max_size=6))
def test_what_any_values_make_of_any_text_is_among_the_cases(
    sets: list[frozenset[Pattern]], user: str, team: str, text: str
) -> None:
    values = {USER.key: user, TEAM.key: team}
    named = [glob_of(pattern, values).replace("*", text).replace("?", "c") for one in sets for pattern in one]

    found = {case for case, _ in symbols.cases([(patterns, Matching.WHOLE) for patterns in sets], Budget())}

    assert {matched(tried, sets, values) for tried in (text, *named)} <= found


@given(SETS, VALUES, VALUES, st.text("abc", max_size=6))
def test_what_values_of_known_classes_make_of_any_text_is_among_the_cases(
    sets: list[frozenset[Pattern]], user: str, team: str, text: str
) -> None:
    values = {USER.key: user, TEAM.key: team}
    named = [glob_of(pattern, values).replace("*", text).replace("?", "c") for one in sets for pattern in one]

    cases = symbols.cases([(patterns, Matching.WHOLE) for patterns in sets], Budget(), like=values)

    found = {case for case, _ in cases}
    assert {matched(tried, sets, values) for tried in (text, *named)} <= found
    assert max(found) < 1 << len(sets)


HOME = Template(("home/", USER))


@pytest.mark.parametrize(
    ("pattern", "possible"),
    [
        ("home/*", {0b00, 0b10, 0b11}),
        ("*", {0b10, 0b11}),
        ("home/?", {0b00, 0b01, 0b10, 0b11}),
        ("home/a", {0b00, 0b01, 0b10, 0b11}),
        ("house", {0b00, 0b01, 0b10}),
        (Template(("home/", USER)), {0b00, 0b11}),
        (Template(("home/", TEAM)), {0b00, 0b01, 0b10, 0b11}),
        (Template(("house/", USER)), {0b00, 0b01, 0b10}),
    ],
)
def test_what_holds_for_every_value_is_certain(pattern: Pattern, possible: set[int]) -> None:
    sets = [(frozenset[Pattern]([HOME]), Matching.WHOLE), (frozenset([pattern]), Matching.WHOLE)]

    assert {case for case, _ in symbols.cases(sets, Budget())} == possible


@pytest.mark.parametrize("pattern", ["home/?/*", "home/*/?"])
def test_no_question_mark_takes_one_of_two_variables(pattern: str) -> None:
    sets = [
        (frozenset[Pattern]([Template(("home/", TEAM, "/", USER))]), Matching.WHOLE),
        (frozenset[Pattern]([pattern]), Matching.WHOLE),
    ]

    assert {case for case, _ in symbols.cases(sets, Budget())} == {0b00, 0b01, 0b10, 0b11}


def test_a_pattern_that_shares_no_text_with_a_variable_is_in_no_case_with_it() -> None:
    sets = [(frozenset[Pattern]([pattern]), Matching.WHOLE) for pattern in ("house", HOME, "home/?")]

    assert {case for case, _ in symbols.cases(sets, Budget())} == {0b000, 0b001, 0b010, 0b100, 0b110}


TREE = Template(("home/", USER, "/x/x"))


@pytest.mark.parametrize(
    ("pattern", "possible"),
    [
        ("home/a/*", {0b00, 0b10, 0b11}),
        ("home/b/*", {0b00, 0b01, 0b10}),
        ("home/?/x/x", {0b00, 0b10, 0b11}),
        (Template(("home/", USER, "/x")), {0b00, 0b01, 0b10}),
        (Template(("home/", USER, "/*/x")), {0b00, 0b10, 0b11}),
        (Template(("home/", USER, "/x/x*")), {0b00, 0b10, 0b11}),
        (Template(("home/", USER, "*/x/x")), {0b00, 0b10, 0b11}),
        (Template(("home/", USER, "*x/", TEAM)), {0b00, 0b01, 0b10, 0b11}),
        (Template(("house/", USER, "/x/x")), {0b00, 0b01, 0b10}),
        (Template(("*/", USER, "/x/?")), {0b00, 0b10, 0b11}),
        (Template(("h", USER, "/x/x")), {0b00, 0b01, 0b10, 0b11}),
        (Template(("home/", TEAM, "/x/x")), {0b00, 0b01, 0b10, 0b11}),
        (TREE, {0b00, 0b11}),
    ],
)
def test_a_value_of_a_known_class_is_taken_as_a_whole(pattern: Pattern, possible: set[int]) -> None:
    sets = [(frozenset[Pattern]([TREE]), Matching.WHOLE), (frozenset([pattern]), Matching.WHOLE)]
    like = {USER.key: "a", TEAM.key: "b"}

    assert {case for case, _ in symbols.cases(sets, Budget(), like=like)} == possible


TOPIC = Template(("arn:aws:sns:", USER, ":1:a"))


@pytest.mark.parametrize(
    ("matching", "pattern", "possible"),
    [
        (Matching.ARN, "arn:aws:sns:*:1:a", {0b00, 0b10, 0b11}),
        (Matching.WHOLE, "arn:aws:sns:*:1:a", {0b00, 0b01, 0b10, 0b11}),
        (Matching.ARN, "arn:aws:sns:?:1:a", {0b00, 0b01, 0b10, 0b11}),
        (Matching.ARN, "arn:aws:sns:*:2:1:a", {0b00, 0b01, 0b10}),
        (Matching.WHOLE, "arn:aws:sns:*:2:1:a", {0b00, 0b01, 0b10, 0b11}),
        (Matching.WHOLE, "arn:aws:sns:?:1:a", {0b00, 0b01, 0b10, 0b11}),
    ],
)
def test_a_value_stays_within_its_part_where_the_parts_of_an_arn_are_matched_each(
    matching: Matching, pattern: str, possible: set[int]
) -> None:
    sets = [(frozenset[Pattern]([TOPIC]), matching), (frozenset([pattern]), Matching.ARN)]

    assert {case for case, _ in symbols.cases(sets, Budget())} == possible


def test_a_value_with_colons_is_taken_by_a_text_and_not_by_a_part_of_an_arn() -> None:
    sets = [(frozenset[Pattern]([TOPIC]), matching) for matching in (Matching.WHOLE, Matching.ARN)]

    assert {case for case, _ in symbols.cases(sets, Budget())} == {0b00, 0b01, 0b11}


ARN_LIKE = operator("ArnLike") or pytest.fail("no such operator")
ARN_PIECES = st.lists(st.one_of(st.text("a*?", max_size=2), st.sampled_from([USER, TEAM])), min_size=1, max_size=2)


def arn_template(pieces: list[list[str | Variable]]) -> Pattern:
    parts = [part for number, piece in enumerate(pieces) for part in ([":"] if number else []) + piece]
    return Template(tuple(parts)) if any(isinstance(part, Variable) for part in parts) else "".join(map(str, parts))


ARN_PATTERNS = st.lists(ARN_PIECES, min_size=6, max_size=6).map(arn_template)


@given(
    st.lists(st.frozensets(ARN_PATTERNS, min_size=1, max_size=2), min_size=1, max_size=2),
    st.sampled_from(["a", "ab", "*", "a:a"]),
    st.sampled_from(["a", "?", ""]),
    st.text("ab", max_size=2),
)
def test_what_any_values_make_of_any_arn_is_among_the_cases(
    sets: list[frozenset[Pattern]], user: str, team: str, text: str
) -> None:
    values = {USER.key: user, TEAM.key: team}
    conditions = [Condition("k", ARN_LIKE, patterns) for patterns in sets]
    named = [glob_of(pattern, values).replace("*", text).replace("?", "b") for one in sets for pattern in one]

    found = {case for case, _ in symbols.cases([(patterns, Matching.ARN) for patterns in sets], Budget())}

    for tried in map(readable, named):
        held = sum(1 << place for place, one in enumerate(conditions) if one.holds((tried,), values.get))
        assert held in found


def test_patterns_that_may_all_match_or_not_stop_at_the_budget() -> None:
    doubtful = [(frozenset[Pattern]([f"home/{number}*"]), Matching.WHOLE) for number in range(9)]

    with pytest.raises(OutOfBudgetError):
        symbols.cases([(frozenset[Pattern]([HOME]), Matching.WHOLE), *doubtful], Budget(500))
