"""Scans of an account over moto's S3 and DynamoDB, on a clock that counts the processor's seconds."""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import process_time
from typing import Any

import boto3
from moto import mock_aws
from moto.dynamodb.models.table import Table

from benchmarks.served_iam import ServedIam
from policy_drift.adapters.dynamodb_findings import DynamoDbBaselineRecords, DynamoDbFindings
from policy_drift.adapters.iam_account import IamAccount
from policy_drift.adapters.lambda_scan import LambdaScanTrigger
from policy_drift.adapters.s3_baseline import S3BaselineStore
from policy_drift.adapters.s3_uploads import S3Uploads
from policy_drift.application.operate_drift import OperateDrift
from policy_drift.application.ports import ReportLink
from policy_drift.application.scan_account import Completed, ScanAccount
from policy_drift.bootstrap import baseline_in_force, operate_drift, scan_account
from policy_drift.domain.access_keys import AccessKeys, KeySummary
from policy_drift.domain.account import Account, EntityId
from policy_drift.domain.baseline import Baseline, Origin, largest
from policy_drift.domain.decision import Decision
from policy_drift.domain.finding import Drift
from policy_drift.domain.settings import DriftSettings
from steward.events import EventPublisher

MEMORY = 10_240
"""MB of a function with all memory that Lambda gives, which reads the largest baselines."""
HALF_LIMIT = timedelta(seconds=450)
"""When the deployed function begins no other comparison."""


@dataclass(frozen=True, slots=True)
class Scanned:
    """An account with a baseline in force.

    ``calls`` counts DynamoDB's by operation, ``reports`` has the bytes of the last report's documents.
    """

    scanner: ScanAccount
    operators: OperateDrift
    clock: "ProcessorClock"
    calls: Counter[str]
    reports: "Reports"
    baseline_bytes: int

    def scan(self, scan_id: str) -> Completed:
        """One scan, with as much time as the deployed function has."""
        completed = self.scanner.scan(scan_id, {}, self.clock.now() + HALF_LIMIT)
        if not isinstance(completed, Completed):
            raise SystemExit(completed.reason)
        return completed

    def adopt(self, drift: Drift) -> None:
        """Approve one finding."""
        self.operators.adopt({drift.finding_id: drift.fingerprint}, Decision("reviewer"), "adoption")


@contextmanager
def scanned(approved: Account, live: Account, bus: EventPublisher) -> Iterator[Scanned]:
    """An account as it was approved and as it is."""
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "made-up",
        "AWS_SECRET_ACCESS_KEY": "made-up",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(MEMORY),
    }
    with mock_aws():
        # moto copies the table for each transaction, to undo it: memory and time grow with the square of the findings.
        # Nothing is undone here, where one process writes.
        Table.__deepcopy__ = lambda table, _: table  # type: ignore[attr-defined]
        s3, dynamodb, iam = boto3.client("s3"), boto3.client("dynamodb"), boto3.client("iam")
        iam.meta.events.register_first("before-send.iam", ServedIam(live).answer)
        s3.create_bucket(Bucket="baseline")
        s3.put_bucket_versioning(Bucket="baseline", VersioningConfiguration={"Status": "Enabled"})
        dynamodb.create_table(
            TableName="state",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
        calls: Counter[str] = Counter()
        dynamodb.meta.events.register("before-call.dynamodb.*", lambda model, **_: calls.update([model.name]))
        reports, clock = Reports(), ProcessorClock()
        ports: dict[str, Any] = {
            "account": live.id,
            "publisher": bus,
            "clock": clock,
            "store": S3BaselineStore(
                s3, bucket="baseline", key="baseline.json", owner="123456789012", largest=largest(MEMORY)
            ),
            "records": DynamoDbBaselineRecords(dynamodb, "state", live.id),
        }
        of_runs: dict[str, Any] = {
            "settings": DriftSettings(),
            "region": "us-east-1",
            "reader": IamAccount(iam, live.id),
            "findings": DynamoDbFindings(dynamodb, "state"),
            "credentials": _NoCredentials(),
            "reports": reports,
        }
        baseline_in_force(**ports).replace(
            Baseline(approved), origin=Origin.UPLOADED, by=Decision("reviewer"), findings=[], run="benchmark"
        )
        scanner = scan_account(history=_NoHistory(), rotation_roles=[], keys=_NoKeys(), **of_runs, **ports)
        uploads, trigger = S3Uploads(s3, "reports", largest(MEMORY)), LambdaScanTrigger(boto3.client("lambda"), "scan")
        operators = operate_drift(uploads=uploads, trigger=trigger, **of_runs, **ports)
        size: int = s3.head_object(Bucket="baseline", Key="baseline.json")["ContentLength"]
        yield Scanned(scanner, operators, clock, calls, reports, size)


class ProcessorClock:
    """Time that passes while this process computes: a busy machine gives the same figures."""

    def now(self) -> datetime:
        """The processor's seconds, as a moment."""
        return datetime(2026, 5, 4, tzinfo=UTC) + timedelta(seconds=process_time())

    def pause(self, seconds: float) -> None:
        """Nothing."""


@dataclass(slots=True)
class Reports:
    """Keeps the sizes of the reports."""

    sizes: dict[str, int] = field(default_factory=dict)

    def put(self, scan_id: str, documents: Any) -> str:
        """Measure."""
        self.sizes = {kind: len(text.encode()) for kind, text in documents.items()}
        return scan_id

    def link(self, extension: str) -> ReportLink | None:  # noqa: ARG002 - the port's
        """None."""
        return None


class _NoHistory:
    """CloudTrail, where nothing happened."""

    def changes_of(self, *_: object) -> tuple[()]:
        """Nothing."""
        return ()


class _NoKeys:
    """An account without access keys."""

    def read(self) -> AccessKeys:
        """None."""
        return AccessKeys("2026-05-04T12:00:00+00:00", 90, KeySummary(0, 0, 0, 0, 0), ())


class _NoCredentials:
    """An account without credentials."""

    def present(self, *_: object) -> frozenset[str]:
        """None."""
        return frozenset()

    def unused_keys(self, *_: object) -> dict[EntityId, tuple[str, ...]]:
        """None."""
        return {}
