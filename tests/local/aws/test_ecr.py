"""ECR keeps what it is told, refuses what ECR refuses, and asks IAM about the repository that is named."""

import json

import pytest

from tests.local.aws.launched import ACCOUNT, REGION, allow, policy, repository_arn

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


def test_descriptions_come_in_pages(aws, ecr, name):
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
        "not JSON at all, but long enough for the client, which asks for one hundred characters before it sends anything",
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


def test_a_deleted_repository_takes_its_layers_with_it(aws, ecr, root_login, name):
    ecr.create_repository(repositoryName=name)
    aws.push(root_login, name, "1")
    ecr.delete_repository(repositoryName=name, force=True)
    ecr.create_repository(repositoryName=name)

    digest = "sha256:" + "0" * 64

    assert aws.http("GET", f"/v2/{name}/manifests/1", headers=root_login).status == 404
    assert aws.http("HEAD", f"/v2/{name}/blobs/{digest}", headers=root_login).status == 404


def test_nothing_scans_until_the_registry_is_told_to(aws):
    ecr = aws.client("ecr", region="eu-west-1")
    rules = [{"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": [{"filter": "*", "filterType": "WILDCARD"}]}]

    before = ecr.get_registry_scanning_configuration()["scanningConfiguration"]
    ecr.put_registry_scanning_configuration(scanType="BASIC", rules=rules)
    after = ecr.get_registry_scanning_configuration()["scanningConfiguration"]

    assert before == {"scanType": "BASIC", "rules": []}
    assert after == {"scanType": "BASIC", "rules": rules}


# What IAM decides on. Each operation of the table is tried by a user who has the right for one repository only.

OPERATIONS = [
    ("ecr:DescribeRepositories", "describe_repositories", lambda name: {"repositoryNames": [name]}),
    ("ecr:PutLifecyclePolicy", "put_lifecycle_policy", lambda name: {"repositoryName": name, "lifecyclePolicyText": lifecycle(UNTAGGED)}),
    ("ecr:GetLifecyclePolicy", "get_lifecycle_policy", lambda name: {"repositoryName": name}),
    ("ecr:SetRepositoryPolicy", "set_repository_policy", lambda name: {"repositoryName": name, "policyText": PULL}),
    ("ecr:GetRepositoryPolicy", "get_repository_policy", lambda name: {"repositoryName": name}),
    ("ecr:PutImageTagMutability", "put_image_tag_mutability", lambda name: {"repositoryName": name, "imageTagMutability": "IMMUTABLE"}),
    ("ecr:TagResource", "tag_resource", lambda name: {"resourceArn": repository_arn(name), "tags": [{"Key": "a", "Value": "b"}]}),
    ("ecr:UntagResource", "untag_resource", lambda name: {"resourceArn": repository_arn(name), "tagKeys": ["a"]}),
    ("ecr:ListTagsForResource", "list_tags_for_resource", lambda name: {"resourceArn": repository_arn(name)}),
    ("ecr:DeleteRepository", "delete_repository", lambda name: {"repositoryName": name, "force": True}),
]  # fmt: skip


@pytest.mark.parametrize(("action", "operation", "arguments"), OPERATIONS, ids=[row[0] for row in OPERATIONS])
def test_a_right_for_one_repository_is_none_for_another(aws, ecr, name, action, operation, arguments):
    mine, theirs = f"{name}/mine", f"{name}/theirs"
    for repository in (mine, theirs):
        ecr.create_repository(repositoryName=repository)
        ecr.put_lifecycle_policy(repositoryName=repository, lifecyclePolicyText=lifecycle(UNTAGGED))
        ecr.set_repository_policy(repositoryName=repository, policyText=PULL)
    limited = aws.client("ecr", aws.user(allow(action, resource=repository_arn(mine))))

    allowed = getattr(limited, operation)(**arguments(mine))

    assert allowed["ResponseMetadata"]["HTTPStatusCode"] == 200
    with pytest.raises(limited.exceptions.ClientError, match="AccessDenied"):
        getattr(limited, operation)(**arguments(theirs))


def test_each_repository_of_a_list_is_decided_on(aws, ecr, name):
    for repository in (f"{name}/mine", f"{name}/theirs"):
        ecr.create_repository(repositoryName=repository)
    limited = aws.client("ecr", aws.user(allow("ecr:DescribeRepositories", resource=repository_arn(f"{name}/mine"))))

    with pytest.raises(limited.exceptions.ClientError, match="AccessDenied"):
        limited.describe_repositories(repositoryNames=[f"{name}/mine", f"{name}/theirs"])
    with pytest.raises(limited.exceptions.ClientError, match="AccessDenied"):
        limited.describe_repositories()


def test_creation_with_tags_needs_the_right_to_tag(aws, name):
    tags = [{"Key": "team", "Value": "a"}]
    creator = aws.client("ecr", aws.user(allow("ecr:CreateRepository")))
    tagger = aws.client("ecr", aws.user(allow("ecr:CreateRepository", "ecr:TagResource")))

    with pytest.raises(creator.exceptions.ClientError, match="ecr:TagResource"):
        creator.create_repository(repositoryName=name, tags=tags)
    assert creator.create_repository(repositoryName=f"{name}/untagged")
    assert tagger.create_repository(repositoryName=f"{name}/tagged", tags=tags)


def test_a_condition_on_the_request_tag_holds(aws, name):
    condition = {"StringEquals": {"aws:RequestTag/team": "a"}}
    right = allow("ecr:CreateRepository", "ecr:TagResource", condition=condition)
    limited = aws.client("ecr", aws.user(right))

    assert limited.create_repository(repositoryName=f"{name}/a", tags=[{"Key": "team", "Value": "a"}])
    with pytest.raises(limited.exceptions.ClientError, match="AccessDenied"):
        limited.create_repository(repositoryName=f"{name}/b", tags=[{"Key": "team", "Value": "b"}])
    with pytest.raises(limited.exceptions.ClientError, match="AccessDenied"):
        limited.create_repository(repositoryName=f"{name}/none")


@pytest.mark.parametrize("condition_key", ["aws:ResourceTag/team", "ecr:ResourceTag/team"])
def test_a_condition_on_the_repositorys_tag_holds(aws, ecr, name, condition_key):
    for team in ("a", "b"):
        ecr.create_repository(repositoryName=f"{name}/{team}", tags=[{"Key": "team", "Value": team}])
    condition = {"StringEquals": {condition_key: "a"}}
    limited = aws.client("ecr", aws.user(allow("ecr:PutImageTagMutability", condition=condition)))

    assert limited.put_image_tag_mutability(repositoryName=f"{name}/a", imageTagMutability="IMMUTABLE")
    with pytest.raises(limited.exceptions.ClientError, match="AccessDenied"):
        limited.put_image_tag_mutability(repositoryName=f"{name}/b", imageTagMutability="IMMUTABLE")


def test_repositories_of_another_region_are_others(aws, ecr, name):
    ecr.create_repository(repositoryName=name)
    elsewhere = aws.client("ecr", region="us-east-1")

    with pytest.raises(elsewhere.exceptions.RepositoryNotFoundException):
        elsewhere.describe_repositories(repositoryNames=[name])
    assert ecr.meta.region_name == REGION
