"""The container registry asks who is there, and IAM decides what they may push and pull.

``GetAuthorizationToken`` answers a token that names the access key that asked for it, signed and valid for twelve
hours. Every request to ``/v2/`` must carry one, and is decided on the repository that it names.

Source of the actions: "Amazon ECR private registry", Amazon ECR user guide, and the actions of the managed policy
AmazonEC2ContainerRegistryPowerUser.
"""

import base64
import binascii
import hashlib
import hmac
import json
import os
import time
from typing import TYPE_CHECKING

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.core.router import extract_access_key_id
from ministack.services import ecr

from local.additions.ecr_authorization import resource_tags
from local.scratch_account import Reply, answer, decoded, scratch_account

if TYPE_CHECKING:
    from collections.abc import Mapping

GAP = "a registry that asks for a login"
RELIES_ON = (
    "core.iam_evaluator._anonymous",
    "core.iam_evaluator.enforce",
    "core.router.extract_access_key_id",
    "services.ecr._parse_v2_path",
    "services.ecr._registry_error",
    "services.ecr._select_registry_request_scope",
    "services.ecr.handle_registry_request",
    "services.ecr.handle_request",
)

ACTIONS = {
    ("blob_uploads", "POST"): "InitiateLayerUpload",
    ("blob_upload_session", "PATCH"): "UploadLayerPart",
    ("blob_upload_session", "PUT"): "CompleteLayerUpload",
    ("blob_upload_session", "GET"): "InitiateLayerUpload",
    ("blob_upload_session", "DELETE"): "InitiateLayerUpload",
    ("blob", "HEAD"): "BatchCheckLayerAvailability",
    ("blob", "GET"): "GetDownloadUrlForLayer",
    ("manifest", "PUT"): "PutImage",
    ("manifest", "GET"): "BatchGetImage",
    ("manifest", "HEAD"): "BatchGetImage",
    ("manifest", "DELETE"): "BatchDeleteImage",
    ("tags_list", "GET"): "ListImages",
    ("catalog", "GET"): "DescribeRepositories",
}
"""What a request to the registry is, for IAM: by the kind of its path and its method."""

_TOKEN_SECONDS = 12 * 3600
_USER = "AWS"


def is_still_missing() -> bool:
    """Whether the registry answers a client that has not logged in."""
    with scratch_account():
        reply = answer(ecr.handle_registry_request("GET", "/v2/", {}, b"", {}))
    return reply[0] == 200  # noqa: PLR2004 - the registry's "you are in"


def install() -> None:
    """Make tokens name their caller, and put the question before every request to the registry."""
    handle_request, handle_registry_request = ecr.handle_request, ecr.handle_registry_request

    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Reply:
        reply: Reply = await handle_request(method, path, headers, body, query)
        if reply[0] != 200 or not headers.get("x-amz-target", "").endswith(".GetAuthorizationToken"):  # noqa: PLR2004
            return reply
        document = decoded(reply)
        caller = extract_access_key_id(headers, query)
        for authorization in document["authorizationData"]:
            expires = int(time.time()) + _TOKEN_SECONDS
            authorization["authorizationToken"] = base64.b64encode(
                f"{_USER}:{_password(caller, expires)}".encode()
            ).decode()
            authorization["expiresAt"] = expires
        return reply[0], reply[1], json.dumps(document).encode()

    async def handle_registry(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Reply:
        refused = _refusal(method.upper(), path, headers, query)
        if refused:
            return refused
        reply: Reply = await handle_registry_request(method, path, headers, body, query)
        return reply

    ecr.handle_request = handle
    ecr.handle_registry_request = handle_registry


def caller_of(headers: "Mapping[str, str]") -> str | None:
    """The access key that a request to the registry is made for; ``None`` without a token that is valid now."""
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    try:
        user, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
        caller, expires, _ = password.split(".")
        expected = _password(caller, int(expires))
    except (binascii.Error, ValueError):
        return None
    genuine = scheme.lower() == "basic" and user == _USER and hmac.compare_digest(password, expected)
    return caller if genuine and int(expires) > time.time() else None


def _refusal(method: str, path: str, headers: dict[str, str], query: dict[str, list[str]]) -> Reply | None:
    caller = caller_of(headers)
    if caller is None:
        status, refused, body = ecr._registry_error(401, "UNAUTHORIZED", "authentication required")
        return status, {**refused, "WWW-Authenticate": 'Basic realm="ecr",service="ecr.amazonaws.com"'}, body
    parsed = ecr._parse_v2_path(path)
    if parsed is None or parsed[0] == "ping":
        return None
    kind, name, _ = parsed
    ecr._select_registry_request_scope(name, headers, query)
    action = ACTIONS.get((kind, method))
    if action is None:
        unsupported: Reply = ecr._registry_error(405, "UNSUPPORTED", "the operation is unsupported")
        return unsupported
    arn = f"arn:aws:ecr:{get_region()}:{get_account_id()}:repository/{name or '*'}"
    iam_evaluator._anonymous.set(False)  # the token says who is there, in the place of a signature
    if iam_evaluator.enforce(
        caller, f"ecr:{action}", "ecr", get_region(), resource_arn=arn, service_context=resource_tags(arn)
    ):
        denied: Reply = ecr._registry_error(
            403, "DENIED", f"User is not authorized to perform: ecr:{action} on resource: {arn}"
        )
        return denied
    return None


def _password(caller: str, expires: int) -> str:
    """A token that only this server can make: its owner, its expiry, and the proof."""
    claim = f"{caller}.{expires}"
    proof = hmac.new(os.environ["AWS_SECRET_ACCESS_KEY"].encode(), claim.encode(), hashlib.sha256).hexdigest()
    return f"{claim}.{proof}"
