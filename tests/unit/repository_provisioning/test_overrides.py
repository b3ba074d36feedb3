"""What callers may decide for themselves, for how long, and what stays the operator's."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repository_provisioning.application.ports import Record
from repository_provisioning.domain.configuration import may_shorten
from repository_provisioning.domain.events import RepositoryConfigurationChanged, RepositoryRetentionShortened
from repository_provisioning.domain.house_rules import Lifecycle, Overrides, Pull
from repository_provisioning.domain.names import RepositoryName
from repository_provisioning.domain.planning import Origin, Request
from steward.errors import QuotaExceededError, RuleViolationError, UpstreamError
from steward.principals import Principal
from tests.doubles.fault_injection import FaultInjecting
from tests.doubles.provisioning_over_doubles import ACCOUNT, CALLER, StackOverDoubles, house_rules

ADMIN = Principal(ACCOUNT, "user", "admin")
WEB = "team-a/web"
RULES = """
callers:
  - {principals: ["self:role/ci-team-a"], repositories: ["team-a/**"], may_override: [%s], daily_limit: 3}
  - {principals: ["self:federated-user/*"], repositories: ["team-f/**"], daily_limit: 2}
  - {principals: ["self:user/admin"], repositories: ["**"]}
repositories:
  - {match: "floor/**"}
  - {match: "**", lifecycle: %s, at_least: %s, tags: {namespace: "{namespace}", team: "{namespace}"}}
"""
EVERYTHING = "lifecycle, tags, tag_mutability, pull, mutable_tags"
GIVEN = Overrides(
    tag_mutability="MUTABLE",
    lifecycle=Lifecycle(keep_last=1),
    pull=Pull(accounts=("999999999999",)),
    tags={"cost": "1"},
)


def rules(may_override=EVERYTHING, lifecycle="{untagged_after_days: 14}", at_least="null"):
    return house_rules(RULES % (may_override, lifecycle, at_least))


@pytest.fixture
def stack():
    stack = StackOverDoubles.over_doubles()
    stack.rules = rules()
    return stack


def ensure(stack, overrides=None, caller=CALLER, name=WEB):
    return stack.provisioner.ensure(Request(name, overrides), stack.origin(caller))


def differences(stack, caller=CALLER):
    return {difference.setting for difference in stack.provisioner.inspect(WEB, caller).differences}


def test_the_tags_of_the_rule_win_over_those_of_the_caller(stack):
    ensure(stack, Overrides(tags={"team": "mine", "cost": "1"}))

    tags = stack.registry.stored[WEB].tags
    assert (tags["team"], tags["cost"]) == ("team-a", "1")


def test_a_lifecycle_below_the_floor_is_refused_before_anything_is_created(stack):
    stack.rules = rules(at_least="{days: 7, images: 10}")

    with pytest.raises(RuleViolationError, match="keeps 1 days; the house rule permits at least 7 days"):
        ensure(stack, Overrides(lifecycle=Lifecycle(untagged_after_days=1)))
    with pytest.raises(RuleViolationError, match="keeps 9 images; the house rule permits at least 10 images"):
        ensure(stack, Overrides(lifecycle=Lifecycle(keep_last=9)))

    assert stack.registry.stored == {}


def test_a_count_that_the_floor_does_not_name_is_not_permitted(stack):
    stack.rules = rules(at_least="{days: 7}")

    with pytest.raises(RuleViolationError, match="permits no count of images"):
        ensure(stack, Overrides(lifecycle=Lifecycle(keep_last=1_000)))


def test_a_lifecycle_at_the_floor_is_permitted(stack):
    stack.rules = rules(at_least="{days: 7, images: 10}")

    assert ensure(stack, Overrides(lifecycle=Lifecycle(untagged_after_days=7, keep_last=10))).created


@pytest.mark.parametrize("floor", ["{}", "{days: 0}", "{images: -1}"])
def test_a_floor_that_holds_nothing_is_refused(floor):
    with pytest.raises(ValueError, match=r"at_least: (write days|days and images)"):
        rules(at_least=floor)


def test_overrides_that_are_permitted_no_more_show_as_differences(stack):
    ensure(stack, GIVEN)
    stack.rules = rules(may_override="")

    assert differences(stack) == {"tag_mutability", "lifecycle", "pull", "tags"}


def test_the_next_call_clears_overrides_that_are_permitted_no_more(stack):
    ensure(stack, GIVEN)
    stack.rules = rules(may_override="")

    ensure(stack)

    stored = stack.registry.stored[WEB]
    assert stored.repository.tag_mutability == "IMMUTABLE"
    assert '"countNumber": 14' in stored.lifecycle_policy
    assert stored.repository_policy is None
    assert "cost" not in stored.tags
    assert differences(stack) == set()


def test_a_lifecycle_override_is_deleted_where_the_rule_has_none(stack):
    stack.rules = rules(lifecycle="null")
    ensure(stack, GIVEN)
    stack.rules = rules(may_override="", lifecycle="null")

    ensure(stack)

    assert stack.registry.stored[WEB].lifecycle_policy is None
    assert differences(stack) == set()


def test_clearing_readers_keeps_the_statements_of_others(stack):
    ensure(stack, GIVEN)
    others = {
        "Sid": "LambdaECRImageRetrievalPolicy",
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
    }
    stored = stack.registry.stored[WEB]
    policy = json.loads(stored.repository_policy)
    stored.repository_policy = json.dumps({**policy, "Statement": [*policy["Statement"], others]})
    stack.rules = rules(may_override="")

    ensure(stack)

    assert json.loads(stored.repository_policy)["Statement"] == [others]


def test_a_tag_that_was_changed_since_is_not_removed(stack):
    ensure(stack, GIVEN)
    stack.registry.stored[WEB].tags["cost"] = "of another tool"
    stack.rules = rules(may_override="")

    ensure(stack)

    assert stack.registry.stored[WEB].tags["cost"] == "of another tool"


def test_overrides_stay_while_the_caller_who_gave_them_may_give_them(stack):
    ensure(stack, GIVEN)

    ensure(stack, caller=ADMIN)  # who may override nothing

    assert stack.registry.stored[WEB].repository.tag_mutability == "MUTABLE"
    assert differences(stack, ADMIN) == set()


def test_the_overrides_of_a_caller_who_lost_the_name_are_cleared(stack):
    ensure(stack, GIVEN)
    stack.rules = house_rules("""
        callers: [{principals: ["self:user/admin"], repositories: ["**"], may_override: [lifecycle, pull]}]
        repositories: [{match: "**", lifecycle: {untagged_after_days: 14}}]
    """)

    ensure(stack, caller=ADMIN)

    assert '"countNumber": 14' in stack.registry.stored[WEB].lifecycle_policy
    assert stack.registry.stored[WEB].repository_policy is None


def test_a_record_without_who_overrode_follows_the_permission_of_the_present_caller(stack):
    ensure(stack, GIVEN)
    name = RepositoryName(WEB)
    record = stack.records.get_many([name])[name]
    stack.records.put(name, Record(record.fingerprint, managed=True, overrides=record.overrides))

    ensure(stack)
    kept = stack.registry.stored[WEB].repository.tag_mutability
    stack.records.put(name, Record(record.fingerprint, managed=True, overrides=record.overrides))
    ensure(stack, caller=ADMIN)

    assert (kept, stack.registry.stored[WEB].repository.tag_mutability) == ("MUTABLE", "IMMUTABLE")


def test_a_higher_floor_clears_what_is_below_it(stack):
    ensure(stack, Overrides(lifecycle=Lifecycle(untagged_after_days=2)))
    stack.rules = rules(at_least="{days: 7}")

    ensure(stack)

    assert '"countNumber": 14' in stack.registry.stored[WEB].lifecycle_policy


def test_a_call_clears_the_overrides_of_its_own_repository(stack):
    ensure(stack, GIVEN)

    ensure(stack, Overrides())

    assert stack.registry.stored[WEB].repository.tag_mutability == "IMMUTABLE"
    assert stack.registry.stored[WEB].repository_policy is None


def test_clearing_that_was_cut_short_is_finished_by_the_next_call(stack):
    ensure(stack, GIVEN)
    stack.rules = rules(may_override="")
    stack.registry = FaultInjecting(stack.registry)
    stack.registry.fail("delete_repository_policy", UpstreamError("ServerException"))
    with pytest.raises(UpstreamError):
        ensure(stack)

    ensure(stack)

    assert differences(stack) == set()


def test_a_shorter_retention_is_published_with_both_policies_and_who_wanted_it(stack):
    ensure(stack)
    before = stack.registry.stored[WEB].lifecycle_policy

    stack.provisioner.ensure(
        Request(WEB, Overrides(lifecycle=Lifecycle(untagged_after_days=1))),
        Origin(CALLER, "request-1", stack.origin().deadline, "build-4711"),
    )

    (event,) = stack.publisher.of(RepositoryRetentionShortened)
    assert (event.name, event.requested_by, event.session) == (WEB, str(CALLER), "build-4711")
    assert event.before == before
    assert '"countNumber": 1' in event.after


def test_a_longer_retention_is_an_ordinary_change(stack):
    ensure(stack)

    ensure(stack, Overrides(lifecycle=Lifecycle(untagged_after_days=15)))

    assert stack.publisher.of(RepositoryRetentionShortened) == []
    assert [event.changed for event in stack.publisher.of(RepositoryConfigurationChanged)] == [["lifecycle"]]


def test_a_shorter_retention_is_not_put_before_it_is_published(stack):
    ensure(stack)
    stack.publisher = FaultInjecting(stack.publisher)
    stack.publisher.fail("publish", UpstreamError("the bus is down"))

    with pytest.raises(UpstreamError):
        ensure(stack, Overrides(lifecycle=Lifecycle(untagged_after_days=1)))

    assert '"countNumber": 14' in stack.registry.stored[WEB].lifecycle_policy


COUNTS = st.builds(
    lambda kind, number: {"tagStatus": "any", "countType": kind, "countNumber": number},
    st.sampled_from(["imageCountMoreThan", "sinceImagePushed"]),
    st.integers(1, 5),
)


@st.composite
def policies(draw):
    """Policies with rules for prefixes and, last, one for all: enough to protect images from a later rule."""
    selections = draw(st.lists(COUNTS, min_size=1, max_size=3))
    tagged = [{**each, "tagStatus": "tagged", "tagPrefixList": [f"p{n}"]} for n, each in enumerate(selections[:-1])]
    rules = [
        {"rulePriority": n + 1, "selection": selection, "action": {"type": "expire"}}
        for n, selection in enumerate([*tagged, selections[-1]])
    ]
    return json.dumps({"rules": rules})


def expired(policy, images):
    """The images that ECR would expire: a rule takes those that it selects, whether it expires them or not."""
    gone, free = set(), list(images)
    for rule in json.loads(policy)["rules"]:
        selection = rule["selection"]
        mine = [image for image in free if set(selection.get("tagPrefixList", [image[1]])) & {image[1]}]
        free = [image for image in free if image not in mine]
        newest = sorted(mine, key=lambda image: image[0])
        kept = (
            newest[: selection["countNumber"]]
            if selection["countType"] == "imageCountMoreThan"
            else [image for image in mine if image[0] < selection["countNumber"]]
        )
        gone |= set(mine) - set(kept)
    return gone


@given(policies(), policies(), st.lists(st.tuples(st.integers(0, 6), st.sampled_from(["p0", "p1", "x"])), unique=True))
def test_a_change_that_is_not_said_to_shorten_expires_nothing_that_stayed_before(before, after, images):
    if not may_shorten(before, after):
        assert expired(after, images) <= expired(before, images)


@given(policies())
def test_the_same_policy_shortens_nothing(policy):
    assert not may_shorten(policy, policy)
    assert not may_shorten(policy, None)
    assert may_shorten(None, policy)


def test_a_caller_that_may_not_create_a_name_sees_only_that_it_exists_and_its_rule(stack):
    ensure(stack, GIVEN)
    stranger = Principal(ACCOUNT, "role", "stranger")

    outcome = stack.provisioner.inspect(WEB, stranger)

    assert (outcome.restricted, outcome.rule, outcome.differences) == (True, "@@", ())
    assert stack.registry.calls["repository_policy"] == 0


def test_names_of_federated_users_share_one_quota(stack):
    for number, name in enumerate(["one", "two"]):
        ensure(stack, caller=Principal(ACCOUNT, "federated-user", name), name=f"team-f/r{number}")

    with pytest.raises(QuotaExceededError):
        ensure(stack, caller=Principal(ACCOUNT, "federated-user", "three"), name="team-f/r3")


def test_a_tag_that_a_name_makes_too_long_is_refused_before_anything_is_created(stack):
    stack.rules = house_rules("""
        callers: [{principals: ["self:*"], repositories: ["**"]}]
        repositories: [{match: "**", tags: {n: "prefix-{name}"}}]
    """)

    with pytest.raises(RuleViolationError, match="the rule's tag 'n' would have 263 characters"):
        ensure(stack, name="a" * 256)

    assert stack.registry.stored == {}


def test_a_companion_that_a_name_makes_too_long_is_refused_with_both_named(stack):
    stack.rules = house_rules("""
        callers: [{principals: ["self:*"], repositories: ["**"]}]
        repositories: [{match: "**", companions: ["{name}/cache"]}]
    """)

    with pytest.raises(RuleViolationError, match=r"companion \{name\}/cache with a+…, and .* has 257 characters"):
        ensure(stack, name="a" * 251)

    assert stack.registry.stored == {}


def test_more_tags_than_ecr_takes_are_refused_before_anything_is_created(stack):
    with pytest.raises(RuleViolationError, match="has 47 tags; at most 46 are possible beside the steward's own"):
        ensure(stack, Overrides(tags={f"t{n}": "x" for n in range(45)}))

    assert stack.registry.stored == {}
