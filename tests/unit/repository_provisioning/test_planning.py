"""From what a caller asks for to what has to be there, or why not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repository_provisioning.domain.house_rules import Lifecycle, Overrides, Setting
from repository_provisioning.domain.planning import Planner, Request
from steward.errors import NotAllowedError, RuleViolationError
from steward.principals import Principal
from tests.doubles.provisioning_over_doubles import ACCOUNT, house_rules
from tests.unit.repository_provisioning.strategies import names

RULES = house_rules("""
callers:
  - {principals: ["self:role/ci-*"], repositories: ["team-a/**"], may_override: [lifecycle]}
  - {principals: ["self:role/ci-b"], repositories: ["team-b/**", "team-a/**"], may_override: [tags]}
repositories:
  - {match: "team-?/**/cache", name: caches}
  - {match: "team-?/**", name: teams, companions: ["{name}/cache"]}
""")
PLANNER = Planner(RULES, own_account=ACCOUNT)
CI_B = Principal(ACCOUNT, "role", "ci-b")
given_overrides = {
    "tag_mutability": "MUTABLE",
    "mutable_tags": ("latest",),
    "lifecycle": Lifecycle(keep_last=1),
    "tags": {"a": "b"},
}
overrides = st.sets(st.sampled_from(sorted(given_overrides))).map(
    lambda chosen: Overrides(**{setting: given_overrides[setting] for setting in chosen})
)


@given(names(), st.sampled_from(["ci-a", "ci-b", "other"]))
def test_a_plan_is_made_for_exactly_the_names_that_the_caller_s_patterns_mean(name, role):
    caller = Principal(ACCOUNT, "role", role)
    patterns = PLANNER.allowed_to(caller)
    granted = [name for pattern in RULES.callers for p in pattern.repositories if p in patterns and p.matches(name)]

    try:
        PLANNER.plan(Request(name), caller)
    except (NotAllowedError, RuleViolationError):
        assert not granted or not any(rule.match.matches(name) for rule in RULES.repositories)
    else:
        assert granted


@given(overrides)
def test_what_the_rule_does_not_permit_is_refused_and_nothing_else(wanted):
    forbidden = wanted.given().keys() - {Setting.LIFECYCLE}

    try:
        plan = PLANNER.plan(Request("team-a/web", wanted), CI_B)
    except RuleViolationError as refused:
        assert forbidden
        assert all(setting in str(refused) for setting in forbidden)  # noqa: PT017 - or it is granted, below
    else:
        assert not forbidden
        assert plan.overrides == wanted


def test_the_first_rule_of_a_caller_that_means_the_name_decides_what_it_may_override():
    assert PLANNER.plan(Request("team-a/web"), CI_B).caller_rule is RULES.callers[0]
    assert PLANNER.plan(Request("team-b/web"), CI_B).caller_rule is RULES.callers[1]


def test_the_first_rule_that_means_the_name_decides_what_it_looks_like():
    assert PLANNER.plan(Request("team-a/cache"), CI_B).rule.label == "caches"
    assert PLANNER.plan(Request("team-a/web"), CI_B).rule.label == "teams"


def test_companions_have_no_companions_of_their_own():
    plan = PLANNER.plan(Request("team-a/web"), CI_B)

    assert plan.companions == ("team-a/web/cache",)
    assert PLANNER.plan_companion(plan.companions[0], plan, CI_B).companions == ()


def test_a_name_too_long_for_its_companion_is_refused():
    with pytest.raises(RuleViolationError, match="has 258 characters"):
        PLANNER.plan(Request("team-a/" + "x" * 245), CI_B)


def test_a_name_that_no_rule_describes_is_refused_with_what_the_operator_can_do():
    rules = house_rules("""
        callers: [{principals: ["self:*"], repositories: ["**"]}]
        repositories: [{match: "team-a/**"}]
    """)

    with pytest.raises(RuleViolationError, match="no house rule matches other/web"):
        Planner(rules, own_account=ACCOUNT).plan(Request("other/web"), CI_B)


MIRRORS = """
callers:
  - {principals: ["self:role/mirror"], repositories: ["docker.io/**", "*.dkr.ecr.ca-central-1.amazonaws.com/**"]}
  - {principals: ["self:*"], repositories: ["**"]}
repositories: [{match: "**"}]
"""
ECR = "123456789012.dkr.ecr.ca-central-1.amazonaws.com"


def test_a_name_with_another_registry_s_host_is_for_callers_with_a_pattern_that_spells_it_out():
    """As skopeo's scoped mirrors are named."""
    planner = Planner(house_rules(MIRRORS), own_account=ACCOUNT)
    mirror = Principal(ACCOUNT, "role", "mirror")

    assert planner.plan(Request("docker.io/library/nginx"), mirror).name == "docker.io/library/nginx"
    with pytest.raises(RuleViolationError, match=r"leave out the registry docker\.io, and write library/nginx"):
        planner.plan(Request("docker.io/library/nginx"), CI_B)
    with pytest.raises(RuleViolationError, match=r"leave out the registry 123456789012"):
        planner.plan(Request(f"{ECR}/team-a/web"), mirror)
