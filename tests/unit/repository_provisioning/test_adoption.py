"""Existing repositories are brought under their rules as a dry run showed it, or not at all."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repository_provisioning.application.adopt_repositories import Adopted, AdoptionRequest, Intent
from repository_provisioning.domain.configuration import Repository
from repository_provisioning.domain.events import (
    RepositoryAdopted,
    RepositoryConfigurationChanged,
    RepositoryRequestDenied,
    RepositoryRetentionShortened,
)
from repository_provisioning.domain.house_rules import Overrides
from repository_provisioning.domain.ownership import RegistryPrefixes, Scope
from repository_provisioning.domain.planning import Request
from steward.errors import (
    AccessDeniedError,
    ConflictError,
    DeadlineError,
    NotAllowedError,
    NotFoundError,
    PreconditionFailedError,
    RuleViolationError,
    TooLargeError,
    UpstreamError,
)
from steward.principals import Principal
from tests.doubles.in_memory_container_registry import InMemoryContainerRegistry, Stored
from tests.doubles.provisioning_over_doubles import ACCOUNT, StackOverDoubles

RULES = """
callers:
  - {principals: ["self:role/ci-team-a"], repositories: ["team-a/**", "hub/**"], may_override: [lifecycle, tags, pull],
     may_adopt: true}
  - {principals: ["self:role/ci-team-b"], repositories: ["team-b/**"], may_adopt: true}
  - {principals: ["self:role/pipeline"], repositories: ["team-a/**"]}
repositories:
  - {match: "**", name: default, lifecycle: {untagged_after_days: 14}, pull: {accounts: ["210987654321"]},
     tags: {namespace: "{namespace}"}}
"""
KEY = "arn:aws:kms:ca-central-1:123456789012:key/k1"
CLOUDFORMATION = {"aws:cloudformation:stack-name": "shop", "aws:cloudformation:logical-id": "Images"}
OTHERS = {"Sid": "LambdaECRImageRetrievalPolicy", "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}
OLD_LIFECYCLE = json.dumps(
    {
        "rules": [
            {
                "rulePriority": 1,
                "selection": {
                    "tagStatus": "untagged",
                    "countType": "sinceImagePushed",
                    "countUnit": "days",
                    "countNumber": 90,
                },
                "action": {"type": "expire"},
            }
        ]
    }
)
TEAM_B, PIPELINE = Principal(ACCOUNT, "role", "ci-team-b"), Principal(ACCOUNT, "role", "pipeline")


def existing(stack, name="team-a/legacy", *, tags=None, lifecycle=None, policy=None, **settings):
    """A repository that another person created long ago."""
    made = Repository(
        name=name,
        arn=f"arn:aws:ecr:ca-central-1:{ACCOUNT}:repository/{name}",
        uri=f"{ACCOUNT}.dkr.ecr.ca-central-1.amazonaws.com/{name}",
        registry_id=ACCOUNT,
        created_at=stack.clock.now() - timedelta(days=1),
        tag_mutability="MUTABLE",
    )
    stored = Stored(replace(made, **settings), dict(tags or {}), lifecycle, policy)
    stack.registry.stored[name] = stored
    return stored


@pytest.fixture
def stack():
    return StackOverDoubles.over_doubles(RULES)


def bring(stack, name="team-a/legacy", intent=Intent.ADOPT, scope=Scope.WHOLE, fingerprint=None, **origin):
    return stack.adopter.bring(AdoptionRequest(name, intent, scope, fingerprint), stack.origin(**origin))


def shown_and_done(stack, name="team-a/legacy", intent=Intent.ADOPT, scope=Scope.WHOLE):
    shown = bring(stack, name, intent, scope)
    return bring(stack, name, intent, scope, shown.adoption.fingerprint)


def test_a_dry_run_shows_every_change_and_makes_none(stack):
    before = replace(existing(stack))

    shown = bring(stack)

    assert [change.setting for change in shown.adoption.changes] == ["tag_mutability", "tags", "lifecycle", "pull"]
    assert shown.done is None
    assert stack.registry.stored["team-a/legacy"] == before
    assert stack.publisher.published == []


def test_an_adopted_repository_follows_its_rule_and_says_who_adopted_it(stack):
    stored = existing(stack, tags={"owner": "terraform"})

    done = shown_and_done(stack)

    assert done.done == ("lifecycle", "pull", "tag_mutability", "tags")
    assert stored.repository.tag_mutability == "IMMUTABLE"
    assert "14" in stored.lifecycle_policy
    assert stored.tags["owner"] == "terraform"
    assert stored.tags["namespace"] == "team-a"
    assert stored.tags["steward:stack"] == "steward"
    assert stored.tags["steward:adopted-by"] == "123456789012:role/ci-team-a"
    (event,) = stack.publisher.of(RepositoryAdopted)
    assert (event.name, event.scope, event.rule) == ("team-a/legacy", "whole", "default")


def test_an_adopted_repository_is_complete_for_the_next_put(stack):
    existing(stack)
    shown_and_done(stack)
    stack.registry.calls.clear()

    outcome = stack.provisioner.ensure(Request("team-a/legacy"), stack.origin())

    assert (outcome.created, outcome.differences) == (False, ())
    assert stack.registry.calls == {"find_many": 1}


def test_statements_of_others_stay(stack):
    stored = existing(stack, policy=json.dumps({"Version": "2012-10-17", "Statement": [OTHERS]}))

    shown_and_done(stack)

    assert [s["Sid"] for s in json.loads(stored.repository_policy)["Statement"]] == [OTHERS["Sid"], "PullByAccounts"]


def test_only_tags_leaves_every_other_setting_alone_now_and_later(stack):
    stored = existing(stack)

    done = shown_and_done(stack, scope=Scope.TAGS)
    stack.records.forget()
    stack.provisioner.ensure(Request("team-a/legacy"), stack.origin())

    assert done.done == ("tags",)
    assert (stored.repository.tag_mutability, stored.lifecycle_policy, stored.repository_policy) == (
        "MUTABLE",
        None,
        None,
    )
    assert stored.tags["steward:scope"] == "tags"


def test_tags_first_and_all_of_it_later(stack):
    stored = existing(stack)
    shown_and_done(stack, scope=Scope.TAGS)

    shown_and_done(stack)
    stack.records.forget()
    outcome = stack.provisioner.ensure(Request("team-a/legacy"), stack.origin())

    assert stored.lifecycle_policy is not None
    assert stored.tags["steward:scope"] == "whole"
    assert outcome.differences == ()


def test_what_a_cloudformation_stack_owns_is_refused_by_name(stack):
    existing(stack, tags=CLOUDFORMATION)

    with pytest.raises(ConflictError, match=r"the CloudFormation stack shop \(its resource Images\).*tags only"):
        bring(stack)


def test_the_tags_of_what_a_cloudformation_stack_owns_are_adopted_with_a_warning(stack):
    stored = existing(stack, tags=CLOUDFORMATION)

    shown = bring(stack, scope=Scope.TAGS)
    shown_and_done(stack, scope=Scope.TAGS)

    assert any("CloudFormation stack shop" in warning for warning in shown.adoption.warnings)
    assert stored.tags["namespace"] == "team-a"
    assert stored.lifecycle_policy is None


def test_our_tag_does_not_take_a_repository_from_cloudformation(stack):
    """A person with ecr:TagResource can write our tag; what CloudFormation configures is left alone all the same."""
    stored = existing(stack, tags={**CLOUDFORMATION, "steward:stack": "steward"})

    outcome = stack.provisioner.ensure(Request("team-a/legacy"), stack.origin())

    assert stored.lifecycle_policy is None
    assert "tag_mutability" in {difference.setting for difference in outcome.differences}


@pytest.mark.parametrize("scope", Scope)
def test_what_another_steward_owns_is_refused_by_name(stack, scope):
    existing(stack, tags={"steward:stack": "other"})

    with pytest.raises(ConflictError, match="the steward's stack other"):
        bring(stack, scope=scope)


def test_a_pull_through_cache_is_not_fought(stack):
    stack.registry.known_prefixes = RegistryPrefixes(caches={"hub": "registry-1.docker.io"})
    existing(stack, "hub/library/nginx")

    with pytest.raises(ConflictError, match="the pull-through cache of registry-1"):
        bring(stack, "hub/library/nginx")


def test_a_creation_template_is_named(stack):
    stack.registry.known_prefixes = RegistryPrefixes(templates=("ROOT", "team-a"))
    existing(stack)

    assert any("creation template of the prefix team-a" in w for w in bring(stack).adoption.warnings)


def test_another_tool_that_may_undo_it_is_named(stack):
    existing(stack, tags={"ManagedBy": "Terraform"})

    assert any("ManagedBy=Terraform" in warning for warning in bring(stack).adoption.warnings)


def test_another_encryption_is_refused_and_its_tags_are_not(stack):
    existing(stack, encryption="KMS", kms_key=KEY)

    with pytest.raises(ConflictError, match="ECR cannot change it"):
        bring(stack)
    assert shown_and_done(stack, scope=Scope.TAGS).done == ("tags",)


def test_more_tags_than_ecr_takes_are_refused_before_anything_is_done(stack):
    existing(stack, tags={f"t{n}": "" for n in range(47)})

    with pytest.raises(ConflictError, match="52 tags"):
        bring(stack)


def test_a_shorter_retention_is_said_before_and_published(stack):
    existing(stack, lifecycle=OLD_LIFECYCLE)

    shown = bring(stack)
    bring(stack, fingerprint=shown.adoption.fingerprint)

    assert shown.adoption.shortens_retention
    assert "expire" in shown.adoption.warnings[0]
    (event,) = stack.publisher.of(RepositoryRetentionShortened)
    assert event.before == OLD_LIFECYCLE


@pytest.mark.parametrize(
    "change",
    [
        lambda stored: stored.tags.update(owner="x"),
        lambda stored: setattr(stored, "lifecycle_policy", OLD_LIFECYCLE),
        lambda stored: setattr(stored, "repository_policy", json.dumps({"Statement": [OTHERS]})),
        lambda stored: setattr(stored, "repository", replace(stored.repository, tag_mutability="IMMUTABLE")),
    ],
    ids=["tags", "lifecycle", "policy", "mutability"],
)
def test_what_changed_since_the_dry_run_is_not_touched(stack, change):
    stored = existing(stack)
    shown = bring(stack)
    change(stored)
    before = replace(stored, tags=dict(stored.tags))

    with pytest.raises(PreconditionFailedError, match="since the dry run"):
        bring(stack, fingerprint=shown.adoption.fingerprint)
    assert stored == before


def test_the_fingerprint_of_a_smaller_adoption_does_not_approve_a_larger_one(stack):
    existing(stack)
    shown = bring(stack, scope=Scope.TAGS)

    with pytest.raises(PreconditionFailedError):
        bring(stack, scope=Scope.WHOLE, fingerprint=shown.adoption.fingerprint)


def test_another_team_cannot_adopt_what_its_rules_do_not_name(stack):
    existing(stack)
    fingerprint = bring(stack).adoption.fingerprint

    with pytest.raises(NotAllowedError):
        bring(stack, fingerprint=fingerprint, caller=TEAM_B)
    assert stack.publisher.of(RepositoryRequestDenied)[0].requested_by == "123456789012:role/ci-team-b"
    assert "steward:stack" not in stack.registry.stored["team-a/legacy"].tags


def test_a_right_to_create_is_no_right_to_adopt(stack):
    existing(stack)

    with pytest.raises(NotAllowedError, match="may_adopt: true"):
        bring(stack, caller=PIPELINE)


def test_a_refused_caller_learns_nothing_of_the_repository(stack):
    existing(stack, tags=CLOUDFORMATION)

    with pytest.raises(NotAllowedError) as refused:
        bring(stack, caller=TEAM_B)
    assert "shop" not in str(refused.value)
    assert not stack.registry.calls


def test_what_does_not_exist_cannot_be_adopted(stack):
    with pytest.raises(NotFoundError):
        bring(stack)


def test_a_name_twice_and_too_many_names_are_refused(stack):
    request = AdoptionRequest("team-a/legacy", Intent.ADOPT)
    with pytest.raises(RuleViolationError):
        stack.adopter.bring_many([request, request], stack.origin())
    with pytest.raises(TooLargeError):
        stack.adopter.bring_many([AdoptionRequest(f"team-a/r{n}", Intent.ADOPT) for n in range(201)], stack.origin())


def test_one_failure_stops_no_other(stack):
    for name in ("team-a/one", "team-a/two"):
        existing(stack, name)
    existing(stack, "team-a/three", tags=CLOUDFORMATION)
    names = ["team-a/one", "team-b/x", "NO NAME", "team-a/three", "team-a/gone", "team-a/two"]

    results = stack.adopter.bring_many([AdoptionRequest(name, Intent.ADOPT) for name in names], stack.origin())

    kinds = [Adopted, NotAllowedError, RuleViolationError, ConflictError, NotFoundError, Adopted]
    assert [isinstance(result, kind) for result, kind in zip(results, kinds, strict=True)] == [True] * 6


def test_what_does_not_fit_in_the_time_is_left_for_the_next_call(stack):
    existing(stack)

    with pytest.raises(DeadlineError):
        bring(stack, within=-1)


class Failing(InMemoryContainerRegistry):
    """Fails one operation, once or for good; or takes a while until our tag permits it."""

    def __init__(self, clock, operation, error, times):
        super().__init__(clock)
        self._operation, self._error, self._left = operation, error, times

    def __getattribute__(self, name):
        of_ours = object.__getattribute__(self, "__dict__")
        if name == of_ours.get("_operation") and of_ours["_left"]:
            of_ours["_left"] -= 1
            raise of_ours["_error"]
        return object.__getattribute__(self, name)


@pytest.mark.parametrize(
    "operation", ["put_tags", "put_tag_mutability", "put_lifecycle_policy", "put_repository_policy"]
)
def test_an_adoption_that_is_cut_short_anywhere_is_finished_by_the_next(stack, operation):
    stack.registry = Failing(stack.clock, operation, UpstreamError("AWS failed"), 1)
    stored = existing(stack)
    shown = bring(stack)
    with pytest.raises(UpstreamError):
        bring(stack, fingerprint=shown.adoption.fingerprint)

    shown_and_done(stack)

    assert (stored.repository.tag_mutability, stored.lifecycle_policy is None) == ("IMMUTABLE", False)
    assert len(stack.publisher.of(RepositoryAdopted)) == 1
    assert stack.provisioner.ensure(Request("team-a/legacy"), stack.origin()).differences == ()


def test_a_tag_that_takes_a_while_to_permit_the_rest_is_waited_for(stack):
    stack.registry = Failing(stack.clock, "put_lifecycle_policy", AccessDeniedError("denied"), 3)
    stored = existing(stack)

    shown_and_done(stack)

    assert stored.lifecycle_policy is not None


def test_a_right_that_is_missing_for_good_is_said(stack):
    stack.registry = Failing(stack.clock, "put_lifecycle_policy", AccessDeniedError("denied"), 1000)
    existing(stack)

    with pytest.raises(AccessDeniedError):
        shown_and_done(stack)


def test_a_cache_that_cannot_be_known_stops_an_adoption(stack):
    stack.registry = Failing(stack.clock, "prefixes", UpstreamError("AWS failed"), 1)
    existing(stack)

    with pytest.raises(UpstreamError):
        bring(stack)


def test_a_reconciliation_undoes_what_people_changed(stack):
    stack.provisioner.ensure(Request("team-a/web"), stack.origin())
    stored = stack.registry.stored["team-a/web"]
    stored.lifecycle_policy, stored.tags["namespace"] = None, "x"

    done = shown_and_done(stack, "team-a/web", Intent.RECONCILE)

    assert done.done == ("lifecycle", "tags")
    assert stored.tags["namespace"] == "team-a"
    assert stack.publisher.of(RepositoryConfigurationChanged)[0].changed == ["lifecycle", "tags"]


def test_a_reconciliation_keeps_what_callers_may_override(stack):
    stack.provisioner.ensure(Request("team-a/web", Overrides(tags={"cost": "1"})), stack.origin())

    assert bring(stack, "team-a/web", Intent.RECONCILE).adoption.changes == ()


def test_a_reconciliation_without_a_record_says_what_it_may_cost(stack):
    stack.provisioner.ensure(Request("team-a/web"), stack.origin())
    stack.records.forget()

    assert any("override" in w for w in bring(stack, "team-a/web", Intent.RECONCILE).adoption.warnings)


def test_what_was_never_adopted_is_not_reconciled(stack):
    existing(stack)

    with pytest.raises(ConflictError, match="never adopted"):
        bring(stack, intent=Intent.RECONCILE)


def test_of_a_repository_that_is_ours_for_its_tags_a_reconciliation_puts_tags(stack):
    stored = existing(stack)
    shown_and_done(stack, scope=Scope.TAGS)
    stored.tags["namespace"] = "x"

    assert shown_and_done(stack, intent=Intent.RECONCILE).done == ("tags",)
    assert stored.lifecycle_policy is None


@settings(max_examples=30)
@given(
    tags=st.dictionaries(st.sampled_from(["a", "namespace", "steward:stack", "steward:scope"]), st.text(max_size=3)),
    mutability=st.sampled_from(["MUTABLE", "IMMUTABLE"]),
    lifecycle=st.sampled_from([None, OLD_LIFECYCLE]),
    scope=st.sampled_from(Scope),
)
def test_after_an_adoption_nothing_is_left_to_change(tags, mutability, lifecycle, scope):
    """Every repository is refused, or a second dry run shows no change."""
    stack = StackOverDoubles.over_doubles(RULES)
    existing(stack, tags=tags, lifecycle=lifecycle, tag_mutability=mutability)
    try:
        shown_and_done(stack, scope=scope)
    except ConflictError:
        return

    again = bring(stack, scope=scope)

    assert again.adoption.changes == ()
    assert not again.adoption.shortens_retention


def test_an_answer_that_is_no_policy_stops_one_adoption_and_no_other(stack):
    existing(stack, policy="<html>")
    existing(stack, "team-a/good")
    requests = [AdoptionRequest(name, Intent.ADOPT) for name in ("team-a/legacy", "team-a/good")]

    bad, good = stack.adopter.bring_many(requests, stack.origin())

    assert (isinstance(bad, UpstreamError), isinstance(good, Adopted)) == (True, True)
