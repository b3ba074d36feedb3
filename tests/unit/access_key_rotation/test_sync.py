"""Targets of secret sync in the settings, and what counts as confirmed."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access_key_rotation.domain.events import SecretSynced, SecretSyncFailed
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.settings import RotationSettings
from access_key_rotation.domain.sync import (
    Confirmation,
    OtherSecret,
    SyncRecord,
    Target,
    targets_of,
)
from steward.conversion import convert
from steward.errors import ValidationError
from tests.unit.access_key_rotation.scenarios_of_sync import FOUR, TOKEN, synced

TIMES = {
    "rotate_after_days": 6,
    "max_age_days": 9,
    "drain_days": 2,
    "adoption_timeout_days": 2,
    "keep_inactive_days": 2,
}


def settings(*rules):
    return convert({"times": TIMES, "sync": list(rules)}, RotationSettings)


def test_a_pattern_names_a_target_for_each_user():
    rules = settings({"match": "ecr-*", "targets": [{"parameter": {"name": "/ci/{user}"}}]}).sync

    assert [target.name for target in targets_of(rules, UserName("ecr-push"))] == ["parameter:/ci/ecr-push"]
    assert targets_of(rules, UserName("other")) == ()


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"match": "ecr-*", "targets": [{"parameter": {"name": "/ci/key"}}]}, "the same for every user"),
        ({"match": "a", "targets": []}, "targets is empty"),
        ({"match": "a", "targets": [{}]}, "one of parameter, secret, github and gitlab"),
        ({"match": "a", "targets": [{"parameter": {"name": "/aws/key"}}]}, "is no name of a parameter"),
        ({"match": "a", "targets": [{"secret": {"secret": "steward/service-users/b"}}]}, "the steward's own secrets"),
        (
            {
                "match": "a",
                "targets": [
                    {"secret": {"secret": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:steward/x-AbCdEf"}}
                ],
            },
            "the steward's own secrets",
        ),
        ({"match": "a", "targets": [{"secret": {"secret": "x", "role": "admin"}}]}, "is no ARN of a role"),
        (
            {"match": "a", "targets": [{"github": {"repository": "octo/app", "token_secret": "x"}}]},
            "steward/sync-tokens/",
        ),
        ({"match": "a", "targets": [{"github": {"token_secret": TOKEN}}]}, "either a repository or an organization"),
        ({"match": "a", "targets": [{"github": {"repository": "app", "token_secret": TOKEN}}]}, "write OWNER/NAME"),
        (
            {"match": "a", "targets": [{"github": {"repository": "o/a", "token_secret": TOKEN, "api": "http://x"}}]},
            "no https URL",
        ),
        (
            {
                "match": "a",
                "targets": [{"github": {"organization": "o", "visibility": "selected", "token_secret": TOKEN}}],
            },
            "repository_ids goes with",
        ),
        (
            {"match": "a", "targets": [{"gitlab": {"project": "1", "key_id_variable": "1A", "token_secret": TOKEN}}]},
            "no name of a variable",
        ),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(rule, words):
    with pytest.raises(ValidationError, match=words):
        settings(rule)


def test_two_users_never_share_a_target():
    shared = {"github": {"repository": "octo/app", "token_secret": TOKEN}}

    with pytest.raises(ValidationError, match="one key would overwrite the other"):
        settings({"match": "a", "targets": [shared]}, {"match": "b", "targets": [shared]})


CONFIRMATIONS = st.builds(
    Confirmation,
    st.sampled_from(["", "AKIA1", "AKIA2"]),
    st.sampled_from(["", "x", *(target.fingerprint for target in FOUR)]),
)


@given(
    st.dictionaries(st.sampled_from([target.name for target in FOUR]), CONFIRMATIONS), st.sampled_from(["", "AKIA1"])
)
def test_only_a_target_as_it_is_set_today_that_confirmed_this_key_is_not_late(confirmed, key_id):
    late = SyncRecord(confirmed).late(FOUR, key_id)

    for target in FOUR:
        known = confirmed.get(target.name)
        holds = bool(key_id) and known is not None and (known.key_id, known.fingerprint) == (key_id, target.fingerprint)
        assert (target in late) != holds


ROLE = "arn:aws:iam::123456789012:role/"
UNDER_A_ROLE = Target(secret=OtherSecret(secret="legacy/{user}", role=f"{ROLE}x"))


@pytest.mark.parametrize(
    ("target", "changed"),
    [
        (FOUR[0], replace(FOUR[0], parameter=replace(FOUR[0].place, kms_key="alias/x"))),
        (UNDER_A_ROLE, replace(UNDER_A_ROLE, secret=replace(UNDER_A_ROLE.place, role=f"{ROLE}y"))),
        (FOUR[2], replace(FOUR[2], github=replace(FOUR[2].place, api="https://github.example.com/api/v3"))),
        (FOUR[3], replace(FOUR[3], gitlab=replace(FOUR[3].place, protected=False))),
    ],
)
def test_a_target_that_changes_is_written_again(target, changed):
    assert changed.name == target.name
    assert changed.fingerprint != target.fingerprint


def test_secrets_of_one_name_in_several_accounts_are_several_targets():
    roles = [f"arn:aws:iam::{account}:role/x" for account in ("111122223333", "444455556666")]
    targets = [{"secret": {"secret": "legacy/ci", "role": role}} for role in ["", *roles]]

    found = targets_of(settings({"match": "a", "targets": targets}).sync, UserName("a"))

    names = ["secret:legacy/ci", "secret:legacy/ci@111122223333", "secret:legacy/ci@444455556666"]
    assert [target.name for target in found] == names


def test_a_failure_is_published_at_once_and_every_day_and_a_success_once():
    life = synced(days=2)
    life.targets.down = {life.targets.names[0]}
    life.sync_records.records.clear()
    for _ in range(12):
        life.sync()
        life.clock.advance(hours=3)

    failures, successes = life.publisher.of(SecretSyncFailed), life.publisher.of(SecretSynced)
    assert [event.target for event in failures] == [life.targets.names[0]] * 2
    assert len([event for event in successes if event.target == life.targets.names[1]]) == 2


def test_one_broken_target_delays_no_other():
    life = synced(days=0.25)
    life.targets.down = {life.targets.names[0]}
    life.sync()

    assert set(life.targets.held) == set(life.targets.names[1:])


def test_an_error_that_quotes_the_key_is_published_without_it():
    life = synced(days=1)
    material = life.account._credential(life.name, life.account.current_key(life.name)).secret_access_key
    life.sync_records.records.clear()
    life.targets.write = lambda *_: (_ for _ in ()).throw(RuntimeError(f"PUT {material}"))

    life.sync()

    published = life.publisher.of(SecretSyncFailed)
    assert {event.reason for event in published} == {"an unexpected RuntimeError"}
    assert material not in str(life.sync_records.records)


def test_a_secret_that_is_not_ours_is_written_nowhere():
    life = synced(days=1)
    life.sync_records.records.clear()
    life.account.secrets[life.name].owner = None
    before = list(life.targets.writes)

    life.sync()

    assert life.targets.writes == before


def test_a_slow_account_is_left_to_the_next_run_in_time():
    life = synced(days=1)
    life.sync_records.records.clear()
    write = life.targets.write

    def slowly(target, credential):
        life.clock.advance(seconds=100)
        write(target, credential)

    life.targets.write = slowly
    written = len(life.targets.writes)
    life.sync()
    assert 0 < len(life.targets.writes) - written < len(FOUR)

    life.sync()
    life.sync()
    assert set(life.sync_records.find(life.name).targets) == set(life.targets.names)
