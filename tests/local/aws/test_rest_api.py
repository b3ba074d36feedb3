"""A REST API deployed by SAM: what it refuses by itself is answered through its gateway responses."""

import json
import time

import pytest

from tests.local.aws.launched import ACCOUNT, REGION, Key, allow

TOO_LARGE = b'"' + b"x" * (11 * 1024 * 1024) + b'"'


@pytest.fixture
def pipeline(project):
    return project.key("DEMO_PIPELINE_")


def problem(reply):
    """Status and kind of a refusal, which must be a problem document."""
    assert reply.headers["Content-Type"] == "application/problem+json"
    return reply.status, reply.document["type"]


def test_a_call_that_is_not_signed(project):
    reply = project.aws.http("PUT", project.variables["STEWARD_API_URL"] + "/repositories/team-a/x")

    assert problem(reply) == (403, "MISSING_AUTHENTICATION_TOKEN")


def test_a_call_that_iam_refuses(project):
    reply = project.call("PUT", "/repositories/team-a/x", project.key("DEMO_OUTSIDER_"))

    assert problem(reply) == (403, "ACCESS_DENIED")
    assert "demo-outsider" in reply.document["detail"]


def test_a_call_that_is_signed_with_a_wrong_secret(project, pipeline):
    reply = project.call("PUT", "/repositories/team-a/x", Key(pipeline.access_key_id, "wrong"))

    assert problem(reply) == (403, "INVALID_SIGNATURE")


def test_a_call_that_is_signed_with_a_session_that_has_expired(project):
    expired = project.aws.session(allow("execute-api:Invoke"), seconds=1)
    time.sleep(1.1)

    reply = project.call("PUT", "/repositories/team-a/x", expired)

    assert problem(reply) == (403, "EXPIRED_TOKEN")


def test_a_call_that_is_signed_with_an_unknown_key(project):
    reply = project.call("PUT", "/repositories/team-a/x", Key("AKIANOBODYNOBODYNOBO", "wrong"))

    assert problem(reply)[0] == 403


@pytest.mark.parametrize("signed_for", [{"service": "s3"}, {"region": "us-east-1"}])
def test_a_call_that_is_signed_for_somewhere_else(project, pipeline, signed_for):
    reply = project.call("PUT", "/repositories/team-a/x", pipeline, **signed_for)

    assert problem(reply) == (403, "INVALID_SIGNATURE")


def test_a_path_that_the_api_does_not_have(project):
    reply = project.call("GET", "/nowhere", project.key())

    assert problem(reply) == (403, "MISSING_AUTHENTICATION_TOKEN")


@pytest.mark.parametrize("body", [b"not JSON", b"[]", b'{"repositories": "a"}', b"{}"])
def test_a_body_that_the_model_refuses_has_the_status_that_the_template_says(project, pipeline, body):
    assert problem(project.call("POST", "/repositories", pipeline, body)) == (422, "BAD_REQUEST_BODY")


def test_a_body_of_more_than_ten_megabytes(project, pipeline):
    assert problem(project.call("PUT", "/repositories/team-a/x", pipeline, TOO_LARGE)) == (413, "REQUEST_TOO_LARGE")


def test_a_function_that_fails_reveals_nothing_of_its_inside(project, pipeline):
    reply = project.call("PUT", "/repositories/fail/now", pipeline)

    assert problem(reply) == (502, "DEFAULT_5XX")
    assert reply.document["detail"] == "Internal server error"


def test_a_path_is_decided_on_as_it_is_sent(project):
    api = project.variables["STEWARD_API_URL"].split("/")[-2]
    arn = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/v1/PUT/repositories/team-a/*"
    limited = project.aws.session(allow("execute-api:Invoke", resource=arn))

    assert project.call("PUT", "/repositories/team-a/scoped", limited).status == 201
    assert project.call("PUT", "/repositories/team-b/scoped", limited).status == 403


def test_an_event_of_the_function_names_the_caller(project, pipeline):
    queue = project.aws.client("sqs").get_queue_url(QueueName="fixture-seen")["QueueUrl"]
    project.aws.client("sqs").purge_queue(QueueUrl=queue)

    project.call("PUT", "/repositories/team-a/told", pipeline)

    event = project.aws.receive(queue)
    assert event["detail"] == {"name": "team-a/told", "caller": f"arn:aws:iam::{ACCOUNT}:user/demo/demo-pipeline"}


def test_the_groups_of_the_stack_grant_what_they_attach(project):
    attached = project.aws.client("iam").list_attached_group_policies(GroupName="fixture-readers")["AttachedPolicies"]

    assert [policy["PolicyName"] for policy in attached] == ["AmazonEC2ContainerRegistryReadOnly"]


def test_a_resource_policy_in_the_body_denies_who_iam_allows(aws, name):
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "execute-api:Invoke",
        "Resource": "execute-api:/v1/GET/closed",
    }
    method = {"security": [{"iam": []}], "x-amazon-apigateway-integration": {"type": "mock"}}
    iam = {"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4"}
    body = {
        "openapi": "3.0.1",
        "paths": {"/closed": {"get": method}, "/open": {"get": method}},
        "components": {"securitySchemes": {"iam": iam}},
        "x-amazon-apigateway-policy": {"Version": "2012-10-17", "Statement": [deny]},
    }
    resources = {
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Body": body}},
        "Deployment": {
            "Type": "AWS::ApiGateway::Deployment",
            "Properties": {"RestApiId": {"Ref": "Api"}, "StageName": "v1"},
        },
    }
    outputs = {"Api": {"Value": {"Ref": "Api"}}}
    cloudformation, stack = aws.client("cloudformation"), name.replace("/", "-")
    cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps({"Resources": resources, "Outputs": outputs}))
    cloudformation.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 0.1})
    api = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["Outputs"][0]["OutputValue"]
    caller = aws.user(allow("execute-api:Invoke"))

    closed, opened = (aws.signed("GET", f"/_aws/execute-api/{api}/v1/{path}", caller) for path in ("closed", "open"))

    assert closed.status == 403
    assert "explicit deny" in closed.document["Message"]
    assert opened.status == 200
