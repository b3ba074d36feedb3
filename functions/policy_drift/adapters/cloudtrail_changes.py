"""Who changed an entity of IAM, on CloudTrail's event history."""

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from policy_drift.domain.account import EntityId, EntityKind
from policy_drift.domain.changes.change_event import change_event
from policy_drift.domain.finding import Change
from steward.aws.errors import translated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_cloudtrail import CloudTrailClient

PAGE, PAGES = 50, 4
"""Events of a call, and calls of a search: CloudTrail grants two calls a second. Reading calls name the entity, too."""


class CloudTrailChanges:
    """The history of the region where IAM's events are."""

    def __init__(self, client: "CloudTrailClient") -> None:
        self._trail = client

    def changes_of(self, entity: EntityId, since: datetime, arn: str) -> tuple[Change, ...]:
        """The successful changes among the latest events: another actor's may be behind pages of reading calls."""
        resource = arn if entity.kind is EntityKind.POLICY else entity.name
        pages = self._trail.get_paginator("lookup_events").paginate(
            LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": resource}],
            StartTime=since,
            PaginationConfig={"PageSize": PAGE, "MaxItems": PAGE * PAGES},
        )
        with translated():
            records = [record for page in pages for event in page["Events"] if (record := _record(event))]
        announced = filter(None, map(change_event, records))
        return tuple(one.change for one in announced if entity.casefold() in map(str.casefold, one.touches))


def _record(event: "Mapping[str, Any]") -> dict[str, Any]:
    """The record in an event; an empty one where it holds none, which must not hide the others."""
    try:
        record = json.loads(event.get("CloudTrailEvent", ""))
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}
