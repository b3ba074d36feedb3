"""IAM decides on every event that is put on a bus, and so does the bus's own policy."""

import json

import pytest

from tests.local.aws.launched import ACCOUNT, REGION, allow

OURS = {"StringEquals": {"events:source": "steward.ours"}}
BUS = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus"


def entry(source, bus="default", detail_type="Happened"):
    return {"Source": source, "DetailType": detail_type, "Detail": "{}", "EventBusName": bus}


def test_a_right_for_one_source_is_none_for_another(aws):
    events = aws.client("events", aws.user(allow("events:PutEvents", condition=OURS)))

    assert events.put_events(Entries=[entry("steward.ours")])["FailedEntryCount"] == 0
    with pytest.raises(events.exceptions.ClientError, match="AccessDenied"):
        events.put_events(Entries=[entry("steward.theirs")])


def test_every_entry_of_a_call_is_decided_on(aws):
    events = aws.client("events", aws.user(allow("events:PutEvents", condition=OURS)))

    with pytest.raises(events.exceptions.ClientError, match="AccessDenied"):
        events.put_events(Entries=[entry("steward.ours"), entry("steward.theirs")])


def test_a_right_for_one_detail_type_is_none_for_another(aws):
    condition = {"StringEquals": {"events:detail-type": "Happened"}}
    events = aws.client("events", aws.user(allow("events:PutEvents", condition=condition)))

    assert events.put_events(Entries=[entry("any")])["FailedEntryCount"] == 0
    with pytest.raises(events.exceptions.ClientError, match="AccessDenied"):
        events.put_events(Entries=[entry("any", detail_type="Invented")])


def test_the_policy_of_a_bus_keeps_a_source_for_one_role(aws, name):
    bus, role = name.replace("/", "-"), f"speaker-{name[-8:]}"
    only = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "events:PutEvents",
        "Resource": f"{BUS}/{bus}",
        "Condition": {
            "StringLike": {"events:source": "steward.*"},
            "ArnNotEquals": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/{role}"},
        },
    }
    resources = {
        "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": bus}},
        "Policy": {
            "Type": "AWS::Events::EventBusPolicy",
            "Properties": {"EventBusName": {"Ref": "Bus"}, "StatementId": "OnlyOne", "Statement": only},
        },
    }
    cloudformation = aws.client("cloudformation")
    cloudformation.create_stack(StackName=bus, TemplateBody=json.dumps({"Resources": resources}))
    cloudformation.get_waiter("stack_create_complete").wait(StackName=bus, WaiterConfig={"Delay": 0.1})

    speaker = aws.client("events", aws.session(allow("events:PutEvents"), role_name=role))
    other = aws.client("events", aws.session(allow("events:PutEvents")))

    assert speaker.put_events(Entries=[entry("steward.ours", bus)])["FailedEntryCount"] == 0
    assert other.put_events(Entries=[entry("another.source", bus)])["FailedEntryCount"] == 0
    with pytest.raises(other.exceptions.ClientError, match="AccessDenied"):
        other.put_events(Entries=[entry("steward.ours", bus)])


def test_the_principal_arn_of_a_session_is_its_roles(aws, name):
    role = f"named-{name[-8:]}"
    condition = {"ArnEquals": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/{role}"}}
    session = aws.session(allow("ecr:CreateRepository", condition=condition), role_name=role)

    assert aws.client("ecr", session).create_repository(repositoryName=name)


def test_the_operator_alone_may_invent_an_event_of_aws(aws):
    arrived = aws.queue_of({"source": ["aws.health"]})
    user = aws.client("events", aws.user(allow("events:*")))

    refused = user.put_events(Entries=[entry("aws.health", detail_type="by a user")])
    aws.client("events").put_events(Entries=[entry("aws.health", detail_type="by the operator")])

    assert refused["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"
    assert aws.receive(arrived)["detail-type"] == "by the operator"
