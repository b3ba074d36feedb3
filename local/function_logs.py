"""What the functions wrote to CloudWatch Logs."""

import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_logs import CloudWatchLogsClient

_GROUPS = "/aws/lambda/"
_POLL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a function's log."""

    time: datetime
    function: str
    text: str


def read_functions(logs: "CloudWatchLogsClient") -> list[Line]:
    """Every line of every function, oldest first."""
    groups = [
        group["logGroupName"]
        for page in logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=_GROUPS)
        for group in page["logGroups"]
    ]
    lines = [
        Line(
            time=datetime.fromtimestamp(event["timestamp"] / 1000, UTC),
            function=group.removeprefix(_GROUPS),
            text=event["message"].rstrip(),
        )
        for group in groups
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        for event in page["events"]
    ]
    return sorted(lines, key=lambda line: line.time)  # lines of one moment keep the order in which they were written


def follow(logs: "CloudWatchLogsClient") -> "Iterator[Line]":
    """Every line, and then those that are written, without end."""
    seen: Counter[Line] = Counter()
    while True:
        lines = read_functions(logs)
        unseen = Counter(lines) - seen
        for line in lines:
            if unseen[line]:
                unseen[line] -= 1
                yield line
        seen = Counter(lines)
        time.sleep(_POLL_SECONDS)
