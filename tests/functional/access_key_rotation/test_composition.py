"""What the composition root makes of settings and environment."""

import logging

import pytest

from access_key_rotation.bootstrap import plan_rotations, secrets_manager_vault
from steward.errors import SettingsError
from tests.doubles.rotation_settings import rotation_settings
from tests.functional.gateway import client_of

COPIED = rotation_settings(replica_regions=("eu-west-1",))
KEY = "arn:aws:kms:ca-central-1:123456789012:key/"


@pytest.fixture
def guarded():
    """A vault guards the logs for good; this ends it."""
    factory = logging.getLogRecordFactory()
    yield
    logging.setLogRecordFactory(factory)


def test_replicas_need_a_multi_region_key(aws, guarded):
    with pytest.raises(SettingsError, match="multi-Region key"):
        secrets_manager_vault(COPIED, stack="ecr-steward", kms_key=f"{KEY}6a1e3c5a-0000-0000-0000-000000000000")


@pytest.mark.parametrize("key", ["", f"{KEY}mrk-00000000000000000000000000000001"])
def test_replicas_accept_a_multi_region_key_and_the_accounts_own_key(aws, guarded, key):
    assert secrets_manager_vault(COPIED, stack="ecr-steward", kms_key=key)


def test_only_users_on_the_path_of_the_parameter_are_planned(aws):
    """The functions' roles are scoped by the parameter, and so is what they look for."""
    client_of("iam").create_user(UserName="ours", Path="/robots/", Tags=[{"Key": "steward:rotate", "Value": "true"}])
    client_of("iam").create_user(UserName="other", Path="/service/", Tags=[{"Key": "steward:rotate", "Value": "true"}])

    assert plan_rotations(service_path="/robots/").plan("correlation").due == ["ours"]
