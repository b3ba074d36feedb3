"""Calls and time of the inventory of an account of 500 users with 700 keys, and of one ten times as large.

``python -m benchmarks.key_inventory``: the use case over its adapters, whose calls are answered by pages of the size
that IAM uses. A call takes 150 ms.
"""

import json
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.stub import Stubber

from access_key_rotation.adapters.dynamodb_records import DynamoDbRotationRecords
from access_key_rotation.adapters.iam_credential_report import IamCredentialReport
from access_key_rotation.adapters.iam_directory import USERS_PER_CALL, IamDirectory
from access_key_rotation.application.list_access_keys import KeyInventory
from access_key_rotation.inventory_representation import csv_of, inventory_document
from steward.clock import SystemClock

CALL_SECONDS = 0.15
ACCOUNTS = ((500, 700), (5_000, 7_000))
COLUMNS = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,"
    "mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,"
    "access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"
    "access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,"
    "cert_2_last_rotated"
)
NOW = datetime.now(UTC)


class _Silent:
    def publish(self, events: Any, *, correlation_id: str) -> None:
        """Publish nothing."""
        del events, correlation_id


def main() -> int:
    """Print calls, seconds and sizes of each account."""
    sys.stdout.write(
        f"{'users':>6} {'keys':>6} {'calls':>6} {'seconds':>8} {'JSON kB':>8} {'CSV kB':>7}  which calls\n"
    )
    for users, keys in ACCOUNTS:
        calls: Counter[str] = Counter()
        inventory = _inventory(users, keys, calls)
        began = time.perf_counter()
        taken = inventory.take()
        body = json.dumps(inventory_document(taken, taken.keys, None, NOW))
        seconds = time.perf_counter() - began + CALL_SECONDS * sum(calls.values())
        sizes = len(body.encode()) / 1000, len(csv_of(taken, taken.keys).encode()) / 1000
        which = ", ".join(f"{name} {count}" for name, count in sorted(calls.items()))
        counted = "".join(f"{number:9}" for number in (users, len(taken.keys), sum(calls.values())))
        sys.stdout.write(f"{counted}{seconds:9.2f}{sizes[0]:9.0f}{sizes[1]:9.0f}  {which}\n")
    return 0


def _inventory(users: int, keys: int, calls: "Counter[str]") -> KeyInventory:
    iam: Any = _client("iam")
    dynamodb: Any = _client("dynamodb")
    for client in (iam, dynamodb):
        client.meta.events.register("before-parameter-build", lambda model, **_: calls.update([model.name]))
    of_iam, of_table = Stubber(iam), Stubber(dynamodb)
    rows = "\n".join([COLUMNS, *(_row(number, 2 if number < keys - users else 1) for number in range(users))])
    of_iam.add_response("generate_credential_report", {"State": "COMPLETE"})
    of_iam.add_response(
        "get_credential_report", {"Content": rows.encode(), "ReportFormat": "text/csv", "GeneratedTime": NOW}
    )
    pages = range(0, users, USERS_PER_CALL)
    for start in pages:
        end = min(start + USERS_PER_CALL, users)
        more = {"IsTruncated": True, "Marker": str(end)} if end < users else {"IsTruncated": False}
        details = [_detail(number) for number in range(start, end)]
        of_iam.add_response("get_account_authorization_details", {"UserDetailList": details, **more})
    of_table.add_response("scan", {"Items": []})
    of_iam.activate()
    of_table.activate()
    clock = SystemClock()
    records = DynamoDbRotationRecords(dynamodb, "table", clock)
    return KeyInventory(IamCredentialReport(iam, clock), IamDirectory(iam), records, _Silent(), clock, "/service/")


def _client(service: str) -> Any:
    make: Any = boto3.client
    keys = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}
    return make(service, region_name="us-east-1", **keys)


def _row(number: int, keys: int) -> str:
    created = NOW - timedelta(days=number % 700)
    used = NOW - timedelta(days=number % 200)
    key = f"true,{created:%Y-%m-%dT%H:%M:%S+00:00},{used:%Y-%m-%dT%H:%M:%S+00:00},eu-central-1,ecr"
    none, name = "false,N/A,N/A,N/A,N/A", f"build-server-of-team-{number}"
    second = key if keys > 1 else none
    arn = f"arn:aws:iam::123456789012:user/teams/{name}"
    return f"{name},{arn},{created:%Y-%m-%dT%H:%M:%S+00:00},false,N/A,N/A,N/A,false,{key},{second},false,N/A,false,N/A"


def _detail(number: int) -> dict[str, Any]:
    name = f"build-server-of-team-{number}"
    arn = f"arn:aws:iam::123456789012:user/teams/{name}"
    tags = [{"Key": "owner", "Value": f"team-{number}"}]
    return {
        "Path": "/teams/",
        "UserName": name,
        "UserId": f"AIDA{number:016d}",
        "Arn": arn,
        "CreateDate": NOW,
        "Tags": tags,
    }


if __name__ == "__main__":
    sys.exit(main())
