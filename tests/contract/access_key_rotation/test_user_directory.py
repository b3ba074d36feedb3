"""What the directory of all users shows, be it the double or IAM's bulk calls."""

import boto3
import pytest

from access_key_rotation.adapters.iam_directory import IamDirectory
from access_key_rotation.application.ports import ListedUser
from access_key_rotation.domain.names import UserName
from steward.aws.clients import client
from tests.doubles.listed_directory import ListedDirectory

TAGS = {"steward:rotate": "true"}


@pytest.fixture(params=["in memory", "on IAM"])
def directory(request):
    """Of an account with a service user, a person below the same path, and a user elsewhere."""
    return _in_memory() if request.param == "in memory" else request.getfixturevalue("bulk_calls")


def _in_memory():
    arn = "arn:aws:iam::123456789012:user"
    return ListedDirectory(
        [
            ListedUser(UserName("ecr-push"), "AIDA1", f"{arn}/service/ecr-push", "/service/", TAGS),
            ListedUser(UserName("person"), "AIDA2", f"{arn}/service/ci/person", "/service/ci/", {}),
            ListedUser(UserName("other"), "AIDA3", f"{arn}/other", "/", TAGS),
        ]
    )


@pytest.fixture
def bulk_calls(moto):
    iam = boto3.client("iam")
    tags = [{"Key": key, "Value": value} for key, value in TAGS.items()]
    iam.create_user(UserName="ecr-push", Path="/service/", Tags=tags)
    iam.create_user(UserName="person", Path="/service/ci/")
    iam.create_user(UserName="other", Tags=tags)
    return IamDirectory(client("iam"))


def test_lists_only_the_users_on_the_path_and_below_it(directory):
    assert {user.name for user in directory.users("/service/")} == {"ecr-push", "person"}


def test_shows_a_user_with_its_path_its_tags_and_its_own_id(directory):
    push, person = sorted(directory.users("/service/"), key=lambda user: user.name)

    assert (push.path, push.tags) == ("/service/", TAGS)
    assert push.arn.endswith(":user/service/ecr-push")
    assert push.user_id not in {"", person.user_id}
