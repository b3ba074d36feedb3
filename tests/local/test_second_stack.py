"""A second stack of the account stands beside the first: names that AWS has once are the first one's."""

import pytest

from tests.local.aws.launched import REGION
from tests.local.stack import eventually

NAME = "ecr-steward-two"
PARAMETERS = {
    "Platform": "local",
    "CreateAccessModel": "false",
    "BusName": "steward-two",
    "AccessKeyRotation": "off",
    "PolicyDrift": "off",
}


@pytest.fixture
def second(stack):
    """The resources of a second stack, of the template that the first was deployed from."""
    cloudformation = stack.aws.client("cloudformation")
    first = stack.variables["STEWARD_STACK"]
    deployed = cloudformation.describe_stacks(StackName=first)["Stacks"][0]["Parameters"]
    template = cloudformation.get_template(StackName=first, TemplateStage="Original")["TemplateBody"]
    s3 = stack.aws.client("s3")
    s3.create_bucket(Bucket=NAME, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=NAME, Key="template.yaml", Body=template)
    architecture = [p for p in deployed if p["ParameterKey"] == "Architecture"]
    cloudformation.create_stack(
        StackName=NAME,
        TemplateURL=f"https://s3.{REGION}.amazonaws.com/{NAME}/template.yaml",
        Parameters=[
            *architecture,
            *({"ParameterKey": key, "ParameterValue": value} for key, value in PARAMETERS.items()),
        ],
        Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    status = eventually(lambda: finished(cloudformation), seconds=60)
    assert status == "CREATE_COMPLETE", [
        (event["LogicalResourceId"], event.get("ResourceStatusReason"))
        for event in cloudformation.describe_stack_events(StackName=NAME)["StackEvents"]
        if event["ResourceStatus"].endswith("FAILED")
    ]
    yield cloudformation.describe_stack_resources(StackName=NAME)["StackResources"]
    cloudformation.delete_stack(StackName=NAME)


def finished(cloudformation):
    status = cloudformation.describe_stacks(StackName=NAME)["Stacks"][0]["StackStatus"]
    return "" if status.endswith("IN_PROGRESS") else status


def test_a_second_stack_leaves_groups_and_users_to_the_first_and_has_a_bus_of_its_own(stack, second):
    kinds = {resource["ResourceType"] for resource in second}
    buses = {bus["Name"] for bus in stack.aws.client("events").list_event_buses()["EventBuses"]}

    assert not kinds & {"AWS::IAM::Group", "AWS::IAM::User"}
    assert "AWS::ApiGateway::RestApi" in kinds
    assert {"steward", "steward-two"} <= buses
