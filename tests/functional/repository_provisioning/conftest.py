"""The handlers as Lambda imports them, with the environment of ``template.yaml``, on moto's AWS."""

import importlib
import json
import sys
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.ecr.models import ecr_backends

from tests.functional.repository_provisioning.contract import check_response

ACCOUNT, REGION = "123456789012", "ca-central-1"
EVENTS = Path(__file__).parents[3] / "events" / "repository_provisioning"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
    "AWS_LAMBDA_FUNCTION_NAME": "steward-repositories",
    "POWERTOOLS_TRACE_DISABLED": "true",
    "POWERTOOLS_LOG_LEVEL": "INFO",
    "STATE_TABLE": "state",
    "STEWARD_ACCOUNT": ACCOUNT,
    "STEWARD_BUS": "steward",
    "STEWARD_STACK": "steward",
}
HANDLERS = ("repository_provisioning.api_handler", "repository_provisioning.failed_push_handler")


@cache
def client_of(service):
    """A client for the tests' own use; moto answers it afresh in every test."""
    return boto3.client(service, region_name=REGION, aws_access_key_id="testing", aws_secret_access_key="testing")


class LambdaContext:
    function_name = "steward-repositories"
    memory_limit_in_mb = 1024
    invoked_function_arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:steward-repositories"
    aws_request_id = "11111111-2222-3333-4444-555555555555"

    def get_remaining_time_in_millis(self) -> int:
        return 29_000


@pytest.fixture
def aws(monkeypatch):
    """What the stack has before its first call: a table, a bus, and a queue that hears all of it."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        client_of("dynamodb").create_table(
            TableName="state",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
        client_of("events").create_event_bus(Name="steward")
        # The kernel sets this filter when a handler is first imported; pytest forgets it after every test.
        warnings.filterwarnings("ignore", "No application metrics to publish")
        yield


def _listen_to_the_bus():
    events, sqs = client_of("events"), client_of("sqs")
    events.put_rule(Name="all", EventBusName="steward", EventPattern='{"source": [{"prefix": "steward."}]}')
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:heard"
    sqs.create_queue(QueueName="heard")
    events.put_targets(Rule="all", EventBusName="steward", Targets=[{"Id": "heard", "Arn": arn}])


@pytest.fixture
def heard(aws):
    """Everything that was published since the last look."""
    _listen_to_the_bus()

    def read():
        sqs = client_of("sqs")
        url = sqs.get_queue_url(QueueName="heard")["QueueUrl"]
        messages = []
        while batch := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            messages += [json.loads(message["Body"]) for message in batch]
            for message in batch:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return messages

    return read


@pytest.fixture
def ecr(aws):
    return client_of("ecr")


@pytest.fixture
def settled(aws):
    """Makes every repository look as if it were created long ago."""

    def age():
        for repository in ecr_backends[ACCOUNT][REGION].repositories.values():
            repository.created_at = repository.created_at.replace(year=2020)

    return age


@pytest.fixture
def house_rules(tmp_path, monkeypatch):
    """Puts other house rules into the settings layer; None leaves the file out."""

    def deploy(text):
        layer = tmp_path / "settings"
        layer.mkdir(exist_ok=True)
        (layer / "__init__.py").touch()
        if text is not None:
            (layer / "house_rules.yaml").write_text(text, encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        for module in ("settings", *HANDLERS):
            monkeypatch.delitem(sys.modules, module, raising=False)

    yield deploy
    for module in ("settings", *HANDLERS):
        sys.modules.pop(module, None)


@pytest.fixture
def cold_start(aws, monkeypatch):
    """Imports a handler module as Lambda does: once per environment, and anew when that changes."""

    def start(module, **environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return importlib.import_module(module)

    return start


def sample(name: str) -> dict[str, Any]:
    return json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))


class Api:
    """Calls the API's handler as the gateway does, and holds every answer to the contract."""

    def __init__(self, cold_start):
        self._cold_start = cold_start
        self._handler = None

    def restart(self, **environment):
        self._handler = self._cold_start("repository_provisioning.api_handler", **environment)

    def send(self, event):
        if self._handler is None:
            self.restart()
        answer = self._handler.lambda_handler(event, LambdaContext())
        check_response(event, answer)
        headers = {name: values[0] for name, values in answer["multiValueHeaders"].items()}
        return answer["statusCode"], headers, json.loads(answer["body"])

    def call(self, method, path, body=None, *, by="role", query=None, headers=None, raw=None):
        event = sample(f"whoami_by_{by}")
        event |= {"httpMethod": method, "path": path, "queryStringParameters": query}
        event["multiValueQueryStringParameters"] = query and {name: [value] for name, value in query.items()}
        if path.startswith("/repositories/"):
            event |= {"resource": "/repositories/{name+}", "pathParameters": {"name": path[len("/repositories/") :]}}
        else:
            event["resource"] = path
        sent = {"Content-Type": "application/json"} if body is not None or raw is not None else {}
        event["headers"] = {**event["headers"], **sent, **(headers or {})}
        event["multiValueHeaders"] = {name: [value] for name, value in event["headers"].items()}
        event["body"] = raw if body is None else json.dumps(body)
        return self.send(event)

    def put(self, name, body=None, **request):
        return self.call("PUT", f"/repositories/{name}", body, **request)

    def get(self, name, **request):
        return self.call("GET", f"/repositories/{name}", **request)

    def post(self, *items, **request):
        return self.call("POST", "/repositories", {"repositories": list(items)}, **request)


@pytest.fixture
def api(cold_start):
    return Api(cold_start)
