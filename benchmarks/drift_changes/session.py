"""One run over one deployed stack: everything is done at once, step by step, and heard."""

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Self

from botocore.exceptions import ClientError

from benchmarks.deployment import Deployment
from benchmarks.drift_changes.baseline import BaselineChange
from benchmarks.drift_changes.change import ACCOUNT, Acknowledged, Change
from benchmarks.drift_changes.changes import CHANGES
from benchmarks.drift_changes.ears import Alert, Ears, Heard
from benchmarks.drift_changes.players import Players
from benchmarks.drift_changes.readers import readers
from benchmarks.drift_changes.stack import LAST_LOOK, SHOWN_AFTER, show_iam_late
from benchmarks.drift_changes.table import (
    DETECTED,
    RESOLVED,
    Row,
    in_short,
    is_event,
    row_of_baseline,
    row_of_step,
    row_of_undoing,
)
from policy_drift import baseline_document
from policy_drift.adapters.iam_account import IamAccount
from policy_drift.domain.baseline import Baseline

PATIENCE = 180
"""Seconds after which something that was not told counts as missed."""
_SETTLED = 10
"""Seconds after which an attempt that was refused would have been told, had it come about: a scan takes one."""
_BAD_REQUEST = 400


class Session:
    """The account's IAM, its baseline, and who listens."""

    def __init__(self, stack: Deployment) -> None:
        self._stack = stack
        self._players = Players(stack)
        self._ears = Ears(stack)
        self._fingerprints: dict[str, str] = {}
        self._expected = frozenset[str]().union(*(change.expected for change in CHANGES))

    def __enter__(self) -> Self:
        """Approve what is given, and listen."""
        self._players.prepare(call for change in CHANGES for call in change.given)
        self.scan()
        self.approve(self.live_baseline())
        time.sleep(LAST_LOOK + 8)  # the events of the preparation are looked at
        self.scan()
        self._adopt_all()  # the keys of the players
        self._tell("week")
        show_iam_late(self._stack, SHOWN_AFTER)
        self._ears.start()
        time.sleep(2)
        return self

    def __exit__(self, *_: object) -> None:
        """Listen no more."""
        self._ears.stop()

    def live_baseline(self) -> dict[str, Any]:
        """The account as it is, as a baseline."""
        account = IamAccount(self._stack.client("iam"), ACCOUNT).snapshot().account
        text: dict[str, Any] = json.loads(baseline_document.write(Baseline(account)))
        return text | {"beside": self._approved().get("beside", {})}

    def _approved(self) -> dict[str, Any]:
        """The baseline in force; empty where there is none."""
        try:
            s3, bucket = self._stack.client("s3"), self._stack.resource("BaselineBucket")
            stored = s3.get_object(Bucket=bucket, Key=f"baseline/{ACCOUNT}.json")
        except ClientError:
            return {}
        text: dict[str, Any] = json.loads(stored["Body"].read())
        return text

    def _adopt_all(self) -> None:
        """Approve what is open."""
        found = self._ask("GET", "/drift/findings")["findings"]
        reviewed = [{name: one[name] for name in ("id", "fingerprint")} for one in found]
        if reviewed:
            self._ask("POST", "/drift/baseline/adoptions", {"findings": reviewed})

    def approve(self, baseline: object) -> None:
        """Upload through the operators' API."""
        self._ask("PUT", "/drift/baseline", baseline)

    def scan(self) -> None:
        """What the schedule does every six hours."""
        body = self._invoke("DriftScan", {})
        if "failed" in body:
            raise RuntimeError(f"the scan failed: {body}")

    def step(self, number: int) -> list[Row]:
        """Make the step of this number of every change that has one, and wait for its reports."""
        began, called = time.time(), {}
        changes = [change for change in CHANGES if len(change.steps) > number]
        for change in changes:
            for call in change.steps[number].calls:
                if isinstance(call, Acknowledged):
                    self._acknowledge(call.finding)
                else:
                    self._players.play(call)
            called[change.name] = time.time()
        wanted = {one.finding for change in changes for one in change.steps[number].told}
        heard = self._hear(began, lambda seen: wanted <= self._told(seen, DETECTED))
        rows = [row_of_step(change, number, heard, called[change.name]) for change in changes]
        return rows + self._strangers(began, heard, changes)

    def schedule(self) -> Row:
        """The guarantee: a scan finds nothing that the events had not reported already."""
        began = time.time()
        self.scan()
        heard = self._hear(began, lambda _: False, patience=3, quiet=0)
        late = [in_short(one.data) for one in heard if one.kind == DETECTED]
        return Row("(a scan after all changes)", missed=late, seen=[f"{len(late)} that no event had reported"])

    def undo(self) -> list[Row]:
        """Take everything back, adopt what cannot be, and wait until it is over."""
        began, called = time.time(), {}
        for change in CHANGES:
            for call in change.undo:
                self._players.play(call)
            called[change.name] = time.time()
        reverted = {name for change in CHANGES for name in change.reverted}
        self._hear(began, lambda seen: reverted <= self._told(seen, RESOLVED), quiet=0)  # an adoption looks at all
        adopted = [name for change in CHANGES for name in change.adopted]
        reviewed = [{"id": name, "fingerprint": self._fingerprints.get(name, "")} for name in adopted]
        refused = self._adopt(reviewed)
        adopting = time.time()
        called |= {change.name: adopting for change in CHANGES if change.adopted}
        wanted = reverted.union(adopted)
        heard = self._hear(began, lambda seen: wanted <= self._told(seen, RESOLVED))
        rows = [row_of_undoing(change, heard, called[change.name]) for change in CHANGES]
        adoption = Row(f"{len(adopted)} findings adopted at once", missed=[refused or "BaselineChanged"])
        for one in heard:
            if is_event(one, ("BaselineChanged", {"how": "adopted"})):
                adoption.missed.clear()
                adoption.take(one, adopting)
                adoption.seen.append(f"BaselineChanged {one.data['severity']}")
                adoption.actor = one.data["by"]
        strangers = self._strangers(began, heard, CHANGES, {"BaselineChanged"})
        return [*rows, adoption, *strangers]

    def _adopt(self, reviewed: list[dict[str, Any]]) -> str:
        """Approve findings; why that was refused, or nothing."""
        try:
            self._ask("POST", "/drift/baseline/adoptions", {"findings": reviewed})
        except RuntimeError as error:
            return str(error)
        return ""

    def change_baseline(self, change: BaselineChange, good: dict[str, Any]) -> Row:
        """Put another baseline in the place of the good one, and the good one back."""
        began, version = time.time(), self._version()
        error = self._write(change, change.edit(good))
        called = time.time()
        if change.refused:
            return self._after_refusal(change, error, began, version)
        if error:
            raise RuntimeError(error)
        heard = self._hear(
            began, lambda seen: all(any(is_event(one, wanted) for one in seen) for wanted in change.told), quiet=3
        )
        row = row_of_baseline(change, heard, called)
        restored = time.time()
        self.approve(good)
        over = {one.data["finding_id"] for one in heard if one.kind == DETECTED}
        heard = self._hear(restored, lambda seen: over <= self._told(seen, RESOLVED), quiet=3)
        row.missed += [f"{name} is not resolved" for name in sorted(over - self._told(heard, RESOLVED))]
        return row

    def week(self) -> Row:
        """The digest has everything that was worth no alert of its own, and counts what is open."""
        low = Counter(
            one.kind
            for one in self._ears.since(0)
            if one.kind in {DETECTED, RESOLVED} and not readers(one, expected=self._is_expected(one))
        )
        open_ones = sum(len(change.lasting) for change in CHANGES)
        began = time.time()
        self._tell("week")
        row = Row("(the weekly digest)", missed=["the digest"])
        deadline = began + PATIENCE
        while not (digests := _digests(self._ears.alerts_since(began))) and time.time() < deadline:
            time.sleep(0.2)
        for digest in digests:
            counts = {
                kind: int(count) for count, kind in re.findall(r"^(\d+) (\w+) this week", digest.text, re.MULTILINE)
            }
            wrong = [
                f"{count} {kind}, not {counts.get(kind)}" for kind, count in low.items() if counts.get(kind) != count
            ]
            row.missed = wrong + ([] if f": {open_ones} open finding" in digest.subject else [f"{open_ones} are open"])
            row.seen = [digest.subject, *(f"{count} {kind}" for kind, count in counts.items())]
            row.reaches = digest.channels
        return row

    def _after_refusal(self, change: BaselineChange, error: str, began: float, version: str) -> Row:
        time.sleep(_SETTLED)
        row = row_of_baseline(change, self._ears.since(began), began)
        row.proof = error
        row.false_alarms += [alert.subject for alert in self._ears.alerts_since(began)]
        if not error:
            row.missed.append("it was not refused")
        if self._version() != version:
            row.missed.append("another baseline is in force")
        return row

    def _write(self, change: BaselineChange, text: str | None) -> str:
        """Make the change; why it was refused, or nothing."""
        if change.way == "api":
            caller = "" if change.by == "operator" else "DEMO_OUTSIDER_"
            reply = self._stack.call("PUT", "/drift/baseline", json.loads(text or ""), caller=caller)
            return f"{reply.status} {reply.document}" if reply.status >= _BAD_REQUEST else ""
        if change.by == "operator":
            raise ValueError("the operator is root, and writes through the API")
        s3 = self._players.client(change.by, "s3")
        place = {"Bucket": self._stack.resource("BaselineBucket"), "Key": f"baseline/{ACCOUNT}.json"}
        try:
            if text is None:
                s3.delete_object(**place)
            else:
                s3.put_object(**place, Body=text.encode())
        except ClientError as error:
            return str(error)
        return ""

    def _version(self) -> str:
        return str(self._ask("GET", "/drift/baseline")["version"])

    def _acknowledge(self, finding_id: str) -> None:
        body = {
            "reason": "known",
            "owner": "platform",
            "expires": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86_400)),
            "fingerprint": self._fingerprints.get(finding_id, ""),
        }
        self._ask("POST", f"/drift/findings/{finding_id}/acknowledgement", body)

    def _ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        reply = self._stack.call(method, path, body, caller="")
        if reply.status >= _BAD_REQUEST:
            raise RuntimeError(f"{method} {path}: {reply.status} {reply.document}")
        return reply.document

    def _tell(self, what: str) -> None:
        """What the schedules of alerting do."""
        self._invoke("ScheduledAlerts", {"tell": what})

    def _invoke(self, logical_id: str, payload: dict[str, Any]) -> Any:
        name = self._stack.resource(logical_id)
        answer = self._stack.client("lambda").invoke(FunctionName=name, Payload=json.dumps(payload).encode())
        body = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise RuntimeError(f"{name}: {body}")
        return body

    def _hear(
        self,
        since: float,
        enough: Callable[[list[Heard]], bool],
        *,
        patience: float = PATIENCE,
        quiet: float = LAST_LOOK + 6,
    ) -> list[Heard]:
        """The reports, until all expected ones are there, and then for as long as a false alarm may take."""
        deadline = time.time() + patience
        while time.time() < deadline and not enough(self._ears.since(since)):
            time.sleep(0.2)
        time.sleep(quiet)
        heard = self._ears.since(since)
        told = [one for one in heard if one.kind == DETECTED]
        self._fingerprints |= {one.data["finding_id"]: one.data["fingerprint"] for one in told}
        return heard

    def _told(self, heard: Iterable[Heard], kind: str) -> set[str]:
        """The findings of which an event of this kind was heard, and its alert, where one is due."""
        return {
            one.data["finding_id"]
            for one in heard
            if one.kind == kind and (one.alerts or not readers(one, expected=self._is_expected(one)))
        }

    def _is_expected(self, event: Heard) -> bool:
        """Of a detection, its own; of an end, that of the last report of what ends."""
        said: bool | None = event.data.get("expected")
        return event.data["finding_id"] in self._expected if said is None else said

    def _strangers(
        self, began: float, heard: list[Heard], changes: Iterable[Change], kinds: Iterable[str] = ()
    ) -> list[Row]:
        """Reports about nothing that these changes touch."""
        known = frozenset[str]().union(*(change.entities for change in changes))
        mine = {one.id for one in heard if one.data.get("entity") in known or one.kind in kinds}
        told = [in_short(one.data) for one in heard if one.kind == DETECTED and one.id not in mine]
        told += [alert.subject for alert in self._ears.alerts_since(began) if alert.event_id not in mine]
        return [Row("(nobody's change)", false_alarms=told)] if told else []


def _digests(alerts: Iterable[Alert]) -> list[Alert]:
    return [alert for alert in alerts if "Weekly digest:" in alert.subject]
