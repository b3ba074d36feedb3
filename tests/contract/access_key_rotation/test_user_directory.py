"""What the directory of all users shows, be it the double or IAM's bulk calls."""

import json
from fnmatch import fnmatchcase
from importlib import resources

import boto3
import pytest
from botocore.client import BaseClient

from access_key_rotation.adapters.iam_directory import IamDirectory
from access_key_rotation.adapters.iam_users import ADMINISTRATION, IamUsers
from access_key_rotation.application.ports import ListedUser
from access_key_rotation.domain.names import UserName
from steward.aws.clients import client
from tests.doubles.frozen_clock import FrozenClock
from tests.doubles.listed_directory import ListedAdministrators, ListedDirectory

TAGS = {"steward:rotate": "true"}
OF_THE_ACCOUNT = "arn:aws:iam::123456789012"
ITSELF = f"{OF_THE_ACCOUNT}:user/service/ecr-push"
PERSON = f"{OF_THE_ACCOUNT}:user/service/ci/person"


@pytest.fixture(params=["in memory", "on IAM"])
def directory(request):
    """Of an account with a service user, a person below the same path, and a user elsewhere."""
    return _in_memory() if request.param == "in memory" else request.getfixturevalue("bulk_calls")


def _in_memory():
    arn = "arn:aws:iam::123456789012:user"
    return ListedDirectory(
        [
            ListedUser(UserName("ecr-push"), "AIDA1", f"{arn}/service/ecr-push", "/service/", TAGS, is_person=False),
            ListedUser(UserName("person"), "AIDA2", f"{arn}/service/ci/person", "/service/ci/", {}, is_person=True),
            ListedUser(UserName("other"), "AIDA3", f"{arn}/other", "/", TAGS, is_person=False),
        ]
    )


@pytest.fixture
def bulk_calls(moto, monkeypatch):
    iam = boto3.client("iam")
    tags = [{"Key": key, "Value": value} for key, value in TAGS.items()]
    iam.create_user(UserName="ecr-push", Path="/service/", Tags=tags)
    iam.create_user(UserName="person", Path="/service/ci/")
    iam.create_login_profile(UserName="person", Password="correct-horse-battery")
    iam.create_user(UserName="other", Tags=tags)
    return IamDirectory(client("iam"), FrozenClock())


@pytest.fixture(params=["in memory", "on IAM"])
def permissions(request, moto, monkeypatch):
    """Of an account in which the person administers IAM."""
    if request.param == "in memory":
        return ListedAdministrators(PERSON)
    monkeypatch.setattr(BaseClient, "_make_api_call", _judging(BaseClient._make_api_call))  # type: ignore[attr-defined]  # the wire
    return IamUsers(client("iam"), client("iam", once=True))


def _judging(reached):
    """What moto lacks: IAM's judgement, by which the person administers IAM."""

    def call(client, operation, parameters):
        if operation != "SimulatePrincipalPolicy":
            return reached(client, operation, parameters)
        is_person = parameters["PolicySourceArn"] == PERSON
        return simulated(parameters, lambda _action, _resource: is_person)

    return call


def simulated(asked, allows):
    """What SimulatePrincipalPolicy answers: the first resource's result for each action, and those of all resources."""

    def decision(action, resource):
        return "allowed" if allows(action, resource) else "implicitDeny"

    results, (first, *_) = [], asked["ResourceArns"]
    for action in asked["ActionNames"]:
        result = {"EvalActionName": action, "EvalResourceName": first, "EvalDecision": decision(action, first)}
        every = [
            {"EvalResourceName": resource, "EvalResourceDecision": decision(action, resource)}
            for resource in asked["ResourceArns"]
        ]
        results.append(result | {"ResourceSpecificResults": every})
    return {"EvaluationResults": results, "IsTruncated": False}


@pytest.fixture
def judged(moto, monkeypatch):
    """Whether the adapter takes a user for an administrator who is allowed an action on a resource, both patterns."""
    reached, arn = BaseClient._make_api_call, "arn:aws:iam::123456789012:user/service/ecr-push"  # type: ignore[attr-defined]

    def judge(action, resource):
        def call(client, operation, parameters):
            if operation != "SimulatePrincipalPolicy":
                return reached(client, operation, parameters)
            return simulated(parameters, lambda *asked: all(map(fnmatchcase, asked, (action, resource))))

        monkeypatch.setattr(BaseClient, "_make_api_call", call)  # the wire
        return IamUsers(client("iam"), client("iam", once=True)).administers_iam(arn)

    return judge


def ways_without_a_target():
    """The actions by each of which alone one comes to more permissions, as the policy engine knows them."""
    text = (resources.files("iam_policy.escalation") / "escalation_paths.json").read_text(encoding="utf-8")
    steps = [path["steps"] for path in json.loads(text)["paths"]]
    return {step["action"] for (step, *more) in steps if not more and step["action"].startswith("iam:")}


def test_every_way_of_iam_alone_to_more_permissions_is_asked_for():
    assert ways_without_a_target() <= set(ADMINISTRATION)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("*", "*"),
        ("iam:*", f"{OF_THE_ACCOUNT}:*"),
        *((action, f"{OF_THE_ACCOUNT}:*") for action in ADMINISTRATION),
        ("iam:CreateAccessKey", f"{OF_THE_ACCOUNT}:user/*"),
        ("iam:AddUserToGroup", f"{OF_THE_ACCOUNT}:group/*"),
        ("iam:PutRolePolicy", f"{OF_THE_ACCOUNT}:role/*"),
        ("iam:SetDefaultPolicyVersion", f"{OF_THE_ACCOUNT}:policy/*"),
        ("iam:PutUserPolicy", ITSELF),
        ("iam:AttachUserPolicy", f"{OF_THE_ACCOUNT}:user/service/*"),
    ],
)
def test_a_user_that_may_give_itself_permissions_is_an_administrator(judged, action, resource):
    assert judged(action, resource)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("ecr:*", "*"),
        ("iam:Get*", "*"),
        ("iam:CreateAccessKey", ITSELF),
        ("iam:UpdateLoginProfile", ITSELF),
        ("iam:PassRole", "*"),
    ],
)
def test_a_user_that_may_not_is_no_administrator(judged, action, resource):
    assert not judged(action, resource)


def test_lists_only_the_users_on_the_path_and_below_it(directory):
    assert {user.name for user in directory.users("/service/")} == {"ecr-push", "person"}


def test_shows_a_user_with_its_path_its_tags_and_its_own_id(directory):
    push, person = sorted(directory.users("/service/"), key=lambda user: user.name)

    assert (push.path, push.tags) == ("/service/", TAGS)
    assert push.arn.endswith(":user/service/ecr-push")
    assert push.user_id not in {"", person.user_id}


def test_people_differ_from_service_users(directory):
    assert {user.name: user.is_person for user in directory.users("/service/")} == {"ecr-push": False, "person": True}


def test_an_administrator_of_iam_is_known_as_one(permissions):
    assert {arn: permissions.administers_iam(arn) for arn in (ITSELF, PERSON)} == {ITSELF: False, PERSON: True}


def test_the_bulk_calls_do_not_know_whether_a_newcomer_is_a_person(bulk_calls, monkeypatch):
    """The report is up to four hours old: what it does not say is not known, and no "no"."""
    reached = BaseClient._make_api_call  # type: ignore[attr-defined]
    list(bulk_calls.users("/service/"))
    report = reached(boto3.client("iam"), "GetCredentialReport", {})
    boto3.client("iam").create_user(UserName="newcomer", Path="/service/")

    def of_before(client, operation, parameters):
        return report if operation == "GetCredentialReport" else reached(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", of_before)  # the wire

    assert {user.name: user.is_person for user in bulk_calls.users("/service/")}["newcomer"] is None
