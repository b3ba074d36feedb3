"""Settings of an ECR registry: pull-through cache rules, creation templates, replication, signing.

What ``CreatePullThroughCacheRule`` and ``CreateRepositoryCreationTemplate`` get is kept in memory, for an account and a
region, and shown by their ``Describe`` operations; nothing is pulled and no repository is created by it. Of replication
and signing there is what a new registry has: none.
"""

import json
from typing import Any

from ministack.core.responses import get_account_id, get_region, json_response
from ministack.services import ecr

from local.scratch_account import Reply, answer, scratch_account

GAP = "pull-through caches, creation templates, replication and signing of an ECR registry"
RELIES_ON = ("services.ecr.handle_request",)

_TARGET = "AmazonEC2ContainerRegistry_V20150921."
_LISTED = {
    "DescribePullThroughCacheRules": "pullThroughCacheRules",
    "DescribeRepositoryCreationTemplates": "repositoryCreationTemplates",
}
_CREATED = {
    "CreatePullThroughCacheRule": "pullThroughCacheRules",
    "CreateRepositoryCreationTemplate": "repositoryCreationTemplates",
}
_AS_NEW: dict[str, dict[str, Any]] = {
    "DescribeRegistry": {"replicationConfiguration": {"rules": []}},
    "GetSigningConfiguration": {"signingConfiguration": {"rules": []}},
}
_kept: dict[tuple[str, str, str], list[dict[str, Any]]] = {}


def is_still_missing() -> bool:
    """Whether ECR does not know the operations."""
    with scratch_account():
        headers = {"x-amz-target": _TARGET + "DescribePullThroughCacheRules"}
        reply = answer(ecr.handle_request("POST", "/", headers, b"{}", {}))
    return reply[0] != 200  # noqa: PLR2004 - ECR answers 200


def install() -> None:
    """Answer the operations before MiniStack's table of operations is asked."""
    handle_request = ecr.handle_request

    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Reply:
        action = headers.get("x-amz-target", "").removeprefix(_TARGET)
        registry = (get_account_id(), get_region())
        if action in _AS_NEW:
            new: Reply = json_response({"registryId": registry[0], **_AS_NEW[action]})
            return new
        if action in _LISTED:
            listed: Reply = json_response({_LISTED[action]: _kept.get((*registry, _LISTED[action]), [])})
            return listed
        if action in _CREATED:
            made = json.loads(body or b"{}")
            _kept.setdefault((*registry, _CREATED[action]), []).append(made)
            created: Reply = json_response(made)
            return created
        reply: Reply = await handle_request(method, path, headers, body, query)
        return reply

    ecr.handle_request = handle
