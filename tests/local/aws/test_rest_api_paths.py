"""Gateway responses tell the path that was asked for."""

import json

import pytest


@pytest.fixture
def api(aws, name):
    """An API with one stage and no route, whose gateway responses tell the path."""
    gateway = aws.client("apigateway")
    api = gateway.create_rest_api(name=name)["id"]
    gateway.put_gateway_response(
        restApiId=api,
        responseType="MISSING_AUTHENTICATION_TOKEN",
        responseTemplates={"application/json": json.dumps({"instance": "$context.path"})},
    )
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    gateway.put_method(restApiId=api, resourceId=root, httpMethod="GET", authorizationType="NONE")
    gateway.put_integration(restApiId=api, resourceId=root, httpMethod="GET", type="MOCK")
    gateway.create_deployment(restApiId=api, stageName="v1")
    return api


def test_the_path_has_the_stage_and_stays_encoded(aws, api):
    reply = aws.http("GET", f"/_aws/execute-api/{api}/v1/repositories/team-a%20b/%22x")

    assert reply.status == 403
    assert reply.document == {"instance": "/v1/repositories/team-a%20b/%22x"}
