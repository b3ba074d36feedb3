"""The command ``steward``: its groups of commands, and what all of them have alike."""

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from ecr_steward import __version__
from ecr_steward.commands import (
    accounts,
    alerts,
    baseline,
    drift,
    fleet,
    keys,
    policy,
    releases,
    repositories,
    settings,
)
from ecr_steward.commands.context import api_of, show
from ecr_steward.errors import FINDINGS, NOTHING, UNUSABLE, CommandError
from ecr_steward.options import Options, Output

app = typer.Typer(
    name="steward",
    help="Looks after an Amazon ECR registry and the people and pipelines that use it.",
    epilog="Example: steward ensure team-a/web. Exit codes: 0 done, 1 findings or a part failed, 2 it cannot be done.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(epilog="Example: steward ensure 123456789012.dkr.ecr.eu-central-1.amazonaws.com/team-a/web:1")(
    repositories.ensure
)
app.command(
    "deploy", epilog="Example: steward deploy ecr-steward-0.1.0 --bucket my-deployments --settings ../our-steward"
)(releases.install)
app.command(epilog="Example: steward package ecr-steward-0.1.0 --settings ../our-steward --output ecr-steward-package")(
    releases.package
)
app.command(
    "upgrade",
    help="Install another version over an installed one; its notes are shown as well.",
    epilog="Example: steward upgrade ecr-steward-0.2.0 --bucket my-deployments --dry-run",
)(releases.install)
repositories.app.command("list", epilog="Example: steward repo list --owner unmanaged")(fleet.list_)
repositories.app.command(epilog="Example: steward repo scan")(fleet.scan)
repositories.app.command(epilog="Example: steward repo adopt team-a/legacy team-a/old --dry-run")(fleet.adopt)
repositories.app.command(epilog="Example: steward repo reconcile --differing --dry-run")(fleet.reconcile)
app.add_typer(repositories.app, name="repo")
app.add_typer(keys.app, name="keys")
app.add_typer(drift.app, name="drift")
app.add_typer(alerts.app, name="alerts")
app.add_typer(policy.app, name="policy")
app.add_typer(accounts.app, name="accounts")
app.add_typer(baseline.app, name="baseline")
app.add_typer(settings.app, name="settings")


def _print_version(*, asked: bool) -> None:
    if asked:
        sys.stdout.write(f"steward {__version__}\n")
        raise typer.Exit(NOTHING)


@app.callback()
def choose(
    context: typer.Context,
    stack: Annotated[str, typer.Option(help="The stack, whose output ApiUrl is used.")] = "",
    api_url: Annotated[str, typer.Option(help="The API itself; also STEWARD_API_URL.")] = "",
    profile: Annotated[str, typer.Option(help="A profile of the AWS CLI.")] = "",
    region: Annotated[str, typer.Option(help="The region; also AWS_REGION and AWS_DEFAULT_REGION.")] = "",
    output: Annotated[Output, typer.Option(help="How answers are shown.", case_sensitive=False)] = Output.TABLE,
    query: Annotated[str, typer.Option(help="A JMESPath over the answer.")] = "",
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Set what all commands have alike."""
    context.obj = Options(stack, api_url, profile, region, output, query)


@app.command(epilog="Example: steward doctor --output json")
def doctor(context: typer.Context) -> None:
    """Show whether AWS has what the stack needs, and how to mend it; 1 if something is broken or unknown."""
    health = api_of(context).call("GET", "/health").body
    show(context, health["checks"], ("check", "state", "detail", "mend"))
    if health["state"] in {"broken", "unknown"}:
        raise typer.Exit(FINDINGS)


@app.command(epilog="Example: steward whoami")
def whoami(context: typer.Context) -> None:
    """Show the caller as the steward sees it, and the names that it may create."""
    show(context, api_of(context).call("GET", "/whoami").body)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code. What goes wrong is one line on the error stream."""
    from ecr_steward.gate.errors import UnusableInputError

    try:
        code = app(args=arguments, standalone_mode=False, prog_name="steward")
    except (CommandError, UnusableInputError) as error:
        return _failed(str(error))
    except BrokenPipeError:
        return UNUSABLE
    except KeyboardInterrupt:
        return _failed("interrupted")
    except Exception as error:
        if hasattr(error, "show") and hasattr(error, "exit_code"):  # wrong usage, as Typer says it
            error.show()
            return int(error.exit_code)
        if os.environ.get("STEWARD_DEBUG"):
            raise
        problem = f"{type(error).__name__}: {' '.join(str(error).split())}"
        return _failed(f"{problem}. This is a mistake of the command: report it with what STEWARD_DEBUG=1 shows")
    return int(code or 0)


def _failed(message: str) -> int:
    sys.stderr.write(f"steward: {message}\n")
    return UNUSABLE
