"""What every ContainerRegistry does, be it the double or Amazon ECR's adapter."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from repository_provisioning.adapters.ecr_registry import EcrContainerRegistry
from repository_provisioning.application.ports import RepositoryAlreadyExistsError, RepositoryNotFoundError
from repository_provisioning.domain.configuration import Configuration, Details
from repository_provisioning.domain.fleet import Images
from repository_provisioning.domain.house_rules import KmsEncryption, Lifecycle, Pull, RepositoryRule
from repository_provisioning.domain.names import NamePattern, RepositoryName
from repository_provisioning.domain.ownership import RegistryPrefixes, RegistrySettings
from steward.aws.clients import client
from steward.errors import RuleViolationError
from tests.doubles.frozen_clock import FrozenClock
from tests.doubles.in_memory_container_registry import InMemoryContainerRegistry

WEB, API, NONE = RepositoryName("team-a/web"), RepositoryName("team-a/api"), RepositoryName("team-a/none")
PLAIN = RepositoryRule(NamePattern("**"))
KEY = "arn:aws:kms:ca-central-1:123456789012:key/k1"

LIFECYCLE = Configuration.of(WEB, RepositoryRule(NamePattern("**"), lifecycle=Lifecycle(keep_last=1))).lifecycle_policy
POLICY = Configuration.of(WEB, RepositoryRule(NamePattern("**"), pull=Pull(accounts=(2 * "210987",)))).repository_policy


def configuration(rule=PLAIN):
    return Configuration.of(WEB, rule)


@pytest.fixture(params=["in memory", "on ECR"])
def registry(request):
    if request.param == "in memory":
        return InMemoryContainerRegistry(FrozenClock(), scanned=False)
    request.getfixturevalue("moto")
    return EcrContainerRegistry(client("ecr"), FrozenClock())


def test_finds_nothing_where_nothing_is(registry):
    assert registry.find(NONE) is None
    assert registry.find_many([NONE, WEB]) == {}


def test_finds_what_was_created_as_it_was_created(registry):
    created = registry.create(WEB, configuration(), {"steward:stack": "steward"})

    assert registry.find(WEB) == created
    assert created.name == "team-a/web"
    assert created.arn == "arn:aws:ecr:ca-central-1:123456789012:repository/team-a/web"
    assert created.uri == "123456789012.dkr.ecr.ca-central-1.amazonaws.com/team-a/web"
    assert created.registry_id == "123456789012"
    assert (created.tag_mutability, created.mutable_tags) == ("IMMUTABLE", ())
    assert (created.encryption, created.kms_key) == ("AES256", None)


def test_creates_with_exclusions_from_immutability(registry):
    rule = RepositoryRule(NamePattern("**"), mutable_tags=("latest", "*-snapshot"))

    created = registry.create(WEB, configuration(rule), {})

    assert created.tag_mutability == "IMMUTABLE_WITH_EXCLUSION"
    assert sorted(created.mutable_tags) == ["*-snapshot", "latest"]
    assert configuration(rule).differences(created) == []


def test_creates_with_exclusions_from_mutability(registry):
    rule = RepositoryRule(NamePattern("**"), tag_mutability="MUTABLE", immutable_tags=("v*",))

    created = registry.create(WEB, configuration(rule), {})

    assert (created.tag_mutability, created.mutable_tags) == ("MUTABLE_WITH_EXCLUSION", ())
    assert created.immutable_tags == ("v*",)
    assert configuration(rule).differences(created) == []


def test_creates_with_the_key_of_the_rule(registry):
    rule = RepositoryRule(NamePattern("**"), encryption=KmsEncryption(KEY))

    created = registry.create(WEB, configuration(rule), {})

    assert (created.encryption, created.kms_key) == ("KMS", KEY)
    assert not configuration(rule).encryption_differs(created)


def test_refuses_to_create_what_exists(registry):
    registry.create(WEB, configuration(), {})

    with pytest.raises(RepositoryAlreadyExistsError):
        registry.create(WEB, configuration(), {})


def test_finds_those_of_many_that_exist(registry):
    registry.create(WEB, configuration(), {})
    registry.create(API, configuration(), {})

    assert set(registry.find_many([WEB, NONE, API])) == {WEB, API}


def test_finds_more_than_one_call_can_ask_for(registry):
    names = [RepositoryName(f"team-a/r{n}") for n in range(101)]
    for name in names:
        registry.create(name, configuration(), {})

    assert set(registry.find_many([*names, NONE])) == set(names)


def test_adds_tags_and_leaves_the_others(registry):
    created = registry.create(WEB, configuration(), {"owner": "team-a", "stage": "dev"})

    registry.put_tags(created, {"stage": "prod", "cost": "1"})

    assert registry.tags(created) == {"owner": "team-a", "stage": "prod", "cost": "1"}


def test_has_no_policies_until_they_are_put(registry):
    registry.create(WEB, configuration(), {})

    assert registry.lifecycle_policy(WEB) is None
    assert registry.repository_policy(WEB) is None


def test_keeps_the_policies_that_are_put(registry):
    rule = RepositoryRule(
        NamePattern("**"),
        lifecycle=Lifecycle(untagged_after_days=14, keep_last=20),
        pull=Pull(accounts=("210987654321",), organizations=("o-a1b2c3d4e5",)),
    )
    wanted = configuration(rule)
    registry.create(WEB, wanted, {})

    registry.put_lifecycle_policy(WEB, wanted.lifecycle_policy)
    registry.put_repository_policy(WEB, wanted.repository_policy)

    details = Details({}, registry.lifecycle_policy(WEB), registry.repository_policy(WEB))
    assert wanted.differences(registry.find(WEB), details) == []


def test_refuses_a_lifecycle_policy_that_makes_no_sense(registry):
    registry.create(WEB, configuration(), {})
    rules = [
        {
            "rulePriority": 1,
            "selection": {"countType": "imageCountMoreThan", "countNumber": 1},
            "action": {"type": "expire"},
        }
    ]

    with pytest.raises(RuleViolationError):
        registry.put_lifecycle_policy(WEB, json.dumps({"rules": rules}, indent=1))


def test_changes_the_mutability(registry):
    registry.create(WEB, configuration(), {})

    registry.put_tag_mutability(WEB, configuration(RepositoryRule(NamePattern("**"), mutable_tags=("latest",))))

    assert registry.find(WEB).tag_mutability == "IMMUTABLE_WITH_EXCLUSION"
    assert registry.find(WEB).mutable_tags == ("latest",)


@pytest.mark.parametrize(
    "ask",
    [
        lambda registry, missing: registry.tags(missing),
        lambda registry, missing: registry.put_tags(missing, {"a": "b"}),
        lambda registry, _: registry.lifecycle_policy(NONE),
        lambda registry, _: registry.repository_policy(NONE),
        lambda registry, _: registry.put_tag_mutability(NONE, configuration()),
        lambda registry, _: registry.put_lifecycle_policy(NONE, LIFECYCLE),
        lambda registry, _: registry.put_repository_policy(NONE, POLICY),
    ],
    ids=["tags", "put tags", "lifecycle", "policy", "put mutability", "put lifecycle", "put policy"],
)
def test_says_that_a_repository_is_missing_in_as_many_words(registry, ask):
    there = registry.create(WEB, configuration(), {})
    missing = replace(there, name=str(NONE), arn=there.arn.replace("/web", "/none"))

    with pytest.raises(RepositoryNotFoundError):
        ask(registry, missing)


def test_says_that_nothing_scans_where_the_registry_has_no_rule(registry):
    assert registry.scans(WEB) is False


def test_deletes_policies_and_removes_tags(registry):
    created = registry.create(WEB, configuration(), {"a": "1", "b": "2"})
    registry.put_lifecycle_policy(WEB, LIFECYCLE)
    registry.put_repository_policy(WEB, POLICY)

    registry.delete_lifecycle_policy(WEB)
    registry.delete_repository_policy(WEB)
    registry.remove_tags(created, ["a"])

    assert registry.lifecycle_policy(WEB) is None
    assert registry.repository_policy(WEB) is None
    assert registry.tags(created) == {"b": "2"}


def test_deletes_nothing_where_nothing_is(registry):
    registry.create(WEB, configuration(), {})

    registry.delete_lifecycle_policy(WEB)
    registry.delete_repository_policy(WEB)

    assert registry.find(WEB) is not None


def test_the_policies_of_a_missing_repository_cannot_be_deleted(registry):
    for delete in (registry.delete_lifecycle_policy, registry.delete_repository_policy):
        with pytest.raises(RepositoryNotFoundError):
            delete(NONE)


def test_lists_every_repository_by_name(registry):
    names = [RepositoryName(f"team-a/r{n:03}") for n in range(120)]
    for name in reversed(names):
        registry.create(name, configuration(), {})

    assert [repository.name for repository in registry.everything()] == names


def test_an_empty_repository_has_no_images(registry):
    registry.create(WEB, configuration(), {})

    assert registry.images(WEB) == Images(0, None, complete=True)
    with pytest.raises(RepositoryNotFoundError):
        registry.images(NONE)


@pytest.fixture
def ecr_answers(moto, monkeypatch):
    """ECR's answers to operations, on the wire, of which moto lacks some: operation -> pages."""
    reached, pages = BaseClient._make_api_call, {}  # type: ignore[attr-defined]

    def call(self, operation, parameters):
        if operation not in pages:
            return reached(self, operation, parameters)
        number = int(parameters.get("nextToken", 0))
        more = {"nextToken": str(number + 1)} if number + 1 < len(pages[operation]) else {}
        return pages[operation][number] | more

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    return pages


def test_counts_images_and_finds_the_latest_push(ecr_answers):
    early, late = datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)
    ecr_answers["DescribeImages"] = [
        {"imageDetails": [{"imagePushedAt": late}, {"imagePushedAt": early}]},
        {"imageDetails": [{"imagePushedAt": early}]},
    ]

    assert EcrContainerRegistry(client("ecr"), FrozenClock()).images(WEB) == Images(3, late, complete=True)


def test_says_of_a_large_repository_that_not_all_was_counted(ecr_answers):
    pushed = datetime(2026, 5, 1, tzinfo=UTC)
    ecr_answers["DescribeImages"] = [{"imageDetails": [{"imagePushedAt": pushed}]}] * 4

    assert EcrContainerRegistry(client("ecr"), FrozenClock()).images(WEB) == Images(3, pushed, complete=False)


def test_reads_the_prefixes_of_caches_and_templates_from_all_pages(ecr_answers):
    ecr_answers["DescribePullThroughCacheRules"] = [
        {"pullThroughCacheRules": [{"ecrRepositoryPrefix": "hub", "upstreamRegistryUrl": "registry-1.docker.io"}]},
        {"pullThroughCacheRules": [{"ecrRepositoryPrefix": "quay", "upstreamRegistryUrl": "quay.io"}]},
    ]
    ecr_answers["DescribeRepositoryCreationTemplates"] = [
        {"repositoryCreationTemplates": [{"prefix": "ROOT"}]},
        {"repositoryCreationTemplates": [{"prefix": "team-a"}]},
    ]

    prefixes = EcrContainerRegistry(client("ecr"), FrozenClock()).prefixes()

    assert prefixes == RegistryPrefixes({"hub": "registry-1.docker.io", "quay": "quay.io"}, ("ROOT", "team-a"))


SETTINGS = {
    "DescribePullThroughCacheRules": [{"pullThroughCacheRules": []}],
    "DescribeRepositoryCreationTemplates": [{"repositoryCreationTemplates": [{"prefix": "team-a"}]}],
    "DescribeRegistry": [
        {
            "replicationConfiguration": {
                "rules": [
                    {
                        "destinations": [{"region": "us-east-1", "registryId": "123456789012"}],
                        "repositoryFilters": [{"filter": "team-a", "filterType": "PREFIX_MATCH"}],
                    },
                    {"destinations": [{"region": "us-west-2", "registryId": "210987654321"}]},
                ]
            }
        }
    ],
    "GetSigningConfiguration": [
        {
            "signingConfiguration": {
                "rules": [
                    {"signingProfileArn": "arn:all"},
                    {"signingProfileArn": "arn:b", "repositoryFilters": [{"filter": "team-b/*"}]},
                ]
            }
        }
    ],
}


def test_says_what_the_settings_of_the_registry_do_with_a_name(ecr_answers):
    ecr_answers.update(SETTINGS)
    registry = EcrContainerRegistry(client("ecr"), FrozenClock())

    found, other = registry.settings(WEB), registry.settings(RepositoryName("team-b/web"))

    assert found.replicated_to == ("123456789012/us-east-1", "210987654321/us-west-2")
    assert found.signed_by == ("arn:all",)
    assert found.prefixes.template_of(WEB) == "team-a"
    assert (other.replicated_to, other.signed_by) == (("210987654321/us-west-2",), ("arn:all", "arn:b"))


def test_says_that_settings_are_not_known_when_they_cannot_be_read(ecr_answers, monkeypatch):
    def denied(self, operation, parameters):
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, operation)

    monkeypatch.setattr(BaseClient, "_make_api_call", denied)

    assert EcrContainerRegistry(client("ecr"), FrozenClock()).settings(WEB) == RegistrySettings()
