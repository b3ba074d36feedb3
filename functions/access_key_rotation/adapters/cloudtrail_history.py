"""Reads who created a key and who uses it, in CloudTrail's event history."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from steward.aws.errors import translated

if TYPE_CHECKING:
    from mypy_boto3_cloudtrail import CloudTrailClient

MARGIN = timedelta(minutes=15)
"""How far the event's time may be from the key's: clocks, and IAM's rounding."""


class CloudTrailHistory:
    """The history of the region where IAM's events are.

    Parameters
    ----------
    makers
        ARNs of the roles that make keys.
    """

    def __init__(self, client: "CloudTrailClient", makers: Sequence[str]) -> None:
        self._trail = client
        self._makers = {arn.rsplit("/", 1)[-1] for arn in makers}

    def made_by_us(self, key_id: str, created: datetime) -> bool:
        """Whether a CreateAccessKey of one of our roles answered with this key."""
        pages = self._trail.get_paginator("lookup_events").paginate(
            LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "CreateAccessKey"}],
            StartTime=created - MARGIN,
            EndTime=created + MARGIN,
        )
        with translated():
            for page in pages:
                for event in page["Events"]:
                    record = json.loads(event["CloudTrailEvent"])
                    made = ((record.get("responseElements") or {}).get("accessKey") or {}).get("accessKeyId")
                    if made == key_id:
                        issuer = record["userIdentity"].get("sessionContext", {}).get("sessionIssuer", {})
                        return issuer.get("arn", "").rsplit("/", 1)[-1] in self._makers
        return False

    def uses(self, key_id: str, since: datetime) -> list[dict[str, str]]:
        """The latest calls signed with the key, at most fifty, in this region. One call."""
        with translated():
            page = self._trail.lookup_events(
                LookupAttributes=[{"AttributeKey": "AccessKeyId", "AttributeValue": key_id}], StartTime=since
            )
        records = [json.loads(event["CloudTrailEvent"]) for event in page["Events"]]
        return [
            {
                "at": record["eventTime"],
                "call": f"{record['eventSource'].partition('.')[0]}:{record['eventName']}",
                "from": record.get("sourceIPAddress", ""),
                "agent": record.get("userAgent", ""),
            }
            for record in records
        ]
