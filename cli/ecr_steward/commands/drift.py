"""``steward drift``: findings, scans, and the baseline."""

from datetime import UTC, datetime
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecr_steward.api import path_of
from ecr_steward.commands.context import DryRun, api_of, note, read, show, would
from ecr_steward.errors import FINDINGS, CommandError

if TYPE_CHECKING:
    from ecr_steward.api import Api

app = typer.Typer(help="IAM as it is against IAM as it was approved.", no_args_is_help=True)
baseline = typer.Typer(help="What is approved.", no_args_is_help=True)
app.add_typer(baseline, name="baseline")
MOST_SENT = 3_000_000
"""Bytes of a baseline that are sent in a request: it takes 6 MB, in which a text may become twice as long."""
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
    show(context, _finding(api_of(context), finding))


@app.command(
    epilog="Example: steward drift ack access:role:deployer --owner team-a --reason migration --until 2027-01-31"
)
def ack(
    context: typer.Context,
    finding: _Finding,
    owner: Annotated[str, typer.Option(help="Who is responsible.")],
    reason: Annotated[str, typer.Option(help="Why it is accepted.")],
    until: Annotated[datetime, typer.Option(help="The day on which it ends.", formats=["%Y-%m-%d"])],
    dry_run: DryRun = False,
) -> None:
    """Accept a finding as it is now, until a day. Anything more than that is published again."""
    api = api_of(context)
    found = _finding(api, finding)
    expires = until.replace(tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = {"owner": owner, "reason": reason, "expires": expires, "fingerprint": found["fingerprint"]}
    if dry_run:
        would(context, f"accept {finding} until {expires}", {**_reviewed(found), **body})
        return
    show(context, api.call("POST", path_of("drift", "findings", finding, "acknowledgement"), body).body)


@app.command(epilog="Example: steward drift adopt access:role:deployer")
def adopt(
    context: typer.Context,
    findings: Annotated[list[str], typer.Argument(help="Ids of findings.")],
    dry_run: DryRun = False,
) -> None:
    """Approve findings as they are now: they become part of the baseline."""
    api = api_of(context)
    found = [_finding(api, one) for one in findings]
    if dry_run:
        would(context, f"approve {len(found)} findings", [_reviewed(one) for one in found])
        return
    pinned = [{"id": one["id"], "fingerprint": one["fingerprint"]} for one in found]
    show(context, api.call("POST", "/drift/baseline/adoptions", {"findings": pinned}).body)


@app.command(epilog="Example: steward drift revert access:role:deployer --print > revert.sh")
def revert(
    context: typer.Context,
    finding: _Finding,
    printed: Annotated[bool, typer.Option("--print", help="Write the commands on the standard output.")] = False,
) -> None:
    """Print the AWS CLI commands that revert a finding; the steward runs none of them. 1 if a person has to decide."""
    if not printed:
        raise CommandError(
            "the steward reverts nothing by itself", f"See the commands: steward drift revert {finding} --print"
        )
    remedy = _finding(api_of(context), finding).get("revert") or {}
    commands = remedy.get("commands") or []
    for text in (*remedy.get("notes", ()), *((remedy["refused"],) if remedy.get("refused") else ())):
        note(text)
    if commands:
        typer.echo("\n".join(commands))
    for step in remedy.get("plan") or ():
        note(f"for a person to decide: {step}")
    if remedy.get("refused") or not commands:
        raise typer.Exit(FINDINGS)


@app.command(epilog="Example: steward drift scan")
def scan(context: typer.Context, dry_run: DryRun = False) -> None:
    """Start a scan of the account."""
    api = api_of(context)
    if dry_run:
        would(context, "start a scan against this baseline", _in_force(api))
        return
    show(context, api.call("POST", "/drift/scans").body)


@app.command(epilog="Example: steward drift report --open")
def report(
    context: typer.Context,
    opened: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Show a link to the latest report, valid for five minutes."""
    answer = api_of(context).call("GET", "/drift/report").body
    if opened:
        import webbrowser

        if not webbrowser.open(answer["report"]):
            note("there is no browser here: open the link below")
    show(context, answer)


@baseline.command(epilog="Example: steward drift baseline show")
def show_(context: typer.Context) -> None:
    """Show the version that is in force, and a link to its document."""
    show(context, api_of(context).call("GET", "/drift/baseline").body)


baseline.registered_commands[-1].name = "show"


@baseline.command(epilog="Example: steward drift baseline pull baseline.json")
def pull(
    context: typer.Context,
    file: Annotated[str, typer.Argument(help="Where to write it; the standard output by default.")] = "-",
) -> None:
    """Write the document that is in force, to edit it, or to keep it in git."""
    api = api_of(context)
    in_force = _in_force(api)
    text = api.download(in_force["document"])
    if file == "-":
        typer.echo(text, nl=False)
    else:
        try:
            Path(file).write_text(text, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error.strerror}", "Choose another file") from None
    version = in_force["version"]
    note(f"version {version}; to replace it: steward drift baseline push FILE --replaces {version}")


@baseline.command(epilog="Example: steward drift baseline diff baseline.json. Exit code: 0 the same access, 1 another")
def diff(
    context: typer.Context, file: Annotated[str, typer.Argument(help="A document, or - for the standard input.")]
) -> None:
    """Show the access that a document would approve, and the one in force does not, and the other way round."""
    from ecr_steward.gate.formats import FORMATS
    from ecr_steward.gate.inputs import Text, checked

    api = api_of(context)
    answer = checked(Text("the baseline in force", api.download(_in_force(api)["document"])), Text(file, read(file)))
    typer.echo(FORMATS["text"](answer, answer.findings), nl=False)
    if answer.findings:
        raise typer.Exit(FINDINGS)


@baseline.command(epilog="Example: steward drift baseline push baseline.json --replaces 3HL4kqtJlcpXroDTDmJ")
def push(
    context: typer.Context,
    file: Annotated[str, typer.Argument(help="The document, or - for the standard input.")],
    replaces: Annotated[str, typer.Option(help="The version that it replaces, as baseline show says.")],
    dry_run: DryRun = False,
) -> None:
    """Replace the baseline, unless another version came in between. A large one is sent to a link first."""
    import hashlib
    import json

    text = read(file)
    try:
        body = json.loads(text)
    except ValueError as error:
        raise CommandError(f"{file}: it is no JSON: {error}", "Give a baseline document") from error
    api = api_of(context)
    if dry_run:
        in_force = _in_force(api)
        if in_force["version"] != replaces:
            raise CommandError(
                f"version {in_force['version']} is in force, not {replaces}",
                "See what changed: steward drift baseline diff",
            )
        would(context, f"replace it by {file}", in_force)
        return
    unless_replaced = {"If-Match": replaces}
    if len(json.dumps(body)) <= MOST_SENT:
        answer = api.call("PUT", "/drift/baseline", body, headers=unless_replaced)
    else:  # as it is laid out: a version in force that is one line would show no difference
        sent = text.encode()
        sha256 = hashlib.sha256(sent).hexdigest()
        link = api.call("POST", "/drift/baseline/uploads", {"sha256": sha256, "size": len(sent)}).body
        api.upload(link["upload"], sent, link["headers"])
        answer = api.call("PUT", "/drift/baseline", query={"uploaded": sha256}, headers=unless_replaced)
    if answer.status == HTTPStatus.ACCEPTED:
        note("it is too large for one call, or too much differs: the scan that has begun puts it in force")
    show(context, answer.body)


def _finding(api: "Api", finding: str) -> dict[str, Any]:
    found: dict[str, Any] = api.call("GET", path_of("drift", "findings", finding)).body
    return found


def _in_force(api: "Api") -> dict[str, Any]:
    """The version in force, without what is acknowledged beside it."""
    shown: dict[str, Any] = api.call("GET", "/drift/baseline").body
    return {name: value for name, value in shown.items() if not name.endswith("acknowledged")}


def _reviewed(finding: dict[str, Any]) -> dict[str, Any]:
    """What a person should know before a decision."""
    return {name: finding[name] for name in ("id", "severity", "verdict", "summary", "fingerprint")}
