"""Trying the work of the functions that provision repositories."""

import json
import time
import uuid
from http import HTTPStatus

from tests.local.aws.launched import ACCOUNT
from tests.published_events import golden_event, store_at_its_source

IN_PROGRESS_SECONDS = 21
"""A repository younger than this is left to the call that created it."""
MOMENT = "2026-01-01T00:00:00Z"
OVERRIDDEN = {
    "a repository whose rules changed": None,
    "a lifecycle override that is permitted no more": {"lifecycle": {"keep_last": 5}},
    "readers that are permitted no more": {"pull": {"accounts": ["444455556666"]}},
    "a tag that is permitted no more": {"tags": {"cost": "1"}},
}


class ProvisioningProbes:
    """Probes of the deployed functions, by what the repository is like that they are asked for."""

    def __init__(self, stack, caller, rights, half_done=12):
        self._stack = stack
        self._caller = caller
        self._rights = rights
        self._physical = rights.physical
        self._ask = {
            "RepositoryApiRole": self._put,
            "FailedPushRole": self._push_failed,
            "FleetScanRole": self._scan_registry,
            "AlertsRole": self._alert_told,
            "ScheduledAlertsRole": self._week_told,
        }
        self.roles = self._ask.keys()
        self._half_done = [self._create_half_done() for _ in range(half_done)]
        self._since = time.monotonic()

    def prepare(self, probe):
        """Nothing: a probe makes what it meets."""

    def run(self, role, probe):  # noqa: PLR0911 - a table, in the form of a match
        """Whether the function that has the role does its work."""
        ask = self._ask[role]
        match probe:
            case "a missing repository":
                return ask(self._name())
            case "a half-done repository":
                time.sleep(max(0, IN_PROGRESS_SECONDS - (time.monotonic() - self._since)))
                return ask(self._half_done.pop())
            case _ if probe in OVERRIDDEN:
                return ask(self._overridden(OVERRIDDEN[probe]) if OVERRIDDEN[probe] else self._outdated())
            case "no warning that something could not be read":
                self._start_anew("RepositoryApi")
                return not any("could not be read" in w for w in self._call(self._name()).document["warnings"])
            case "an event to alert" | "a weekly digest" | "a scan of the registry":
                return ask()
            case "a second try after the first could not publish":
                name = self._name()
                with self._rights.without(role, "events:PutEvents"):
                    assert not ask(name)
                return ask(name)
            case _:
                return self._operate(probe)

    def _operate(self, probe):
        """Call a route of operators; whether it answers as it should."""
        match probe:
            case "an adoption that is shown":
                return self._show_adoption()
            case "replication that is shown":
                return self._registry_settings()["replicated_to"] is not None
            case "signing that is shown":
                return self._registry_settings()["signed_by"] is not None
            case "the fleet":
                return self._stack.call("GET", "/repositories?limit=1", self._caller).status in {200, 404}
            case "a scan of the registry on demand":
                return self._stack.call("POST", "/fleet/scans", self._caller).status == HTTPStatus.ACCEPTED
        raise AssertionError(f"no such probe: {probe}")

    def _call(self, name):
        return self._stack.put(name, self._caller)

    def _put(self, name):
        return self._call(name).status in {200, 201}

    def _push_failed(self, name):
        """Hand the function the event of a failed push; whether it succeeds."""
        identity = {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:role/probe", "accountId": ACCOUNT}
        detail = {
            "userIdentity": identity,
            "requestParameters": {"registryId": ACCOUNT, "repositoryName": name},
            "eventID": str(uuid.uuid4()),
        }
        event = {"id": str(uuid.uuid4()), "source": "aws.ecr", "detail": detail}
        return "FunctionError" not in self._invoke("FailedPush", event)

    def _registry_settings(self):
        """What a new execution environment shows of the registry's settings."""
        name = self._name()
        self._call(name)
        self._start_anew("RepositoryApi")
        return self._stack.call("GET", f"/repositories/{name}", self._caller).document["registry"]

    def _show_adoption(self):
        """Ask what adopting a repository of others would change."""
        name = self._name()
        self._stack.aws.client("ecr").create_repository(repositoryName=name)
        answer = self._stack.call("POST", f"/repositories/{name}/adoption?dry_run=true", self._caller)
        return answer.status == HTTPStatus.OK

    def _scan_registry(self):
        """Scan, as an operator asks for it, after the state of the scan before is gone; whether it is complete."""
        table, dynamodb = self._physical["ProvisioningState"], self._stack.aws.client("dynamodb")
        dynamodb.delete_item(TableName=table, Key={"id": {"S": "fleet#running"}})
        answer = self._invoke("FleetScan", {"id": uuid.uuid4().hex, "requested_by": "probe"})
        return "FunctionError" not in answer and json.loads(answer["Payload"].read())["complete"]

    def _alert_told(self):
        """Hand the function an alert of a finding that its source confirms; whether it is not to come again."""
        event = golden_event("PolicyDriftDetected", finding_id=f"access:role:{uuid.uuid4().hex}")
        tables = {"drift_table": self._physical["DriftState"], "rotation_table": self._physical["RotationState"]}
        store_at_its_source(self._stack.aws.client("dynamodb"), event, **tables)
        records = [{"messageId": "1", "body": json.dumps(event)}]
        answer = self._invoke("Alerts", {"Records": records})
        return json.loads(answer["Payload"].read()) == {"batchItemFailures": []}

    def _week_told(self):
        """Let one alert wait for the digest, and ask for the digest; whether it is told."""
        event_id = str(uuid.uuid4())
        waits = {
            "id": "room#digest",
            "member": f"4#{event_id}",
            "event_id": event_id,
            "kind": "Probe",
            "severity": "INFO",
            "title": "probe",
        }
        item = {name: {"S": text} for name, text in waits.items()} | {"channels": {"SS": ["digest"]}}
        self._stack.aws.client("dynamodb").put_item(TableName=self._physical["AlertingState"], Item=item)
        return "FunctionError" not in self._invoke("ScheduledAlerts", {"tell": "week"})

    def _invoke(self, function, event):
        client = self._stack.aws.client("lambda")
        return client.invoke(FunctionName=self._physical[function], Payload=json.dumps(event))

    def _name(self):
        return f"probe/{uuid.uuid4().hex}"

    def _create_half_done(self):
        """A repository that a call of ours created and did not live to configure."""
        name = self._name()
        tags = [{"Key": "steward:stack", "Value": "ecr-steward"}]
        self._stack.aws.client("ecr").create_repository(repositoryName=name, tags=tags)
        return name

    def _outdated(self):
        """A complete repository, recorded as configured under other rules than today's."""
        name = self._name()
        assert self._put(name)
        ecr = self._stack.aws.client("ecr")
        ecr.put_image_tag_mutability(repositoryName=name, imageTagMutability="MUTABLE")
        (made,) = ecr.describe_repositories(repositoryNames=[name])["repositories"]
        ecr.untag_resource(resourceArn=made["repositoryArn"], tagKeys=["team"])
        self._stack.aws.client("dynamodb").update_item(
            TableName=self._physical["ProvisioningState"],
            Key={"id": {"S": f"repository#{name}"}},
            UpdateExpression="SET fingerprint = :other",
            ExpressionAttributeValues={":other": {"S": "of other rules"}},
        )
        return name

    def _overridden(self, overrides):
        """A repository with overrides, recorded as those of a caller that no rule names any more."""
        name = f"probe/bare/{uuid.uuid4().hex}"
        assert self._stack.put(name, self._caller, overrides).status == 201
        self._stack.aws.client("dynamodb").update_item(
            TableName=self._physical["ProvisioningState"],
            Key={"id": {"S": f"repository#{name}"}},
            UpdateExpression="SET overridden_by = :gone",
            ExpressionAttributeValues={":gone": {"S": f"{ACCOUNT}:role/gone"}},
        )
        return name

    def _start_anew(self, function):
        """Make the next request meet a new execution environment, which has nothing cached."""
        client, name = self._stack.aws.client("lambda"), self._physical[function]
        variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        client.update_function_configuration(
            FunctionName=name, Environment={"Variables": variables | {"STARTED_ANEW": uuid.uuid4().hex}}
        )
