"""The handlers as Lambda imports them, with the environment of ``template.yaml``, on moto's AWS."""

import importlib
import json
import os
import sys
import threading
import warnings

import boto3
import pytest
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.dynamodb_tables import create_table
from tests.functional.gateway import ACCOUNT, REGION, client_of
from tests.mocked_aws import mocked_aws
from tests.queues import drained

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
    "AWS_LAMBDA_FUNCTION_NAME": "steward",
    "ACCESS_KEY_ROTATION": "on",
    "POWERTOOLS_TRACE_DISABLED": "true",
    "POWERTOOLS_LOG_LEVEL": "INFO",
    "PROVISIONING_TABLE": "state",
    "ROTATION_TABLE": "state",
    "SCAN_FUNCTION": "scan",
    "SERVICE_PATH": "/service/",
    "STEWARD_ACCOUNT": ACCOUNT,
    "STEWARD_BUS": "steward",
    "STEWARD_STACK": "steward",
    "SYNC_TABLE": "sync",
}


CAPABILITIES = {"access_key_rotation", "alerting", "health", "policy_drift", "repository_provisioning"}


@pytest.fixture
def no_handler_yet():
    """Handlers are imported again, with the settings and the environment of this test, and forgotten after it."""
    _forget_handlers()
    yield
    _forget_handlers()


def _forget_handlers():
    ours = {name for name in sys.modules if name.endswith("_handler") and name.partition(".")[0] in CAPABILITIES}
    for module in ours | {"settings"}:
        sys.modules.pop(module, None)


@pytest.fixture
def deploy_settings(tmp_path, monkeypatch, no_handler_yet):
    """Puts a file into a settings layer of its own, which is found first; without a text it lacks the file."""

    def deploy(name, text=None):
        layer = tmp_path / "settings"
        layer.mkdir(exist_ok=True)
        (layer / "__init__.py").touch()
        if text is not None:
            (layer / name).write_text(text, encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        _forget_handlers()

    return deploy


@pytest.fixture
def history(monkeypatch):
    """CloudTrail's answer to LookupEvents, which moto lacks: the records by the value that is looked up."""
    reached, records = BaseClient._make_api_call, {}  # type: ignore[attr-defined]

    def call(client, operation, parameters):
        if operation != "LookupEvents":
            return reached(client, operation, parameters)
        (wanted,) = parameters["LookupAttributes"]
        return {"Events": [{"CloudTrailEvent": json.dumps(one)} for one in records.get(wanted["AttributeValue"], [])]}

    monkeypatch.setattr(BaseClient, "_make_api_call", call)  # the wire, not our own code
    return records


@pytest.fixture
def one_call_at_a_time(monkeypatch):
    """Moto's backends are plain dictionaries, and handlers call AWS from several threads."""
    reached = BaseClient._make_api_call  # type: ignore[attr-defined]
    turn = threading.Lock()

    def call(client, operation, parameters):
        with turn:
            return reached(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)


@pytest.fixture
def aws(monkeypatch, one_call_at_a_time):
    """What the stack has before its first call: a table, a bus, and a queue that hears all of it."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with mocked_aws():
        create_table(client_of("dynamodb"), "state")
        create_table(client_of("dynamodb"), "sync")
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
    sqs = client_of("sqs")
    url = sqs.get_queue_url(QueueName="heard")["QueueUrl"]
    return lambda: drained(sqs, url)


@pytest.fixture
def cold_start(aws, monkeypatch):
    """Imports a handler module as Lambda does: once per environment, and anew when that changes."""

    def start(module, **environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        with monkeypatch.context() as importing:
            importing.setattr(boto3, "client", _made_once)
            return importlib.import_module(module)

    return start


_made = {}


def _made_once(service, **options):
    """A handler's client, which keeps nothing between calls: making the eight of one takes longer than most tests."""
    what = service, *sorted((name, _content(value)) for name, value in options.items()), os.environ["AWS_REGION"]
    if what not in _made:
        _made[what] = boto3.DEFAULT_SESSION.client(service, **options)
    return _made[what]


def _content(option):
    return repr(sorted(vars(option).items())) if isinstance(option, Config) else repr(option)


@pytest.fixture
def fails(monkeypatch, one_call_at_a_time):
    """Makes an operation of AWS answer with an error code, for as many calls as wanted."""
    reached = BaseClient._make_api_call  # type: ignore[attr-defined]
    faults = {}

    def call(client, operation, parameters):
        if faults.get(operation):
            raise faults[operation].pop()
        return reached(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)

    def inject(operation, code, times=1):
        response = {"Error": {"Code": code, "Message": f"{code} of {operation}"}}
        faults[operation] = [ClientError(response, operation)] * times

    inject.with_error = lambda operation, error, times=1: faults.__setitem__(operation, [error] * times)  # type: ignore[attr-defined]
    return inject
