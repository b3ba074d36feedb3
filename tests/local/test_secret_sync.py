"""Secret sync on the deployed stack, with IAM enforced: GitHub, GitLab, Systems Manager, a secret under a role."""

import json

import pytest

from tests.local.role_rights import RoleRights
from tests.local.service_users import LONG_AGO, ServiceUsers, secret_of


@pytest.fixture
def users(stack):
    return ServiceUsers(stack, RoleRights(stack.aws).physical["RotationState"], "")


@pytest.fixture
def sync(stack):
    """Have the function do what its schedule asks."""

    def invoke():
        name = stack.function("SecretSync")["FunctionName"]
        answer = stack.aws.client("lambda").invoke(FunctionName=name, Payload=b"{}")
        return json.loads(answer["Payload"].read())

    return invoke


def test_a_key_is_in_four_systems_and_an_operator_sees_which_of_them_confirmed_it(stack, users, sync, ci_server):
    name, key = users.with_key("relayed", promoted_at=LONG_AGO)
    secrets = stack.aws.client("secretsmanager")
    secrets.create_secret(Name=f"elsewhere/{name}", SecretString="{}")
    target = f"gitlab:group/{name}:AWS_SECRET_ACCESS_KEY"
    ci_server.refused = f"/projects/group%2F{name}/"

    first = sync()
    shown = targets_of(stack, name)
    ci_server.refused = ""
    sync()
    at_last = targets_of(stack, name)
    users.forget(name)

    value = json.loads(secrets.get_secret_value(SecretId=secret_of(name))["SecretString"])
    assert target in first["failed"]
    assert {one["state"] for one in shown.values()} == {"confirmed", "failing"}
    assert (shown[target]["key_id"], shown[target]["reason"]) == (None, "the target answered 503")
    assert {one["key_id"] for one in at_last.values()} == {key}
    assert {one["state"] for one in at_last.values()} == {"confirmed"}
    held = stack.aws.client("ssm").get_parameter(Name=f"/legacy/ci/{name}", WithDecryption=True)["Parameter"]["Value"]
    other = secrets.get_secret_value(SecretId=f"elsewhere/{name}")
    assert [json.loads(text)["SecretAccessKey"] for text in (held, other["SecretString"])] == [
        value["SecretAccessKey"]
    ] * 2
    stored = [text for place, text in ci_server.stored.items() if name in str(place)]
    assert sorted(stored) == sorted([value["AccessKeyId"], value["SecretAccessKey"]] * 2)
    assert value["SecretAccessKey"] not in logs_of(stack, "secret-sync")


def targets_of(stack, name):
    shown = stack.call("GET", f"/service-users/{name}", stack.key()).document
    return {one["target"]: one for one in shown["sync"]}


def logs_of(stack, function):
    logs = stack.aws.client("logs")
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/ecr-steward-{function}")
    return "".join(event["message"] for page in pages for event in page["events"])
