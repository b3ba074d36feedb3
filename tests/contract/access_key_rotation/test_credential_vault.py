"""What a vault does, be it the double, or the adapter on either of its clients."""

import json
from datetime import UTC, datetime

import pytest

from access_key_rotation.adapters.secrets_manager_vault import SecretsManagerVault
from access_key_rotation.application.ports import LabelMovedError
from access_key_rotation.domain.credential import Credential
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.state import Content, Label, Restriction
from steward.aws.clients import client
from tests.doubles.clients_of_service_account import SecretsManagerClient, no_weather
from tests.doubles.frozen_clock import FrozenClock
from tests.doubles.in_memory_service_account import InMemoryServiceAccount, InMemoryVault

PUSH = UserName("ecr-push")
FIRST = "11111111-1111-1111-1111-111111111111"
SECOND = "22222222-2222-2222-2222-222222222222"
KEY = Credential(PUSH, "AKIA0000000000000001", "material-1", datetime(2026, 5, 4, tzinfo=UTC))
OTHER = Credential(PUSH, "AKIA0000000000000002", "material-2", datetime(2026, 5, 5, tzinfo=UTC))


@pytest.fixture(params=["in memory", "on a client in memory", "on Secrets Manager"])
def vault(request):
    if request.param != "on Secrets Manager":
        account = InMemoryServiceAccount(FrozenClock())
        account.add_user(PUSH)
        if request.param == "in memory":
            return InMemoryVault(account)
        return SecretsManagerVault(SecretsManagerClient(account, no_weather), stack="ecr-steward")
    request.getfixturevalue("moto")
    return SecretsManagerVault(client("secretsmanager"), stack="ecr-steward")


def test_finds_no_secret_where_there_is_none(vault):
    assert vault.find(PUSH) is None


def test_a_new_secret_is_ours_and_names_no_key(vault):
    secret = vault.create(PUSH)

    assert (secret.owner, secret.deleted) == ("ecr-steward", False)
    assert vault.read(PUSH, secret.labels[Label.CURRENT]) is Content.PLACEHOLDER


def test_a_secret_that_is_there_is_not_made_again(vault):
    assert vault.create(PUSH) == vault.create(PUSH)


def test_a_stored_key_waits_and_moves_nothing_else(vault):
    current = vault.create(PUSH).labels[Label.CURRENT]

    vault.stage(FIRST, KEY)

    labels = vault.find(PUSH).labels
    assert (labels[Label.PENDING], labels[Label.CURRENT]) == (FIRST, current)
    assert vault.read(PUSH, FIRST) == KEY


def test_the_same_key_may_be_stored_again(vault):
    vault.create(PUSH)

    vault.stage(FIRST, KEY)
    vault.stage(FIRST, KEY)

    assert vault.read(PUSH, FIRST) == KEY


def test_promotion_moves_the_label(vault):
    before = vault.create(PUSH).labels[Label.CURRENT]
    vault.stage(FIRST, KEY)

    vault.promote(PUSH, FIRST, expected=before)

    labels = vault.find(PUSH).labels
    assert (labels[Label.CURRENT], labels[Label.PREVIOUS]) == (FIRST, before)


def test_promotion_refuses_when_another_writer_moved_the_label(vault):
    before = vault.create(PUSH).labels[Label.CURRENT]
    vault.stage(FIRST, KEY)
    vault.promote(PUSH, FIRST, expected=before)
    vault.stage(SECOND, OTHER)

    with pytest.raises(LabelMovedError):
        vault.promote(PUSH, SECOND, expected=before)
    assert vault.find(PUSH).labels[Label.CURRENT] == FIRST


def test_a_dropped_version_waits_no_longer(vault):
    vault.create(PUSH)
    vault.stage(FIRST, KEY)

    vault.drop_pending(PUSH, FIRST)

    assert Label.PENDING not in vault.find(PUSH).labels


def test_a_replicated_secret_is_in_sync_in_no_region_that_was_not_asked_for(vault):
    vault.create(PUSH)

    vault.replicate(PUSH, ["eu-west-1", "us-west-2"])

    assert vault.find(PUSH).replicas.keys() == {"eu-west-1", "us-west-2"}


def test_a_new_secret_is_not_rotated_by_itself(vault):
    assert vault.create(PUSH).rotation_function is None


def test_a_credential_never_shows_its_material():
    assert "material-1" not in f"{KEY!r} {KEY}"


READER, EDITOR = "arn:aws:iam::123456789012:role/deploy", "arn:aws:iam::123456789012:role/break-glass"


@pytest.mark.parametrize(
    "wanted",
    [Restriction(), Restriction((READER,)), Restriction((EDITOR, READER), (EDITOR,))],
    ids=["none", "readers", "both"],
)
def test_a_restriction_is_read_as_it_was_put(vault, wanted):
    vault.create(PUSH)
    vault.restrict_readers(PUSH, Restriction((READER,), (EDITOR,)))

    vault.restrict_readers(PUSH, wanted)

    assert vault.restriction(PUSH) == wanted


def test_a_secret_without_a_resource_policy_restricts_nothing(vault):
    vault.create(PUSH)

    assert vault.restriction(PUSH) == Restriction()


@pytest.mark.parametrize(
    "change",
    [
        {"Effect": "Allow"},
        {"Action": "secretsmanager:GetSecretValue"},
        {"Principal": {"AWS": "123456789012"}},
        {"Condition": {"ArnNotLike": {"aws:PrincipalArn": [READER]}}},
        {"Condition": {"ArnNotEquals": {"aws:PrincipalArn": [READER]}, "Bool": {"aws:SecureTransport": "true"}}},
    ],
    ids=str,
)
def test_a_statement_that_differs_from_ours_is_not_ours(moto, change):
    vault, secrets = SecretsManagerVault(client("secretsmanager"), stack="ecr-steward"), client("secretsmanager")
    vault.create(PUSH)
    vault.restrict_readers(PUSH, Restriction((READER,)))
    policy = json.loads(secrets.get_resource_policy(SecretId=PUSH.secret_name)["ResourcePolicy"])
    policy["Statement"][0] |= change
    secrets.put_resource_policy(SecretId=PUSH.secret_name, ResourcePolicy=json.dumps(policy))

    found = vault.restriction(PUSH)

    assert found.readers == ()
    assert found.other
