"""``steward repo list``, ``adopt`` and ``reconcile``: repositories that exist already, against the house rules."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ecr_steward.commands.context import DryRun, api_of, note, progress, read, show, would
from ecr_steward.errors import FINDINGS, CommandError

if TYPE_CHECKING:
    from ecr_steward.api import Api

MOST_NAMES = 200
"""Repositories of one call; see docs/fleet.md."""
_PAGE = "1000"
_LISTED = ("name", "owner", "rule", "differences", "would_change", "last_push", "empty", "owned_by", "problem")
_SHOWN = ("name", "result", "changes", "warnings", "problem")
_OURS = ("ours", "tags-only")

_Names = Annotated[list[str] | None, typer.Argument(help="Names; - reads them from the standard input.")]
_File = Annotated[str, typer.Option(help="A file with one name a line.")]
_Shorter = Annotated[
    bool, typer.Option("--accept-shorter-retention", help="Also where images may expire sooner afterwards.")
]


def list_(
    context: typer.Context,
    owner: Annotated[str, typer.Option(help="ours, tags-only, foreign, unmanaged or unknown.")] = "all",
    differing: Annotated[bool, typer.Option("--differing", help="Only those that differ from their rule.")] = False,
) -> None:
    """List every repository of the registry against the rules, as the last scan found it."""
    page, found = _fleet(api_of(context), owner)
    if differing:
        found = [one for one in found if one.get("differences")]
    _note_age(page)
    show(context, found, _LISTED)


def scan(context: typer.Context, dry_run: DryRun = False) -> None:
    """Start a scan of the registry; it runs in the background."""
    if dry_run:
        would(context, "start a scan of the registry", {"path": "/fleet/scans"})
        return
    show(context, api_of(context).call("POST", "/fleet/scans").body)


def adopt(
    context: typer.Context,
    names: _Names = None,
    file: _File = "",
    scope: Annotated[Literal["whole", "tags"], typer.Option(help="What comes under the rule.")] = "whole",
    dry_run: DryRun = False,
    accept_shorter_retention: _Shorter = False,
) -> None:
    """Bring existing repositories under their rules, as a dry run at this moment shows it."""
    wanted = list(dict.fromkeys(_named(names or [], file)))
    if not wanted:
        raise CommandError("no repository is named", "Example: steward repo adopt team-a/legacy --dry-run")
    _bring(context, "/fleet/adoptions", wanted, {"scope": scope}, dry_run=dry_run, shorter=accept_shorter_retention)


def reconcile(
    context: typer.Context,
    names: _Names = None,
    file: _File = "",
    differing: Annotated[
        bool, typer.Option("--differing", help="All of the steward's that the last scan found to differ.")
    ] = False,
    dry_run: DryRun = False,
    accept_shorter_retention: _Shorter = False,
) -> None:
    """Bring repositories of the steward back to their rules, as a dry run at this moment shows it."""
    wanted = list(_named(names or [], file))
    if differing:
        page, found = _fleet(api_of(context), "all")
        _note_age(page)
        wanted += [one["name"] for one in found if one.get("owner") in _OURS and one.get("would_change")]
    if not wanted and not differing:
        raise CommandError("no repository is named", "Example: steward repo reconcile --differing --dry-run")
    _bring(
        context,
        "/fleet/reconciliations",
        list(dict.fromkeys(wanted)),
        {},
        dry_run=dry_run,
        shorter=accept_shorter_retention,
    )


def _fleet(api: "Api", owner: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The last page, and the repositories of all pages."""
    found: list[dict[str, Any]] = []
    query: dict[str, str | None] = {"owner": owner, "limit": _PAGE}
    while True:
        page = api.call("GET", "/repositories", query=query).body
        found += page["repositories"]
        if not page["next"]:
            return page, found
        query = {"next": page["next"]}


def _note_age(page: dict[str, Any]) -> None:
    hours, stale = page["age_seconds"] / 3600, "; it is out of date: scans fail" if page["stale"] else ""
    note(f"as of {page['as_of']}, {hours:.1f} hours ago{stale}")


def _named(names: list[str], file: str) -> Iterator[str]:
    from ecr_steward.images import in_lines, repository_of

    for name in names:
        yield from map(repository_of, in_lines(read("-")) if name == "-" else [name])
    if file:
        yield from map(repository_of, in_lines(read(file)))


def _bring(
    context: typer.Context, path: str, names: list[str], body: dict[str, str], *, dry_run: bool, shorter: bool
) -> None:
    api, results = api_of(context), []
    for start in progress(range(0, len(names), MOST_NAMES), "Looking" if dry_run else "Working"):
        part = names[start : start + MOST_NAMES]
        looked = api.call("POST", path, {**body, "repositories": part}, query={"dry_run": "true"}).body["repositories"]
        done = {} if dry_run else _done(api, path, body, looked, shorter=shorter)
        results += [_result(item, done.get(item["name"]), dry_run=dry_run, shorter=shorter) for item in looked]
    show(context, results, _SHOWN)
    failed = [one for one in results if one["problem"]]
    if failed:
        note(f"{len(failed)} of {len(results)} repositories are left as they are")
        raise typer.Exit(FINDINGS)


def _done(
    api: "Api", path: str, body: dict[str, str], looked: Sequence[dict[str, Any]], *, shorter: bool
) -> dict[str, dict[str, Any]]:
    """Have done what was looked at; what did not fit in the time is asked for again."""
    left = [
        {"name": item["name"], "fingerprint": item["adoption"]["fingerprint"]}
        for item in looked
        if "adoption" in item and (shorter or not item["adoption"]["shortens_retention"])
    ]
    done: dict[str, dict[str, Any]] = {}
    while left:
        answered = api.call("POST", path, {**body, "repositories": left}).body["repositories"]
        done |= {item["name"]: item for item in answered}
        late = {item["name"] for item in answered if _kind(item) == "time-used-up"}
        if len(late) == len(left):
            break
        left = [one for one in left if one["name"] in late]
    return done


def _kind(item: dict[str, Any]) -> str:
    return str((item.get("problem") or {}).get("type", "")).rpartition(":")[2]


def _result(looked: dict[str, Any], done: dict[str, Any] | None, *, dry_run: bool, shorter: bool) -> dict[str, Any]:
    problem = (done or looked).get("problem")
    adoption = looked.get("adoption") or {}
    settings = [change["setting"] for change in adoption.get("changes", [])]
    said = {"name": looked["name"], "changes": settings, "warnings": adoption.get("warnings", [])}
    if problem:
        return {**said, "result": "failed", "problem": problem.get("detail") or problem.get("title")}
    if dry_run:
        return {**said, "result": "would be changed" if settings else "would be marked", "problem": ""}
    if done is None and adoption["shortens_retention"] and not shorter:
        reason = "images may expire sooner: look at it, and use --accept-shorter-retention"
        return {**said, "result": "left", "problem": reason}
    return {**said, "result": "done", "problem": ""}
