"""Globs: matching, covering, overlapping, and all combinations of several."""

import re
from itertools import product
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iam_policy.automaton import Alternatives, Matching, combinations
from iam_policy.budget import Budget, OutOfBudgetError
from iam_policy.globs import arn_matches, arns_overlap, covers, matches, may_overlap, overlap, shared
from iam_policy.patterns import literal, readable, tidied
from iam_policy.texts import cases, plausible_arn

GLOBS = st.text("ab*?", max_size=6)
TEXTS = st.text("abc", max_size=7)
EVERY_SHORT_TEXT = ["".join(letters) for length in range(6) for letters in product("abz", repeat=length)]


def by_regular_expression(glob: str, text: str) -> bool:
    pattern = "".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in glob)
    return re.fullmatch(pattern, text, re.DOTALL) is not None


@given(GLOBS, TEXTS)
def test_a_glob_matches_what_its_regular_expression_does(glob: str, text: str) -> None:
    assert matches(glob, text) == by_regular_expression(glob, text)


def test_every_short_glob_matches_the_short_texts_that_its_regular_expression_does() -> None:
    globs = ["".join(letters) for length in range(7) for letters in product("a*?", repeat=length)]
    texts = ["".join(letters) for length in range(7) for letters in product("ab", repeat=length)]

    wrong = [
        (glob, text) for glob in globs for text in texts if matches(glob, text) != by_regular_expression(glob, text)
    ]

    assert wrong == []


@given(GLOBS, TEXTS)
def test_tidying_a_glob_changes_nothing(glob: str, text: str) -> None:
    assert matches(tidied(glob), text) == matches(glob, text)


@pytest.mark.parametrize(
    ("glob", "tidy"), [("a* *?", "a* ?*"), (" **!", " *!"), ("*?(", "?*("), ("**)?", "*)?"), ("?*?+", "??*+")]
)
def test_only_runs_of_wildcards_are_tidied(glob: str, tidy: str) -> None:
    assert tidied(glob) == tidy


@given(GLOBS, GLOBS, TEXTS)
def test_a_glob_that_covers_another_matches_all_of_it(wide: str, narrow: str, text: str) -> None:
    assert not covers(wide, narrow) or not matches(narrow, text) or matches(wide, text)


@pytest.mark.parametrize(
    ("wide", "narrow", "covered"),
    [
        ("*", "a", True),
        ("a*", "ab*", True),
        ("a*", "a", True),
        ("a?", "ab", True),
        ("ab*", "a*", False),
        ("a", "a", True),
    ],
)
def test_the_usual_ways_to_cover_are_seen(wide: str, narrow: str, *, covered: bool) -> None:
    assert covers(wide, narrow) is covered


@given(GLOBS, GLOBS)
def test_globs_overlap_when_they_share_a_text(first: str, second: str) -> None:
    shared = any(matches(first, text) and matches(second, text) for text in EVERY_SHORT_TEXT)

    assert overlap(first, second) or not shared


@given(GLOBS, GLOBS)
def test_globs_that_overlap_may_overlap(first: str, second: str) -> None:
    assert may_overlap(first, second) or not overlap(first, second)


@pytest.mark.parametrize(("first", "second"), [("a*", "b*"), ("ab?", "ac*"), ("*a", "?b"), ("a*bb", "*cb"), ("a", "b")])
def test_globs_that_begin_or_end_with_other_letters_are_seen_not_to_overlap(first: str, second: str) -> None:
    assert not may_overlap(first, second)
    assert not may_overlap(second, first)


@given(GLOBS, GLOBS)
def test_a_text_that_globs_share_matches_both(first: str, second: str) -> None:
    text = shared(first, second)

    assert text is None or (matches(first, text) and matches(second, text))


@given(TEXTS, GLOBS)
def test_a_glob_overlaps_with_the_texts_that_it_matches_and_no_others(text: str, glob: str) -> None:
    assert overlap(text, glob) == matches(glob, text)
    assert overlap(glob, text) == matches(glob, text)


def test_the_last_part_of_an_arn_may_have_colons() -> None:
    group = "arn:aws:logs:*:1:log-group:a"

    assert arns_overlap(group, "arn:aws:logs:eu-west-1:*:log-group:*")
    assert arns_overlap("arn:aws:logs:eu-west-1:*:log-group:*", group)
    assert not arns_overlap(group, "arn:aws:logs:*:*:log-group")
    assert not arns_overlap("arn:aws:logs:*:*:log-group", group)


@given(st.lists(st.frozensets(GLOBS, max_size=3), min_size=1, max_size=4))
def test_every_combination_of_sets_that_a_text_is_in_is_found_with_an_example(sets: list[frozenset[str]]) -> None:
    alternatives = [Alternatives(globs) for globs in sets]
    found = {combination.matched: combination.example for combination in combinations(alternatives, Budget())}

    def matched(text: str) -> int:
        return sum(1 << place for place, globs in enumerate(sets) if any(matches(glob, text) for glob in globs))

    assert {matched(text) for text in EVERY_SHORT_TEXT} <= set(found)
    assert all(matched(example) == combination for combination, example in found.items())


@given(st.lists(st.frozensets(GLOBS, max_size=3), min_size=1, max_size=4))
def test_names_and_wildcards_give_the_same_cases_as_the_automaton_alone(sets: list[frozenset[str]]) -> None:
    alternatives = [Alternatives(frozenset(map(tidied, globs))) for globs in sets]

    found = cases(alternatives, Budget())

    assert set(found) == {combination.matched for combination in combinations(alternatives, Budget())}
    for matched, text in found.items():
        assert matched == sum(1 << place for place, globs in enumerate(sets) if any(matches(g, text) for g in globs))


@given(st.lists(st.frozensets(GLOBS, max_size=3), min_size=1, max_size=3), GLOBS)
def test_only_texts_that_one_of_the_globs_matches_are_looked_at(sets: list[frozenset[str]], within: str) -> None:
    sets = [*sets, frozenset([within])]
    found = cases([Alternatives(frozenset(map(tidied, globs))) for globs in sets], Budget(), within=tidied(within))

    def matched(text: str) -> int:
        return sum(1 << place for place, globs in enumerate(sets) if any(matches(glob, text) for glob in globs))

    assert {matched(text) for text in EVERY_SHORT_TEXT if matches(within, text)} <= set(found)
    assert all(matched(text) == combination and matches(within, text) for combination, text in found.items())


@given(st.lists(st.frozensets(st.text("aB", max_size=3), max_size=3), min_size=1, max_size=3))
def test_sets_that_ignore_capitals_are_distinguished(sets: list[frozenset[str]]) -> None:
    alternatives = [Alternatives(globs, Matching.FOLDED) for globs in sets]

    for combination in combinations(alternatives, Budget()):
        folded = [combination.example.lower() in {glob.lower() for glob in globs} for globs in sets]
        assert combination.matched == sum(1 << place for place, inside in enumerate(folded) if inside)


ARN_GLOBS = st.lists(st.text("a*?", max_size=3), min_size=6, max_size=7).map(":".join)


@given(st.lists(ARN_GLOBS, min_size=1, max_size=3), st.lists(st.text("ab", max_size=2), min_size=1, max_size=8))
def test_arn_patterns_match_part_by_part_in_the_automaton_too(globs: list[str], parts: list[str]) -> None:
    sets = [Alternatives(frozenset([glob]), Matching.ARN) for glob in globs]

    found = {combination.matched: combination.example for combination in combinations(sets, Budget())}

    def matched(text: str) -> int:
        return sum(1 << place for place, glob in enumerate(globs) if arn_matches(glob, text))

    assert matched(":".join(parts)) in found
    assert all(matched(example) == combination for combination, example in found.items())


def test_only_combinations_with_the_required_set_are_reported() -> None:
    sets = [Alternatives(frozenset(["a*"])), Alternatives(frozenset(["*b"]))]

    for_each = [{one.matched for one in combinations(sets, Budget(), required=index)} for index in (0, 1)]

    assert for_each == [{0b01, 0b11}, {0b10, 0b11}]


def test_a_combination_of_one_text_only_is_distinguished_from_the_name() -> None:
    sets = [Alternatives(frozenset(["a*"])), Alternatives(frozenset(["a?*"])), Alternatives(frozenset(["a"]))]

    assert set(cases(sets, Budget())) == {0b000, 0b011, 0b101}


def test_walking_stops_when_the_budget_is_used_up() -> None:
    with pytest.raises(OutOfBudgetError):
        combinations([Alternatives(frozenset(["*a*b*c*"]))], Budget(5))


@given(st.text("a*?\ue000", max_size=5))
def test_a_literal_is_matched_by_itself_and_can_be_read_again(text: str) -> None:
    assert matches(literal(text), literal(text))
    assert readable(literal(text)) == readable(text)


@pytest.mark.parametrize(
    ("glob", "text"),
    [
        ("arn:*:s3:::b/*", "arn:aws:s3:::b/example"),
        ("arn:aws:sns:*:*:t?", "arn:aws:sns:us-east-1:111122223333:tx"),
        ("arn:aws:logs:*:*:log-group:/a:*", "arn:aws:logs:us-east-1:111122223333:log-group:/a:example"),
        ("arn:aws:sns:*", "arn:aws:sns:example"),
        ("*", "example"),
    ],
)
def test_example_arns_look_like_real_ones(glob: str, text: str) -> None:
    assert plausible_arn(glob) == text
    assert matches(glob, text)


@pytest.mark.parametrize("glob", ["*a" * 3_000 + "b", "*?a" * 2_000 + "b", "*" + "?a" * 2_000 + "b"])
def test_no_glob_takes_long_to_match(glob: str) -> None:
    started = process_time()

    assert not matches(glob, "a" * 6_144)
    assert process_time() - started < 5
