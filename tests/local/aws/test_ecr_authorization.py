"""IAM decides about ECR on the repository that a call names, and on its tags.

Each operation of the table is tried by a user who has the right for one repository only.
"""

import json

import pytest

from tests.local.aws.launched import ACCOUNT, REGION, allow, policy, repository_arn

PULL = policy({"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "ecr:BatchGetImage"})
UNTAGGED = {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14}
LIFECYCLE = json.dumps({"rules": [{"rulePriority": 1, "selection": UNTAGGED, "action": {"type": "expire"}}]})


def by_name(**arguments):
    return lambda name: {"repositoryName": name} | arguments


def by_arn(**arguments):
    return lambda name: {"resourceArn": repository_arn(name)} | arguments


OPERATIONS = [
    ("ecr:DescribeRepositories", "describe_repositories", lambda name: {"repositoryNames": [name]}),
    ("ecr:PutLifecyclePolicy", "put_lifecycle_policy", by_name(lifecyclePolicyText=LIFECYCLE)),
    ("ecr:GetLifecyclePolicy", "get_lifecycle_policy", by_name()),
    ("ecr:SetRepositoryPolicy", "set_repository_policy", by_name(policyText=PULL)),
    ("ecr:GetRepositoryPolicy", "get_repository_policy", by_name()),
    ("ecr:PutImageTagMutability", "put_image_tag_mutability", by_name(imageTagMutability="IMMUTABLE")),
    ("ecr:TagResource", "tag_resource", by_arn(tags=[{"Key": "a", "Value": "b"}])),
    ("ecr:UntagResource", "untag_resource", by_arn(tagKeys=["a"])),
    ("ecr:ListTagsForResource", "list_tags_for_resource", by_arn()),
    ("ecr:DeleteRepository", "delete_repository", by_name(force=True)),
]


@pytest.fixture
def ecr(aws):
    return aws.client("ecr")


@pytest.mark.parametrize(("action", "operation", "arguments"), OPERATIONS, ids=[row[0] for row in OPERATIONS])
def test_a_right_for_one_repository_is_none_for_another(aws, ecr, name, action, operation, arguments):
    mine, theirs = f"{name}/mine", f"{name}/theirs"
    for repository in (mine, theirs):
        ecr.create_repository(repositoryName=repository)
        ecr.put_lifecycle_policy(repositoryName=repository, lifecyclePolicyText=LIFECYCLE)
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
