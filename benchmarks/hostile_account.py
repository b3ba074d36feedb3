"""Twenty grants hidden among holders of hostile policies: when a scan has published them, when it ends, its memory.

    python -m benchmarks.hostile_account [--holders N ...] [--set NAME ...]

Each holder has a policy of its own from `hostile_policies`; their names come before and behind those of the grants. One
scan over moto's S3 and DynamoDB. Its clock counts the processor's seconds, so that a busy machine gives the same
figures: after 450 s, half of the limit of the function, it begins no other comparison.
"""

import argparse
import multiprocessing
import os
import resource
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import process_time
from typing import Any

import boto3
from moto import mock_aws

from benchmarks import large_account
from benchmarks.hostile_policies import SETS, inline
from benchmarks.served_iam import ServedIam
from policy_drift.adapters.dynamodb_findings import DynamoDbBaselineRecords, DynamoDbFindings
from policy_drift.adapters.iam_account import IamAccount
from policy_drift.adapters.s3_baseline import S3BaselineStore
from policy_drift.application.scan_account import Completed
from policy_drift.bootstrap import baseline_in_force, scan_account
from policy_drift.domain.account import Account, Role
from policy_drift.domain.baseline import Baseline, Origin
from policy_drift.domain.decision import Decision
from policy_drift.domain.events import PolicyDriftDetected
from policy_drift.domain.settings import DriftSettings
from steward.events import PublishableEvent

GRANTS = 20
HALF_LIMIT = timedelta(seconds=450)
_READ = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
_ADMINISTRATOR = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


class _ProcessorClock:
    """Time that passes while this process computes."""

    def now(self) -> datetime:
        return datetime(2026, 5, 4, tzinfo=UTC) + timedelta(seconds=process_time())

    def pause(self, seconds: float) -> None: ...


class _Listener:
    """Notes when each entity was reported."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}

    def publish(self, events: Sequence[PublishableEvent], *, correlation_id: str) -> None:  # noqa: ARG002 - the port's
        for event in events:
            if isinstance(event, PolicyDriftDetected):
                self.at.setdefault(event.entity, process_time())
        granted = sum(entity.startswith("role/grant-") for entity in self.at)
        print(f"    {granted} grants among {len(self.at)} reported, {process_time():.0f} CPU s", flush=True)


def accounts(kind: str, holders: int) -> tuple[Account, Account]:
    """What is approved, and what is."""
    names = [f"{'a' if number % 2 else 'z'}-{number:04}" for number in range(holders)]
    granted = [f"grant-{number:02}" for number in range(GRANTS)]
    approved = {
        name: Role(name, "/", f"AROA{number:017}", {"own": _READ}, (), _TRUST, None)
        for number, name in enumerate([*names, *granted])
    }
    live = {name: replace(approved[name], inline=inline(kind, number)) for number, name in enumerate(names)}
    live |= {name: replace(approved[name], inline={"own": _ADMINISTRATOR}) for name in granted}
    return Account(large_account.ACCOUNT, {}, {}, approved, {}), Account(large_account.ACCOUNT, {}, {}, live, {})


def measured(kind: str, holders: int) -> dict[str, Any]:
    """One scan."""
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "made-up",
        "AWS_SECRET_ACCESS_KEY": "made-up",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    approved, live = accounts(kind, holders)
    with mock_aws():
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
        bus, clock = _Listener(), _ProcessorClock()
        ports: dict[str, Any] = {
            "account": large_account.ACCOUNT,
            "publisher": bus,
            "clock": clock,
            "store": S3BaselineStore(s3, bucket="baseline", key="baseline.json", owner="123456789012"),
            "records": DynamoDbBaselineRecords(dynamodb, "state", large_account.ACCOUNT),
        }
        baseline_in_force(**ports).replace(
            Baseline(approved), origin=Origin.UPLOADED, by=Decision("nobody"), findings=[], run="benchmark"
        )
        scanner = scan_account(
            settings=DriftSettings(),
            region="us-east-1",
            reader=IamAccount(iam, large_account.ACCOUNT),
            findings=DynamoDbFindings(dynamodb, "state"),
            history=large_account.NoHistory(),
            credentials=large_account.NoCredentials(),
            rotation_roles=[],
            keys=large_account.NoKeys(),
            reports=large_account.Reports(),
            **ports,
        )
        begun = process_time()
        completed = scanner.scan("scan", {}, clock.now() + HALF_LIMIT)
        ended = process_time()
        if not isinstance(completed, Completed):
            raise SystemExit(completed.reason)
    granted = [at - begun for entity, at in bus.at.items() if entity.startswith("role/grant-")]
    drifts = [one.drift for one in completed.findings]
    return {
        "set": kind,
        "holders": holders,
        "grants published": len(granted),
        "after CPU s": round(max(granted, default=0), 1),
        "scan ended after CPU s": round(ended - begun, 1),
        "findings": dict(Counter(f"{one.severity.name} {one.verdict.name}" for one in drifts)),
        "left to the next scan": [one.summary for one in drifts if one.entity.startswith("account/")],
        "peak MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def main() -> int:
    """Print a line for each set and number of holders; 1 if a grant was not published within half of the limit."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--holders", type=int, nargs="+", default=[45, 1_000])
    options.add_argument("--set", nargs="+", choices=SETS[:3], default=SETS[:3])
    asked, missed = options.parse_args(), 0
    for kind in asked.set:
        for holders in asked.holders:
            with multiprocessing.get_context("spawn").Pool(1) as process:
                found = process.apply(measured, (kind, holders))
            print(found, flush=True)
            missed += GRANTS - found["grants published"] + (found["after CPU s"] > HALF_LIMIT.total_seconds())
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
