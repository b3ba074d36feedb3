"""IAM decides about ECR on the repository that is named, with its tags.

MiniStack knows the repository of calls that carry ``repositoryName``. Here also of those that carry
``repositoryNames`` or ``resourceArn``, each repository of a list is decided on, creation with tags needs
``ecr:TagResource`` too, and the condition keys ``aws:ResourceTag`` and ``ecr:ResourceTag`` have values.

Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon Elastic Container
Registry", https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html
"""

import json
from typing import Any

from ministack import app
from ministack.core import iam_actions
from ministack.core.responses import get_account_id, get_region
from ministack.services import ecr, tagging

from local.scratch_account import ACCOUNT, REGION, Reply

GAP = "IAM decisions on the repository and the tags that an ECR call names"
RELIES_ON = (
    "app._enforce_data_plane",
    "core.iam_actions.extract_resource_arn",
    "core.iam_actions.request_tag_context",
    "services.ecr._repositories",
    "services.ecr.handle_request",
    "services.tagging._RESOURCE_TAG_COLLECTORS",
    "services.tagging._collect_ecr",
)
REPLACES = ("services.tagging._RESOURCE_TAG_COLLECTORS[ecr]",)


def is_still_missing() -> bool:
    """Whether a call that names its repository by ARN is decided on ``*``."""
    arn = _repository_arn("probe", ACCOUNT, REGION)
    body = json.dumps({"resourceArn": arn, "tags": []}).encode()
    return bool(iam_actions.extract_resource_arn("ecr", "POST", "/", {}, body, {}, REGION, ACCOUNT) != arn)


def install() -> None:
    """Give the evaluator the resource and its tags, and ask it again where one call needs two decisions."""
    tagging._RESOURCE_TAG_COLLECTORS["ecr"] = tagging._collect_ecr
    _name_the_resource()
    _name_its_tags()
    _decide_on_the_rest()


def resource_tags(arn: str) -> dict[str, str]:
    """The condition keys ``ecr:ResourceTag/…`` for the tags of a repository."""
    repository = ecr._repositories.get(arn.partition(":repository/")[2]) or {}
    return {f"ecr:ResourceTag/{tag['Key']}": tag.get("Value", "") for tag in repository.get("tags") or []}


def _name_the_resource() -> None:
    extract = iam_actions.extract_resource_arn

    def extract_resource_arn(service: str, *request: Any) -> str:
        if service != "ecr":
            other: str = extract(service, *request)
            return other
        *_, headers, body, _parameters, region, account = request
        return _resources(_action(headers), _document(body), account, region)[0]

    iam_actions.extract_resource_arn = extract_resource_arn


def _name_its_tags() -> None:
    request_tags = iam_actions.request_tag_context

    def tag_context(service: str, iam_action: str, body: bytes, parameters: dict[str, Any]) -> dict[str, Any]:
        context: dict[str, Any] = request_tags(service, iam_action, body, parameters)
        if service != "ecr":
            return context
        action = iam_action.partition(":")[2]
        return resource_tags(_resources(action, _document(body), get_account_id(), get_region())[0]) | context

    iam_actions.request_tag_context = tag_context


def _decide_on_the_rest() -> None:
    handle_request = ecr.handle_request

    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Reply:
        action, document = _action(headers), _document(body)
        arns = _resources(action, document, get_account_id(), get_region())
        further = [(f"ecr:{action}", arn) for arn in arns[1:]]
        if action == "CreateRepository" and document.get("tags"):
            further.append(("ecr:TagResource", arns[0]))
        for iam_action, arn in further:
            context = iam_actions.request_tag_context("ecr", iam_action, body, {})
            refused: Reply | None = app._enforce_data_plane(
                "ecr", iam_action, headers, query, "", resource_arn=arn, service_context=context
            )
            if refused:
                return refused
        reply: Reply = await handle_request(method, path, headers, body, query)
        return reply

    ecr.handle_request = handle


def _resources(action: str, document: dict[str, Any], account: str, region: str) -> list[str]:
    """The ARNs that a call is decided on: its repositories, every repository, or ``*`` for the registry's calls."""
    if arn := document.get("resourceArn"):
        return [str(arn)]
    if name := document.get("repositoryName"):
        return [_repository_arn(name, account, region)]
    if action == "DescribeRepositories":
        return [_repository_arn(name, account, region) for name in document.get("repositoryNames") or ["*"]]
    return ["*"]


def _repository_arn(name: str, account: str, region: str) -> str:
    return f"arn:aws:ecr:{region}:{account}:repository/{name}"


def _action(headers: dict[str, str]) -> str:
    return headers.get("x-amz-target", "").rpartition(".")[2]


def _document(body: bytes) -> dict[str, Any]:
    """The request's JSON object; a body that is none names no repository, and ECR refuses it later."""
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
