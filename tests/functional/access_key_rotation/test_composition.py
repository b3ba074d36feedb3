"""What the composition root refuses to wire."""

import pytest

from access_key_rotation.bootstrap import patterns_of, planner, vault
from access_key_rotation.domain.settings import RotationSettings
from steward.errors import SettingsError
from tests.functional.gateway import client_of

COPIED = RotationSettings(replica_regions=("eu-west-1",))
KEY = "arn:aws:kms:ca-central-1:123456789012:key/"


def test_secrets_are_copied_under_a_key_that_has_replicas_alone(aws, monkeypatch):
    monkeypatch.setenv("STEWARD_STACK", "ecr-steward")
    monkeypatch.setenv("SECRETS_KEY", f"{KEY}6a1e3c5a-0000-0000-0000-000000000000")

    with pytest.raises(SettingsError, match="multi-Region key"):
        vault(COPIED)


@pytest.mark.parametrize("key", ["", f"{KEY}mrk-00000000000000000000000000000001"])
def test_a_multi_region_key_and_the_accounts_own_key_will_do(aws, monkeypatch, key):
    monkeypatch.setenv("STEWARD_STACK", "ecr-steward")
    monkeypatch.setenv("SECRETS_KEY", key)

    assert vault(COPIED)


def test_only_users_on_the_path_of_the_parameter_are_planned(aws, monkeypatch):
    """The functions' roles are scoped by the parameter, and so is what they look for."""
    client_of("iam").create_user(UserName="ours", Path="/robots/", Tags=[{"Key": "steward:rotate", "Value": "true"}])
    client_of("iam").create_user(UserName="other", Path="/service/", Tags=[{"Key": "steward:rotate", "Value": "true"}])
    monkeypatch.setenv("SERVICE_PATH", "/robots/")

    assert planner().plan("correlation").due == ["ours"]


def test_roles_are_named_without_what_cloudformation_appends():
    role = "arn:aws:iam::123456789012:role/ecr-steward-RotationWorkerRole"

    assert patterns_of([f"{role}-1A2B3C4D5E6F"]) == (f"{role}-*",)
