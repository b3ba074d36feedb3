"""ECR repositories that keep their settings, and refuse what ECR refuses.

MiniStack drops the exclusion filters of tag mutability and does not apply them, ignores paging, takes any name and
any policy text, and keeps the layers of a deleted repository.

Sources: the Amazon ECR API Reference (CreateRepository, DescribeRepositories, PutImageTagMutability,
PutLifecyclePolicy, SetRepositoryPolicy) and the user guide's lifecycle policy properties.
"""

import base64
import binascii
import fnmatch
import re
from typing import Any

from ministack.core.responses import error_response_json, json_response
from ministack.services import ecr

from local.ecr_policies import why_lifecycle_policy_refused, why_repository_policy_refused
from local.scratch_account import Reply, decoded, scratch_account

GAP = "ECR's tag mutability exclusions, paging and checks of its input"
RELIES_ON = (
    "services.ecr._content_digest",
    "services.ecr._create_repository",
    "services.ecr._delete_repository",
    "services.ecr._describe_repositories",
    "services.ecr._image_digest",
    "services.ecr._images",
    "services.ecr._layer_blobs",
    "services.ecr._manifest_blobs",
    "services.ecr._put_image",
    "services.ecr._put_image_tag_mutability",
    "services.ecr._put_lifecycle_policy",
    "services.ecr._registry_error",
    "services.ecr._repo_shape",
    "services.ecr._repositories",
    "services.ecr._set_repository_policy",
    "services.ecr._uploads",
    "services.ecr._v2_put_manifest",
)

_FILTERS = "imageTagMutabilityExclusionFilters"
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_NAME_LENGTHS = range(2, 257)
_PAGE = 100

type Request = dict[str, Any]


def is_still_missing() -> bool:
    """Whether a repository forgets the exclusion filters that it was created with."""
    request = {
        "repositoryName": "probe/exclusions",
        "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
        _FILTERS: [{"filterType": "WILDCARD", "filter": "latest"}],
    }
    with scratch_account():
        created = decoded(ecr._create_repository(request))["repository"]
        ecr._delete_repository({"repositoryName": "probe/exclusions", "force": True})
    return _FILTERS not in created


def install() -> None:
    """Wrap the operations, and what the registry does with a tag."""
    _keep_exclusion_filters()
    _apply_exclusion_filters()
    _check_policies()
    _page_descriptions()
    _delete_layers_with_their_repository()


def _keep_exclusion_filters() -> None:
    repo_shape, create, put_mutability = ecr._repo_shape, ecr._create_repository, ecr._put_image_tag_mutability

    def shape(repository: Request) -> Request:
        kept = {_FILTERS: repository[_FILTERS]} if repository.get(_FILTERS) else {}
        return {**repo_shape(repository), **kept}

    def create_repository(request: Request) -> Reply:
        name = request.get("repositoryName", "")
        if len(name) not in _NAME_LENGTHS or not _NAME.fullmatch(name):
            return _invalid_parameter(f"'repositoryName' failed to satisfy constraint: '{_NAME.pattern}'")
        reply: Reply = create(request)
        if not _succeeded(reply):
            return reply
        repository = ecr._repositories[name]
        repository[_FILTERS] = request.get(_FILTERS)
        created: Reply = json_response({"repository": shape(repository)})
        return created

    def put_image_tag_mutability(request: Request) -> Reply:
        reply: Reply = put_mutability(request)
        if not _succeeded(reply):
            return reply
        filters = ecr._repositories[request["repositoryName"]][_FILTERS] = request.get(_FILTERS)
        changed: Reply = json_response({**decoded(reply), **({_FILTERS: filters} if filters else {})})
        return changed

    ecr._repo_shape = shape
    ecr._create_repository = create_repository
    ecr._put_image_tag_mutability = put_image_tag_mutability


def _apply_exclusion_filters() -> None:
    put_image, put_manifest = ecr._put_image, ecr._v2_put_manifest

    def put_image_unless_tagged(request: Request) -> Reply:
        name, tag = request.get("repositoryName", ""), request.get("imageTag")
        digest = request.get("imageDigest") or ecr._image_digest(request.get("imageManifest", ""))
        if tag and _is_taken(name, tag, digest):
            refused: Reply = error_response_json(
                "ImageTagAlreadyExistsException",
                f"The image tag '{tag}' already exists in the '{name}' repository and cannot be overwritten "
                "because the repository is immutable.",
                400,
            )
            return refused
        reply: Reply = put_image(request)
        return reply

    def put_manifest_unless_tagged(name: str, reference: str, headers: dict[str, str], body: bytes) -> Reply:
        if not reference.startswith("sha256:") and _is_taken(name, reference, ecr._content_digest(body or b"")):
            refused: Reply = ecr._registry_error(
                400,
                "TAG_INVALID",
                f"The image tag '{reference}' already exists in the '{name}' repository and cannot be overwritten "
                "because the repository is immutable.",
            )
            return refused
        reply: Reply = put_manifest(name, reference, headers, body)
        return reply

    ecr._put_image = put_image_unless_tagged
    ecr._v2_put_manifest = put_manifest_unless_tagged


def _is_taken(name: str, tag: str, digest: str) -> bool:
    """Whether the tag names another image already and may not be moved."""
    repository = ecr._repositories.get(name)
    if repository is None or not _is_immutable(repository, tag):
        return False
    return any(tag in image.get("imageTags", []) and image["imageDigest"] != digest for image in ecr._images[name])


def _is_immutable(repository: Request, tag: str) -> bool:
    """What the repository's mutability means for one tag; an exclusion filter turns it round."""
    mutability = repository.get("imageTagMutability", "MUTABLE")
    excluded = mutability.endswith("_WITH_EXCLUSION") and any(
        fnmatch.fnmatchcase(tag, exclusion["filter"]) for exclusion in repository.get(_FILTERS) or []
    )
    return bool(mutability.startswith("IMMUTABLE") != excluded)


def _check_policies() -> None:
    put_lifecycle_policy, set_repository_policy = ecr._put_lifecycle_policy, ecr._set_repository_policy

    def put_checked_lifecycle_policy(request: Request) -> Reply:
        reason = why_lifecycle_policy_refused(request.get("lifecyclePolicyText", ""))
        if reason:
            return _invalid_parameter(f"'LifecyclePolicyText' failed to satisfy constraint: '{reason}'")
        reply: Reply = put_lifecycle_policy(request)
        return reply

    def set_checked_repository_policy(request: Request) -> Reply:
        reason = why_repository_policy_refused(request.get("policyText", ""))
        if reason:
            return _invalid_parameter(f"'PolicyText' failed to satisfy constraint: '{reason}'")
        reply: Reply = set_repository_policy(request)
        return reply

    ecr._put_lifecycle_policy = put_checked_lifecycle_policy
    ecr._set_repository_policy = set_checked_repository_policy


def _page_descriptions() -> None:
    describe = ecr._describe_repositories

    def describe_a_page(request: Request) -> Reply:
        if request.get("repositoryNames"):
            named: Reply = describe(request)
            return named
        try:
            start = int(base64.b64decode(request.get("nextToken") or "", validate=True) or 0)
        except (binascii.Error, ValueError):
            return _invalid_parameter("'nextToken' is not a token of DescribeRepositories")
        everything = sorted(ecr._repositories.values(), key=lambda repository: str(repository["repositoryName"]))
        end = start + int(request.get("maxResults") or _PAGE)
        more = {"nextToken": base64.b64encode(str(end).encode()).decode()} if end < len(everything) else {}
        page: Reply = json_response(
            {"repositories": [ecr._repo_shape(repository) for repository in everything[start:end]], **more}
        )
        return page

    ecr._describe_repositories = describe_a_page


def _delete_layers_with_their_repository() -> None:
    delete = ecr._delete_repository

    def delete_repository(request: Request) -> Reply:
        reply: Reply = delete(request)
        if _succeeded(reply):
            for content in (ecr._layer_blobs, ecr._manifest_blobs, ecr._uploads):
                content.pop(request["repositoryName"], None)
        return reply

    ecr._delete_repository = delete_repository


def _succeeded(reply: Reply) -> bool:
    return reply[0] == 200  # noqa: PLR2004 - every operation of ECR answers 200


def _invalid_parameter(what: str) -> Reply:
    refused: Reply = error_response_json("InvalidParameterException", f"Invalid parameter at {what}", 400)
    return refused
