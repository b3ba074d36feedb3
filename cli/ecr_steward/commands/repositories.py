"""``steward ensure`` and ``steward repo``: repositories on demand."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecr_steward.commands.context import DryRun, api_of, note, options_of, progress, read, show
from ecr_steward.ensured import COLUMNS, exit_code, failure_of, result_of
from ecr_steward.errors import CommandError

if TYPE_CHECKING:
    from ecr_steward.api import Api

MOST_NAMES = 200
"""Names of one call; see docs/api.md."""
_NAME_ONE = "Example: steward ensure team-a/web"
_MOST_ROUNDS = 4
_AGAIN = {429, 503}

app = typer.Typer(help="Repositories, as the house rules make them.", no_args_is_help=True)


@app.command(epilog="Example: steward repo show team-a/web")
def show_(context: typer.Context, name: Annotated[str, typer.Argument(help="A name, or an image.")]) -> None:
    """Show a repository: its rule, its configuration, and how they differ."""
    from ecr_steward.api import path_of
    from ecr_steward.images import repository_of

    show(context, api_of(context).call("GET", path_of("repositories", repository_of(name))).body)


app.registered_commands[-1].name = "show"


def ensure(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(help="Names, or images; - reads them from the standard input.")
    ] = None,
    file: Annotated[str, typer.Option(help="A file with one name or image a line.")] = "",
    compose: Annotated[str, typer.Option(help="A compose file: its images in ECR.")] = "",
    bake: Annotated[str, typer.Option(help="What docker buildx bake --print prints: its tags in ECR.")] = "",
    login: Annotated[
        bool,
        typer.Option("--login", help="Log docker, podman, buildah and skopeo in at their registries, for 12 hours."),
    ] = False,
    dry_run: DryRun = False,
) -> None:
    """Make sure that repositories exist and follow the house rules. Safe to run before every push."""
    wanted = list(dict.fromkeys(_wanted(names or [], file, compose, bake)))
    if not wanted and (compose or bake):
        raise CommandError(f"{compose or bake} has no image in ECR; those of other registries are left out", _NAME_ONE)
    if not wanted:
        raise CommandError("no repository is named", _NAME_ONE)
    api = api_of(context)
    results = _previewed(api, wanted) if dry_run else _ensured(api, wanted)
    show(context, results, COLUMNS)
    if login:
        _log_in(context, {str(one["uri"]).partition("/")[0] for one in results if one["uri"]}, dry_run=dry_run)
    raise typer.Exit(exit_code(results))


def _log_in(context: typer.Context, hosts: set[str], *, dry_run: bool) -> None:
    """Keep a login for each registry, as the caller."""
    from ecr_steward.api import session_of
    from ecr_steward.registries import log_in, region_of, token

    options = options_of(context)
    for host in sorted(hosts):
        if dry_run:
            note(f"would log in at {host}")
            continue
        session = session_of(options)
        region = region_of(host) or options.region or session.get_config_variable("region")
        files = log_in(host, token(session, region))
        kept = " and ".join(map(str, files)) or "nothing: its credential helper answers for it"
        note(f"logged in at {host}: wrote {kept}")


def _wanted(names: list[str], file: str, compose: str, bake: str) -> Iterator[str]:
    from ecr_steward.images import in_bake, in_compose, in_lines, repository_of

    images: list[str] = []
    for name in names:
        images += in_lines(read("-")) if name == "-" else [name]
    if file:
        images += in_lines(read(file))
    if compose:
        images += in_compose(read(compose), compose)
    if bake:
        images += in_bake(read(bake), bake)
    yield from map(repository_of, images)


def _ensured(api: "Api", names: list[str]) -> list[dict[str, Any]]:
    """A result for each name, in order: in one request, or one by one where the caller may not use that of many."""
    from ecr_steward.api import ApiError

    if len(names) > 1:
        try:
            return _together(api, names)
        except ApiError as error:
            if error.status != HTTPStatus.FORBIDDEN:
                raise
    return [_alone(api, name) for name in progress(names, "Ensuring")]


def _alone(api: "Api", name: str) -> dict[str, Any]:
    from ecr_steward.api import ApiError, path_of

    try:
        return result_of({"name": name, "repository": api.call("PUT", path_of("repositories", name)).body})
    except ApiError as error:
        return failure_of(name, str(error))


def _together(api: "Api", names: list[str]) -> list[dict[str, Any]]:
    """The same by requests of many names; what was not finished in time is asked for again."""
    results: dict[str, dict[str, Any]] = {}
    for start in progress(range(0, len(names), MOST_NAMES), "Ensuring"):
        left = names[start : start + MOST_NAMES]
        for _ in range(_MOST_ROUNDS):
            answer = api.call("POST", "/repositories", {"repositories": left}).body
            items = {one["name"]: one for one in answer["repositories"]}
            results |= {name: result_of(item) for name, item in items.items()}
            left = [name for name, item in items.items() if _is_worth_a_retry(item)]
            if not left:
                break
    return [results.get(name) or failure_of(name, "the API did not answer for it") for name in names]


def _is_worth_a_retry(item: dict[str, Any]) -> bool:
    kind = str((item.get("problem") or {}).get("type", "")).rpartition(":")[2]
    return item.get("status") in _AGAIN and kind in {"throttled", "time-used-up", "upstream"}


def _previewed(api: "Api", names: list[str]) -> list[dict[str, Any]]:
    from ecr_steward.api import ApiError, path_of

    results = []
    for name in progress(names, "Looking"):
        try:
            body = api.call("PUT", path_of("repositories", name), query={"dry_run": "true"}).body
        except ApiError as error:
            results.append(failure_of(name, error.problem))
        else:
            would = "would be created" if body.get("would_create") else "exists"
            results.append(
                {"name": name, "result": would, "rule": body.get("rule"), "uri": body.get("uri"), "problem": ""}
            )
    return results
