"""``steward drift``: findings, scans, and the baseline."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from ecr_steward.api import path_of
from ecr_steward.commands.context import api_of, read, show
from ecr_steward.errors import CommandError

app = typer.Typer(help="IAM as it is against IAM as it was approved.", no_args_is_help=True)
baseline = typer.Typer(help="What is approved.", no_args_is_help=True)
app.add_typer(baseline, name="baseline")
_Finding = Annotated[str, typer.Argument(metavar="FINDING", help="The id of a finding.")]


class State(StrEnum):
    """Which findings are listed."""

    OPEN = "OPEN"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    RESOLVED = "RESOLVED"
    ALL = "ALL"


@app.command("list", epilog="Example: steward --query '[?severity==`CRITICAL`]' drift list")
def list_findings(
    context: typer.Context,
    state: Annotated[State, typer.Option(help="Which findings.", case_sensitive=False)] = State.OPEN,
) -> None:
    """List findings, all pages of them."""
    api, found, following = api_of(context), [], None
    while True:
        page = api.call("GET", "/drift/findings", query={"state": state.value, "next": following}).body
        found += page["findings"]
        following = page.get("next")
        if not following:
            break
    show(context, found, ("id", "severity", "verdict", "state", "first_seen", "summary"))


@app.command("show", epilog="Example: steward --output json drift show access:role:deployer")
def show_finding(context: typer.Context, finding: _Finding) -> None:
    """Show one finding: both states, requests that prove it, and who changed it."""
    show(context, _finding(context, finding))


@app.command(
    epilog="Example: steward drift ack access:role:deployer --owner team-a --reason migration --until 2027-01-31"
)
def ack(
    context: typer.Context,
    finding: _Finding,
    owner: Annotated[str, typer.Option(help="Who is responsible.")],
    reason: Annotated[str, typer.Option(help="Why it is accepted.")],
    until: Annotated[datetime, typer.Option(help="The day on which it ends.", formats=["%Y-%m-%d"])],
) -> None:
    """Accept a finding as it is now, until a day. Anything more than that is published again."""
    expires = until.replace(tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    fingerprint = _finding(context, finding)["fingerprint"]
    body = {"owner": owner, "reason": reason, "expires": expires, "fingerprint": fingerprint}
    path = path_of("drift", "findings", finding, "acknowledgement")
    show(context, api_of(context).call("POST", path, body).body)


@app.command(epilog="Example: steward drift adopt access:role:deployer")
def adopt(context: typer.Context, findings: Annotated[list[str], typer.Argument(help="Ids of findings.")]) -> None:
    """Approve findings as they are now: they become part of the baseline."""
    pinned = [{"id": one, "fingerprint": _finding(context, one)["fingerprint"]} for one in findings]
    show(context, api_of(context).call("POST", "/drift/baseline/adoptions", {"findings": pinned}).body)


@app.command(epilog="Example: steward drift scan")
def scan(context: typer.Context) -> None:
    """Start a scan of the account."""
    show(context, api_of(context).call("POST", "/drift/scans").body)


@app.command(epilog="Example: steward --output tsv drift report")
def report(context: typer.Context) -> None:
    """Show a link to the latest report, valid for five minutes."""
    show(context, api_of(context).call("GET", "/drift/report").body)


@baseline.command(epilog="Example: steward drift baseline show")
def show_(context: typer.Context) -> None:
    """Show the version that is in force, and a link to its document."""
    show(context, api_of(context).call("GET", "/drift/baseline").body)


baseline.registered_commands[-1].name = "show"


@baseline.command(epilog="Example: steward drift baseline push baseline.json --replaces 3HL4kqtJlcpXroDTDmJ")
def push(
    context: typer.Context,
    file: Annotated[str, typer.Argument(help="The document, or - for the standard input.")],
    replaces: Annotated[str, typer.Option(help="The version that it replaces, as baseline show says.")],
) -> None:
    """Replace the baseline, unless another version came in between."""
    import json

    try:
        body = json.loads(read(file))
    except ValueError as error:
        raise CommandError(f"{file}: it is no JSON: {error}", "Give a baseline document") from error
    answer = api_of(context).call("PUT", "/drift/baseline", body, headers={"If-Match": replaces})
    show(context, answer.body)


def _finding(context: typer.Context, finding: str) -> dict[str, Any]:
    found: dict[str, Any] = api_of(context).call("GET", path_of("drift", "findings", finding)).body
    return found
