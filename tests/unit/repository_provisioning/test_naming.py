"""Which texts are repository names, and which names a pattern means."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repository_provisioning.domain.names import NamePattern, RepositoryName
from steward.errors import RuleViolationError
from tests.unit.repository_provisioning.strategies import components, names, patterns

# As the API reference of CreateRepository prints it.
ECR_PATTERN = re.compile(r"(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*", re.ASCII)


@pytest.mark.parametrize(
    "text", ["ab", "a1", "team-a/web", "a/b/c/d", "a.b_c__d--e", "kolla/ubuntu-source-base", "0/9", "a" * 256]
)
def test_a_name_that_ecr_takes_is_a_name(text):
    assert RepositoryName(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "Team/web",
        "a..b",
        "a//b",
        "/a",
        "a/",
        "a/../b",
        "..",
        ".a",
        "a.",
        "_a",
        "a___b",
        "a._b",
        "a b",
        "a\n",
        "a%2fb",
        "café",
        "тест",
        "a\x00b",
        "a/\x00",
        "a:b",
        "a@b",
        "ａb",  # noqa: RUF001 - that is the point
        "a1١",  # noqa: RUF001 - that is the point
        "-a",
        "a-",
        "a-/b",
    ],
)
def test_a_name_that_ecr_refuses_is_refused_with_the_rule(text):
    with pytest.raises(RuleViolationError, match="is not a repository name: ECR accepts lower-case letters"):
        RepositoryName(text)


@pytest.mark.parametrize(("text", "length"), [("", 0), ("a", 1), ("a" * 257, 257)])
def test_a_name_of_the_wrong_length_is_refused_with_the_lengths_that_are_right(text, length):
    with pytest.raises(RuleViolationError, match=rf"has {length} characters; ECR accepts 2 to 256"):
        RepositoryName(text)


def test_a_refusal_does_not_repeat_an_endless_name():
    with pytest.raises(RuleViolationError) as refused:
        RepositoryName("a" * 100_000)

    assert len(str(refused.value)) < 200


@given(names())
def test_everything_that_the_grammar_makes_is_a_name(text):
    assert RepositoryName(text) == text


@settings(max_examples=30, deadline=None)
@given(st.from_regex(ECR_PATTERN, fullmatch=True).filter(lambda text: 2 <= len(text) <= 256))
def test_everything_that_the_api_reference_admits_is_a_name(text):
    assert RepositoryName(text) == text


@given(st.text(max_size=300))
def test_any_text_is_either_a_name_or_refused_by_a_rule(text):
    try:
        name = RepositoryName(text)
    except RuleViolationError:
        return
    assert 2 <= len(name) <= 256
    assert re.fullmatch(r"[a-z0-9][a-z0-9._/-]*[a-z0-9]", name)
    assert not {"", ".", ".."} & set(name.split("/"))


@pytest.mark.parametrize(("text", "namespace"), [("team-a/web/api", "team-a"), ("web", "web")])
def test_the_namespace_is_the_first_component(text, namespace):
    assert RepositoryName(text).namespace == namespace


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("**", "anything/at/all"),
        ("team-a/**", "team-a/web"),
        ("team-a/**", "team-a/web/api"),
        ("team-a/*", "team-a/web"),
        ("**/cache", "cache"),
        ("**/cache", "team-a/web/cache"),
        ("a/**/z", "a/z"),
        ("a/**/z", "a/b/c/z"),
        ("ci-*", "ci-9"),
        ("v?", "v1"),
        ("a*", "a"),
        ("a.b", "a.b"),
    ],
)
def test_a_pattern_means_a_name(pattern, name):
    assert NamePattern(pattern).matches(name)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("team-a/**", "team-a"),
        ("team-a/**", "team-ab/web"),
        ("team-a/*", "team-a/web/api"),
        ("*", "a/b"),
        ("v?", "v"),
        ("v?", "v10"),
        ("a?b", "a/b"),
        ("**/cache", "my-cache"),
        ("a.b", "a-b"),
        ("web", "web\n"),
    ],
)
def test_a_pattern_does_not_mean_a_name(pattern, name):
    assert not NamePattern(pattern).matches(name)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/a",
        "a/",
        "a//b",
        "Team/*",
        "a b",
        "[ab]",
        "a!b",
        "team-a/**x",
        "x**",
        "***",
        "a..b",
        ".a",
        "a.",
        "-x/**",
        "a",
        "?",
        "a?-",
        "é",
        "a\n",
        "a___*",
    ],
)
def test_a_pattern_that_no_name_can_match_is_refused_with_what_would_be_right(text):
    with pytest.raises(ValueError, match=r"matches no repository name.*such as team-a/\*\* or \*\*/cache"):
        NamePattern(text)


@given(names())
def test_a_name_is_a_pattern_that_means_itself(name):
    assert NamePattern(name).matches(name)


@given(names())
def test_two_stars_mean_every_name(name):
    assert NamePattern("**").matches(name)


@given(components(), names())
def test_two_stars_at_the_end_mean_every_name_below(component, name):
    assert NamePattern(f"{component}/**").matches(f"{component}/{name}")


@given(components(), components(), components())
def test_one_star_never_crosses_a_slash(first, second, third):
    pattern = NamePattern(f"{first}/*")

    assert pattern.matches(f"{first}/{second}")
    assert not pattern.matches(f"{first}/{second}/{third}")


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("**", "**"),
        ("**", "team-a/*"),
        ("team-a/**", "team-a/*"),
        ("team-a/**", "team-a/web"),
        ("**/cache", "team-a/**/cache"),
        ("*", "ci-*"),
        ("c*", "ci-*"),
        ("a/*/c", "a/?b/c"),
        ("**/web", "web"),
    ],
)
def test_a_pattern_covers_what_is_narrower(wide, narrow):
    assert NamePattern(wide).covers(NamePattern(narrow))


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("team-a/*", "team-a/**"),
        ("team-a/**", "**"),
        ("s*", "*"),
        ("a?*", "a*"),
        ("*/**", "**"),
        ("a/*/**/z", "a/**/z"),
        ("*e", "*"),
        ("**/s*", "**"),
        ("q*", "?*"),
        ("*-*", "*"),
    ],
)
def test_a_pattern_does_not_cover_what_is_wider(wide, narrow):
    assert not NamePattern(wide).covers(NamePattern(narrow))


@given(patterns())
def test_a_pattern_covers_itself(pattern):
    assert pattern.covers(pattern)


@given(patterns(), patterns(), names(alphabet="ab"))
def test_what_is_covered_matches_no_name_that_the_wider_does_not(wide, narrow, name):
    assert not (wide.covers(narrow) and narrow.matches(name)) or wide.matches(name)
