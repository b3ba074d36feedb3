"""Requests to AWS per ensure, by what the ensure finds."""

import os
import time
from datetime import UTC, datetime

import boto3

from benchmarks.in_function.wiring import ensured, report, wired
from repository_provisioning.application.one_repository import IN_PROGRESS
from repository_provisioning.domain.configuration import STACK_TAG

BATCH = 200


def measure(names: str) -> dict[str, dict[str, float]]:
    """Requests by service and operation, per name, for each thing that an ensure may find."""
    provisioner, requests = wired()
    ecr = boto3.client("ecr")
    one, half_done, foreign = (f"{names}/calls-{kind}" for kind in ("one", "half-done", "foreign"))
    batch = [f"{names}/calls-{number}" for number in range(BATCH)]
    ecr.create_repository(repositoryName=half_done, tags=[{"Key": STACK_TAG, "Value": os.environ["STEWARD_STACK"]}])
    ecr.create_repository(repositoryName=foreign)
    abandoned = datetime.now(UTC) + IN_PROGRESS
    ensured(provisioner, [f"{names}/calls-first"])  # reads the registry's scan configuration, kept for five minutes
    found: dict[str, dict[str, float]] = {}

    def count(case: str, wanted: list[str], *, created: bool) -> None:
        with requests.counted() as sent:
            ensured(provisioner, wanted, created=created)
        found[case] = {operation: number / len(wanted) for operation, number in sorted(sent.items())}

    count("missing", [one], created=True)
    count("existing and complete", [one], created=False)
    count(f"missing, per name in a batch of {BATCH}", batch, created=True)
    count(f"existing and complete, per name in a batch of {BATCH}", batch, created=False)
    # A repository without a record is left to the call that created it for a while.
    time.sleep(max(0.0, (abandoned - datetime.now(UTC)).total_seconds() + 1))
    count("half-done", [half_done], created=False)
    count("half-done, the next time", [half_done], created=False)
    count("foreign", [foreign], created=False)
    count("foreign, the next time", [foreign], created=False)
    return found


if __name__ == "__main__":
    report(measure)
