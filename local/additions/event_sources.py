"""IAM decides about PutEvents on the sources that are put.

MiniStack gives the condition key ``events:source`` no value, so a policy that lets a function speak only under its own
name denies everything.

Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon EventBridge",
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html
"""

import json
from typing import Any

from ministack.core import iam_actions

GAP = "the condition key events:source of PutEvents"
RELIES_ON = ("core.iam_actions.request_tag_context",)

_ACTION = "events:PutEvents"


def is_still_missing() -> bool:
    """Whether a PutEvents call tells the evaluator nothing of its sources."""
    body = json.dumps({"Entries": [{"Source": "probe"}]}).encode()
    return "events:source" not in iam_actions.request_tag_context("events", _ACTION, body, {})


def install() -> None:
    """Give the evaluator the sources of all entries."""
    request_tags = iam_actions.request_tag_context

    def tag_context(service: str, iam_action: str, body: bytes, parameters: dict[str, Any]) -> dict[str, Any]:
        context: dict[str, Any] = request_tags(service, iam_action, body, parameters)
        if iam_action != _ACTION:
            return context
        entries = json.loads(body or b"{}").get("Entries", [])
        sources = sorted({str(entry.get("Source", "")) for entry in entries})
        return context | {"events:source": sources[0] if len(sources) == 1 else sources}

    iam_actions.request_tag_context = tag_context
