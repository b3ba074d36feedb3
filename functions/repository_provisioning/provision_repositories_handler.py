"""The REST API of repository provisioning: routes, bodies and status codes."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import cache
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from repository_provisioning.application.adopt_repositories import (
    Adopted,
    AdoptionRequest,
    AdoptionResult,
    Intent,
    scope_in,
)
from repository_provisioning.application.one_repository import Outcome, Result
from repository_provisioning.application.provision_repositories import refuse_too_many
from repository_provisioning.application.show_fleet import owner_in
from repository_provisioning.bootstrap import CAPABILITY, adopt_repositories, provision_repositories, show_fleet
from repository_provisioning.domain.house_rules import Overrides
from repository_provisioning.domain.planning import Origin, Request
from repository_provisioning.representation import (
    LONGEST_PAGE,
    USUAL_PAGE,
    adoption_representation,
    fleet_representation,
    place_in,
    representation_of,
)
from steward.conversion import convert
from steward.errors import InvalidRequestError, RuleViolationError, StewardError, ValidationError
from steward.observability import observe
from steward.rest_api import contract_of, rest_api, wired

logger, metrics = observe(CAPABILITY)
app = rest_api(logger, metrics)
use_cases = wired(provision_repositories)
adopter = cache(adopt_repositories)
fleet = cache(show_fleet)
"""Composed when they are first needed: pipelines, which start this function most often, never do."""


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
    """Make sure that many repositories exist, by names or images; ?strict=true: 422 unless all are fine."""
    strict, body = app.flag("strict"), app.json_body()
    asked, skipped = _asked(body)
    refuse_too_many(len(asked))
    requests = [_batch_request(item) for item in asked]
    sound = [request for request in requests if isinstance(request, Request)]
    done = iter(use_cases().ensure_many(sound, _origin()))
    results = [next(done) if isinstance(request, Request) else request for request in requests]
    _count(results)
    items = [_item(item, result) for item, result in zip(asked, results, strict=True)]
    answer = {"repositories": items} | ({} if skipped is None else {"skipped": skipped})
    return Response(_status_of(results, strict=strict), "application/json", answer)


def _asked(body: dict[str, Any]) -> tuple[list[Any], list[dict[str, str]] | None]:
    """What a batch asks for: repositories, or those of images; and the images that are elsewhere."""
    match body:
        case {"repositories": [_, *_] as repositories, **rest} if not rest:
            return repositories, None
        case {"images": [_, *_] as images, **rest} if not rest and all(isinstance(image, str) for image in images):
            cut = use_cases().cut(images)
            return list(cut.names), [asdict(skipped) for skipped in cut.skipped]
    raise RuleViolationError(
        'send {"repositories": […]} with 1 to 200 names, or objects with name and overrides; or {"images": […]} with '
        "the images of a compose or bake file"
    )


@app.get("/repositories")
def list_repositories() -> Response[dict[str, Any]]:
    """Every repository as the last scan found it. In pages: ?limit=, and ?next= of the page before; ?owner=."""
    if app.current_event.path.endswith("/"):  # IAM saw the path of a repository, which pipelines may call
        raise NotFoundError("the path of the list is /repositories")
    query = app.current_event.query_string_parameters or {}
    after = place_in(query["next"]) if "next" in query else None
    limit = query.get("limit", str(USUAL_PAGE))
    if not limit.isascii() or not limit.isdecimal() or not 1 <= int(limit) <= LONGEST_PAGE:
        raise InvalidRequestError(f"limit is a number from 1 to {LONGEST_PAGE}, not {limit!r}")
    page = fleet().page(app.caller, owner_in(query.get("owner")), int(limit), after)
    return Response(HTTPStatus.OK, "application/json", fleet_representation(page))


@app.post("/repositories/.+")
def adopt_repository() -> Response[dict[str, Any]]:
    """Bring one repository under its rule; ?dry_run=true shows how, and gives the fingerprint to send."""
    name, separator, action = _name_in_path().rpartition("/")
    if not separator or action != "adoption":
        raise NotFoundError("the path of an adoption is /repositories/<name>/adoption")
    request = _adoption_request(Intent.ADOPT, {"name": name, **app.json_body()})
    result = adopter().bring(request, _origin())
    _count_adopted([result])
    return Response(HTTPStatus.OK, "application/json", adoption_representation(result))


@app.post("/fleet/adoptions")
def adopt_many() -> Response[dict[str, Any]]:
    """Bring up to 200 repositories under their rules; ?dry_run=true first; ?strict=true: 422 unless all are fine."""
    return _bring_many(Intent.ADOPT)


@app.post("/fleet/reconciliations")
def reconcile_many() -> Response[dict[str, Any]]:
    """Bring up to 200 repositories of the steward back to their rules; ?dry_run=true first; ?strict=true as above."""
    return _bring_many(Intent.RECONCILE)


@app.post("/fleet/scans")
def request_scan() -> Response[dict[str, Any]]:
    """Start a scan of the registry; RepositoryFleetScanned is published when it is complete."""
    fleet().request_scan(app.request_id, str(app.caller))
    return Response(HTTPStatus.ACCEPTED, "application/json", {"scan_id": app.request_id})


@app.get("/whoami")
def who_am_i() -> Response[dict[str, Any]]:
    """The caller as we see it, and the names that it may create."""
    caller = app.caller
    allowed = use_cases().allowed_to(caller)
    return Response(HTTPStatus.OK, "application/json", {"caller": str(caller), "allowed": allowed})


@app.get("/openapi.json")
def contract() -> Response[str]:
    """The contract of this API."""
    return contract_of("repository_provisioning")


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


def _status_of(results: Sequence[object], *, strict: bool) -> HTTPStatus:
    """The status of a whole batch; a strict one fails where any of it did."""
    if not any(isinstance(result, StewardError) for result in results):
        return HTTPStatus.OK
    return HTTPStatus.UNPROCESSABLE_ENTITY if strict else HTTPStatus.MULTI_STATUS


def _bring_many(intent: Intent) -> Response[dict[str, Any]]:
    strict, body = app.flag("strict"), app.json_body()
    asked = body.pop("repositories", None)
    if body.keys() - {"scope"} or not isinstance(asked, list) or not asked:
        raise RuleViolationError('send {"repositories": […]} with 1 to 200 names, or objects with name and fingerprint')
    refuse_too_many(len(asked))
    items = [{"name": item} if isinstance(item, str) else item for item in asked]
    if not all(isinstance(item, dict) for item in items):
        raise RuleViolationError("an item is a name, or an object with name and fingerprint")
    results = adopter().bring_many([_adoption_request(intent, {**body, **item}) for item in items], _origin())
    _count_adopted(results)
    answered = [
        {"name": item["name"], "status": HTTPStatus.OK.value, "adoption": adoption_representation(result)}
        if isinstance(result, Adopted)
        else {"name": item["name"], "status": (problem := app.problem_of(result))["status"], "problem": problem}
        for item, result in zip(items, results, strict=True)
    ]
    return Response(_status_of(results, strict=strict), "application/json", {"repositories": answered})


def _adoption_request(intent: Intent, given: Mapping[str, Any]) -> AdoptionRequest:
    """What was sent for one repository; a change needs the fingerprint of its dry run."""
    unknown = sorted(given.keys() - {"name", "scope", "fingerprint"})
    if unknown or not all(isinstance(value, str) for value in given.values()) or "name" not in given:
        what = f"{unknown[0]} is unknown" if unknown else "each is a text"
        raise RuleViolationError(f"send name, fingerprint and, for an adoption, scope: {what}")
    fingerprint = given.get("fingerprint")
    if app.dry_run:
        fingerprint = None
    elif fingerprint is None:
        raise RuleViolationError(
            f"{given['name']} has no fingerprint: send the one that the same call with ?dry_run=true answers"
        )
    return AdoptionRequest(given["name"], intent, scope_in(intent, given.get("scope")), fingerprint)


def _count_adopted(results: Sequence[AdoptionResult]) -> None:
    done = [result for result in results if isinstance(result, Adopted) and result.done is not None]
    metrics.add_metric("RepositoriesAdopted", MetricUnit.Count, len(done))
    logger.info(
        "repositories brought under their rules",
        repositories=[r.adoption.target.name for r in done],
        asked=len(results),
    )


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
