"""``steward keys``: the access keys of service users."""

import sys
from typing import Annotated, Any

import typer

from ecr_steward.api import path_of
from ecr_steward.commands.context import DryRun, api_of, note, options_of, show, would
from ecr_steward.errors import FINDINGS, CommandError
from ecr_steward.options import Output

app = typer.Typer(help="Access keys of service users.", no_args_is_help=True)
_User = Annotated[str, typer.Argument(metavar="USER", help="A service user.")]


@app.command("list", epilog="Example: steward keys list")
def list_users(context: typer.Context) -> None:
    """List the service users: their state, their next step, and what blocks it."""
    users = api_of(context).call("GET", "/service-users").body["service_users"]
    show(context, users, ("name", "state", "next_step", "next_step_at", "blocked_by", "frozen", "secret"))


@app.command(epilog="Example: steward keys inventory --older-than 90d")
def inventory(
    context: typer.Context,
    older_than: Annotated[str, typer.Option(metavar="AGE", help="Only keys of this age or more, such as 90d.")] = "",
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV, for auditors.")] = False,
) -> None:
    """List every access key of the account: age, last use, owner, and its way out."""
    query, api = {"older_than": older_than or None}, api_of(context)
    if csv:
        answer = api.call("GET", "/access-keys", query={**query, "format": "csv"}, as_text=True)
        sys.stdout.write(answer.body)
        return
    body = api.call("GET", "/access-keys", query=query).body
    if not _is_for_people(context):
        show(context, body)
        return
    columns = ("user", "owner", "status", "age_days", "last_used_at", "last_used_service", "rotated_by", "way_out")
    show(context, body["keys"], (*columns, "reason"))
    note(f"{len(body['keys'])} keys, as of {body['as_of']}")
    for name in body["unreadable"]:
        note(f"IAM's report of the user {name} cannot be read: its keys are not listed")


@app.command("enroll", hidden=True, epilog="Example: steward keys enrol build-server --dry-run")
@app.command(epilog="Example: steward keys enrol build-server --dry-run")
def enrol(
    context: typer.Context,
    user: Annotated[str, typer.Argument(metavar="USER", help="A user of IAM that exists, on the service path.")],
    present_key: Annotated[
        bool, typer.Option("--present-key", help="The user's present key is the first one in its secret.")
    ] = False,
    from_profile: Annotated[
        str, typer.Option(metavar="PROFILE", help="Read that key from this profile; else from the standard input.")
    ] = "",
    leave: Annotated[bool, typer.Option("--leave", help="The other way: the keys stay, and rotate no more.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Enrol a user that exists already; its present key works on until no caller uses it."""
    if leave and (present_key or from_profile):
        raise CommandError("--leave takes no key", "Leave out --present-key and --from-profile")
    if from_profile and not present_key:
        raise CommandError("--from-profile is for --present-key", "Add --present-key, or leave both out")
    api, path = api_of(context), path_of("service-users", user, "enrolment")
    query = {"dry_run": "true" if dry_run else None}
    if leave:
        _show_plan(context, api.call("DELETE", path, query=query).body)
        return
    request = {"first_secret": "present-key" if present_key else "new-key"}
    if present_key and not dry_run:
        from ecr_steward.present_key import present_key_of

        plan = api.call("POST", path, request, query={"dry_run": "true"}).body
        _refuse(plan)
        key = present_key_of(plan, from_profile)
        api.call("POST", path, request)
        key.store(api, options_of(context))
        _show_plan(context, {**plan, "dry_run": False})
        return
    _show_plan(context, api.call("POST", path, request, query=query).body)


@app.command("show", epilog="Example: steward keys show ecr-push")
def show_user(context: typer.Context, user: _User) -> None:
    """Show one user: its keys, the callers that still use the old ones, and its targets of secret sync."""
    show(context, api_of(context).call("GET", path_of("service-users", user)).body)


@app.command(epilog="Example: steward keys rotate ecr-push --dry-run")
def rotate(context: typer.Context, user: _User, dry_run: DryRun = False) -> None:
    """Request a new key; the old one drains until no caller uses it."""
    _rotation(context, user, {}, dry_run=dry_run)


@app.command(epilog="Example: steward keys withdraw ecr-push --dry-run")
def withdraw(context: typer.Context, user: _User, dry_run: DryRun = False) -> None:
    """Withdraw a requested rotation that has not begun."""
    api = api_of(context)
    if dry_run:
        shown = api.call("GET", path_of("service-users", user)).body
        request = _withdrawable(user, shown)
        would(context, f"withdraw the requested rotation of {user}: the key {request['key_id']} stays current", request)
        return
    show(context, api.call("DELETE", path_of("service-users", user, "rotation")).body)


@app.command(epilog="Example: steward keys check ecr-push --dry-run")
def check(context: typer.Context, user: _User, dry_run: DryRun = False) -> None:
    """Have the worker look at a user again, for example after the reason of a block is gone."""
    api = api_of(context)
    if dry_run:
        shown = api.call("GET", path_of("service-users", user)).body
        does = f"have the worker look at {user} again, which takes each step that is due"
        would(
            context, does, {name: shown[name] for name in ("name", "state", "next_step", "next_step_at", "blocked_by")}
        )
        return
    show(context, api.call("POST", path_of("service-users", user, "check")).body)


@app.command(epilog="Example: steward keys leaked ecr-push AKIAEXAMPLE000000001")
def leaked(
    context: typer.Context,
    user: _User,
    key: Annotated[str, typer.Argument(metavar="KEY_ID", help="The id of the key that leaked.")],
    dry_run: DryRun = False,
) -> None:
    """Respond to a leak: the key is deactivated within a minute; says which keys stop working, and who used them."""
    _rotation(context, user, {"reason": "compromised", "key_id": key}, dry_run=dry_run)


@app.command(epilog="Example: steward keys reactivate ecr-push --reason 'the build server cannot read the secret'")
def reactivate(
    context: typer.Context,
    user: _User,
    reason: Annotated[str, typer.Option(help="Why; it is recorded.")],
    dry_run: DryRun = False,
) -> None:
    """Reactivate the key that was deactivated last, and freeze the user."""
    api = api_of(context)
    if dry_run:
        key = _last_deactivated(user, api.call("GET", path_of("service-users", user)).body["keys"])
        would(context, f"reactivate {key['id']} of {user}, and freeze the user", key)
        return
    body = {"reason": reason}
    show(context, api.call("POST", path_of("service-users", user, "reactivation"), body).body)


def _last_deactivated(user: str, keys: list[dict[str, Any]]) -> dict[str, Any]:
    """The key that a reactivation would bring back, by the rule of the API."""
    ours = [key for key in keys if key["deactivated_at"]]
    if not ours:
        raise CommandError(f"{user} has no key that the steward deactivated", f"See: steward keys show {user}")
    key = max(ours, key=lambda one: str(one["deactivated_at"]))
    if key["compromised"]:
        raise CommandError(f"the key {key['id']} leaked; it is never reactivated", f"Use: steward keys rotate {user}")
    return key


def _withdrawable(user: str, shown: dict[str, Any]) -> dict[str, Any]:
    """The request that a withdrawal would end, by the rule of the API."""
    if not shown["requested"]:
        raise CommandError(f"no requested rotation of {user} is pending", f"See: steward keys show {user}")
    if shown["state"] == "CREATED":
        raise CommandError(f"the rotation of {user} has begun: its new key becomes current", "There is nothing to do")
    request: dict[str, Any] = shown["requested"]
    return request


def _is_for_people(context: typer.Context) -> bool:
    options = options_of(context)
    return options.output is Output.TABLE and not options.query


def _refuse(plan: dict[str, Any]) -> None:
    if plan["refused_because"]:
        raise CommandError("; ".join(plan["refused_because"]), "Resolve all of it, and call again with --dry-run")


def _show_plan(context: typer.Context, plan: dict[str, Any]) -> None:
    """What happens when; 1 if it is refused."""
    if _is_for_people(context):
        show(context, plan["steps"], ("not_before", "what"))
        for key in plan["keys"]:
            used = f"{key['last_used_at']} for {key['last_used_service']}" if key["last_used_at"] else key["last_use"]
            note(f"the key {key['id']} is {key['status']}; last use: {used}")
        for reason in plan["waits_for"]:
            note(f"waits for {reason}")
        for reason in plan["refused_because"]:
            note(f"refused: {reason}")
    else:
        show(context, plan)
    if plan["refused_because"]:
        raise typer.Exit(FINDINGS)


def _rotation(context: typer.Context, user: str, body: dict[str, Any], *, dry_run: bool) -> None:
    query = {"dry_run": "true" if dry_run else None}
    path = path_of("service-users", user, "rotation")
    show(context, api_of(context).call("POST", path, body or None, query=query).body)
