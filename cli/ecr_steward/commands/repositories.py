"""``steward ensure`` and ``steward repo``: repositories on demand."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecr_steward.commands.context import api_of, note, read, show
from ecr_steward.errors import FINDINGS, CommandError

if TYPE_CHECKING:
    from ecr_steward.api import Api

MOST_NAMES = 200
"""Names of one call; see docs/api.md."""
_MOST_ROUNDS = 4
_AGAIN = {429, 503}
_COLUMNS = ("name", "result", "rule", "uri", "problem")

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
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and change nothing.")] = False,
) -> None:
    """Make sure that repositories exist and follow the house rules. Safe to run before every push."""
    wanted = list(dict.fromkeys(_wanted(names or [], file, compose, bake)))
    if not wanted:
        raise CommandError("no repository is named", "Example: steward ensure team-a/web")
    api = api_of(context)
    results = _previewed(api, wanted) if dry_run else _ensured(api, wanted)
    show(context, results, _COLUMNS)
    failed = [one for one in results if one["problem"]]
    if failed:
        note(f"{len(failed)} of {len(results)} repositories are not there")
        raise typer.Exit(FINDINGS)


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
    """A result for each name, in order; what was not finished in time is asked for again."""
    results: dict[str, dict[str, Any]] = {}
    for start in range(0, len(names), MOST_NAMES):
        left = names[start : start + MOST_NAMES]
        for _ in range(_MOST_ROUNDS):
            answer = api.call("POST", "/repositories", {"repositories": left}).body
            items = {one["name"]: one for one in answer["repositories"]}
            results |= {name: _result(item) for name, item in items.items()}
            left = [name for name, item in items.items() if _is_worth_a_retry(item)]
            if not left:
                break
    return [results.get(name) or _failed(name, "the API did not answer for it") for name in names]


def _is_worth_a_retry(item: dict[str, Any]) -> bool:
    kind = str((item.get("problem") or {}).get("type", "")).rpartition(":")[2]
    return item.get("status") in _AGAIN and kind in {"throttled", "time-used-up", "upstream"}


def _previewed(api: "Api", names: list[str]) -> list[dict[str, Any]]:
    from ecr_steward.api import ApiError, path_of

    results = []
    for name in names:
        try:
            body = api.call("PUT", path_of("repositories", name), query={"dry_run": "true"}).body
        except ApiError as error:
            results.append(_failed(name, error.problem))
        else:
            would = "would be created" if body.get("would_create") else "exists"
            results.append(
                {"name": name, "result": would, "rule": body.get("rule"), "uri": body.get("uri"), "problem": ""}
            )
    return results


def _result(item: dict[str, Any]) -> dict[str, Any]:
    found = item.get("repository")
    if not isinstance(found, dict):
        problem = item.get("problem") or {}
        return _failed(item["name"], str(problem.get("detail") or problem.get("title") or item.get("status")))
    result = "created" if found.get("created") else "exists"
    return {"name": item["name"], "result": result, "rule": found.get("rule"), "uri": found.get("uri"), "problem": ""}


def _failed(name: str, problem: str) -> dict[str, Any]:
    return {"name": name, "result": "failed", "rule": None, "uri": None, "problem": problem}
