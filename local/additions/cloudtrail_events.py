"""Calls that change IAM, ECR and Secrets Manager reach EventBridge as CloudTrail delivers them.

Reading calls, and those of STS, are recorded too; EventBridge does not receive them, the event history does.

With them a push to the registry that found no repository: ``InitiateLayerUpload`` with the error code
``RepositoryNotFoundException``. IAM's events are delivered in us-east-1, whatever region the caller signed for.

Sources: CloudTrail user guide, "CloudTrail record contents" and "userIdentity element"; Amazon ECR user guide,
"Logging Amazon ECR actions with AWS CloudTrail".
"""

import functools
import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import botocore.parsers
import botocore.session
from ministack import app
from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.core.router import extract_access_key_id
from ministack.services import ecr, eventbridge

from local.additions import registry_login
from local.query_protocol import structure_of
from local.scratch_account import REGION, Reply, answer, decoded, scratch_account

GAP = "CloudTrail's events on EventBridge"
RELIES_ON = (
    "app._dispatch_service_request",
    "app._routing_params",
    "app.detect_service",
    "core.iam_evaluator.resolve_credential",
    "services.ecr._delete_repository",
    "services.ecr._parse_v2_path",
    "services.ecr.handle_registry_request",
    "services.eventbridge._events_log_list",
    "services.eventbridge._put_events",
)

SERVICES = frozenset({"iam", "ecr", "secretsmanager", "sts"})
_READ_ONLY = ("Get", "List", "Describe", "BatchGet", "BatchCheck", "Simulate", "Generate", "Validate", "Assume")
_HIDDEN = frozenset({"secretString", "secretBinary", "password", "secretAccessKey", "sessionToken"})
_ERROR_FROM = 400
_REGISTRY_ERRORS = {
    "NAME_UNKNOWN": "RepositoryNotFoundException",
    "TAG_INVALID": "ImageTagAlreadyExistsException",
    "DENIED": "AccessDenied",
}
_RECORDED_OF_THE_REGISTRY = frozenset({"InitiateLayerUpload", "PutImage", "BatchDeleteImage", "BatchGetImage"})

observers: list[Callable[[dict[str, Any]], None]] = []
"""Called with every record, that of a reading call too."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call as CloudTrail records it; parameters and response are already in CloudTrail's spelling."""

    service: str
    action: str
    access_key: str
    region: str
    user_agent: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    response: Mapping[str, Any] | None = None
    error: tuple[str, str] | None = None


def is_still_missing() -> bool:
    """Whether a repository's creation leaves no event on the default bus."""
    headers = {
        "x-amz-target": "AmazonEC2ContainerRegistry_V20150921.CreateRepository",
        "authorization": f"AWS4-HMAC-SHA256 Credential=/20260101/{REGION}/ecr/aws4_request",
    }
    body = json.dumps({"repositoryName": "probe/event"}).encode()
    with scratch_account():
        answer(app._dispatch_service_request("POST", "/", headers, body, {}, "probe"))
        ecr._delete_repository({"repositoryName": "probe/event", "force": True})
        return all(event["Source"] != "aws.ecr" for event in eventbridge._events_log_list())


def install() -> None:
    """Look at every answered call, and at every answer of the registry."""
    dispatch, handle_registry_request = app._dispatch_service_request, ecr.handle_registry_request

    async def recorded_dispatch(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any], request_id: str
    ) -> Reply:
        reply: Reply = await dispatch(method, path, headers, body, query, request_id)
        form = app._routing_params(method, path, headers, body, query)
        service = app.detect_service(method, path, headers, form)
        if service in SERVICES:
            call = _api_call(service, headers, body, form, reply)
            if call:
                record(call, request_id)
        return reply

    async def recorded_registry(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Reply:
        reply: Reply = await handle_registry_request(method, path, headers, body, query)
        call = _registry_call(method.upper(), path, headers, reply)
        if call:
            record(call, str(uuid.uuid4()))
        return reply

    app._dispatch_service_request = recorded_dispatch
    ecr.handle_registry_request = recorded_registry


def record(call: Call, request_id: str) -> None:
    """Pass a call to the observers, and one that changes something to the default bus of its region."""
    detail = {
        "eventVersion": "1.11",
        "userIdentity": _identity(call.access_key),
        "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "eventSource": f"{call.service}.amazonaws.com",
        "eventName": call.action,
        "awsRegion": call.region,
        "sourceIPAddress": "127.0.0.1",
        "userAgent": call.user_agent,
        "requestParameters": _hide_secrets(call.parameters) or None,
        "responseElements": _hide_secrets(call.response) or None,
        "requestID": request_id,
        "eventID": str(uuid.uuid4()),
        "readOnly": call.action.startswith(_READ_ONLY),
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": get_account_id(),
        "eventCategory": "Management",
    }
    if call.error:
        detail["errorCode"], detail["errorMessage"] = call.error
    for observe in observers:
        observe(detail)
    if detail["readOnly"]:
        return
    entry = {
        "Source": f"aws.{call.service}",
        "DetailType": "AWS API Call via CloudTrail",
        "Detail": json.dumps(detail),
        "EventBusName": "default",
    }
    with request_scope(get_account_id(), call.region):
        eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


def _api_call(
    service: str, headers: Mapping[str, str], body: bytes, form: Mapping[str, Any], reply: Reply
) -> Call | None:
    """The record of an API call; ``None`` for an unknown one."""
    target = headers.get("x-amz-target", "")
    flat = {name: value[0] if isinstance(value, list) else value for name, value in form.items()}
    action = target.rpartition(".")[2] or flat.get("Action", "")
    model = _model(service)
    if action not in model.operation_names:
        return None
    operation = model.operation_model(action)
    if target:
        parameters = json.loads(body or b"{}")
    else:
        parameters = structure_of(operation.input_shape, flat) if operation.input_shape else {}
    answered = (
        _answer(model, operation, reply) if reply[0] >= _ERROR_FROM or not action.startswith(_READ_ONLY) else None
    )
    error = answered.get("Error", {}) if answered and reply[0] >= _ERROR_FROM else None
    return Call(
        service=service,
        action=action,
        access_key=extract_access_key_id(headers, form) or "",
        region="us-east-1" if service == "iam" else get_region(),
        user_agent=headers.get("user-agent", ""),
        parameters=_camel_case(parameters),
        response=_camel_case(answered) if error is None else None,
        error=None if error is None else (error.get("Code", ""), error.get("Message", "")),
    )


def _answer(model: Any, operation: Any, reply: Reply) -> dict[str, Any]:
    """What a call was answered with, as a client reads it."""
    status, headers, body = reply
    answer: dict[str, Any] = botocore.parsers.create_parser(model.metadata["protocol"]).parse(
        {"status_code": status, "headers": headers, "body": body}, operation.output_shape
    )
    answer.pop("ResponseMetadata", None)
    return answer


def _registry_call(method: str, path: str, headers: Mapping[str, str], reply: Reply) -> Call | None:
    """The record of a push, a pull or a deletion by a caller that logged in to the registry."""
    parsed, caller = ecr._parse_v2_path(path), registry_login.caller_of(headers)
    action = parsed and registry_login.ACTIONS.get((parsed[0], method))
    if caller is None or action not in _RECORDED_OF_THE_REGISTRY:
        return None
    name, account = parsed[1], get_account_id()
    error = None
    if reply[0] >= _ERROR_FROM:
        refusal = decoded(reply)["errors"][0]
        code = _REGISTRY_ERRORS.get(refusal["code"], "InvalidParameterException")
        message = refusal["message"]
        if code == "RepositoryNotFoundException":
            message = f"The repository with name '{name}' does not exist in the registry with id '{account}'"
        error = (code, message)
    return Call(
        service="ecr",
        action=action,
        access_key=caller,
        region=get_region(),
        user_agent=headers.get("user-agent", ""),
        parameters={"registryId": account, "repositoryName": name},
        error=error,
    )


def _identity(access_key: str) -> dict[str, Any]:
    """CloudTrail's ``userIdentity`` for the owner of an access key."""
    who = iam_evaluator.resolve_credential(access_key) if access_key else None
    if not isinstance(who, iam_evaluator.ResolvedCredential):
        return {"type": "Unknown", "accountId": get_account_id(), "accessKeyId": access_key}
    identity = {
        "type": "IAMUser" if who.principal_type == "User" else who.principal_type,
        "principalId": who.principal_id,
        "arn": who.principal_arn,
        "accountId": who.account_id,
        "accessKeyId": access_key,
    }
    if who.principal_type == "User":
        identity["userName"] = who.principal_name
    elif who.principal_type == "AssumedRole":
        role = who.principal_arn.split("/")[1]
        identity["sessionContext"] = {
            "sessionIssuer": {
                "type": "Role",
                "principalId": who.principal_id.split(":")[0],
                "arn": f"arn:aws:iam::{who.account_id}:role/{role}",
                "accountId": who.account_id,
                "userName": role,
            }
        }
    return identity


def _camel_case(value: Any) -> Any:
    """A structure of the API in CloudTrail's spelling: first letters small, times as text."""
    if isinstance(value, dict):
        return {_first_small(name): _camel_case(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_camel_case(member) for member in value]
    return value.strftime("%b %d, %Y, %I:%M:%S %p") if hasattr(value, "strftime") else value


def _first_small(name: str) -> str:
    return "arn" if name == "ARN" else name[:1].lower() + name[1:]


def _hide_secrets(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            name: "HIDDEN_DUE_TO_SECURITY_REASONS" if name in _HIDDEN else _hide_secrets(member)
            for name, member in value.items()
        }
    return [_hide_secrets(member) for member in value] if isinstance(value, list) else value


@functools.cache
def _model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)
