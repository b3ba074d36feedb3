"""What policy drift and access-key rotation store of what their events are about, and the owners of leaked keys.

Policy drift writes the digest of each event of a finding or a baseline into the item of that finding or baseline
(``published``, a set), before it publishes the event. Rotation has an item for each user that a run has seen. A leak
may be reported before: then IAM knows whose the key is.
"""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from alerting.domain.event import BusEvent
from steward.aws.errors import ACCESS_DENIED, translated, unless
from steward.events import digest_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_iam import IAMClient

RESOLVED = "PolicyDriftResolved"
OF_FINDINGS = frozenset({"PolicyDriftDetected", RESOLVED, "PolicyDriftAcknowledged"})
OF_BASELINES = frozenset({"BaselineChanged", "BaselineRefused"})
LEAKED = "compromised"


class DynamoDbSources:
    """The tables of the two capabilities, and IAM. At most two calls per event; none for one that nothing is stored of.

    Parameters
    ----------
    iam
        Makes the client, which few events need.
    """

    def __init__(
        self, client: "DynamoDBClient", iam: "Callable[[], IAMClient]", drift_table: str, rotation_table: str
    ) -> None:
        self._dynamodb = client
        self._iam = iam
        self._drift = drift_table
        self._rotation = rotation_table

    def doubt(self, event: BusEvent) -> str:
        """Compare the event with the item that it is about."""
        match event.capability, event.detail_type:
            case "policy_drift", kind if kind in OF_FINDINGS:
                return self._doubt_of_finding(event)
            case "policy_drift", kind if kind in OF_BASELINES:
                item = self._item(self._drift, f"baseline#{event.account}")
                return "" if _is_published(event, item) else "no such event of the baseline was published"
            case "access_key_rotation", "AccessKeyRotationDue":
                return self._doubt_of_leak(event) if event.data.text("reason") == LEAKED else ""
            case "access_key_rotation", _ if user := event.data.text("user_name"):
                known = self._item(self._rotation, f"user#{user}")
                return "" if known else "no run has seen a service user of this name"
        return ""

    def _doubt_of_finding(self, event: BusEvent) -> str:
        item = self._item(self._drift, f"finding#{event.data.text('finding_id')}")
        if not item:
            return "there is no such finding"
        if not _is_published(event, item):
            return "no such event of this finding was published"
        state = item.get("state", {}).get("S", "")
        return f"the finding is {state}" if event.detail_type == RESOLVED and state != "RESOLVED" else ""

    def _doubt_of_leak(self, event: BusEvent) -> str:
        user, key_id = event.data.text("user_name"), event.data.text("key_id")
        item = self._item(self._rotation, f"user#{user}")
        if key_id in json.loads(item.get("record", {"S": "{}"})["S"]).get("keys", {}):
            return ""
        with translated(), unless("NoSuchEntity", *ACCESS_DENIED):
            if self._iam().get_access_key_last_used(AccessKeyId=key_id).get("UserName") == user:
                return ""
        return "IAM knows no such key of this user"

    def _item(self, table: str, identity: str) -> dict[str, Any]:
        with translated():
            answer = self._dynamodb.get_item(TableName=table, Key={"id": {"S": identity}}, ConsistentRead=True)
        return dict(answer.get("Item", {}))


def _is_published(event: BusEvent, item: dict[str, Any]) -> bool:
    return digest_of(event.data.values) in item.get("published", {}).get("SS", [])
