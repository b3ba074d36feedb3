"""``steward keys``: the access keys of service users."""

from typing import Annotated, Any

import typer

from ecr_steward.api import path_of
from ecr_steward.commands.context import api_of, show

app = typer.Typer(help="Access keys of service users.", no_args_is_help=True)
_User = Annotated[str, typer.Argument(metavar="USER", help="A service user.")]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and change nothing.")]


@app.command("list", epilog="Example: steward keys list")
def list_users(context: typer.Context) -> None:
    """List the service users: their state, their next step, and what blocks it."""
    users = api_of(context).call("GET", "/service-users").body["service_users"]
    show(context, users, ("name", "state", "next_step", "next_step_at", "blocked_by", "frozen", "secret"))


@app.command("show", epilog="Example: steward keys show ecr-push")
def show_user(context: typer.Context, user: _User) -> None:
    """Show one user: its keys, and the callers that still use the old ones."""
    show(context, api_of(context).call("GET", path_of("service-users", user)).body)


@app.command(epilog="Example: steward keys rotate ecr-push --dry-run")
def rotate(context: typer.Context, user: _User, dry_run: _DryRun = False) -> None:
    """Request a new key; the old one drains until no caller uses it."""
    _rotation(context, user, {}, dry_run=dry_run)


@app.command(epilog="Example: steward keys leaked ecr-push AKIAEXAMPLE000000001")
def leaked(
    context: typer.Context,
    user: _User,
    key: Annotated[str, typer.Argument(metavar="KEY_ID", help="The id of the key that leaked.")],
    dry_run: _DryRun = False,
) -> None:
    """Respond to a leak: the key is deactivated as soon as a new one works."""
    _rotation(context, user, {"reason": "compromised", "key_id": key}, dry_run=dry_run)


@app.command(epilog="Example: steward keys reactivate ecr-push --reason 'the build farm cannot read the secret'")
def reactivate(
    context: typer.Context, user: _User, reason: Annotated[str, typer.Option(help="Why; it is recorded.")]
) -> None:
    """Reactivate the key that was deactivated last, and freeze the user."""
    body = {"reason": reason}
    show(context, api_of(context).call("POST", path_of("service-users", user, "reactivation"), body).body)


def _rotation(context: typer.Context, user: str, body: dict[str, Any], *, dry_run: bool) -> None:
    query = {"dry_run": "true" if dry_run else None}
    path = path_of("service-users", user, "rotation")
    show(context, api_of(context).call("POST", path, body or None, query=query).body)
