"""``AWS::IAM::Group`` in CloudFormation: created, updated in place, replaced on a new name, deleted."""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ministack.services import iam
from ministack.services.cloudformation import provisioners

if TYPE_CHECKING:
    from local.scratch_account import Reply

GAP = "AWS::IAM::Group in CloudFormation"
RELIES_ON = (
    "services.cloudformation.provisioners._CUSTOM_NAME_REPLACEMENT",
    "services.cloudformation.provisioners._REPLACING_PROPERTIES",
    "services.cloudformation.provisioners._RESOURCE_HANDLERS",
    "services.cloudformation.provisioners._physical_name",
    "services.cloudformation.provisioners._rds_raise",
    "services.iam._attach_group_policy",
    "services.iam._create_group",
    "services.iam._delete_group",
    "services.iam._delete_group_policy",
    "services.iam._detach_group_policy",
    "services.iam._groups",
    "services.iam._put_group_policy",
    "services.iam.detach_managed_policy",
)
REPLACES = ("services.cloudformation.provisioners._RESOURCE_HANDLERS[AWS::IAM::Group]",)

_TYPE = "AWS::IAM::Group"

type Properties = Mapping[str, Any]
type Created = tuple[str, dict[str, str]]


def is_still_missing() -> bool:
    """Whether CloudFormation refuses the type."""
    return _TYPE not in provisioners._RESOURCE_HANDLERS


def install() -> None:
    """Add the type to CloudFormation's table."""
    provisioners._RESOURCE_HANDLERS[_TYPE] = {
        "create": _create,
        "update": _update,
        "delete": _delete,
        "update_with_logical_id": True,
    }
    provisioners._REPLACING_PROPERTIES[_TYPE] = ("GroupName",)
    provisioners._CUSTOM_NAME_REPLACEMENT[_TYPE] = {"name": "GroupName"}


def _create(logical_id: str, properties: Properties, stack_name: str) -> Created:
    name = properties.get("GroupName") or provisioners._physical_name(stack_name, logical_id, max_len=128)
    _call(iam._create_group, GroupName=name, Path=properties.get("Path"))
    _reconcile(name, {}, properties)
    return name, {"Arn": iam._groups[name]["Arn"]}


def _update(name: str, old: Properties, new: Properties, stack_name: str, logical_id: str | None = None) -> Created:
    if name not in iam._groups:
        return _create(logical_id or name, new, stack_name)
    group, path = iam._groups[name], new.get("Path") or "/"
    account = group["Arn"].split(":group/")[0]
    group["Arn"], group["Path"] = f"{account}:group{path}{name}", path
    _reconcile(name, old, new)
    return name, {"Arn": group["Arn"]}


def _delete(name: str, _properties: Properties) -> None:
    group = iam._groups.get(name)
    if group is None:
        return
    for arn in list(group["AttachedPolicies"]):
        iam.detach_managed_policy(group, arn)
    _call(iam._delete_group, GroupName=name)


def _reconcile(name: str, old: Properties, new: Properties) -> None:
    """Bring the attached and the inline policies of a group from one set of properties to the other."""
    attached, wanted = set(old.get("ManagedPolicyArns") or []), set(new.get("ManagedPolicyArns") or [])
    for arn in sorted(attached - wanted):
        _call(iam._detach_group_policy, GroupName=name, PolicyArn=arn)
    for arn in sorted(wanted - attached):
        _call(iam._attach_group_policy, GroupName=name, PolicyArn=arn)
    inline, wanted_inline = _inline_policies(old), _inline_policies(new)
    for policy in sorted(inline.keys() - wanted_inline.keys()):
        _call(iam._delete_group_policy, GroupName=name, PolicyName=policy)
    for policy, document in wanted_inline.items():
        if inline.get(policy) != document:
            _call(iam._put_group_policy, GroupName=name, PolicyName=policy, PolicyDocument=document)


def _inline_policies(properties: Properties) -> dict[str, str]:
    return {
        policy["PolicyName"]: policy["PolicyDocument"]
        if isinstance(policy["PolicyDocument"], str)
        else json.dumps(policy["PolicyDocument"])
        for policy in properties.get("Policies") or []
    }


def _call(operation: Callable[[dict[str, Any]], "Reply"], **parameters: Any) -> None:
    """Call an operation of IAM; what it refuses fails the resource, with IAM's words."""
    status, _, body = operation({name: value for name, value in parameters.items() if value is not None})
    if status >= 400:  # noqa: PLR2004 - HTTP's own boundary
        provisioners._rds_raise(status, body, _TYPE, "handle")
