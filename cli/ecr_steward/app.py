"""The command ``steward``: its groups of commands, and what all of them have alike."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from ecr_steward.commands import baseline, drift, keys, policy, repositories
from ecr_steward.commands.context import api_of, show
from ecr_steward.errors import UNUSABLE, CommandError
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
app.add_typer(repositories.app, name="repo")
app.add_typer(keys.app, name="keys")
app.add_typer(drift.app, name="drift")
app.add_typer(policy.app, name="policy")
app.add_typer(baseline.app, name="baseline")


@app.callback()
def choose(
    context: typer.Context,
    stack: Annotated[str, typer.Option(help="The stack, whose output ApiUrl is used.")] = "",
    api_url: Annotated[str, typer.Option(help="The API itself; also STEWARD_API_URL.")] = "",
    profile: Annotated[str, typer.Option(help="A profile of the AWS CLI.")] = "",
    region: Annotated[str, typer.Option(help="The region; also AWS_REGION and AWS_DEFAULT_REGION.")] = "",
    output: Annotated[Output, typer.Option(help="How answers are shown.", case_sensitive=False)] = Output.TABLE,
    query: Annotated[str, typer.Option(help="A JMESPath over the answer.")] = "",
) -> None:
    """Set what all commands have alike."""
    context.obj = Options(stack, api_url, profile, region, output, query)


@app.command(epilog="Example: steward whoami")
def whoami(context: typer.Context) -> None:
    """Show the caller as the steward sees it, and the names that it may create."""
    show(context, api_of(context).call("GET", "/whoami").body)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code. What goes wrong is one line on the error stream."""
    from ecr_steward.gate.errors import UnusableInputError

    try:
        code = app(args=arguments, standalone_mode=False)
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
        raise
    return int(code or 0)


def _failed(message: str) -> int:
    sys.stderr.write(f"steward: {message}\n")
    return UNUSABLE


def run() -> None:
    """Run as a program."""
    sys.exit(main())
