"""Real changes of IAM on the local AWS, one after the other: what was told, how bad, who did it, and how soon.

``python -m benchmarks.drift_changes [FOLDER]`` runs over the stack that ``make start`` deployed, with IAM enforced; an
engineer without any right on policy drift makes the changes. Every change stands in the table with what was expected
of it before it was run. A false alarm is an alert about a change that should have given none; missed is the opposite.
"""

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

from benchmarks.drift_change_list import CHANGES, Change, prepare

GLOBAL = "us-east-1"
PATIENCE = 20.0
"""Seconds to wait for an alert that is expected."""
QUIET = 6.0
"""Seconds of silence that show that a change gives no alert: thrice what the slowest alert takes."""
QUIET_AFTER_REVERT = 3.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a change."""

    change: Change
    told: list[dict[str, Any]]
    seconds: float
    resolved: bool

    @property
    def observed(self) -> str:
        """Kind, severity and verdict of the worst alert."""
        return " ".join((self.told[0]["kind"], self.told[0]["severity"], self.told[0]["verdict"])) if self.told else "—"


class Local:
    """The running local AWS and the stack on it."""

    def __init__(self, folder: Path) -> None:
        lines = (folder / ".local" / "env").read_text().splitlines()
        self._env = dict(line.split("=", 1) for line in lines if "=" in line)
        self.account = "123456789012"

    def client(self, service: str, region: str | None = None) -> Any:
        """A client of the account's owner."""
        return boto3.client(  # type: ignore[call-overload]
            service,
            region_name=region or self._env["AWS_REGION"],
            endpoint_url=self._env["AWS_ENDPOINT_URL"],
            aws_access_key_id=self._env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self._env["AWS_SECRET_ACCESS_KEY"],
        )

    def engineer(self) -> Any:
        """IAM, as a user named mallory sees it, who may change it."""
        iam = self.client("iam")
        key = iam.create_access_key(UserName="mallory")["AccessKey"]
        return boto3.client(
            "iam",
            region_name=self._env["AWS_REGION"],
            endpoint_url=self._env["AWS_ENDPOINT_URL"],
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
        )

    def call(self, method: str, path: str, body: object = None) -> tuple[int, dict[str, Any]]:
        """A signed call of the stack's API."""
        url = self._env["STEWARD_API_URL"] + path
        data = json.dumps(body) if body is not None else None
        request = AWSRequest(method, url, data=data, headers={"Content-Type": "application/json"})
        credentials = Credentials(self._env["AWS_ACCESS_KEY_ID"], self._env["AWS_SECRET_ACCESS_KEY"])
        SigV4Auth(credentials, "execute-api", self._env["AWS_REGION"]).add_auth(request)
        answer = URLLib3Session(timeout=60).send(request.prepare())
        return answer.status_code, json.loads(answer.content)

    def forward_iam_events(self) -> None:
        """Deploy the small stack of us-east-1, if it is not there."""
        cloudformation = self.client("cloudformation", GLOBAL)
        name = "ecr-steward-global-events"
        if any(stack["StackName"] == name for stack in cloudformation.list_stacks()["StackSummaries"]):
            return
        cloudformation.create_stack(
            StackName=name,
            TemplateBody=(Path(__file__).parents[1] / "global-events.yaml").read_text(),
            Parameters=[
                {"ParameterKey": "HomeRegion", "ParameterValue": self._env["AWS_REGION"]},
                {"ParameterKey": "BusName", "ParameterValue": "steward"},
            ],
            Capabilities=["CAPABILITY_IAM"],
        )
        cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 0.1})


class Ears:
    """Hears what policy drift says on the bus."""

    def __init__(self, local: Local) -> None:
        name = f"drift-changes-{time.monotonic_ns()}"
        self._sqs, events = local.client("sqs"), local.client("events")
        self._url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        pattern = json.dumps({"source": ["steward.policy_drift"]})
        events.put_rule(Name=name, EventBusName="steward", EventPattern=pattern)
        arn = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events.put_targets(Rule=name, EventBusName="steward", Targets=[{"Id": "queue", "Arn": arn}])

    def heard(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """What came since the last time."""
        while messages := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages", []):
            for message in messages:
                event = json.loads(message["Body"])
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
                yield event["detail-type"], event["detail"]["data"]


def run(change: Change, iam: Any, ears: Ears, local: Local) -> Outcome:
    """Make a change, listen, take it back, listen."""
    list(ears.heard())
    began = time.monotonic()
    change.make(iam, local)
    told: list[dict[str, Any]] = []
    seconds = 0.0
    while time.monotonic() - began < (PATIENCE if change.expected else QUIET):
        for kind, data in ears.heard():
            if kind in {"PolicyDriftDetected", "BaselineChanged", "BaselineRefused"}:
                told.append({"kind": kind, "verdict": "", "severity": "", **data})
        if change.expected and any(change.is_met_by(one) for one in told):
            seconds = time.monotonic() - began
            break
        time.sleep(0.05)
    time.sleep(1.5 if change.expected else 0)
    told += [{"kind": kind, "verdict": "", **data} for kind, data in ears.heard() if kind == "PolicyDriftDetected"]
    told.sort(key=lambda one: not change.is_met_by(one))
    return Outcome(change, told, seconds, _taken_back(change, iam, ears, local))


def _taken_back(change: Change, iam: Any, ears: Ears, local: Local) -> bool:
    if not change.take_back:
        return True
    change.take_back(iam, local)
    began, over = time.monotonic(), False
    while time.monotonic() - began < (PATIENCE if change.resolves and not over else QUIET_AFTER_REVERT):
        over = over or any(kind == "PolicyDriftResolved" for kind, _ in ears.heard())
        if over:
            break
        time.sleep(0.05)
    time.sleep(1.5)
    return over or not change.resolves


def adopt_everything(local: Local) -> tuple[int, str]:
    """Scan, and approve what was found: the state from which the changes start."""
    client = local.client("lambda")
    functions = client.list_functions(MaxItems=50)["Functions"]
    scan = next(one["FunctionName"] for one in functions if "DriftScan" in one["FunctionName"])
    client.invoke(FunctionName=scan, Payload=json.dumps({"id": f"prepare-{time.time_ns()}"}).encode())
    _, found = local.call("GET", "/drift/findings")
    findings = [
        {"id": one["id"], "fingerprint": one["fingerprint"]}
        for one in found["findings"]
        if one["kind"] not in {"TRANSIENT", "BASELINE"}
    ]
    if not findings:
        return 200, "nothing to adopt"
    status, answer = local.call("POST", "/drift/baseline/adoptions", {"findings": findings})
    return status, str(answer)


def main() -> int:
    """Print the table; 1 where anything was missed or a false alarm."""
    local = Local(Path(sys.argv[1]) if len(sys.argv) > 1 else Path())
    local.forward_iam_events()
    prepare(local.client("iam"))
    iam = local.engineer()
    time.sleep(5)
    status, answer = adopt_everything(local)
    print(f"adopted: {status} {answer[:300]}")
    ears = Ears(local)
    time.sleep(2)
    outcomes = []
    print("| change | expected | observed | request that proves it | actor | s | over |\n|---|---|---|---|---|---|---|")
    for change in CHANGES:
        outcome = run(change, iam, ears, local)
        outcomes.append(outcome)
        first = outcome.told[0] if outcome.told else {}
        actor = (first.get("changes") or [{}])[0].get("actor", first.get("by", ""))
        print(
            f"| {change.name} | {change.expected or '—'} | {outcome.observed} | {first.get('request_in_words', '')} | "
            f"{actor.rsplit(':', 1)[-1]} | {outcome.seconds:.1f} | {'yes' if outcome.resolved else 'NO'} |",
            flush=True,
        )
    missed = [one for one in outcomes if one.change.expected and not any(one.change.is_met_by(t) for t in one.told)]
    alarms = [one for one in outcomes if not one.change.expected and one.told]
    repeated = [one for one in outcomes if len({t["finding_id"] for t in one.told if "finding_id" in t}) > 1]
    took = sorted(one.seconds for one in outcomes if one.seconds)
    print(f"\n{len(outcomes)} changes, {len(missed)} missed, {len(alarms)} false alarms", end=", ")
    print(f"{len(repeated)} told under more than one finding; seconds from call to alert: ", end="")
    print(f"median {took[len(took) // 2]:.1f}, worst {took[-1]:.1f}" if took else "none")
    for one in missed:
        print(f"missed: {one.change.name}: {one.observed}")
    for one in alarms:
        print(f"false alarm: {one.change.name}: {one.observed} {one.told[0].get('summary')}")
    return 1 if missed or alarms else 0


if __name__ == "__main__":
    sys.exit(main())
