"""The registry's scanning configuration: ``GetRegistryScanningConfiguration`` and its ``Put``.

Kept in memory, for an account and a region; basic scanning without rules, as in a new account, until it is put.
"""

import json
from typing import Any

from ministack.core.responses import get_account_id, get_region, json_response
from ministack.services import ecr

from local.scratch_account import Reply, answer, scratch_account

GAP = "the scanning configuration of an ECR registry"
RELIES_ON = ("services.ecr.handle_request",)

_TARGET = "AmazonEC2ContainerRegistry_V20150921."
_configurations: dict[tuple[str, str], dict[str, Any]] = {}


def is_still_missing() -> bool:
    """Whether ECR does not know the operation."""
    with scratch_account():
        headers = {"x-amz-target": _TARGET + "GetRegistryScanningConfiguration"}
        reply = answer(ecr.handle_request("POST", "/", headers, b"{}", {}))
    return reply[0] != 200  # noqa: PLR2004 - ECR answers 200


def install() -> None:
    """Answer the two operations before MiniStack's table of operations is asked."""
    handle_request = ecr.handle_request

    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Reply:
        action = headers.get("x-amz-target", "").removeprefix(_TARGET)
        registry = (get_account_id(), get_region())
        if action == "PutRegistryScanningConfiguration":
            request = json.loads(body or b"{}")
            _configurations[registry] = {
                "scanType": request.get("scanType", "BASIC"),
                "rules": request.get("rules", []),
            }
            put: Reply = json_response({"registryScanningConfiguration": _configurations[registry]})
            return put
        if action == "GetRegistryScanningConfiguration":
            current = _configurations.get(registry, {"scanType": "BASIC", "rules": []})
            got: Reply = json_response({"registryId": registry[0], "scanningConfiguration": current})
            return got
        reply: Reply = await handle_request(method, path, headers, body, query)
        return reply

    ecr.handle_request = handle
