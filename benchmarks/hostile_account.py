"""Twenty grants hidden among holders of hostile policies: when a scan has published them, when it ends, its memory.

    python -m benchmarks.hostile_account [--holders N ...] [--set NAME ...]

Each holder has a policy of its own from `hostile_policies`; their names come before and behind those of the grants. One
scan over moto's S3 and DynamoDB. Its clock counts the processor's seconds, so that a busy machine gives the same
figures: after 450 s, half of the limit of the function, it begins no other comparison.
"""

import argparse
import multiprocessing
import resource
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from time import process_time
from typing import Any

from benchmarks.hostile_policies import SETS, inline
from benchmarks.large_account import ACCOUNT
from benchmarks.scanned_account import HALF_LIMIT, scanned
from policy_drift.domain.account import Account, Role
from policy_drift.domain.events import PolicyDriftDetected
from steward.events import PublishableEvent

GRANTS = 20
_READ = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
_ADMINISTRATOR = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


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
    return Account(ACCOUNT, {}, {}, approved, {}), Account(ACCOUNT, {}, {}, live, {})


def measured(kind: str, holders: int) -> dict[str, Any]:
    """One scan."""
    approved, live = accounts(kind, holders)
    bus = _Listener()
    with scanned(approved, live, bus) as account:
        begun = process_time()
        completed = account.scan("scan")
        ended = process_time()
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
