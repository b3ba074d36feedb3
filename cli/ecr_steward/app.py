"""The command ``steward``: its groups of commands, and what all of them have alike."""

import sys
from collections.abc import Sequence

import typer

from ecr_steward.commands import policy
from ecr_steward.errors import UNUSABLE, CommandError

app = typer.Typer(
    name="steward",
    help="Looks after an Amazon ECR registry and the people and pipelines that use it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(policy.app, name="policy")


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
