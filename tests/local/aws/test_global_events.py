"""global-events.yaml, deployed: what only us-east-1 hears arrives on the bus of the home region."""

import json
import time

import pytest

from tests.local.aws.launched import ACCOUNT, REGION, REPOSITORY

GLOBAL = "us-east-1"


@pytest.fixture(scope="module")
def home(aws):
    """The bus of the home region, to which the deployed stack forwards."""
    bus = f"steward-{time.monotonic_ns()}"
    aws.client("events").create_event_bus(Name=bus)
    cloudformation = aws.client("cloudformation", region=GLOBAL)
    cloudformation.create_stack(
        StackName=bus,
        TemplateBody=(REPOSITORY / "global-events.yaml").read_text(),
        Parameters=[
            {"ParameterKey": "HomeRegion", "ParameterValue": REGION},
            {"ParameterKey": "BusName", "ParameterValue": bus},
        ],
        Capabilities=["CAPABILITY_IAM"],
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName=bus, WaiterConfig={"Delay": 0.1})
    yield bus
    cloudformation.delete_stack(StackName=bus)


def test_a_change_in_iam_arrives_at_home_with_the_region_that_it_comes_from(aws, home, name):
    arrived = aws.queue_of({"source": ["aws.iam"], "detail": {"eventName": ["CreateUser"]}}, bus=home)

    aws.client("iam").create_user(UserName=name[-8:])

    event = aws.receive(arrived)
    assert event["region"] == GLOBAL
    assert event["account"] == ACCOUNT
    assert event["detail"]["requestParameters"]["userName"] == name[-8:]


def test_what_concerns_another_service_stays_where_it_is(aws, home, name):
    arrived = aws.queue_of({"source": [{"prefix": "aws."}]}, bus=home)

    aws.client("ecr", region=GLOBAL).create_repository(repositoryName=name)
    aws.client("iam").create_user(UserName=name[-8:])

    assert aws.receive(arrived)["source"] == "aws.iam"
    assert aws.receive(arrived, seconds=0) is None


def test_the_stack_outputs_its_dead_letter_queue(aws, home):
    stack = aws.client("cloudformation", region=GLOBAL).describe_stacks(StackName=home)["Stacks"][0]

    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    assert aws.receive(outputs["DeadLettersUrl"], region=GLOBAL, seconds=0) is None
    assert outputs["AlarmTopicArn"].startswith(f"arn:aws:sns:{GLOBAL}:{ACCOUNT}:")


@pytest.mark.parametrize(
    "code",
    [
        "AWS_RISK_CREDENTIALS_EXPOSED",
        "AWS_RISK_CREDENTIALS_EXPOSURE_SUSPECTED",
        "AWS_RISK_CREDENTIALS_COMPROMISED",
        "AWS_RISK_CREDENTIALS_COMPROMISE_SUSPECTED",
        "AWS_RISK_IAM_QUARANTINE",
    ],
)
def test_an_exposed_key_that_aws_health_finds_arrives_at_home(aws, home, code):
    arrived = aws.queue_of({"source": ["aws.health"]}, bus=home)
    detail = {
        "service": "RISK",
        "eventTypeCode": code,
        "eventTypeCategory": "issue",
        "affectedEntities": [{"entityValue": "AKIAEXPOSEDEXPOSED00"}],
    }
    other = detail | {"eventTypeCode": "AWS_IAM_OPERATIONAL_NOTIFICATION"}
    entries = [
        {"Source": "aws.health", "DetailType": "AWS Health Event", "Detail": json.dumps(body)}
        for body in (other, detail)
    ]

    aws.client("events", region=GLOBAL).put_events(Entries=entries)

    assert aws.receive(arrived)["detail"] == detail
    assert aws.receive(arrived, seconds=0) is None
