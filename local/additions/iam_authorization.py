"""IAM decides about users, roles and groups on their ARN with its path, and on their tags.

MiniStack puts every user, role and group at the path ``/``, takes calls that name an access key alone or an identity
provider for calls without a resource, and membership of a group for a right on the user. Here the resource is the one
that IAM takes, and the condition keys ``iam:ResourceTag`` and ``iam:PolicyARN`` have values.

Source: Service Authorization Reference, "Actions, resources, and condition keys for AWS Identity and Access
Management", https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
"""

from typing import Any

from ministack.core import iam_actions
from ministack.core.responses import get_account_id
from ministack.services import iam, tagging

from local.scratch_account import ACCOUNT, REGION, scratch_account

GAP = "IAM decisions on the path and the tags of users, roles and groups"
RELIES_ON = (
    "core.iam_actions._query_param",
    "core.iam_actions.extract_resource_arn",
    "core.iam_actions.request_tag_context",
    "services.iam._access_keys",
    "services.iam._groups",
    "services.iam._roles",
    "services.iam._users",
    "services.tagging.resource_tags",
)

_OF_A_GROUP = frozenset({"AddUserToGroup", "RemoveUserFromGroup"})

_OF_A_POLICY = ("Attach", "Detach")
"""Beginnings of the actions that attach a managed policy, or detach it."""

type Parameters = dict[str, Any]


def is_still_missing() -> bool:
    """Whether a user with a path is decided on without it."""
    arn = f"arn:aws:iam::{ACCOUNT}:user/service/probe"
    with scratch_account():
        iam._users["probe"] = {"UserName": "probe", "Arn": arn}
        parameters = {"Action": ["GetUser"], "UserName": ["probe"]}
        seen = iam_actions.extract_resource_arn("iam", "POST", "/", {}, b"", parameters, REGION, ACCOUNT)
        iam._users.pop("probe")
    return bool(seen != arn)


def install() -> None:
    """Give the evaluator the resource and its tags."""
    extract, request_tags = iam_actions.extract_resource_arn, iam_actions.request_tag_context

    def extract_resource_arn(service: str, *request: Any) -> str:
        parameters, _region, account = request[-3:]
        arn: str = extract(service, *request)
        return _resource(arn, parameters, account) if service == "iam" else arn

    def tag_context(service: str, iam_action: str, body: bytes, parameters: Parameters) -> dict[str, Any]:
        context: dict[str, Any] = request_tags(service, iam_action, body, parameters)
        if service != "iam":
            return context
        arn = iam_actions.extract_resource_arn(service, "", "", {}, body, parameters, "", get_account_id())
        tags = tagging.resource_tags(arn) or {}
        if _value(parameters, "Action").startswith(_OF_A_POLICY):
            context["iam:PolicyARN"] = _value(parameters, "PolicyArn")
        return {f"iam:ResourceTag/{key}": value for key, value in tags.items()} | context

    iam_actions.extract_resource_arn = extract_resource_arn
    iam_actions.request_tag_context = tag_context


def _resource(arn: str, parameters: Parameters, account: str) -> str:
    """The ARN that a call of IAM is decided on; the one that MiniStack found where there is nothing to mend."""
    if source := _value(parameters, "PolicySourceArn"):
        return source
    for name in ("OpenIDConnectProviderArn", "SAMLProviderArn"):
        if provider := _value(parameters, name):
            return provider
    action, path = _value(parameters, "Action"), _value(parameters, "Path") or "/"
    if action in _OF_A_GROUP:
        return _entity_arn(iam._groups, "group", _value(parameters, "GroupName"), path, account)
    for name, kind, entities in (
        ("RoleName", "role", iam._roles),
        ("UserName", "user", iam._users),
        ("GroupName", "group", iam._groups),
    ):
        if value := _value(parameters, name):
            return _entity_arn(entities, kind, value, path, account)
    key = iam._access_keys.get(_value(parameters, "AccessKeyId"))
    if key:
        return _entity_arn(iam._users, "user", key["UserName"], path, account)
    return arn


def _entity_arn(entities: Any, kind: str, name: str, path: str, account: str) -> str:
    """The ARN of what exists, or the one that it is about to get."""
    entity = entities.get(name)
    return str(entity["Arn"]) if entity else f"arn:aws:iam::{account}:{kind}{path}{name}"


def _value(parameters: Parameters, name: str) -> str:
    return str(iam_actions._query_param(parameters, name) or "")
