"""Who changed an entity of IAM, on CloudTrail's event history."""

import json
from datetime import datetime
from typing import TYPE_CHECKING

from policy_drift.domain.account import EntityId
from policy_drift.domain.changes.change_event import change_event
from policy_drift.domain.finding import Change
from steward.aws.errors import translated

if TYPE_CHECKING:
    from mypy_boto3_cloudtrail import CloudTrailClient

PAGE, PAGES = 50, 4
"""Events of a call, and calls of a search: CloudTrail grants two calls a second. Reading calls name the entity, too."""


class CloudTrailChanges:
    """The history of the region where IAM's events are."""

    def __init__(self, client: "CloudTrailClient") -> None:
        self._trail = client

    def changes_of(self, entity: EntityId, since: datetime) -> tuple[Change, ...]:
        """The successful changes of the latest page of events that has some, among the first pages."""
        pages = self._trail.get_paginator("lookup_events").paginate(
            LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": entity.name}],
            StartTime=since,
            PaginationConfig={"PageSize": PAGE, "MaxItems": PAGE * PAGES},
        )
        with translated():
            for page in pages:
                records = [json.loads(event["CloudTrailEvent"]) for event in page["Events"]]
                announced = [change_event(record) for record in records]
                changes = tuple(one.change for one in announced if one and entity in one.touches)
                if changes:
                    return changes
        return ()
