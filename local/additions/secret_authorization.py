"""IAM decides about Secrets Manager with its condition keys, and on every right that one call needs.

MiniStack knows none of the keys of Secrets Manager, and decides on the call alone: on AWS a secret that is made with
tags or replicas needs the right to tag or to replicate, RotateSecret needs the right to invoke the function, and a
secret under a key of the customer needs rights on that key.

Sources: Service Authorization Reference, "Actions, resources, and condition keys for AWS Secrets Manager"; API
reference, CreateSecret, ReplicateSecretToRegions and RotateSecret, "Required permissions"; user guide, "Secret
encryption and decryption".
"""

import json
from typing import Any

from ministack import app
from ministack.core import iam_actions
from ministack.core.responses import get_account_id, get_region
from ministack.services import secretsmanager

from local.scratch_account import Reply, scratch_account

GAP = "IAM decisions on Secrets Manager's condition keys and dependent rights"
RELIES_ON = (
    "app._enforce_data_plane",
    "core.iam_actions.extract_resource_arn",
    "core.iam_actions.request_tag_context",
    "services.secretsmanager._resolve",
    "services.secretsmanager.handle_request",
)

_KEYS = {
    "Name": "Name",
    "Description": "Description",
    "KmsKeyId": "KmsKeyId",
    "SecretId": "SecretId",
    "VersionId": "VersionId",
    "VersionStage": "VersionStage",
    "RotationLambdaARN": "RotationLambdaARN",
    "BlockPublicPolicy": "BlockPublicPolicy",
    "ForceDeleteWithoutRecovery": "ForceDeleteWithoutRecovery",
    "RecoveryWindowInDays": "RecoveryWindowInDays",
}
"""Member of a request -> condition key, below ``secretsmanager:``."""

_ENCRYPTS = frozenset({"CreateSecret", "PutSecretValue", "UpdateSecret"})
_DECRYPTS = frozenset({"GetSecretValue", "ReplicateSecretToRegions"})
_REPLICATES = ("GenerateDataKey", "Encrypt")

type Request = dict[str, Any]
type Decision = tuple[str, str, str, dict[str, Any]]
"""Service, action, resource and condition keys of one decision."""


def is_still_missing() -> bool:
    """Whether the name of a secret is unknown to IAM."""
    body = json.dumps({"Name": "probe"}).encode()
    with scratch_account():
        context = iam_actions.request_tag_context("secretsmanager", "secretsmanager:CreateSecret", body, {})
    return not any(key.lower() == "secretsmanager:name" for key in context)


def install() -> None:
    """Give the evaluator the keys, and ask it again where one call needs several decisions."""
    request_tags, handle_request = iam_actions.request_tag_context, secretsmanager.handle_request

    def tag_context(service: str, iam_action: str, body: bytes, parameters: dict[str, Any]) -> dict[str, Any]:
        context: dict[str, Any] = request_tags(service, iam_action, body, parameters)
        return (_condition_keys(_request(body)) | context) if service == "secretsmanager" else context

    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Reply:
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        for service, iam_action, arn, context in _further_decisions(action, body):
            refused: Reply | None = app._enforce_data_plane(
                service, iam_action, headers, query, "", resource_arn=arn, service_context=context
            )
            if refused:
                return refused
        reply: Reply = await handle_request(method, path, headers, body, query)
        return reply

    iam_actions.request_tag_context = tag_context
    secretsmanager.handle_request = handle


def _condition_keys(request: Request) -> dict[str, Any]:
    keys: dict[str, Any] = {
        f"secretsmanager:{key}": _text(request[name]) for name, key in _KEYS.items() if name in request
    }
    if regions := request.get("AddReplicaRegions"):
        keys["secretsmanager:AddReplicaRegions"] = [region.get("Region") for region in regions]
    _, secret = secretsmanager._resolve(request.get("SecretId"))
    for tag in (secret or {}).get("Tags") or []:
        keys[f"secretsmanager:ResourceTag/{tag['Key']}"] = tag.get("Value", "")
    return keys


def _further_decisions(action: str, body: bytes) -> list[Decision]:
    """What a call needs beside the right to call it."""
    request = _request(body)
    _, secret = secretsmanager._resolve(request.get("SecretId"))
    arn = iam_actions.extract_resource_arn("secretsmanager", "", "", {}, body, {}, get_region(), get_account_id())
    keys = iam_actions.request_tag_context("secretsmanager", f"secretsmanager:{action}", body, {})
    decisions: list[Decision] = []
    if action == "CreateSecret" and request.get("Tags"):
        decisions.append(("secretsmanager", "secretsmanager:TagResource", arn, keys))
    if action == "CreateSecret" and request.get("AddReplicaRegions"):
        decisions.append(("secretsmanager", "secretsmanager:ReplicateSecretToRegions", arn, keys))
    if action == "RotateSecret":
        function = request.get("RotationLambdaARN") or (secret or {}).get("RotationLambdaARN")
        decisions += [("lambda", "lambda:InvokeFunction", function, {})] if function else []
    for replica in request.get("AddReplicaRegions") or []:
        decisions += _on_the_key_of_a_replica(replica)
    key = request.get("KmsKeyId") or (secret or {}).get("KmsKeyId")
    if key and not key.startswith("alias/aws/"):
        here = _through_secrets_manager(get_region())
        decisions += [("kms", f"kms:{right}", _key_arn(key), here) for right in _rights(action)]
    return decisions


def _on_the_key_of_a_replica(replica: dict[str, str]) -> list[Decision]:
    """What a replica needs that is not encrypted with the account's own key in its region."""
    key, region = replica.get("KmsKeyId"), replica["Region"]
    if not key or key.startswith("alias/aws/"):
        return []
    return [("kms", f"kms:{right}", _key_arn(key), _through_secrets_manager(region)) for right in _REPLICATES]


def _rights(action: str) -> tuple[str, ...]:
    """The rights on the secret's key that a call needs."""
    if action in _ENCRYPTS:
        return ("GenerateDataKey", "Decrypt")
    return ("Decrypt",) if action in _DECRYPTS else ()


def _through_secrets_manager(region: str) -> dict[str, Any]:
    return {"kms:ViaService": f"secretsmanager.{region}.amazonaws.com", "kms:CallerAccount": get_account_id()}


def _key_arn(key: str) -> str:
    document = json.dumps({"KeyId": key}).encode()
    return iam_actions.extract_resource_arn("kms", "", "", {}, document, {}, get_region(), get_account_id())  # type: ignore[no-any-return]


def _request(body: bytes) -> Request:
    """The request's JSON object; a body that is none names nothing, and Secrets Manager refuses it later."""
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        return {}
    return request if isinstance(request, dict) else {}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
