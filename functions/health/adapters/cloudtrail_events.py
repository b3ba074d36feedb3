"""How events reach the stack: trails, rules of us-east-1, and what arrived."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from health.adapters.rights import needing
from health.domain.facts import IamEvents, Rule, Trail
from health.domain.rules import SETTLED
from steward.clock import Clock
from steward.errors import UpstreamError

LOOKED_BACK = timedelta(days=14)
PAGES = 5
"""Of CloudTrail's history, which answers two calls a second: so far back is searched for a change of IAM."""
READ_ONLY = ("Get", "List", "Simulate", "Generate")
"""Of IAM's operations: what the rule of changes leaves out."""


class CloudTrailEvents:
    """Reads CloudTrail in both regions, EventBridge in us-east-1 and CloudWatch at home."""

    def __init__(
        self, home: Any, global_trail: Any, global_events: Any, cloudwatch: Any, clock: Clock, *, account: str
    ) -> None:
        self._trails = (home, global_trail)
        self._history = global_trail
        self._events = global_events
        self._cloudwatch = cloudwatch
        self._clock = clock
        self._account = account

    def trails(self) -> Sequence[Trail]:
        """One call for each region, and two for each trail."""
        found: dict[str, Trail] = {}
        for client in self._trails:
            with needing("cloudtrail:DescribeTrails"):
                described = client.describe_trails(includeShadowTrails=True)["trailList"]
            for trail in described:
                if trail["TrailARN"] not in found:
                    found[trail["TrailARN"]] = Trail(
                        trail["Name"],
                        trail.get("HomeRegion", ""),
                        trail.get("IsMultiRegionTrail", False),
                        self._is_logging(client, trail["TrailARN"]),
                        self._has_writes(client, trail["TrailARN"]),
                    )
        return list(found.values())

    def _is_logging(self, client: Any, arn: str) -> bool | None:
        ask = partial(client.get_trail_status, Name=arn)
        answer = self._of_its_owner(arn, "cloudtrail:GetTrailStatus", ask)
        return None if answer is None else bool(answer["IsLogging"])

    def _has_writes(self, client: Any, arn: str) -> bool | None:
        ask = partial(client.get_event_selectors, TrailName=arn)
        answer = self._of_its_owner(arn, "cloudtrail:GetEventSelectors", ask)
        return None if answer is None else _takes_writes(answer)

    def _of_its_owner(self, arn: str, action: str, ask: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
        """The answer; None where a trail of another account fails: the organization's is read by its owner alone."""
        try:
            with needing(action):
                return ask()
        except UpstreamError:
            if arn.split(":")[4] == self._account:
                raise
        return None

    def forwarding_rules(self, bus_arn: str) -> Sequence[Rule]:
        """One call, and one for each rule."""
        with needing("events:ListRuleNamesByTarget"):
            names = self._events.list_rule_names_by_target(TargetArn=bus_arn)["RuleNames"]
        with needing("events:DescribeRule"):
            return [Rule(name, self._events.describe_rule(Name=name)["State"] != "DISABLED") for name in names]

    def iam_events(self, queue_name: str) -> IamEvents:
        """At most ``PAGES`` calls of the history, and one of the metrics."""
        now = self._clock.now()
        with needing("cloudtrail:LookupEvents"):
            change = next(self._changes(now), None)
        with needing("cloudwatch:GetMetricStatistics"):
            points = self._cloudwatch.get_metric_statistics(
                Namespace="AWS/SQS",
                MetricName="NumberOfMessagesSent",
                Dimensions=[{"Name": "QueueName", "Value": queue_name}],
                StartTime=now - LOOKED_BACK,
                EndTime=now,
                Period=3600,
                Statistics=["Sum"],
            )["Datapoints"]
        arrivals = [point["Timestamp"] for point in points if point["Sum"] > 0]
        return IamEvents(change, max(arrivals, default=None))

    def _changes(self, now: datetime) -> Iterator[datetime]:
        """Times of changes that are old enough for their event to have arrived, the newest first."""
        pages = self._history.get_paginator("lookup_events").paginate(
            LookupAttributes=[{"AttributeKey": "EventSource", "AttributeValue": "iam.amazonaws.com"}],
            StartTime=now - LOOKED_BACK,
            EndTime=now - SETTLED,
            PaginationConfig={"MaxItems": PAGES * 50, "PageSize": 50},
        )
        for page in pages:
            for event in page["Events"]:
                if not event["EventName"].startswith(READ_ONLY) and '"errorCode"' not in event["CloudTrailEvent"]:
                    yield event["EventTime"]


def _takes_writes(answer: dict[str, Any]) -> bool:
    """Whether selectors of either kind take write management events."""
    basic = any(
        selector.get("IncludeManagementEvents", True) and selector.get("ReadWriteType", "All") != "ReadOnly"
        for selector in answer.get("EventSelectors", [])
    )
    return basic or any(map(_selects_writes, answer.get("AdvancedEventSelectors", [])))


def _selects_writes(selector: dict[str, Any]) -> bool:
    """Whether an advanced selector takes write management events of IAM.

    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html
    """
    fields = {each["Field"]: each for each in selector["FieldSelectors"]}
    management = "Management" in fields.get("eventCategory", {}).get("Equals", [])
    reads_only = "true" in fields.get("readOnly", {}).get("Equals", [])
    without_iam = "iam.amazonaws.com" in fields.get("eventSource", {}).get("NotEquals", [])
    return management and not reads_only and not without_iam
