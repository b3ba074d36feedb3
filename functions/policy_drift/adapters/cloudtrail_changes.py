"""Who changed an entity of IAM, on CloudTrail's event history."""

import json
from datetime import datetime
from typing import TYPE_CHECKING

from policy_drift.domain.account import EntityId
from policy_drift.domain.changes.announcement import announcement
from policy_drift.domain.finding import Change
from steward.aws.errors import translated

if TYPE_CHECKING:
    from mypy_boto3_cloudtrail import CloudTrailClient

LATEST = 50
"""Events that are looked at: one page, and one call, of which CloudTrail grants two a second."""


class CloudTrailChanges:
    """The history of the region where IAM's events are."""

    def __init__(self, client: "CloudTrailClient") -> None:
        self._trail = client

    def changes_of(self, entity: EntityId, since: datetime) -> tuple[Change, ...]:
        """The successful changes among the latest events that name the entity. One call."""
        with translated():
            page = self._trail.lookup_events(
                LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": entity.name}],
                StartTime=since,
                MaxResults=LATEST,
            )
        records = [json.loads(event["CloudTrailEvent"]) for event in page["Events"]]
        told = [announcement(record) for record in records]
        return tuple(one.change for one in told if one and entity in one.touches)
