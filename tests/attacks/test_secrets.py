"""A developer lifts who may read a secret, or reads it; the named readers still do."""

import pytest

from tests.attacks.attacked_stack import BREAK_GLASS
from tests.local.aws.launched import allow, policy
from tests.local.stack import eventually

EVERYBODY = policy(allow("secretsmanager:GetSecretValue") | {"Principal": "*"})
SECRETS = allow("secretsmanager:*")


@pytest.fixture(scope="module")
def user(stack):
    """A service user whose secret `rotation.yaml` closes to all but one role."""
    stack.enrol("closed-user")
    stack.plan()
    assert eventually(lambda: (stack.recorded("closed-user") or {}).get("state") == "STEADY", 90)
    assert eventually(lambda: policy_of(stack, "closed-user"), 30)
    return "closed-user"


def policy_of(stack, user):
    found = stack.aws.client("secretsmanager").get_resource_policy(SecretId=secret_of(user))
    return found.get("ResourcePolicy")


def secret_of(user):
    return f"steward/service-users/{user}"


def test_a_developer_neither_reads_a_closed_secret_nor_opens_it(stack, developer, refused, user):
    secrets, closed = stack.aws.client("secretsmanager", developer), policy_of(stack, user)

    with refused("reading a closed secret"):
        secrets.get_secret_value(SecretId=secret_of(user))
    with refused("lifting who may read a secret"):
        secrets.delete_resource_policy(SecretId=secret_of(user))
    with refused("another policy of a secret"):
        secrets.put_resource_policy(SecretId=secret_of(user), ResourcePolicy=EVERYBODY)

    assert policy_of(stack, user) == closed


def test_a_named_reader_still_reads_it(stack, user):
    reader = stack.aws.client("secretsmanager", stack.aws.session(SECRETS, role_name="reader"))

    assert reader.get_secret_value(SecretId=secret_of(user))["SecretString"]


def test_who_may_lift_it_lifts_it_until_the_next_check_alone(stack, events, user):
    """The break-glass role has the right; so has everybody where no such role is named."""
    closed = policy_of(stack, user)
    editor = stack.aws.client("secretsmanager", stack.aws.session(SECRETS, role_name=BREAK_GLASS))
    editor.delete_resource_policy(SecretId=secret_of(user))
    assert policy_of(stack, user) is None

    stack.invoke("SecretProof", {})

    assert eventually(lambda: policy_of(stack, user) == closed, 60)
    (said,) = [e["detail"]["data"] for e in events.about(user) if e["detail-type"] == "SecretReadersChanged"]
    stack.refusals.append(("a policy of a secret that somebody lifted, after the hourly check", str(said)))
    assert said["user_name"] == user
