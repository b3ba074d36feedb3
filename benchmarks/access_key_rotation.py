"""AWS calls of a planner's run and of one rotation, and the planner's memory, on the doubles that count them.

``python -m benchmarks.access_key_rotation``: the planner runs on its real adapters, which talk to a stand-in for the
wire (botocore's own hook before a request is sent), so that every request is counted, and pages are as large as on AWS.
"""

import csv
import io
import os
import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import msgspec

from access_key_rotation.adapters.dynamodb_records import DynamoDbRotationRecords
from access_key_rotation.adapters.iam_directory import IamDirectory
from access_key_rotation.adapters.iam_users import IamUsers
from access_key_rotation.domain.naming import UserName
from access_key_rotation.domain.observation import KeyHistory, Record
from access_key_rotation.domain.planning import Planner
from access_key_rotation.domain.policy import RotationSettings, policy_of
from steward.aws.event_bus import EventBridgePublisher
from steward.clock import SystemClock

SESSION = boto3.Session("AKIAEXAMPLE", "nothing is sent", region_name="eu-west-1")
NOW = datetime.now(UTC)
TABLE_PAGE = 1_000_000
DUE = 50
"""One user in so many is due: 2 %."""
SETTINGS = RotationSettings(max_users_per_run=10_000)


class Account:
    """Answers for AWS: so many service users, each remembered, some due."""

    def __init__(self, users: int) -> None:
        self.users = users
        self.calls: dict[str, int] = {}

    def answer(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """What AWS would answer, in pages of its sizes."""
        self.calls[operation] = self.calls.get(operation, 0) + 1
        match operation:
            case "GenerateCredentialReport":
                return {"State": "COMPLETE"}
            case "GetCredentialReport":
                return {"Content": self._report()}
            case "GetAccountAuthorizationDetails":
                start = int(parameters.get("Marker", 0))
                end = min(start + parameters["MaxItems"], self.users)
                page = {"UserDetailList": [_user(number) for number in range(start, end)]}
                return page | (
                    {"IsTruncated": True, "Marker": str(end)} if end < self.users else {"IsTruncated": False}
                )
            case "Scan":
                return self._scan(int(parameters.get("ExclusiveStartKey", {"id": {"N": "0"}})["id"]["N"]))
            case "SimulatePrincipalPolicy":
                return {
                    "EvaluationResults": [{"EvalActionName": "iam:CreateAccessKey", "EvalDecision": "implicitDeny"}]
                }
            case "PutEvents":
                return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}] * len(parameters["Entries"])}
        raise AssertionError(operation)

    def _report(self) -> bytes:
        file = io.StringIO()
        writer = csv.writer(file)
        writer.writerow(["user", "arn", "password_enabled", "mfa_active", *[f"column_{n}" for n in range(18)]])
        for number in range(self.users):
            writer.writerow([_name(number), _arn(number), "false", "false", *["2026-05-04T12:00:00+00:00"] * 18])
        return file.getvalue().encode()

    def _scan(self, start: int) -> dict[str, Any]:
        items, size, number = [], 0, start
        while number < self.users and size < TABLE_PAGE:
            items.append(_item(number))
            size += len(items[-1]["record"]["S"]) + 120
            number += 1
        more = {"LastEvaluatedKey": {"id": {"N": str(number)}}} if number < self.users else {}
        return {"Items": items, **more}


def measure(users: int) -> tuple[dict[str, int], int, int, float]:
    """Calls by operation, users told, pages read, and the planner's own peak of memory in MB."""
    account = Account(users)

    def stubbed(service: str) -> Any:
        client: Any = SESSION.client(service)  # type: ignore[call-overload]
        client._make_api_call = account.answer  # noqa: SLF001 - the wire's stand-in
        return client

    iam, clock = stubbed("iam"), SystemClock()
    publisher = EventBridgePublisher(
        stubbed("events"), bus="steward", capability="access_key_rotation", account="1" * 12, region="eu-west-1"
    )
    directory = IamDirectory(iam, IamUsers(iam, iam), clock)
    records = DynamoDbRotationRecords(stubbed("dynamodb"), "table", clock)
    tracemalloc.start()
    plan = Planner(directory, records, publisher, clock, SETTINGS).plan("benchmark")
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    pages = account.calls["GetAccountAuthorizationDetails"] + account.calls["Scan"]
    return account.calls, len(plan.due), pages, peak


def _name(number: int) -> str:
    return f"service-user-{number:05d}"


def _arn(number: int) -> str:
    return f"arn:aws:iam::123456789012:user/service/{_name(number)}"


def _user(number: int) -> dict[str, Any]:
    return {
        "Path": "/service/",
        "UserName": _name(number),
        "UserId": f"AIDA{number:017d}",
        "Arn": _arn(number),
        "CreateDate": NOW,
        "GroupList": ["ecr-write"],
        "AttachedManagedPolicies": [],
        "Tags": [{"Key": "steward:rotate", "Value": "true"}, {"Key": "team", "Value": "a"}],
    }


def _item(number: int) -> dict[str, Any]:
    user = UserName(_name(number))
    record = Record(
        user_id=f"AIDA{number:017d}",
        keys={f"AKIA{number:016d}": KeyHistory(made_by_us=True, promoted_at=NOW, adopted_at=NOW)},
        versions={"0" * 36: f"AKIA{number:016d}", "1" * 36: f"AKIA{number + 1:016d}"},
        state="STEADY",
        next_at=NOW + timedelta(days=-1 if number % DUE == 0 else 30),
        policy=policy_of(SETTINGS, user, {}).fingerprint,
    )
    return {"id": {"S": f"user#{user}"}, "record": {"S": msgspec.json.encode(record).decode()}}


def main() -> None:
    """Print the figures beside their targets."""
    os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
    for users in (100, 1_000, 10_000):
        calls, due, pages, peak = measure(users)
        total, most = sum(calls.values()), 3 + pages + 1.2 * due
        print(f"{users:6} users, {due:3} due: {total:4} calls (at most {most:g}), {peak:5.1f} MB of objects  {calls}")


if __name__ == "__main__":
    main()
