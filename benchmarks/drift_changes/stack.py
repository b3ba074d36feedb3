"""The stack that the changes are made on: as shipped, but for what the measurement needs to recognise its own."""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.deployment import PROJECT, Deployment
from benchmarks.drift_changes.change import ACCOUNT
from benchmarks.drift_changes.ears import BUS
from benchmarks.drift_changes.players import DEPLOYER
from benchmarks.own_stack import own_stack

DELAY = 12
"""Seconds until a change is checked again; as shipped 30. Longer than the CLI takes for what must pass unseen."""
LAST_LOOK = 3 * DELAY
"""Seconds until what was given and taken back unseen is reported."""
SHOWN_AFTER = DELAY - 1
"""Seconds until IAM shows a change: so that no check sees what is to pass unseen."""
SETTINGS: dict[str, dict[str, Any]] = {
    "drift.yaml": {"expected_actors": [f"self:role/{DEPLOYER}"]},
    "alerting.yaml": {
        "flood": {
            "window_minutes": 1,
            "individual_limit": 500,
            "individual_limit_if_critical": 500,
            "listed_titles": 40,
        }
    },
}
"""Every alert goes out by itself: all changes are made at once, and would be told in one message as a flood."""
PARAMETERS = {"DriftEventDelaySeconds": str(DELAY), "BaselineDeployers": f"arn:aws:iam::{ACCOUNT}:role/{DEPLOYER}"}
_GLOBAL_REGION = "us-east-1"
_GLOBAL_STACK = "ecr-steward-global-events"


@contextmanager
def drift_stack(port: int | None = None, *, delay: int = DELAY) -> Iterator[Deployment]:
    """Deploy it, and the small stack that forwards IAM's events; both go afterwards.

    ``delay`` is the seconds until a change that IAM does not show is checked again. Raises NoDeploymentError.
    """
    with own_stack(SETTINGS, PARAMETERS | {"DriftEventDelaySeconds": str(delay)}, port=port) as variables:
        stack = Deployment(variables)
        _forward_iam_events(stack)
        yield stack


def show_iam_late(stack: Deployment, seconds: float) -> None:
    """Let the functions see each change of IAM so many seconds after it was made; 0 for at once."""
    url = f"{stack.variables['AWS_ENDPOINT_URL']}/_local/iam-visibility"
    request = urllib.request.Request(url, data=json.dumps({"seconds": seconds}).encode(), method="PUT")  # noqa: S310
    urllib.request.urlopen(request, timeout=60).close()  # noqa: S310 - our own endpoint


def _forward_iam_events(stack: Deployment) -> None:
    cloudformation = stack.client("cloudformation", region=_GLOBAL_REGION)
    cloudformation.create_stack(
        StackName=_GLOBAL_STACK,
        TemplateBody=(Path(PROJECT) / "global-events.yaml").read_text(),
        Parameters=[
            {"ParameterKey": "HomeRegion", "ParameterValue": stack.variables["AWS_REGION"]},
            {"ParameterKey": "BusName", "ParameterValue": BUS},
        ],
        Capabilities=["CAPABILITY_IAM"],
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName=_GLOBAL_STACK, WaiterConfig={"Delay": 1})
