"""Real changes of IAM on the deployed stack: what is told of each, how bad, on what proof, who did it, how soon.

``python -m benchmarks.drift_changes``: the AWS CLI makes every change, as a user who administers IAM and has no right
on policy drift; the local AWS enforces IAM. What must be told is written in `iam_changes` and `baseline_changes`. It
ends with the number of changes, of false alarms (told, and nothing, or something else, is right) and of those that
were missed; the exit code is 1 unless both are 0.

All changes are under way at once, step by step; then each is undone, and the alert that it is over is awaited. On a
stack that runs already, the users, roles and policies that it makes stay: they are approved in the end.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Self

from benchmarks.baseline_changes import BASELINE_CHANGES, BaselineChange
from benchmarks.deployment import PROJECT, Deployment, NoDeploymentError, deployment
from benchmarks.drift_ears import BUS, Ears, Heard
from benchmarks.iam_change import ACCOUNT, Acknowledged, Call, Change, Told, allow, document
from benchmarks.iam_changes import CHANGES
from benchmarks.shell_line import aws_cli
from policy_drift.adapters.baseline_document import JsonBaselineFormat
from policy_drift.adapters.iam_account import IamAccount
from policy_drift.domain.baseline import Baseline

DELAY = 12
"""Seconds from an event to the look at it; on AWS 30. Longer than the CLI takes for what must pass unseen."""
PATIENCE = 90
"""Seconds after which something that was not told counts as missed."""
INSIDER = "drift-changes-insider"
_GLOBAL_REGION = "us-east-1"
_GLOBAL_STACK = "ecr-steward-global-events"
_UNIQUE_ID = re.compile(r"<(user|role)/([\w-]+)>")
_NOT_TEXTS = frozenset({"Tags", "SetAsDefault"})
_ADMINISTERS_IAM = document(allow("iam:*"))


@dataclass(slots=True)
class Row:
    """One line of the table: a step of a change, and what came of it."""

    change: str
    expected: tuple[str, ...]
    seen: list[str] = field(default_factory=list)
    proof: str = ""
    actor: str = ""
    seconds: float | None = None
    false_alarms: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """Whether all was told, and nothing else."""
        wrong = [*(f"FALSE: {what}" for what in self.false_alarms), *(f"MISSED: {what}" for what in self.missed)]
        return "; ".join(wrong) or "ok"


class Players:
    """Who makes the changes, each by the AWS CLI with a key of its own."""

    def __init__(self, stack: Deployment) -> None:
        self._iam: Any = stack.client("iam")
        self._stack = stack
        self._cli = aws_cli()
        self._keys = {who: self._made(f"drift-changes-{who}") for who in ("insider", "outsider")}
        self._iam.put_user_policy(UserName=INSIDER, PolicyName="iam", PolicyDocument=json.dumps(_ADMINISTERS_IAM))

    def prepare(self, calls: Iterable[Call]) -> None:
        """Make what is approved, without the CLI, which takes a second a call."""
        for call in calls:
            try:
                getattr(self._iam, call.method)(**self._parameters(call))
            except self._iam.exceptions.EntityAlreadyExistsException:
                continue

    def play(self, call: Call) -> None:
        """Make one call; the outsider's has to be refused."""
        command = ["iam", call.operation, "--cli-input-json", json.dumps(self._parameters(call))]
        done = self.run(command, self._keys[call.by])
        if (done.returncode == 0) is (call.by == "outsider"):
            raise RuntimeError(f"aws {' '.join(command)}: {done.stderr.strip() or 'not refused'}")

    def run(self, command: list[str], key: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run the AWS CLI; as the operator by default."""
        environment = self._stack.operator_environment | (key or {})
        environment |= {"PATH": f"{self._cli}{os.pathsep}{os.defpath}", "AWS_PAGER": ""}
        program = str(self._cli / "aws")
        return subprocess.run([program, *command], env=environment, capture_output=True, text=True, check=False)

    def _made(self, name: str) -> dict[str, str]:
        try:
            self._iam.create_user(UserName=name)
        except self._iam.exceptions.EntityAlreadyExistsException:
            for key in self._iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
                self._iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        key = self._iam.create_access_key(UserName=name)["AccessKey"]
        return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}

    def _parameters(self, call: Call) -> dict[str, Any]:
        return {
            name: json.loads(value) if name in _NOT_TEXTS else _UNIQUE_ID.sub(self._unique_id, value)
            for name, value in call.parameters.items()
        }

    def _unique_id(self, named: re.Match[str]) -> str:
        kind, name = named.groups()
        if kind == "user":
            return str(self._iam.get_user(UserName=name)["User"]["UserId"])
        return str(self._iam.get_role(RoleName=name)["Role"]["RoleId"])


class Session:
    """One run over one deployed stack."""

    def __init__(self, stack: Deployment) -> None:
        self._stack = stack
        self.players = Players(stack)
        self._ears = Ears(stack)
        self._fingerprints: dict[str, str] = {}

    def __enter__(self) -> Self:
        """Approve what is given, and listen."""
        _forward_iam_events(self._stack)
        queue = self._stack.resource("DriftQueue")
        self._stack.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"DelaySeconds": str(DELAY)})
        self.players.prepare(call for change in CHANGES for call in change.given)
        self.scan()
        self.approve(self.live_baseline())
        time.sleep(DELAY + 8)  # the events of the preparation are looked at, and find nothing
        self.scan()
        self._ears.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Approve what is there, and listen no more."""
        self.approve(self.live_baseline())
        self._ears.stop()

    def live_baseline(self) -> dict[str, Any]:
        """The account as it is, as a baseline."""
        account = IamAccount(self._stack.client("iam"), ACCOUNT).snapshot().account
        text: dict[str, Any] = json.loads(JsonBaselineFormat().write(Baseline(account)))
        return text

    def approve(self, baseline: object) -> None:
        """Upload through the operators' API."""
        self._ask("PUT", "/drift/baseline", baseline)

    def scan(self) -> dict[str, Any]:
        """What the schedule does every six hours."""
        name = self._stack.resource("DriftScan")
        answer = self._stack.client("lambda").invoke(FunctionName=name, Payload=b"{}")
        body: dict[str, Any] = json.loads(answer["Payload"].read())
        if "FunctionError" in answer or "failed" in body:
            raise RuntimeError(f"the scan failed: {body}")
        return body

    def step(self, number: int) -> list[Row]:
        """Make the step of this number of every change that has one, and wait for what is told."""
        began, called = time.time(), {}
        changes = [change for change in CHANGES if len(change.steps) > number]
        for change in changes:
            for call in change.steps[number].calls:
                if isinstance(call, Acknowledged):
                    self._acknowledge(call.finding)
                else:
                    self.players.play(call)
            called[change.name] = time.time()
        wanted = {one.finding for change in changes for one in change.steps[number].told}
        heard = self._hear(began, lambda seen: wanted <= _findings(seen, "PolicyDriftDetected"))
        rows = [_row_of_step(change, number, heard, called[change.name]) for change in changes]
        strangers = _findings_outside(heard, changes)
        if strangers:
            rows.append(Row("(nobody's change)", (), false_alarms=strangers))
        return rows

    def schedule(self) -> Row:
        """The guarantee: a scan finds nothing that the events had not told already."""
        began = time.time()
        self.scan()
        heard = self._hear(began, lambda _: False, patience=3, quiet=0)
        late = [_in_short(one.data) for one in heard if one.kind == "PolicyDriftDetected"]
        return Row("(a scan after all of them)", (), missed=late, seen=[f"{len(late)} that no event had told"])

    def undo(self) -> list[Row]:
        """Take everything back, adopt what cannot be, and wait until it is over."""
        began, called = time.time(), {}
        for change in CHANGES:
            for call in change.undo:
                self.players.play(call)
            called[change.name] = time.time()
        adopted = [name for change in CHANGES for name in change.adopted]
        reviewed = [{"id": name, "fingerprint": self._fingerprints.get(name, "")} for name in adopted]
        called |= {change.name: time.time() for change in CHANGES if change.adopted}
        self._ask("POST", "/drift/baseline/adoptions", {"findings": reviewed})
        wanted = {name for change in CHANGES for name in (*change.reverted, *change.adopted)}
        heard = self._hear(began, lambda seen: wanted <= _findings(seen, "PolicyDriftResolved"))
        return [_row_of_undoing(change, heard, called[change.name]) for change in CHANGES]

    def change_baseline(self, change: BaselineChange, good: dict[str, Any]) -> Row:
        """Put another baseline in the place of the good one, and the good one back."""
        began, text = time.time(), change.edit(good)
        if change.way == "api":
            self.approve(json.loads(text or ""))
        else:
            self._write_to_the_bucket(text)
        called = time.time()
        heard = self._hear(began, lambda seen: _all_told(change, seen), quiet=2)
        row = _row_of_baseline(change, heard, called)
        restored = time.time()
        self.approve(good)
        over = {one.data["finding_id"] for one in heard if one.kind == "PolicyDriftDetected"}
        heard = self._hear(restored, lambda seen: over <= _findings(seen, "PolicyDriftResolved"), quiet=2)
        row.missed += [f"{name} is not over" for name in sorted(over - _findings(heard, "PolicyDriftResolved"))]
        return row

    def _write_to_the_bucket(self, text: str | None) -> None:
        place = ["--bucket", self._stack.resource("BaselineBucket"), "--key", f"baseline/{ACCOUNT}.json"]
        if text is None:
            done = self.players.run(["s3api", "delete-object", *place])
        else:
            with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
                file.write(text)
                file.flush()
                done = self.players.run(["s3api", "put-object", *place, "--body", file.name])
        if done.returncode:
            raise RuntimeError(done.stderr.strip())

    def _acknowledge(self, finding_id: str) -> None:
        body = {
            "reason": "known",
            "owner": "platform",
            "expires": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86_400)),
            "fingerprint": self._fingerprints.get(finding_id, ""),
        }
        self._ask("POST", f"/drift/findings/{finding_id}/acknowledgement", body)

    def _ask(self, method: str, path: str, body: object) -> None:
        reply = self._stack.call(method, path, body, caller="")
        if reply.status >= 400:  # noqa: PLR2004 - an error of HTTP
            raise RuntimeError(f"{method} {path}: {reply.status} {reply.document}")

    def _hear(
        self,
        since: float,
        enough: Callable[[list[Heard]], bool],
        *,
        patience: float = PATIENCE,
        quiet: float = DELAY + 6,
    ) -> list[Heard]:
        """What is told, until all of it is; and for so long after that a false alarm would have come, too."""
        deadline = time.time() + patience
        while time.time() < deadline and not enough(self._ears.since(since)):
            time.sleep(0.2)
        time.sleep(quiet)
        heard = self._ears.since(since)
        told = [one for one in heard if one.kind == "PolicyDriftDetected"]
        self._fingerprints |= {one.data["finding_id"]: one.data["fingerprint"] for one in told}
        return heard


def main(arguments: list[str] | None = None) -> int:
    """Make all changes and print the table; 0 when all was told and nothing else, 1 when not, 2 without a stack."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drift_changes")
    parser.add_argument("--port", type=int, help="of a local AWS that is started for it")
    options = parser.parse_args(arguments)
    try:
        with deployment(options.port) as stack, Session(stack) as session:
            rows = _rows(session)
    except NoDeploymentError as error:
        print(error, file=sys.stderr)
        return 2
    for row in rows:
        _print(row)
    false_alarms, missed = sum(len(row.false_alarms) for row in rows), sum(len(row.missed) for row in rows)
    told = sorted(row.seconds for row in rows if row.seconds is not None and row.actor == INSIDER)
    print(
        f"\nseconds from the call to the bus, {DELAY} s of them in the queue: median {told[len(told) // 2]:.1f}, "
        f"most {told[-1]:.1f}"
    )
    print(f"changes {len(CHANGES) + len(BASELINE_CHANGES)}, false alarms {false_alarms}, missed {missed}")
    return 1 if false_alarms or missed else 0


def _rows(session: Session) -> list[Row]:
    rows = []
    for number in range(max(len(change.steps) for change in CHANGES)):
        print(f"step {number + 1} …", file=sys.stderr)
        rows += session.step(number)
    rows.append(session.schedule())
    print("undoing …", file=sys.stderr)
    rows += session.undo()
    print("the baseline …", file=sys.stderr)
    good = session.live_baseline()
    session.approve(good)
    time.sleep(5)
    rows += [session.change_baseline(change, good) for change in BASELINE_CHANGES]
    return rows


def _row_of_step(change: Change, number: int, heard: list[Heard], called: float) -> Row:
    step = change.steps[number]
    mine = [one for one in heard if one.kind == "PolicyDriftDetected" and one.data["entity"] in change.entities]
    last = {one.data["finding_id"]: one for one in mine}
    wanted = {one.finding: one for one in step.told}
    title = change.name if len(change.steps) == 1 else f"{change.name} ({number + 1} of {len(change.steps)})"
    row = Row(title, tuple(f"{one.finding} {one.severity} {one.verdict}" for one in step.told))
    row.seen = [_in_short(one.data) for one in last.values()]
    row.false_alarms = [
        _in_short(one.data) for name, one in last.items() if name not in wanted or not _is(wanted[name], one.data)
    ]
    row.missed = sorted(wanted.keys() - last.keys())
    if last:
        first = min(last.values(), key=lambda one: one.at)
        row.seconds = max(one.at for one in last.values()) - called
        row.proof = next((one.data["request_in_words"] for one in last.values() if one.data["request_in_words"]), "")
        row.actor = ", ".join(sorted({made["actor"].rpartition("/")[2] for made in first.data["changes"]})) or "nobody"
        if row.actor != INSIDER:
            row.missed.append(f"the actor is {row.actor}")
    return row


def _row_of_undoing(change: Change, heard: list[Heard], called: float) -> Row:
    wanted = dict.fromkeys(change.reverted, "reverted") | dict.fromkeys(change.adopted, "adopted")
    over = {
        one.data["finding_id"]: one
        for one in heard
        if one.kind == "PolicyDriftResolved" and one.data["entity"] in change.entities
    }
    told = [one for one in heard if one.kind == "PolicyDriftDetected" and one.data["entity"] in change.entities]
    row = Row(f"taken back: {change.name}", tuple(f"{name} {how}" for name, how in wanted.items()))
    row.seen = [f"{name} {one.data['how']}" for name, one in over.items()]
    row.missed = [f"{name} {how}" for name, how in wanted.items() if name not in over or over[name].data["how"] != how]
    row.false_alarms = [_in_short(one.data) for one in told]
    row.false_alarms += [f"{name} is over" for name in over if name not in wanted]
    row.seconds = max((one.at for one in over.values()), default=called) - called if over else None
    return row


def _row_of_baseline(change: BaselineChange, heard: list[Heard], called: float) -> Row:
    row = Row(f"baseline {change.name}", tuple(f"{kind} {dict(values)}" for kind, values in change.told.items()))
    for kind, values in change.told.items():
        found = [one for one in heard if one.kind == kind and values.items() <= one.data.items()]
        if not found:
            row.missed.append(f"{kind} {dict(values)}")
        else:
            row.seconds = found[0].at - called
            row.actor = str(found[0].data.get("by", row.actor))
    row.seen = [
        f"{one.kind} {one.data.get('severity', one.data.get('reason', ''))}"
        for one in heard
        if one.kind in {"BaselineChanged", "BaselineRefused", "PolicyDriftDetected"}
    ]
    return row


def _all_told(change: BaselineChange, heard: list[Heard]) -> bool:
    return all(
        any(one.kind == kind and values.items() <= one.data.items() for one in heard)
        for kind, values in change.told.items()
    )


def _is(wanted: Told, data: dict[str, Any]) -> bool:
    seen = (data["severity"], data["verdict"], str(data["request"].get("action", "")))
    return all(map(fnmatchcase, seen, (wanted.severity, wanted.verdict, wanted.action)))


def _in_short(data: dict[str, Any]) -> str:
    return f"{data['finding_id']} {data['severity']} {data['verdict']}"


def _findings(heard: Iterable[Heard], kind: str) -> set[str]:
    return {one.data["finding_id"] for one in heard if one.kind == kind}


def _findings_outside(heard: Iterable[Heard], changes: Iterable[Change]) -> list[str]:
    known = frozenset[str]().union(*(change.entities for change in changes))
    told = [one for one in heard if one.kind == "PolicyDriftDetected" and one.data["entity"] not in known]
    return [_in_short(one.data) for one in told]


def _forward_iam_events(stack: Deployment) -> None:
    """The small stack of us-east-1, unless it is there."""
    region = stack.variables["AWS_REGION"]
    environment = stack.client("cloudformation", region=_GLOBAL_REGION)
    if any(found["StackName"] == _GLOBAL_STACK for found in environment.describe_stacks()["Stacks"]):
        return
    environment.create_stack(
        StackName=_GLOBAL_STACK,
        TemplateBody=(Path(PROJECT) / "global-events.yaml").read_text(),
        Parameters=[
            {"ParameterKey": "HomeRegion", "ParameterValue": region},
            {"ParameterKey": "BusName", "ParameterValue": BUS},
        ],
        Capabilities=["CAPABILITY_IAM"],
    )
    environment.get_waiter("stack_create_complete").wait(StackName=_GLOBAL_STACK, WaiterConfig={"Delay": 1})


def _print(row: Row) -> None:
    seconds = "" if row.seconds is None else f"{row.seconds:.1f} s"
    print(f"{row.verdict:<4} {row.change}")
    for line in (", ".join(row.seen) or "nothing told", row.proof, f"{row.actor} {seconds}".strip()):
        if line:
            print(f"       {line}")


if __name__ == "__main__":
    sys.exit(main())
