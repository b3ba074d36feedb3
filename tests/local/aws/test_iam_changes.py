"""The changes of the benchmark, played on the IAM of the local AWS: what is found is what they say must be told."""

import json
from fnmatch import fnmatchcase

import pytest

from benchmarks.drift_changes.change import ACCOUNT, NOT_TEXTS, PLACEHOLDER, Call
from benchmarks.drift_changes.changes import CHANGES
from policy_drift.adapters.iam_account import IamAccount
from policy_drift.domain.access.live_state import more_than
from tests.doubles.shipped_severities import drifts
from tests.local.aws.launched import launch, stop

OF_EVENTS = ("transient:", "credential:", "provider:", "profile:", "tag:")
"""Findings that begin with an event: no comparison of policies shows them."""


@pytest.fixture(scope="module")
def iam(tmp_path_factory):
    """An account that everything approved is in."""
    running = launch(tmp_path_factory.mktemp("aws"))
    client = running.client("iam", region="us-east-1")
    for change in CHANGES:
        play(client, change.given)
    yield client
    stop(running)


@pytest.fixture(scope="module")
def approved(iam):
    return snapshot(iam)


def play(iam, calls):
    for call in calls:
        if isinstance(call, Call) and call.by != "outsider":
            parameters = {name: of_the_api(iam, name, value) for name, value in call.parameters.items()}
            getattr(iam, call.method)(**parameters)


def of_the_api(iam, name, value):
    """A parameter of the command line as boto3 wants it, with unique ids in the place of names."""
    if name in NOT_TEXTS:
        return json.loads(value)
    return PLACEHOLDER.sub(lambda named: made_up(iam, *named.groups()), value)


def made_up(iam, kind, name):
    if kind == "key":
        return iam.list_access_keys(UserName=name)["AccessKeyMetadata"][0]["AccessKeyId"]
    if kind == "user":
        return iam.get_user(UserName=name)["User"]["UserId"]
    return iam.get_role(RoleName=name)["Role"]["RoleId"]


def snapshot(iam):
    return IamAccount(iam, ACCOUNT).snapshot().account


def found(approved, iam, change):
    return {
        drift.finding_id: drift
        for drift in drifts(approved, snapshot(iam)).found
        if drift.entity in change.entities or drift.finding_id in change.adopted
    }


def in_short(expected, drift, before):
    """What a drift is, in the words in which it was expected; wildcards in these fit what they stand for.

    The request is that which was not allowed ``before`` either, when the drift was told already.
    """
    shown = (before and more_than(before.live, drift.live)) or drift.newly_allowed
    action = shown[0].action if shown else ""
    seen = (drift.severity.name, drift.verdict.value, action)
    wanted = (expected.severity, expected.verdict, expected.action)
    return wanted if all(fnmatchcase(*pair) for pair in zip(seen, wanted, strict=True)) else seen


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_a_change_is_what_it_is_said_to_be(change, iam, approved):
    """Every step is found as it must be told, with nothing else; undone, it leaves what only an adoption ends."""
    known, before = set(), {}
    for step in change.steps:
        play(iam, step.calls)
        expected = {one.finding: one for one in step.told if not one.finding.startswith(OF_EVENTS)}
        known |= expected.keys()

        drifted = found(approved, iam, change)

        assert drifted.keys() == known
        assert {name: in_short(one, drifted[name], before.get(name)) for name, one in expected.items()} == {
            name: (one.severity, one.verdict, one.action) for name, one in expected.items()
        }
        before = drifted

    play(iam, change.undo)

    assert found(approved, iam, change).keys() == {one for one in change.adopted if not one.startswith(OF_EVENTS)}


def test_no_two_changes_share_anybody():
    """So all of them can be under way at once."""
    entities = [entity for change in CHANGES for entity in change.entities]

    assert sorted(entities) == sorted(set(entities))
