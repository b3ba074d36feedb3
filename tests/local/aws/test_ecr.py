"""ECR keeps what it is told, and refuses what ECR refuses."""

import json

import pytest

from tests.local.aws.launched import ACCOUNT, allow, policy

LATEST = [{"filterType": "WILDCARD", "filter": "latest"}, {"filterType": "WILDCARD", "filter": "dev-*"}]
UNTAGGED = {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14}
PULL = policy({"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "ecr:BatchGetImage"})


def lifecycle(selection, priority=1):
    rule = {"rulePriority": priority, "description": "a rule", "selection": selection, "action": {"type": "expire"}}
    return json.dumps({"rules": [rule]})


@pytest.fixture
def ecr(aws):
    return aws.client("ecr")


@pytest.fixture
def root_login(aws):
    return aws.login(aws.user(allow("ecr:*")))


def test_a_repository_keeps_its_exclusion_filters(ecr, name):
    created = ecr.create_repository(
        repositoryName=name,
        imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=LATEST,
        encryptionConfiguration={"encryptionType": "AES256"},
        tags=[{"Key": "steward:rule", "Value": "**"}],
    )["repository"]

    described = ecr.describe_repositories(repositoryNames=[name])["repositories"][0]

    assert created == described
    assert described["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
    assert described["imageTagMutabilityExclusionFilters"] == LATEST
    assert described["encryptionConfiguration"] == {"encryptionType": "AES256"}
    assert ecr.list_tags_for_resource(resourceArn=described["repositoryArn"])["tags"] == [
        {"Key": "steward:rule", "Value": "**"}
    ]


def test_changed_mutability_replaces_the_exclusion_filters(ecr, name):
    ecr.create_repository(repositoryName=name)

    changed = ecr.put_image_tag_mutability(
        repositoryName=name,
        imageTagMutability="MUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=LATEST,
    )
    ecr.put_image_tag_mutability(repositoryName=name, imageTagMutability="IMMUTABLE")

    described = ecr.describe_repositories(repositoryNames=[name])["repositories"][0]
    assert changed["imageTagMutabilityExclusionFilters"] == LATEST
    assert "imageTagMutabilityExclusionFilters" not in described


@pytest.mark.parametrize(
    ("mutability", "tag", "status"),
    [
        ("IMMUTABLE", "1", 400),
        ("IMMUTABLE_WITH_EXCLUSION", "1", 400),
        ("IMMUTABLE_WITH_EXCLUSION", "dev-1", 201),
        ("MUTABLE_WITH_EXCLUSION", "1", 201),
        ("MUTABLE_WITH_EXCLUSION", "latest", 400),
        ("MUTABLE", "latest", 201),
    ],
)
def test_an_immutable_tag_is_not_moved_to_another_image(aws, ecr, root_login, name, mutability, tag, status):
    filters = {"imageTagMutabilityExclusionFilters": LATEST} if "EXCLUSION" in mutability else {}
    ecr.create_repository(repositoryName=name, imageTagMutability=mutability, **filters)

    first = aws.push(root_login, name, tag, b"one")
    again = aws.push(root_login, name, tag, b"one")
    other = aws.push(root_login, name, tag, b"two")

    assert (first.status, again.status, other.status) == (201, 201, status)


@pytest.mark.parametrize("bad", ["Upper", "a//b", "a/", "-a", "a..b", "a" * 257])
def test_a_name_that_ecr_refuses_is_refused(ecr, bad):
    with pytest.raises(ecr.exceptions.InvalidParameterException):
        ecr.create_repository(repositoryName=bad)


def test_descriptions_come_in_pages(ecr, name):
    wanted = {f"{name}/{number:02}" for number in range(7)}
    for repository in wanted:
        ecr.create_repository(repositoryName=repository)

    pages = list(ecr.get_paginator("describe_repositories").paginate(PaginationConfig={"PageSize": 3}))

    names = [repository["repositoryName"] for page in pages for repository in page["repositories"]]
    assert max(len(page["repositories"]) for page in pages) == 3
    assert len(names) == len(set(names))
    assert wanted <= set(names)


def test_a_lifecycle_policy_comes_back_as_it_was_put(ecr, name):
    ecr.create_repository(repositoryName=name)

    ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=lifecycle(UNTAGGED))

    assert ecr.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"] == lifecycle(UNTAGGED)


@pytest.mark.parametrize(
    "text",
    [
        "not JSON, but long enough for the client".ljust(100, "."),
        json.dumps({"rules": [], "padding": "x" * 100}),
        lifecycle(UNTAGGED | {"countNumber": 0}),
        lifecycle(UNTAGGED | {"countUnit": "weeks"}),
        lifecycle(UNTAGGED | {"tagStatus": "tagged"}),
        lifecycle({"tagStatus": "any", "countType": "imageCountMoreThan", "countUnit": "days", "countNumber": 3}),
        lifecycle(UNTAGGED, priority=0),
    ],
)
def test_a_lifecycle_policy_that_ecr_refuses_is_refused(ecr, name, text):
    ecr.create_repository(repositoryName=name)

    with pytest.raises(ecr.exceptions.InvalidParameterException, match="Lifecycle policy validation failure"):
        ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=text)


def test_a_repository_policy_comes_back_and_a_broken_one_is_refused(ecr, name):
    ecr.create_repository(repositoryName=name)

    ecr.set_repository_policy(repositoryName=name, policyText=PULL)

    assert json.loads(ecr.get_repository_policy(repositoryName=name)["policyText"]) == json.loads(PULL)
    with pytest.raises(ecr.exceptions.InvalidParameterException):
        ecr.set_repository_policy(repositoryName=name, policyText='{"Statement": [{"Effect": "Allow"}]}')


def test_a_deleted_repository_takes_its_images_with_it(aws, ecr, root_login, name):
    ecr.create_repository(repositoryName=name)
    digest = aws.push(root_login, name, "1").headers["Docker-Content-Digest"]
    ecr.delete_repository(repositoryName=name, force=True)
    ecr.create_repository(repositoryName=name)

    by_digest = aws.http("GET", f"/v2/{name}/manifests/{digest}", headers=root_login)

    assert by_digest.status == 404


def test_nothing_is_scanned_until_the_registry_is_configured(aws):
    ecr = aws.client("ecr", region="eu-west-1")
    rules = [{"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": [{"filter": "*", "filterType": "WILDCARD"}]}]

    before = ecr.get_registry_scanning_configuration()["scanningConfiguration"]
    ecr.put_registry_scanning_configuration(scanType="BASIC", rules=rules)
    after = ecr.get_registry_scanning_configuration()["scanningConfiguration"]

    assert before == {"scanType": "BASIC", "rules": []}
    assert after == {"scanType": "BASIC", "rules": rules}
