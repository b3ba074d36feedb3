"""Every check ends in one of four states; what could not be read is never well, and stops no other check."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from health.application.check_health import OF_THE_STACK
from health.domain.facts import Bucket, IamEvents, Rule, Subscription, Table, Trail
from health.domain.report import Report, Result, State
from health.domain.rules import iam_events_arrive, trail_records
from steward.errors import UpstreamError
from tests.doubles.broken_stacks import BROKEN, healthy, report_of, stopped_trail
from tests.doubles.checked_account import NOW, READERS, REGION, CheckedAccount
from tests.functional.contract import Contract


@pytest.fixture
def account():
    return CheckedAccount()


def states(report):
    return {result.check: result.state for result in report.results}


def test_a_healthy_stack_has_nothing_to_mend():
    report = report_of(healthy)

    assert report.state is State.OK
    assert all(not result.mend for result in report.results)


@pytest.mark.parametrize("change", BROKEN, ids=lambda change: change.__name__)
def test_what_is_broken_has_a_command_that_mends_it(change):
    bad = [result for result in report_of(change).results if result.state in {State.BROKEN, State.WARNING}]

    assert bad
    assert all(result.mend for result in bad)


@pytest.mark.parametrize("change", [healthy, *BROKEN], ids=lambda change: change.__name__)
def test_the_answer_is_as_its_contract_says(change):
    contract = Contract("health")

    contract.check({"$ref": "#/components/schemas/Health"}, report_of(change).document())


@pytest.mark.parametrize("right", READERS)
def test_a_check_without_its_right_is_unknown_and_names_it(account, right):
    account.denied = {right}

    report = account.check()

    missing = [result for result in report.results if result.missing_right == right]
    assert missing
    assert {result.state for result in missing} == {State.UNKNOWN}
    assert report.state is State.UNKNOWN


@given(st.sets(st.sampled_from(sorted(READERS))))
def test_checks_do_not_depend_on_each_other(denied):
    account = CheckedAccount()
    account.denied = denied - {"cloudformation:DescribeStacks"}

    found = states(account.check())

    unknown = {check for check, state in found.items() if state is State.UNKNOWN}
    assert len(found) == 15
    assert all(state is State.OK for check, state in found.items() if check not in unknown)
    assert bool(unknown) == bool(account.denied)


def test_without_its_resources_nothing_of_the_stack_is_well(account):
    account.denied = {"cloudformation:DescribeStacks"}

    found = states(account.check())

    assert {check for check, state in found.items() if state is State.OK} == {
        "trail",
        "house rules",
        "quarantine",
        "secret readers",
        "settings",
        "alarms",
    }


def test_a_stack_without_resources_is_not_taken_for_one_of_another_version(account):
    account.answers["stack"] = replace(account.answers["stack"], status="ROLLBACK_COMPLETE", resources={})

    unknown = [result for result in account.check().results if result.state is State.UNKNOWN]

    assert {result.check for result in unknown} == set(OF_THE_STACK)
    assert {(result.detail, result.mend) for result in unknown} == {("the stack has no resources", ())}


def test_an_answer_that_does_not_come_is_unknown(account):
    account.failing["trails"] = UpstreamError("AWS could not be reached")

    (trail,) = [result for result in account.check().results if result.check == "trail"]

    assert (trail.state, trail.missing_right) == (State.UNKNOWN, "")
    assert "could not be reached" in trail.detail


def test_a_stack_of_another_version_is_not_called_well(account):
    stack = account.answers["stack"]
    account.answers["stack"] = replace(
        stack, resources={k: v for k, v in stack.resources.items() if k != "AlertingState"}
    )

    assert states(account.check())["tables"] is State.UNKNOWN


def test_a_table_that_is_gone_hides_none_that_cannot_be_restored(account):
    account.tables["DriftState"] = Table(None, None)
    account.tables["SyncState"] = Table("ACTIVE", recoverable=False)
    account.tables["RotationState"] = Table("UPDATING", recoverable=True)

    (tables,) = [result for result in account.check().results if result.check == "tables"]

    assert tables.state is State.BROKEN
    assert all(name in tables.detail for name in ("DriftState", "SyncState", "RotationState"))
    assert [command.split()[2] for command in tables.mend] == ["restore-table-from-backup", "update-continuous-backups"]


@pytest.mark.parametrize("name", ["ProvisioningState", "AlertingState"])
def test_a_table_without_a_memory_is_made_again_as_the_template_has_it(account, name):
    account.tables[name] = Table(None, None)

    (tables,) = [result for result in account.check().results if result.check == "tables"]

    made, _, expires = tables.mend
    assert ("AttributeName=member,KeyType=RANGE" in made) == (name == "AlertingState")
    assert "Enabled=true,AttributeName=expiration" in expires


@pytest.mark.parametrize(("region", "placed"), [("eu-central-1", True), ("us-east-1", False)])
def test_a_bucket_that_is_gone_is_made_again_in_the_home_region(region, placed):
    account = CheckedAccount(region)
    account.buckets["ReportsBucket"] = Bucket(exists=False)

    (buckets,) = [result for result in account.check().results if result.check == "buckets"]

    assert buckets.state is State.BROKEN
    assert (f"LocationConstraint={region}" in buckets.mend[0]) == placed


def test_a_bucket_of_another_account_that_is_gone_is_not_made_again_in_this_one(account):
    """Its name would be taken, and its owner could not have it back."""
    stack = account.answers["stack"]
    owned = {"BaselineBucketOwner": "999988887777"}
    account.answers["stack"] = replace(stack, parameters={**stack.parameters, **owned})
    account.owners["BaselineBucket"] = "999988887777"
    account.buckets["BaselineBucket"] = Bucket(exists=False)

    (buckets,) = [result for result in account.check().results if result.check == "buckets"]

    assert buckets.state is State.BROKEN
    assert "the account 999988887777 must make it again" in buckets.detail
    assert not any("create-bucket" in command for command in buckets.mend)


def test_at_home_in_us_east_1_nothing_is_forwarded():
    account = CheckedAccount("us-east-1")
    account.answers["forwarding_rules"] = []
    account.answers["trails"] = [Trail("t", "us-east-1", multi_region=False, logging=True, writes=True)]

    found = states(account.check())

    assert (found["forwarding"], found["trail"]) == (State.OK, State.OK)


def test_a_disabled_rule_forwards_nothing(account):
    account.answers["forwarding_rules"] = [Rule("global-IamChanges", enabled=False)]

    assert states(account.check())["forwarding"] is State.BROKEN


def test_one_pending_mail_among_confirmed_ones_is_a_warning(account):
    account.subscribed["AlarmTopic"].append(Subscription("email", "new@example.com", confirmed=False))

    assert states(account.check())["alarm topic"] is State.WARNING


@pytest.mark.parametrize("cause", ["trail", "forwarding"])
def test_events_that_stopped_are_mended_as_what_they_come_through_is(account, cause):
    """To deploy the forwarding again does not help while a trail is off."""
    stopped_trail(account)
    if cause == "forwarding":
        account.answers["trails"] = [Trail("management-events", REGION, multi_region=True, logging=True, writes=True)]
        account.answers["forwarding_rules"] = [Rule("global-IamChanges", enabled=False)]

    found = {result.check: result for result in account.check().results}

    assert found[cause].state is found["IAM events"].state is State.BROKEN
    assert found["IAM events"].mend == found[cause].mend


def test_events_of_iam_do_not_matter_without_policy_drift(account):
    account.answers["stack"] = replace(account.answers["stack"], parameters={"PolicyDrift": "off"})
    account.answers["forwarding_rules"] = []

    found = states(account.check())

    assert (found["forwarding"], found["IAM events"]) == (State.OK, State.OK)


@pytest.mark.parametrize(
    ("found", "state", "said"),
    [
        ([], State.BROKEN, "no trail records write management events in eu-central-1 and us-east-1"),
        ([Trail("audit", REGION, multi_region=False, logging=True, writes=True)], State.BROKEN, "eu-central-1 alone"),
        ([Trail("org", "us-east-1", multi_region=True, logging=True, writes=True)], State.OK, "org records"),
        ([Trail("org", "us-east-1", multi_region=True, logging=None, writes=None)], State.UNKNOWN, "org may record"),
    ],
    ids=["without a trail", "one region's", "an organization's, of its owner", "an organization's, of another account"],
)
def test_each_kind_of_trail_is_said_to_be_what_it_is(account, found, state, said):
    account.answers["trails"] = found

    (trail,) = [result for result in account.check().results if result.check == "trail"]

    assert trail.state is state
    assert said in trail.detail
    assert bool(trail.mend) is (state is State.BROKEN)


trails = st.builds(
    Trail,
    st.just("t"),
    st.sampled_from([REGION, "us-east-1", "eu-west-1"]),
    st.booleans(),
    st.sampled_from([True, False, None]),
    st.sampled_from([True, False, None]),
)


@given(st.lists(trails, max_size=4))
def test_trails_are_well_only_if_both_regions_are_surely_recorded(found):
    result = trail_records(found, REGION)

    surely = all(any(trail.records(region) for trail in found) for region in (REGION, "us-east-1"))
    assert (result.state is State.OK) == surely
    assert result.state is not State.BROKEN or result.mend


@given(
    st.none() | st.timedeltas(timedelta(0), timedelta(days=14)),
    st.none() | st.timedeltas(timedelta(0), timedelta(days=14)),
)
def test_events_that_stopped_are_never_called_well(change, arrival):
    events = IamEvents(NOW - change if change is not None else None, NOW - arrival if arrival is not None else None)

    state = iam_events_arrive(events, NOW, REGION).state

    if (
        change is not None
        and change >= timedelta(hours=2)
        and (arrival is None or arrival > change + timedelta(hours=2))
    ):
        assert state is State.BROKEN
    if arrival is None:
        assert state is not State.OK


@given(st.lists(st.sampled_from(list(State))))
def test_a_report_is_as_bad_as_its_worst_check(found):
    report = Report("s", "1", "r", [Result("c", state, "d") for state in found])

    order = [State.OK, State.WARNING, State.UNKNOWN, State.BROKEN]
    assert report.state is (max(found, key=order.index) if found else State.UNKNOWN)
