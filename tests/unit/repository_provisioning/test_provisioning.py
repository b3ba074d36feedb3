"""Ensuring that repositories exist: what is created, what is left alone, what is refused."""

import json
from datetime import timedelta

import pytest

from repository_provisioning.application.ports import PrincipalNotYetKnownError, RepositoryNotFoundError
from repository_provisioning.domain.events import (
    RepositoryConfigurationChanged,
    RepositoryCreated,
    RepositoryRequestDenied,
)
from repository_provisioning.domain.house_rules import Lifecycle, Overrides
from repository_provisioning.domain.names import RepositoryName
from repository_provisioning.domain.planning import Request
from steward.errors import (
    AccessDeniedError,
    ConflictError,
    DeadlineError,
    NotAllowedError,
    NotFoundError,
    PreconditionFailedError,
    QuotaExceededError,
    RuleViolationError,
    ThrottledError,
    UpstreamError,
)
from steward.principals import Principal
from tests.doubles.fault_injection import FaultInjecting
from tests.doubles.provisioning_over_doubles import ACCOUNT, CALLER, StackOverDoubles, house_rules

TEN_DAYS = Overrides(lifecycle=Lifecycle(untagged_after_days=10))
TEAMS = """
callers:
  - {principals: ["self:role/ci-team-a"], repositories: ["team-a/**"], may_override: [lifecycle], daily_limit: 2}
  - {principals: ["self:user/admin"], repositories: ["**"]}
repositories:
  - {match: "team-a/**", companions: ["{name}/cache"]}
  - {match: "**"}
"""


@pytest.fixture
def stack():
    return StackOverDoubles.over_doubles()


def ensure(stack, name="team-a/web", overrides=None, **request):
    return stack.provisioner.ensure(Request(name, overrides, **request), stack.origin())


def foreign(stack, name="team-a/web", **age):
    """A repository that somebody created without us."""
    StackOverDoubles(**{**vars(stack), "name": "another stack"}).provisioner.ensure(Request(name), stack.origin())
    stack.records.forget()
    stack.publisher.published.clear()
    stack.registry.calls.clear()
    stack.clock.advance(**(age or {"days": 1}))


def test_a_missing_repository_is_created_as_the_rule_says(stack):
    outcome = ensure(stack)

    stored = stack.registry.stored["team-a/web"]
    assert outcome.created
    assert outcome.rule == "default"
    assert outcome.repository == stored.repository
    assert stored.repository.tag_mutability == "IMMUTABLE"
    assert '"countNumber": 14' in stored.lifecycle_policy
    assert "210987654321" in stored.repository_policy
    assert outcome.differences == ()


def test_a_repository_is_tagged_with_who_asked_the_rule_and_the_time(stack):
    ensure(stack)

    assert stack.registry.stored["team-a/web"].tags == {
        "namespace": "team-a",
        "steward:stack": "steward",
        "steward:requested-by": "123456789012:role/ci-team-a",
        "steward:rule": "default",
        "steward:created-at": "2026-05-04T12:00:00Z",
    }


def test_a_creation_is_published_once(stack):
    ensure(stack)
    ensure(stack)

    assert stack.publisher.published == [
        RepositoryCreated(
            "team-a/web",
            "arn:aws:ecr:ca-central-1:123456789012:repository/team-a/web",
            "123456789012.dkr.ecr.ca-central-1.amazonaws.com/team-a/web",
            "default",
            "123456789012:role/ci-team-a",
        )
    ]
    assert stack.publisher.correlation_ids == ["request-1"]


def test_a_repository_that_is_there_and_complete_costs_one_call(stack):
    ensure(stack)
    stack.registry.calls.clear()

    outcome = ensure(stack)

    assert not outcome.created
    assert stack.registry.calls == {"find_many": 1}


def test_a_dry_run_shows_the_plan_and_does_nothing(stack):
    outcome = ensure(stack, dry_run=True)

    assert outcome.repository is None
    assert outcome.plan.configuration.tag_mutability == "IMMUTABLE"
    assert stack.registry.stored == {}
    assert stack.publisher.published == []


def test_a_refused_dry_run_is_not_published(stack):
    stack.rules = house_rules(TEAMS)

    with pytest.raises(NotAllowedError):
        ensure(stack, "team-b/web", dry_run=True)

    assert stack.publisher.published == []


def test_create_only_refuses_what_exists(stack):
    ensure(stack)

    with pytest.raises(PreconditionFailedError, match="requests creation only"):
        ensure(stack, create_only=True)


def test_create_only_refuses_what_another_call_created_meanwhile(stack):
    stack.registry = FaultInjecting(stack.registry)
    stack.registry.before("create", stack.registry.create)

    with pytest.raises(PreconditionFailedError, match="just created by another call"):
        ensure(stack, create_only=True)


def test_create_only_creates_what_is_missing(stack):
    assert ensure(stack, create_only=True).created


def test_a_refused_caller_can_read_which_names_it_may_use(stack):
    stack.rules = house_rules(TEAMS)

    with pytest.raises(NotAllowedError, match=r"may not create team-b/web: it may create team-a/\*\*") as refused:
        ensure(stack, "team-b/web")

    assert refused.value.allowed == ("team-a/**",)
    assert stack.publisher.published == [
        RepositoryRequestDenied("team-b/web", str(CALLER), str(refused.value), ["team-a/**"])
    ]
    assert stack.registry.stored == {}


def test_a_caller_that_no_rule_names_may_create_nothing(stack):
    stranger = Principal("999999999999", "role", "ci-team-a")

    with pytest.raises(NotAllowedError, match="no house rule names it"):
        stack.provisioner.ensure(Request("team-a/web"), stack.origin(stranger))


def test_what_a_rule_does_not_let_a_caller_override_is_refused_by_name(stack):
    stack.rules = house_rules(TEAMS)

    with pytest.raises(RuleViolationError, match=r"may not override tag_mutability.*it may override lifecycle"):
        ensure(stack, overrides=Overrides(tag_mutability="MUTABLE"))


def test_overrides_win_over_the_rule(stack):
    ensure(stack, overrides=Overrides(tag_mutability="MUTABLE", lifecycle=Lifecycle(keep_last=5), tags={"team": "a"}))

    stored = stack.registry.stored["team-a/web"]
    assert stored.repository.tag_mutability == "MUTABLE"
    assert '"countNumber": 5' in stored.lifecycle_policy
    assert stored.tags.items() >= {"team": "a", "namespace": "team-a"}.items()


def test_a_call_without_overrides_keeps_those_that_were_given(stack):
    ensure(stack, overrides=TEN_DAYS)
    stack.registry.calls.clear()

    ensure(stack)

    assert '"countNumber": 10' in stack.registry.stored["team-a/web"].lifecycle_policy
    assert stack.registry.calls == {"find_many": 1}


def test_overrides_of_a_later_call_are_applied_and_published(stack):
    ensure(stack)

    ensure(stack, overrides=TEN_DAYS)

    (changed,) = stack.publisher.of(RepositoryConfigurationChanged)
    assert '"countNumber": 10' in stack.registry.stored["team-a/web"].lifecycle_policy
    assert changed.changed == ["lifecycle"]


def test_a_change_of_the_rules_reaches_a_repository_of_ours_at_its_next_call(stack):
    ensure(stack)
    stack.rules = house_rules("""
        callers: [{principals: ["self:*"], repositories: ["**"]}]
        repositories: [{match: "**", tag_mutability: MUTABLE}]
    """)

    outcome = ensure(stack)

    assert stack.registry.stored["team-a/web"].repository.tag_mutability == "MUTABLE"
    assert not outcome.created
    (changed,) = stack.publisher.of(RepositoryConfigurationChanged)
    assert changed.changed == ["tag_mutability"]


def test_what_the_rules_no_longer_ask_for_is_not_deleted(stack):
    ensure(stack)
    stack.rules = house_rules("""
        callers: [{principals: ["self:*"], repositories: ["**"]}]
        repositories: [{match: "**"}]
    """)

    ensure(stack)

    assert '"countNumber": 14' in stack.registry.stored["team-a/web"].lifecycle_policy


def test_a_remembered_override_that_no_longer_fits_the_rule_is_cleared(stack):
    ensure(stack, overrides=Overrides(mutable_tags=("latest",), lifecycle=Lifecycle(keep_last=5)))
    stack.rules = house_rules("""
        callers: [{principals: ["self:*"], repositories: ["**"], may_override: [mutable_tags, lifecycle]}]
        repositories: [{match: "**", tag_mutability: MUTABLE}]
    """)

    ensure(stack)

    stored = stack.registry.stored["team-a/web"]
    assert stored.repository.tag_mutability == "MUTABLE"
    assert '"countNumber": 5' in stored.lifecycle_policy


def test_a_foreign_repository_is_left_as_it_is(stack):
    foreign(stack)
    before = repr(stack.registry.stored)

    outcome = ensure(stack, overrides=Overrides(tag_mutability="MUTABLE"))

    assert not outcome.created
    assert [difference.setting for difference in outcome.differences] == ["tag_mutability"]
    assert repr(stack.registry.stored) == before
    assert stack.publisher.published == []


def test_overrides_for_a_foreign_repository_are_not_remembered(stack):
    foreign(stack)
    ensure(stack, overrides=Overrides(tag_mutability="MUTABLE"))

    assert ensure(stack).differences == ()


def test_the_owner_of_a_repository_is_looked_up_once_an_hour(stack):
    foreign(stack)
    ensure(stack)
    ensure(stack)
    seen_in_the_hour = stack.registry.calls["tags"]
    stack.clock.advance(hours=1)
    ensure(stack)

    assert (seen_in_the_hour, stack.registry.calls["tags"]) == (1, 2)


def test_another_encryption_than_the_rule_says_is_a_conflict_that_says_what_to_do(stack):
    ensure(stack)
    stack.rules = house_rules("""
        callers: [{principals: ["self:*"], repositories: ["**"]}]
        repositories: [{match: "**", encryption: {kms_key: "arn:aws:kms:ca-central-1:123456789012:key/k1"}}]
    """)

    with pytest.raises(ConflictError, match=r"exists with encryption AES256, the rule says arn:aws:kms.*cannot change"):
        ensure(stack)


def test_another_encryption_of_a_foreign_repository_is_a_difference(stack):
    foreign(stack)
    stack.rules = house_rules("""
        callers: [{principals: ["self:*"], repositories: ["**"]}]
        repositories: [{match: "**", encryption: {kms_key: "arn:aws:kms:ca-central-1:123456789012:key/k1"}}]
    """)

    first, again = ensure(stack), ensure(stack)

    assert "encryption" in {difference.setting for difference in first.differences}
    assert again.differences == first.differences


LAMBDAS = {
    "Sid": "LambdaECRImageRetrievalPolicy",
    "Effect": "Allow",
    "Principal": {"Service": "lambda.amazonaws.com"},
    "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
}
PULLED_BY = """
    callers: [{principals: ["self:*"], repositories: ["**"], may_override: [tags]}]
    repositories: [{match: "**", pull: {accounts: ["%s"]}}]
"""


def with_lambdas(policy):
    """A repository policy to which Lambda added its statement."""
    document = json.loads(policy)
    return json.dumps({**document, "Statement": [*document["Statement"], LAMBDAS]})


@pytest.fixture
def pulled(stack):
    """A stack with a repository that another account pulls from, as Lambda does."""
    stack.rules = house_rules(PULLED_BY % "111111111111")
    ensure(stack)
    stored = stack.registry.stored["team-a/web"]
    stored.repository_policy = with_lambdas(stored.repository_policy)
    stack.registry.calls.clear()
    return stack


def test_a_change_of_tags_puts_no_policy(pulled):
    before = pulled.registry.stored["team-a/web"].repository_policy

    ensure(pulled, overrides=Overrides(tags={"commit": "abc"}))

    assert pulled.registry.stored["team-a/web"].tags["commit"] == "abc"
    assert pulled.registry.stored["team-a/web"].repository_policy == before
    assert not {call for call in pulled.registry.calls if call.startswith("put_")} - {"put_tags"}


def test_a_change_of_readers_replaces_our_statement_and_keeps_those_of_others(pulled):
    pulled.rules = house_rules(PULLED_BY % "222222222222")

    ensure(pulled)

    first, ours = json.loads(pulled.registry.stored["team-a/web"].repository_policy)["Statement"]
    assert first == LAMBDAS
    assert (ours["Sid"], ours["Principal"]) == ("PullByAccounts", {"AWS": ["222222222222"]})


def test_statements_of_others_are_no_difference(pulled):
    assert pulled.provisioner.inspect("team-a/web", CALLER).differences == ()


def test_a_change_of_our_statement_by_others_is_a_difference(pulled):
    stored = pulled.registry.stored["team-a/web"]
    stored.repository_policy = stored.repository_policy.replace("111111111111", "333333333333")

    (difference,) = pulled.provisioner.inspect("team-a/web", CALLER).differences

    assert difference.setting == "pull"
    assert "333333333333" in difference.actual
    assert "Lambda" not in difference.actual


def test_half_done_work_is_finished_beside_the_statements_of_others(stack):
    stack.rules = house_rules(PULLED_BY % "111111111111")
    stack.registry = FaultInjecting(stack.registry)
    stack.registry.fail("put_repository_policy", UpstreamError("ServerException"))
    with pytest.raises(UpstreamError):
        ensure(stack)
    stored = stack.registry.stored["team-a/web"]
    stored.repository_policy = json.dumps({"Version": "2008-10-17", "Statement": LAMBDAS})
    stack.clock.advance(hours=1)

    ensure(stack)

    policy = json.loads(stored.repository_policy)
    assert policy["Version"] == "2008-10-17"
    assert [statement["Sid"] for statement in policy["Statement"]] == [LAMBDAS["Sid"], "PullByAccounts"]


def test_a_full_registry_is_a_conflict(stack):
    stack = StackOverDoubles.over_doubles(capacity=0)

    with pytest.raises(ConflictError, match="the registry's quota is reached"):
        ensure(stack)


def test_a_repository_that_was_deleted_is_created_anew(stack):
    ensure(stack)
    stack.registry.stored.clear()

    assert ensure(stack).created


def test_a_registry_that_scans_is_no_warning(stack):
    assert stack.provisioner.warnings_about(RepositoryName("team-a/web")) == ()


def test_a_registry_that_scans_nothing_is_a_warning():
    stack = StackOverDoubles.over_doubles(scanned=False)

    assert "nothing scans the images" in stack.provisioner.warnings_about(RepositoryName("team-a/web"))[0]


def test_scanning_that_cannot_be_read_is_said_to_be_unknown():
    stack = StackOverDoubles.over_doubles(scanned=None)

    assert "could not be read" in stack.provisioner.warnings_about(RepositoryName("team-a/web"))[0]


def test_creation_waits_until_ecr_shows_the_repository():
    stack = StackOverDoubles.over_doubles(visible_after=timedelta(seconds=8))

    outcome = ensure(stack)

    assert outcome.created
    assert stack.registry.stored["team-a/web"].lifecycle_policy is not None
    assert 8 <= sum(stack.clock.pauses) < 12  # type: ignore[attr-defined]


def test_a_repository_that_ecr_does_not_show_in_time_is_finished_by_the_next_call():
    stack = StackOverDoubles.over_doubles(visible_after=timedelta(seconds=30))

    with pytest.raises(DeadlineError, match="repeat the request to continue"):
        ensure(stack)
    stack.clock.advance(seconds=30)  # type: ignore[attr-defined]
    outcome = ensure(stack)

    assert not outcome.created
    assert stack.registry.stored["team-a/web"].lifecycle_policy is not None
    assert len(stack.publisher.of(RepositoryCreated)) == 1


@pytest.mark.parametrize("step", ["find", "put_lifecycle_policy", "put_repository_policy"])
def test_a_step_that_does_not_find_what_was_just_created_is_tried_again(stack, step):
    stack.registry = FaultInjecting(stack.registry)
    stack.registry.before("create", lambda *_: stack.registry.fail(step, RepositoryNotFoundError("not yet"), times=3))

    assert ensure(stack).created
    assert len(stack.clock.pauses) == 3


@pytest.mark.parametrize("step", ["tags", "lifecycle_policy", "put_lifecycle_policy", "repository_policy"])
def test_the_call_that_finishes_half_done_work_is_as_patient(stack, step):
    stack.registry = FaultInjecting(stack.registry)
    stack.registry.fail("put_lifecycle_policy", UpstreamError("ServerException"))
    with pytest.raises(UpstreamError):
        ensure(stack)
    stack.clock.advance(minutes=1)

    stack.registry.fail(step, RepositoryNotFoundError("not yet"), times=2)
    ensure(stack)

    assert stack.registry.stored["team-a/web"].lifecycle_policy is not None
    assert stack.registry.stored["team-a/web"].repository_policy is not None


def test_a_principal_that_has_yet_to_propagate_is_waited_for(stack):
    stack.registry = FaultInjecting(stack.registry)
    stack.registry.fail("put_repository_policy", PrincipalNotYetKnownError("Principal not found"), times=4)

    assert ensure(stack).created


def test_a_repository_that_appears_between_look_and_creation_counts_as_there(stack):
    stack.registry = FaultInjecting(stack.registry)
    stack.registry.before("create", stack.registry.create)

    outcome = ensure(stack)

    assert not outcome.created
    assert outcome.repository.name == "team-a/web"


def test_a_foreign_repository_that_appears_before_creation_is_left_alone(stack):
    stack.registry = FaultInjecting(stack.registry)
    stack.registry.before("create", lambda name, configuration, _: stack.registry.create(name, configuration, {}))

    ensure(stack)

    assert stack.registry.stored["team-a/web"].lifecycle_policy is None
    assert stack.publisher.published == []


def test_overrides_are_applied_also_when_another_call_without_them_was_first(stack):
    stack.registry = FaultInjecting(stack.registry)
    stack.registry.before("create", lambda *_: ensure(stack))

    ensure(stack, overrides=TEN_DAYS)

    assert '"countNumber": 10' in stack.registry.stored["team-a/web"].lifecycle_policy


def test_a_lifecycle_call_that_fails_after_the_creation_is_made_up_by_the_next_call(stack):
    stack.registry = FaultInjecting(stack.registry)
    stack.registry.fail("put_lifecycle_policy", UpstreamError("ServerException"))

    with pytest.raises(UpstreamError):
        ensure(stack)
    half_done = stack.registry.stored["team-a/web"].lifecycle_policy
    ensure(stack)

    assert half_done is None
    assert '"countNumber": 14' in stack.registry.stored["team-a/web"].lifecycle_policy
    assert len(stack.publisher.of(RepositoryCreated)) == 1


def test_finishing_does_not_replace_a_policy_that_is_there(stack):
    ensure(stack, overrides=TEN_DAYS)
    stack.records.forget()
    stack.clock.advance(days=1)

    ensure(stack)

    assert '"countNumber": 10' in stack.registry.stored["team-a/web"].lifecycle_policy


@pytest.mark.parametrize("error", [ThrottledError("slow down"), AccessDeniedError("denied"), UpstreamError("broken")])
@pytest.mark.parametrize("method", ["find", "create", "put_lifecycle_policy"])
def test_a_failure_of_aws_is_passed_on_and_never_taken_for_missing(stack, method, error):
    stack.registry = FaultInjecting(stack.registry)
    stack.registry.fail(method, error)

    with pytest.raises(type(error)):
        ensure(stack)


def test_an_access_error_while_looking_creates_nothing(stack):
    stack.registry = FaultInjecting(stack.registry)
    stack.registry.fail("find", AccessDeniedError("denied"))

    with pytest.raises(AccessDeniedError):
        ensure(stack)

    assert stack.registry.stored == {}


def test_the_day_s_limit_ends_creation_until_midnight_utc(stack):
    stack.rules = house_rules(TEAMS.replace("companions", "tags: {}, companions").replace('["{name}/cache"]', "[]"))
    ensure(stack, "team-a/one")
    ensure(stack, "team-a/two")

    with pytest.raises(QuotaExceededError, match="has created 2 repositories today") as refused:
        ensure(stack, "team-a/three")

    assert refused.value.after_seconds == 12 * 60 * 60 + 1
    stack.clock.advance(seconds=refused.value.after_seconds)
    assert ensure(stack, "team-a/three").created


def test_the_day_s_limit_does_not_count_what_was_there(stack):
    stack.rules = house_rules(TEAMS.replace('["{name}/cache"]', "[]"))
    for _ in range(5):
        ensure(stack, "team-a/one")

    assert ensure(stack, "team-a/two").created


@pytest.mark.parametrize("error", [ThrottledError("slow down"), ConflictError("full")])
def test_what_could_not_be_created_is_not_counted(stack, error):
    stack.rules = house_rules(TEAMS.replace('["{name}/cache"]', "[]"))
    stack.registry = FaultInjecting(stack.registry)
    stack.registry.fail("create", error)

    with pytest.raises(type(error)):
        ensure(stack)

    assert stack.quota.taken.total() == 0


def test_what_another_caller_created_is_not_counted(stack):
    stack.rules = house_rules(TEAMS.replace('["{name}/cache"]', "[]"))
    stack.registry = FaultInjecting(stack.registry)
    stack.registry.before("create", stack.registry.create)

    ensure(stack)

    assert stack.quota.taken.total() == 0


def test_companions_are_created_with_the_repository(stack):
    stack.rules = house_rules(TEAMS)

    outcome = ensure(stack)

    assert outcome.companions == ("team-a/web/cache",)
    assert set(stack.registry.stored) == {"team-a/web", "team-a/web/cache"}


def test_a_companion_that_the_caller_may_not_create_refuses_the_whole(stack):
    stack.rules = house_rules("""
        callers: [{principals: ["self:*"], repositories: ["team-a/*"]}]
        repositories: [{match: "**", companions: ["{name}/cache"]}]
    """)

    with pytest.raises(NotAllowedError, match="may not create team-a/web/cache"):
        ensure(stack)

    assert stack.registry.stored == {}


def test_a_companion_that_no_rule_describes_refuses_its_own_repository_alone(stack):
    stack.rules = house_rules("""
        callers: [{principals: ["self:*"], repositories: ["**"]}]
        repositories: [{match: "team-a/*", companions: ["{name}/cache"]}, {match: "team-b/*"}]
    """)

    refused, fine = stack.provisioner.ensure_many([Request("team-a/web"), Request("team-b/web")], stack.origin())

    assert isinstance(refused, RuleViolationError)
    assert fine.created


def test_a_companion_that_fails_is_what_the_caller_hears_of(stack):
    stack.rules = house_rules(TEAMS)
    ensure(stack, "team-a/web/cache")
    stack.rules = house_rules(
        TEAMS.replace('"team-a/**", comp', '"team-a/*", comp').replace(
            'match: "**"', 'match: "**", encryption: {kms_key: "arn:aws:kms:ca-central-1:123456789012:key/k1"}'
        )
    )

    with pytest.raises(ConflictError, match="team-a/web/cache exists with encryption"):
        ensure(stack)


def test_inspection_shows_every_difference(stack):
    ensure(stack)
    stored = stack.registry.stored["team-a/web"]
    stored.lifecycle_policy, stored.repository_policy, stored.tags["namespace"] = None, None, "changed"

    outcome = stack.provisioner.inspect("team-a/web", CALLER)

    assert [difference.setting for difference in outcome.differences] == ["tags", "lifecycle", "pull"]


def test_inspection_knows_what_was_overridden(stack):
    ensure(stack, overrides=TEN_DAYS)

    assert stack.provisioner.inspect("team-a/web", CALLER).differences == ()


def test_inspection_of_a_missing_repository_says_how_to_create_it(stack):
    with pytest.raises(NotFoundError, match="there is no repository team-a/web; PUT it to create it"):
        stack.provisioner.inspect("team-a/web", CALLER)


def test_a_caller_can_read_what_it_may_create(stack):
    stack.rules = house_rules(TEAMS)

    assert stack.provisioner.allowed_to(Principal(ACCOUNT, "user", "admin")) == ["**"]
    assert stack.provisioner.allowed_to(Principal(ACCOUNT, "user", "guest")) == []
