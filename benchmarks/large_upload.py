"""A baseline that is too large for a request, on the deployed stack: when it is in force, and when the scan has ended.

    python -m benchmarks.large_upload [--roles N] [--statements M] [--memory MB]

A stack of its own, with IAM enforced. The baseline in force is read, gets N roles that the account does not have, each
with an inline policy of M statements, and is sent to a link; `PUT /drift/baseline?uploaded=` names it. Then the version
in force is read every second, and the bus is heard.
It exits with 1 if the version is not in force within the time of a scan, or a scan failed.
"""

import argparse
import hashlib
import json
import os
import sys
import time
import urllib.request
from typing import Any

from benchmarks.deployment import Deployment, NoDeploymentError, Reply
from benchmarks.drift_changes.ears import Ears
from benchmarks.own_stack import own_stack

LIMIT = 900
"""Seconds that a scan may take."""
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def main() -> int:
    """Print the answers and the seconds."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--roles", type=int, default=9_000)
    options.add_argument("--statements", type=int, default=2)
    options.add_argument("--memory", default="2048", help="the parameter DriftMemory")
    asked = options.parse_args()
    try:
        with own_stack({}, {"DriftMemory": asked.memory}) as variables:
            return _measured(Deployment(variables), asked.roles, asked.statements)
    except NoDeploymentError as error:
        print(error, file=sys.stderr)
        return 2


def _measured(stack: Deployment, roles: int, statements: int) -> int:
    ears = Ears(stack)
    ears.start()
    try:
        began = time.time()
        stack.client("lambda").invoke(FunctionName=stack.resource("DriftScan"), Payload=b"{}")
        before = _version(stack)
        text = _with_more_roles(_in_force(stack), roles, statements)
        named = _sent(stack, text)
        asked_for = time.time()
        answer = _call(stack, "PUT", f"/drift/baseline?uploaded={named}")
        print(f"{len(text)} bytes, {roles} roles more: PUT {answer.status} after {time.time() - asked_for:.1f} s; "
              f"load {os.getloadavg()[0]:.1f}", flush=True)  # fmt: skip
        while (now := _version(stack)) == before and time.time() < asked_for + LIMIT:
            time.sleep(1)
        print(f"another version in force: {now != before}, {time.time() - asked_for:.0f} s after the request; "
              f"load {os.getloadavg()[0]:.1f}", flush=True)  # fmt: skip
        ended = _ends_of_scans(ears, asked_for)
        for one in [each for each in ears.since(began) if each.kind in ("BaselineChanged", "DriftScanFailed")]:
            said = one.data.get("summary") or one.data.get("reason")
            print(f"{one.kind} {one.at - asked_for:.0f} s after the request: {said}", flush=True)
        return 0 if now != before and ended else 1
    finally:
        ears.stop()


def _ends_of_scans(ears: Ears, since: float) -> bool:
    """Wait for the ends of both scans, of S3's event and of the request, and print them; whether both completed."""
    ends: list[Any] = []
    while len(ends) < 2 and time.time() < since + 2 * LIMIT:  # noqa: PLR2004 - see above
        time.sleep(1)
        ends = [one for one in ears.since(since) if one.kind in ("DriftScanCompleted", "DriftScanFailed")]
    for one in ends:
        print(f"{one.kind} {one.at - since:.0f} s after the request: {one.data.get('open_findings')}", flush=True)
    return [one.kind for one in ends] == ["DriftScanCompleted"] * 2


def _with_more_roles(baseline: dict[str, Any], roles: int, statements: int) -> bytes:
    baseline["roles"] |= {
        f"work-{number:05}": {
            "path": "/",
            "unique_id": f"AROA{number:017}",
            "trust": _TRUST,
            "inline": {"own": _rights(number, statements)},
            "attached": [],
        }
        for number in range(roles)
    }
    return json.dumps(baseline).encode()


def _rights(number: int, statements: int) -> dict[str, Any]:
    """What a function needs of its own buckets and tables, by turns."""
    of_bucket = ["s3:GetObject", "s3:PutObject"], f"arn:aws:s3:::data-{number}-%d/*"
    of_table = (
        ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"],
        f"arn:aws:dynamodb:ca-central-1:123456789012:table/state-{number}-%d",
    )
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": actions, "Resource": resource % one}
            for one in range(statements)
            for actions, resource in [(of_bucket, of_table)[one % 2]]
        ],
    }


def _in_force(stack: Deployment) -> dict[str, Any]:
    link = _call(stack, "GET", "/drift/baseline").document["document"]
    with urllib.request.urlopen(link, timeout=60) as reply:  # noqa: S310 - a link to our own endpoint
        found: dict[str, Any] = json.load(reply)
    return found


def _sent(stack: Deployment, text: bytes) -> str:
    """Send the text to a link; the digest that names it."""
    sha256 = hashlib.sha256(text).hexdigest()
    link = _call(stack, "POST", "/drift/baseline/uploads", {"sha256": sha256, "size": len(text)}).document
    request = urllib.request.Request(link["upload"], data=text, headers=link["headers"], method="PUT")  # noqa: S310
    urllib.request.urlopen(request, timeout=60).close()  # noqa: S310 - a link to our own endpoint
    return sha256


def _version(stack: Deployment) -> str:
    return str(_call(stack, "GET", "/drift/baseline").document["version"])


def _call(stack: Deployment, method: str, path: str, body: object = None) -> Reply:
    return stack.call(method, path, body, caller="")


if __name__ == "__main__":
    sys.exit(main())
