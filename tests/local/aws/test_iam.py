"""IAM groups in CloudFormation, and the managed policies of Amazon ECR."""

import json

import pytest

from tests.local.aws.launched import ACCOUNT, Key, allow, policy

READ_ONLY = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"
POWER_USER = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPowerUser"


def template(**group):
    resources = {
        "Group": {"Type": "AWS::IAM::Group", "Properties": group},
        "Member": {"Type": "AWS::IAM::User", "Properties": {"Groups": [{"Ref": "Group"}]}},
    }
    outputs = {
        "Name": {"Value": {"Ref": "Group"}},
        "Arn": {"Value": {"Fn::GetAtt": ["Group", "Arn"]}},
        "Member": {"Value": {"Ref": "Member"}},
    }
    return json.dumps({"Resources": resources, "Outputs": outputs})


@pytest.fixture
def stack(aws, name):
    """Deploys a template under one stack name and returns the outputs; deletes the stack in the end."""
    cloudformation, stack_name = aws.client("cloudformation"), name.replace("/", "-")

    def deploy(body):
        exists = any(found["StackName"] == stack_name for found in cloudformation.describe_stacks()["Stacks"])
        change = cloudformation.update_stack if exists else cloudformation.create_stack
        change(StackName=stack_name, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"])
        waiter = cloudformation.get_waiter("stack_update_complete" if exists else "stack_create_complete")
        waiter.wait(StackName=stack_name, WaiterConfig={"Delay": 0.1})
        outputs = cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]["Outputs"]
        return {output["OutputKey"]: output["OutputValue"] for output in outputs}

    yield deploy
    cloudformation.delete_stack(StackName=stack_name)


def key_of(aws, user_name):
    key = aws.client("iam").create_access_key(UserName=user_name)["AccessKey"]
    return Key(key["AccessKeyId"], key["SecretAccessKey"])


def test_a_group_grants_its_members_what_it_attaches(aws, stack, name):
    outputs = stack(template(ManagedPolicyArns=[READ_ONLY], Path="/ecr/"))

    member = aws.client("ecr", key_of(aws, outputs["Member"]))

    assert outputs["Arn"] == f"arn:aws:iam::{ACCOUNT}:group/ecr/{outputs['Name']}"
    assert member.describe_repositories() is not None
    with pytest.raises(member.exceptions.ClientError, match="AccessDenied"):
        member.create_repository(repositoryName=name)


def test_a_changed_group_is_changed_in_place(aws, stack):
    inline = {"PolicyName": "list", "PolicyDocument": json.loads(policy(allow("iam:ListUsers")))}
    before = stack(template(ManagedPolicyArns=[READ_ONLY]))

    after = stack(template(ManagedPolicyArns=[POWER_USER], Policies=[inline]))

    iam = aws.client("iam")
    attached = iam.list_attached_group_policies(GroupName=after["Name"])["AttachedPolicies"]
    assert after["Name"] == before["Name"]
    assert [found["PolicyArn"] for found in attached] == [POWER_USER]
    assert iam.list_group_policies(GroupName=after["Name"])["PolicyNames"] == ["list"]


def test_a_renamed_group_is_replaced_and_keeps_its_members(aws, stack, name):
    stack(template(GroupName=f"{name[-8:]}-old"))

    outputs = stack(template(GroupName=f"{name[-8:]}-new"))

    iam = aws.client("iam")
    groups = [group["GroupName"] for group in iam.list_groups()["Groups"]]
    members = [user["UserName"] for user in iam.get_group(GroupName=outputs["Name"])["Users"]]
    assert f"{name[-8:]}-old" not in groups
    assert members == [outputs["Member"]]


def test_the_power_user_policy_pushes_and_does_not_create(aws, name):
    aws.client("ecr").create_repository(repositoryName=name)
    power_user = aws.user(managed=[POWER_USER])

    pushed = aws.push(aws.login(power_user), name, "1")

    ecr = aws.client("ecr", power_user)
    assert pushed.status == 201
    with pytest.raises(ecr.exceptions.ClientError, match="AccessDenied"):
        ecr.create_repository(repositoryName=f"{name}-2")
