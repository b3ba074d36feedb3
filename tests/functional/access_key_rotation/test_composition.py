"""What the composition root refuses to wire."""

import pytest

from access_key_rotation.bootstrap import vault
from access_key_rotation.domain.policy import RotationSettings
from steward.errors import SettingsError

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
