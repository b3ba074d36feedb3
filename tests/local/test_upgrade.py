"""A stack of an earlier commit is upgraded in place: nothing that it keeps is lost, and no event or alert changes."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from local.oci import image_of
from tests.local.aws.launched import Key
from tests.local.service_users import secret_of
from tests.local.subscriber import Subscriber
from tests.local.upgraded_stack import TRUST, UpgradedStack, earlier_sources

HOUSE_RULES = """\
callers:
  - {principals: ["self:role/ci-team-a"], repositories: ["team-a/**"], may_override: [lifecycle, tags], on_push: true}
  - {principals: ["self:user/demo-*"], repositories: ["demo/**"]}
repositories:
  - {match: "team-a/shared", lifecycle: {untagged_after_days: 14}, pull: {accounts: ["111122223333"]}}
  - {match: "**", name: default, mutable_tags: ["latest"], lifecycle: {untagged_after_days: 14}}
"""
ROTATION = """\
times: {rotate_after_days: 60, max_age_days: 90, quiet_days: 8, adoption_timeout_days: 7, keep_inactive_days: 14}
last_use_granularity_minutes: 0
overrides:
  - {match: "closed-*", secret_readers: ["arn:aws:iam::123456789012:role/reader"]}
replica_regions: [us-west-2]
verify: {over_seconds: 0.2, give_up_after_seconds: 5}
"""
STEADY, DRAINING, HALF_WAY, CLOSED = "steady", "draining", "half-way", "closed-steady"
USERS = (STEADY, DRAINING, HALF_WAY, CLOSED)
KNOWN, OPEN = "known-drift", "open-drift"
"""Roles with a finding; the first one's is acknowledged."""
TABLES = ("ProvisioningState", "RotationState", "DriftState", "AlertingState")
STATEFUL = {
    "AWS::CloudWatch::Alarm",
    "AWS::DynamoDB::Table",
    "AWS::ApiGateway::RestApi",
    "AWS::Events::EventBus",
    "AWS::IAM::Group",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Role",
    "AWS::IAM::User",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
}
"""Types of resources that keep something, or that permissions outside of the stack name."""

FIXED = {
    "AWS::DynamoDB::Table": ("TableName", "KeySchema"),
    "AWS::Events::EventBus": ("Name",),
    "AWS::IAM::Group": ("GroupName",),
    "AWS::IAM::ManagedPolicy": ("ManagedPolicyName", "Path"),
    "AWS::IAM::Role": ("RoleName", "Path"),
    "AWS::IAM::User": ("UserName",),
    "AWS::Logs::LogGroup": ("LogGroupName",),
    "AWS::S3::Bucket": ("BucketName", "ObjectLockEnabled"),
    "AWS::SNS::Topic": ("TopicName", "FifoTopic"),
    "AWS::SQS::Queue": ("QueueName", "FifoQueue"),
    "AWS::CloudWatch::Alarm": ("AlarmName",),
    "AWS::Serverless::Function": ("FunctionName", "PackageType"),
}
"""Type of resource -> properties whose change replaces it. Source: the AWS CloudFormation template reference."""


def fixed_properties(resource):
    if resource is None:
        return None
    properties = resource.get("Properties", {})
    return resource["Type"], {name: properties.get(name) for name in FIXED[resource["Type"]]}


@dataclass(frozen=True)
class Upgrade:
    """The stack after the upgrade, and what was there before and after."""

    stack: UpgradedStack
    writer: Key
    alerts: Subscriber
    published: dict
    """The events that the earlier functions published for inputs."""
    events: list
    """The events that were alerted, as the queue delivered them."""
    alerted: list
    """The messages that readers got."""
    templates: tuple
    """The resources of the earlier template and of the present one."""
    before: dict
    after: dict

    def current_key(self, user):
        """The key that consumers read before the upgrade."""
        versions = self.before["secrets"][secret_of(user)]["versions"].values()
        return next(json.loads(value)["AccessKeyId"] for stages, value in versions if "AWSCURRENT" in stages)


@pytest.fixture(scope="module")
def upgrade(tmp_path_factory):
    sources = earlier_sources(tmp_path_factory.mktemp("earlier"))
    if sources is None:
        pytest.skip("the history of this clone does not reach the commit that is upgraded")
    settings = {"house_rules.yaml": HOUSE_RULES, "rotation.yaml": ROTATION}
    stack = UpgradedStack(tmp_path_factory.mktemp("upgraded"), sources, settings)
    try:
        stack.deploy()
        alerts = Subscriber(stack)
        bus = stack.queue_of_events()
        writer = stack.pipeline("ci-team-a", "PUT/repositories/team-a/*", "GET/repositories/team-a/*")
        fill(stack, writer)
        published = stack.published_for_inputs("named-before")
        assert stack.is_quiet()
        events, alerted = stack.events_in(bus), list(alerts.read())
        templates, before = (stack.template(),), state_of(stack)
        stack.upgrade()
        templates += (stack.template(),)  # type: ignore[assignment]
        yield Upgrade(stack, writer, alerts, published, events, alerted, templates, before, state_of(stack))
    finally:
        stack.run("clean")


def fill(stack, writer):
    """Every kind of state that the functions keep."""
    for name in ("team-a/app", "team-a/shared"):
        assert stack.put(name, writer, {"tags": {"owner": "team-a"}}).status == 201
    stack.registry(writer).push(image_of("Pushed before the upgrade.\n"), "team-a/app", "1")
    for name in USERS:
        stack.enrol(name)
        assert stack.advance(name)
    assert stack.rotate(DRAINING)
    stack.stop_half_way(HALF_WAY)
    for role in (KNOWN, OPEN):
        stack.aws.client("iam").create_role(RoleName=role, AssumeRolePolicyDocument=TRUST)
    stack.scan()
    stack.drift(KNOWN, OPEN)
    stack.acknowledge(KNOWN, expires=(datetime.now(UTC) + timedelta(days=30)).isoformat(timespec="seconds"))


def state_of(stack):
    return {
        "repositories": stack.repositories(),
        "keys": stack.keys(),
        "secrets": stack.secrets(),
        "baseline": stack.baseline(),
        "users": stack.ask("GET", "/service-users").document,
        "findings": {role: stack.finding(role) for role in (KNOWN, OPEN)},
        "resources": stack.resources(),
        **{table: stack.items(table) for table in TABLES},
    }


def test_the_state_before_the_upgrade_is_of_every_kind(upgrade):
    before = upgrade.before
    half_way = before["secrets"][secret_of(HALF_WAY)]["versions"]

    assert before["repositories"]["team-a/app"]["images"]
    assert before["repositories"]["team-a/shared"]["policy"]
    assert {name: len(before["keys"][name]) for name in USERS} == {STEADY: 1, DRAINING: 2, HALF_WAY: 2, CLOSED: 1}
    assert [stages for stages, _ in half_way.values() if "AWSPENDING" in stages] == [["AWSPENDING"]]
    assert "role/reader" in before["secrets"][secret_of(CLOSED)]["policy"]
    assert [before["findings"][role]["state"] for role in (KNOWN, OPEN)] == ["ACKNOWLEDGED", "OPEN"]
    assert any(OPEN in message["Subject"] for message in upgrade.alerted)


def without_removed(members):
    """The worker judges each user itself, so no event says any more when the planner did. A body is read, too."""
    kept = {name: value for name, value in members.items() if name != "judged_at"}
    if str(kept.get("body", "")).startswith("{"):
        kept["body"] = json.loads(kept["body"])
    return kept


def members_before(before, after):
    """What is there now, without the members of objects that were not there before."""
    if isinstance(before, dict) and isinstance(after, dict):
        return {name: members_before(before[name], member) for name, member in after.items() if name in before}
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [members_before(*pair) for pair in zip(before, after, strict=True)]
    return after


NOT_ON_THE_LOCAL_AWS = {"RotationPlannerAlarm", "DriftScanAlarm"}
"""They use metric math, which the local AWS refuses; on AWS they stay."""


@pytest.mark.parametrize("kept", ["repositories", "keys", "secrets", "baseline", *TABLES])
def test_an_upgrade_changes_nothing_that_the_stack_keeps(upgrade, kept):
    assert upgrade.after[kept] == upgrade.before[kept]


@pytest.mark.parametrize("shown", ["users", "findings"])
def test_an_upgrade_changes_no_member_of_what_the_api_shows(upgrade, shown):
    before, after = upgrade.before[shown], upgrade.after[shown]

    assert members_before(before, after) == before


def test_an_upgrade_replaces_and_removes_no_resource_that_keeps_something(upgrade):
    kept = {
        name: resource
        for name, resource in upgrade.before["resources"].items()
        if resource[0] in STATEFUL and name not in NOT_ON_THE_LOCAL_AWS
    }

    assert kept.items() <= upgrade.after["resources"].items()


def test_an_upgrade_changes_no_property_that_makes_aws_replace_a_resource(upgrade):
    """The local AWS updates in place what AWS would replace, so the templates are compared, too."""
    before, after = upgrade.templates

    assert {name: fixed_properties(before[name]) for name in before if before[name]["Type"] in FIXED} == {
        name: fixed_properties(after.get(name)) for name in before if before[name]["Type"] in FIXED
    }


def test_no_alert_is_sent_twice(upgrade):
    """The same drift is scanned again, and every event that was alerted is delivered again."""
    stack = upgrade.stack
    upgrade.alerts.messages.clear()
    stack.scan()
    for event in upgrade.events:
        stack.deliver_again(event)
    assert stack.is_quiet()

    subjects = {message["Subject"] for message in upgrade.alerted}

    assert [message for message in upgrade.alerts.read() if message["Subject"] in subjects] == []


def test_inputs_lead_to_the_same_events_as_before(upgrade):
    """But for ids and times, and for members that an event did not have before."""
    after = upgrade.stack.published_for_inputs("named-after")
    before, after = (
        {name: json.loads(text, object_hook=without_removed) for name, text in published.items()}
        for published in (upgrade.published, after)
    )

    assert members_before(before, after) == before


def test_a_rotation_that_was_half_way_is_finished_with_the_key_that_it_had_made(upgrade):
    stack = upgrade.stack
    pending = upgrade.before["keys"][HALF_WAY].keys() - {upgrade.current_key(HALF_WAY)}

    assert stack.advance(HALF_WAY)

    assert {stack.current_key(HALF_WAY)} == pending
    assert stack.keys()[HALF_WAY] == upgrade.before["keys"][HALF_WAY]


def test_a_user_without_a_key_gets_one(upgrade):
    upgrade.stack.enrol("newcomer")

    assert upgrade.stack.advance("newcomer")
    assert list(upgrade.stack.keys()["newcomer"].values()) == ["Active"]


def test_the_api_answers_about_what_was_there_before(upgrade):
    stack, operator = upgrade.stack, upgrade.stack.key()
    repository = stack.put("team-a/app", upgrade.writer, {"tags": {"owner": "team-a"}})
    user = stack.call("GET", f"/service-users/{DRAINING}", operator)

    assert repository.status == 200
    assert {key["id"] for key in user.document["keys"]} == upgrade.before["keys"][DRAINING].keys()
    assert stack.put("team-a/another", upgrade.writer).status == 201
