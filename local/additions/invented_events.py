"""The operator may put the events of AWS's services on a bus, to try what AWS Health, for one, would set off.

On AWS nobody may: ``aws.`` sources are AWS's own. MiniStack refuses them as AWS does. Here root alone may invent them;
users and roles are refused as ever, so that rules can rely on the source.

Source: Amazon EventBridge API reference, PutEventsResultEntry, NotAuthorizedForSource.
"""

import json

from ministack.core import iam_evaluator
from ministack.core.router import extract_access_key_id
from ministack.services import eventbridge

from local.scratch_account import Reply, decoded, scratch_account

GAP = "a way to try what AWS's own events set off"
RELIES_ON = (
    "core.iam_evaluator.is_root_access_key",
    "services.eventbridge._put_events",
    "services.eventbridge.handle_request",
)


def is_still_missing() -> bool:
    """Whether an event of AWS Health is refused."""
    entry = {"Source": "aws.health", "DetailType": "probe", "Detail": "{}"}
    with scratch_account():
        return bool(decoded(eventbridge._put_events({"Entries": [entry]}))["FailedEntryCount"])


def install() -> None:
    """Let root pass."""
    handle_request = eventbridge.handle_request

    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Reply:
        invents = headers.get("x-amz-target", "").endswith(".PutEvents") and iam_evaluator.is_root_access_key(
            extract_access_key_id(headers, query) or ""
        )
        reply: Reply = (
            eventbridge._put_events(json.loads(body), allow_aws_source=True)
            if invents
            else await handle_request(method, path, headers, body, query)
        )
        return reply

    eventbridge.handle_request = handle
