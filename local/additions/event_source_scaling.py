"""CloudFormation makes a number of the concurrency of an event source mapping that a parameter gives.

A parameter's value is a text. MiniStack compares it with a number in the thread that polls all queues, which then
delivers nothing.

Source: AWS CloudFormation, AWS::Lambda::EventSourceMapping ScalingConfig (MaximumConcurrency: Integer).
"""

from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

from local.scratch_account import scratch_account

GAP = "numbers in the scaling of event source mappings"
RELIES_ON = (
    "services.cloudformation.provisioners._RESOURCE_HANDLERS",
    "services.cloudformation.provisioners._lambda_esm_create",
    "services.cloudformation.provisioners._lambda_esm_delete",
    "services.lambda_svc._esms",
)

_TYPE = "AWS::Lambda::EventSourceMapping"
_NAME = "MaximumConcurrency"


def is_still_missing() -> bool:
    """Whether a text stays a text."""
    with scratch_account():
        create, delete = (provisioners._RESOURCE_HANDLERS[_TYPE][step] for step in ("create", "delete"))
        properties = {"FunctionName": "probe", "EventSourceArn": "", "Enabled": False, "ScalingConfig": {_NAME: "5"}}
        mapping, _ = create("probe", properties, "probe")
        kept = lambda_svc._esms[mapping]["ScalingConfig"][_NAME]
        delete(mapping, properties)
    return isinstance(kept, str)


def install() -> None:
    """Make a number of it before a mapping is created or changed."""
    handlers = provisioners._RESOURCE_HANDLERS[_TYPE]
    create, update = handlers["create"], handlers["update"]
    handlers["create"] = lambda name, properties, stack: create(name, _in_numbers(properties), stack)
    handlers["update"] = _updating(update)


def _updating(update: Callable[..., Any]) -> Callable[..., Any]:
    def updated(physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any], stack: str) -> Any:
        return update(physical_id, old, _in_numbers(new), stack)

    return updated


def _in_numbers(properties: Mapping[str, Any]) -> dict[str, Any]:
    scaling = properties.get("ScalingConfig")
    if not isinstance(scaling, dict) or _NAME not in scaling:
        return dict(properties)
    return {**properties, "ScalingConfig": {**scaling, _NAME: int(scaling[_NAME])}}
