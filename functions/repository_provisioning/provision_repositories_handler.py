"""The REST API of repository provisioning: routes, bodies and status codes."""

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from importlib.resources import files
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from repository_provisioning.application.one_repository import Outcome, Result
from repository_provisioning.application.provision_repositories import refuse_too_many
from repository_provisioning.bootstrap import CAPABILITY, provision_repositories
from repository_provisioning.domain.house_rules import Overrides
from repository_provisioning.domain.planning import Origin, Request
from repository_provisioning.representation import representation_of
from steward.conversion import convert
from steward.errors import InvalidRequestError, RuleViolationError, StewardError, ValidationError
from steward.observability import observe
from steward.rest_api import rest_api, wired

logger, metrics = observe(CAPABILITY)
app = rest_api(logger, metrics)
use_cases = wired(provision_repositories)


@app.put("/repositories/.+")
def ensure_repository() -> Response[dict[str, Any]]:
    """Make sure that the repository exists, as the house rules say."""
    body = app.json_body()
    request = _request(_name_in_path(), body)
    if app.flag("clear_overrides"):
        if body:
            raise InvalidRequestError("clear_overrides=true goes without a body: it clears all overrides")
        request = replace(request, overrides=Overrides())
    outcome = use_cases().ensure(request, _origin())
    _count([outcome])
    headers = {"Location": f"/{app.current_event.request_context.stage}{app.current_event.path}"}
    if outcome.created:
        return Response(HTTPStatus.CREATED, "application/json", _shown(outcome), headers=headers)
    return Response(HTTPStatus.OK, "application/json", _shown(outcome))


@app.get("/repositories/.+")
def show_repository() -> Response[dict[str, Any]]:
    """What is there, which rule applies, and how the two differ."""
    outcome = use_cases().inspect(_name_in_path(), app.caller)
    return Response(HTTPStatus.OK, "application/json", _shown(outcome))


@app.post("/repositories")
def ensure_repositories() -> Response[dict[str, Any]]:
    """Make sure that many repositories exist; each item has its own result. ?strict=true: 422 unless all are fine."""
    strict, body = app.flag("strict"), app.json_body()
    if body.keys() != {"repositories"} or not isinstance(body["repositories"], list) or not body["repositories"]:
        raise RuleViolationError('send {"repositories": […]} with 1 to 200 names, or objects with name and overrides')
    refuse_too_many(len(body["repositories"]))
    requests = [_batch_request(item) for item in body["repositories"]]
    sound = [request for request in requests if isinstance(request, Request)]
    done = iter(use_cases().ensure_many(sound, _origin()))
    results = [next(done) if isinstance(request, Request) else request for request in requests]
    _count(results)
    items = [_item(asked, result) for asked, result in zip(body["repositories"], results, strict=True)]
    mixed = any(isinstance(result, StewardError) for result in results)
    partly = HTTPStatus.UNPROCESSABLE_ENTITY if strict else HTTPStatus.MULTI_STATUS
    return Response(partly if mixed else HTTPStatus.OK, "application/json", {"repositories": items})


@app.get("/whoami")
def who_am_i() -> Response[dict[str, Any]]:
    """The caller as we see it, and the names that it may create."""
    caller = app.caller
    allowed = use_cases().allowed_to(caller)
    return Response(HTTPStatus.OK, "application/json", {"caller": str(caller), "allowed": allowed})


@app.get("/openapi.json")
def contract() -> Response[str]:
    """The contract of this API."""
    text = (files("repository_provisioning") / "openapi.json").read_text(encoding="utf-8")
    return Response(HTTPStatus.OK, "application/json", text)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of the REST API."""
    return app.resolve(event, context)


def _name_in_path() -> str:
    """The name as the gateway decoded it, where path and parameter agree; what it is worth is decided by the domain.

    IAM saw the path as it was sent, the parameter is what is left of it when slashes are merged.
    """
    path, name = app.current_event.path, (app.current_event.path_parameters or {}).get("name") or ""
    if "%" in name or not path.endswith(f"/repositories/{name}"):
        raise InvalidRequestError(
            f"the path {path!r} does not end in a name: write it as it is, with single slashes and no percent-encoding"
        )
    return name


def _request(name: str, overrides: Mapping[Any, Any]) -> Request:
    dry_run = app.dry_run
    condition = app.current_event.headers.get("if-none-match")
    if condition not in {None, "*"}:
        raise InvalidRequestError("If-None-Match must be *, which requests creation only")
    return Request(name, _overrides(overrides), create_only=condition == "*", dry_run=dry_run)


def _batch_request(item: object) -> Request | StewardError:
    """One item of a batch, or what is wrong with it."""
    match item:
        case str(name):
            return _request(name, {})
        case {"name": str(name), **overrides}:
            try:
                return _request(name, overrides)
            except RuleViolationError as error:
                return error
        case _:
            return RuleViolationError("an item is a name, or an object with a name and overrides")


def _overrides(given: Mapping[Any, Any]) -> Overrides | None:
    try:
        return convert(given, Overrides) if given else None
    except ValidationError as error:
        raise RuleViolationError(str(error)) from error


def _origin() -> Origin:
    return Origin(app.caller, app.request_id, app.deadline, app.session)


def _shown(outcome: Outcome) -> dict[str, Any]:
    return representation_of(outcome, () if outcome.restricted else use_cases().warnings_about(outcome.name))


def _item(asked: object, result: Result) -> dict[str, Any]:
    """One item of a batch's answer: its status, and the repository or the problem; nameless if it was asked so."""
    if isinstance(result, Outcome):
        status = HTTPStatus.CREATED if result.created else HTTPStatus.OK
        return {"name": result.name, "status": status.value, "repository": _shown(result)}
    problem = app.problem_of(result)
    name = asked.get("name") if isinstance(asked, dict) else asked
    named = {"name": name} if isinstance(name, str) else {}
    return {**named, "status": problem["status"], "problem": problem}


def _count(results: list[Result]) -> None:
    outcomes = [result for result in results if isinstance(result, Outcome)]
    metrics.add_metric("RepositoriesCreated", MetricUnit.Count, sum(outcome.created for outcome in outcomes))
    metrics.add_metric("RequestsRefused", MetricUnit.Count, len(results) - len(outcomes))
    created = [outcome.name for outcome in outcomes if outcome.created]
    logger.info("repositories ensured", repositories_created=created, asked=len(results))
