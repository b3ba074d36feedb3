"""AWS calls of the planner, and the memory of its process, by the number of users.

``python -m benchmarks.access_key_rotation``: the planner runs as the function wires it, under the settings that are
shipped. What it sends is answered before it leaves botocore, in AWS's own formats and pages, so that every request is
counted and every answer is parsed. Each size is measured in a process of its own.
"""

import io
import json
import os
import resource
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree as ET

import boto3
import botocore.session
import msgspec
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from access_key_rotation.bootstrap import plan_rotations, rotation_settings
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.settings import settings_of
from access_key_rotation.domain.state import KeyHistory, Record

NOW = datetime.now(UTC)
TABLE_PAGE = 1_000_000
DUE = 50
"""One user in so many is due: 2 %."""
SIZES = (100, 1_000, 10_000)
MOST_MEGABYTES = 256
TAGS = {"steward:rotate": "true", "team": "a"}
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "nothing is sent",
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "ROTATION_TABLE": "table",
    "SYNC_TABLE": "sync",
    "SERVICE_PATH": "/service/",
    "STEWARD_ACCOUNT": "123456789012",
    "STEWARD_BUS": "steward",
}


class Account:
    """Answers for AWS: so many service users, each remembered, some due."""

    def __init__(self, users: int) -> None:
        self.users = users
        self.calls: dict[str, int] = {}

    def answer(self, **event: Any) -> Any:
        """Answer one request, which botocore is about to send."""
        operation, request = event["event_name"].rpartition(".")[2], event["request"]
        self.calls[operation] = self.calls.get(operation, 0) + 1
        body = request.body.decode() if isinstance(request.body, bytes) else request.body
        if body.startswith("{"):
            answer = json.dumps(self._json(operation, json.loads(body)))
        else:
            answer = _xml(operation, self._query(operation, {name: value[0] for name, value in parse_qs(body).items()}))
        return AWSResponse(request.url, 200, HTTPHeaders(), _Raw(answer.encode()))

    def _query(self, operation: str, parameters: dict[str, str]) -> dict[str, Any]:
        match operation:
            case "GetAccountAuthorizationDetails":
                start = int(parameters.get("Marker", "0"))
                end = min(start + int(parameters["MaxItems"]), self.users)
                page = {"UserDetailList": [_user(number) for number in range(start, end)]}
                return page | ({"IsTruncated": "true", "Marker": str(end)} if end < self.users else {})
        raise AssertionError(operation)

    def _json(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        if operation == "PutEvents":
            return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}] * len(parameters["Entries"])}
        return self._scan(int(parameters.get("ExclusiveStartKey", {"id": {"S": "0"}})["id"]["S"]))

    def _scan(self, start: int) -> dict[str, Any]:
        items, size, number = [], 0, start
        while number < self.users and size < TABLE_PAGE:
            items.append(_item(number))
            size += len(items[-1]["record"]["S"]) + 120
            number += 1
        more = {"LastEvaluatedKey": {"id": {"S": str(number)}}} if number < self.users else {}
        return {"Items": items, **more}


class _Raw(io.BytesIO):
    """The body of an answer, as urllib3 hands it over."""

    def stream(self, **_: Any) -> Any:
        yield self.read()


def measure(users: int) -> dict[str, Any]:
    """Calls by operation, users published, and the peak of this process's memory in MB."""
    os.environ.update(ENVIRONMENT)
    account, session = Account(users), botocore.session.Session()
    session.register("before-send", account.answer)
    boto3.setup_default_session(botocore_session=session)
    plan = plan_rotations().plan("benchmark")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"calls": account.calls, "due": len(plan.due), "enrolled": plan.enrolled, "megabytes": peak}


def _xml(operation: str, result: dict[str, Any]) -> str:
    root = ET.Element(f"{operation}Response")
    _append(ET.SubElement(root, f"{operation}Result"), result)
    return ET.tostring(root, encoding="unicode")


def _append(parent: ET.Element, value: Any) -> None:
    if isinstance(value, dict):
        for name, inner in value.items():
            _append(ET.SubElement(parent, name), inner)
    elif isinstance(value, list):
        for item in value:
            _append(ET.SubElement(parent, "member"), item)
    else:
        parent.text = value


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
        "CreateDate": NOW.isoformat(),
        "GroupList": ["ecr-write"],
        "AttachedManagedPolicies": [],
        "Tags": [{"Key": key, "Value": value} for key, value in TAGS.items()],
    }


def _item(number: int) -> dict[str, Any]:
    user = UserName(_name(number))
    record = Record(
        user_id=f"AIDA{number:017d}",
        arn=_arn(number),
        tags=TAGS,
        keys={f"AKIA{number:016d}": KeyHistory(made_by_us=True, promoted_at=NOW, adopted_at=NOW)},
        versions={"0" * 36: f"AKIA{number:016d}", "1" * 36: f"AKIA{number + 1:016d}"},
        state="STEADY",
        next_at=NOW + timedelta(days=-1 if number % DUE == 0 else 30),
        policy=settings_of(rotation_settings(), user, TAGS).fingerprint,
    )
    return {"id": {"S": f"user#{user}"}, "record": {"S": msgspec.json.encode(record).decode()}}


def main() -> None:
    """Print the figures beside their targets; with a number of users, measure that one as JSON."""
    if len(sys.argv) > 1:
        json.dump(measure(int(sys.argv[1])), sys.stdout)
        return
    print(f"{'users':>6} {'due':>4} {'calls':>6} {'at most':>8} {'MB':>6} {'below':>6}  what")
    for users in SIZES:
        command = [sys.executable, "-m", "benchmarks.access_key_rotation", str(users)]
        found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        calls, due = found["calls"], found["due"]
        pages = calls["GetAccountAuthorizationDetails"] + calls["Scan"]
        figures = f"{sum(calls.values()):6} {3 + pages + 1.2 * due:8g} {found['megabytes']:6.0f} {MOST_MEGABYTES:6}"
        print(f"{users:6} {due:4} {figures}  {calls}")


if __name__ == "__main__":
    main()
