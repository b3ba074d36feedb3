"""``python -m deployment``: SAM's commands with what was saved, and ``release``.

The Makefile's targets of the same names run them.
"""

import argparse
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from deployment import artefacts
from deployment import release as releases
from deployment.saved import GLOBAL_EVENTS, GLOBAL_REGION, NotDeployableError, Saved, values

PROJECT = Path(__file__).parents[1]
BUILD = Path(".aws-sam") / "build"
UPLOAD = "--force-upload"
"""Without it, SAM takes an object of the same name in the artifact bucket for what it built; others may write there."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit code is SAM's, or 1 with a sentence on standard error."""
    options = _parser().parse_args(arguments)
    saved = Saved(options.project, options.settings)
    try:
        command = options.command(saved, options)
    except NotDeployableError as error:
        print(error, file=sys.stderr)
        return 1
    if command is None:
        return 0
    command = [sys.executable, "-m", "samcli", *command]
    print(shlex.join(command[2:]), flush=True)
    if code := subprocess.run(command, cwd=options.project, check=False).returncode:
        return code
    if options.command is build:
        artefacts.finish(options.project / BUILD, options.settings)
    return 0


def build(saved: Saved, options: argparse.Namespace) -> list[str] | None:
    """Build the artefacts, and put the settings into them."""
    return ["build", "--parameter-overrides", _overrides(saved, options)]


def deploy(saved: Saved, options: argparse.Namespace) -> list[str] | None:
    """Deploy what was built."""
    saved.ensure(guided=options.guided)
    command = ["deploy", "--config-file", str(saved.path), UPLOAD, *_prompts(options)]
    asked = _region_of_the_shell()
    _refuse_what_would_fail(saved, asked if options.guided else saved.region() or asked, options)
    if asked and (options.guided or not saved.region()):
        command += ["--region", asked]
    return [*command, "--parameter-overrides", _overrides(saved, options)]


def deploy_global_events(saved: Saved, options: argparse.Namespace) -> list[str] | None:
    """Deploy the small stack of us-east-1 for the home region that was saved."""
    home = saved.region() or _region_of_the_shell()
    if home is None:
        raise NotDeployableError(
            f"{saved.path} names no home region: deploy its stack first, with make deploy GUIDED=1, or set AWS_REGION."
        )
    if home == GLOBAL_REGION:
        print(f"The home region is {GLOBAL_REGION}: the events are there already, and no second stack is needed.")
        return None
    saved.ensure(guided=True)
    command = ["deploy", "--config-file", str(saved.path), "--config-env", GLOBAL_EVENTS, UPLOAD, *_prompts(options)]
    overrides = saved.global_events_overrides(home)
    return [*command, "--region", GLOBAL_REGION, "--parameter-overrides", overrides]


def _refuse_what_would_fail(saved: Saved, region: str | None, options: argparse.Namespace) -> None:
    """Ask AWS first, print the answers, and raise NotDeployableError if one of them stops a deployment.

    With questions still to come, only the present answers can be checked: a wrong one can be changed at its question.
    """
    from deployment.preflight import Plan, preflight  # noqa: PLC0415 - a release is built without functions on the path
    from health.domain.report import State, lines_of  # noqa: PLC0415

    region = region or saved.region()
    if region is None:
        print("Not checked before the deployment: no region is saved, and none is in AWS_REGION.")
        return
    print(f"Before the deployment to {region}:", flush=True)
    results = []
    for result in preflight(Plan(saved.stack_name(), region, values(_overrides(saved, options)))):
        results.append(result)
        print(*lines_of([result]), sep="\n", flush=True)
    unknown = sum(result.state is State.UNKNOWN for result in results)
    if unknown:
        print(f"{unknown} of {len(results)} checks could not be made; the deployment may fail for what they look for.")
    broken = [result.check for result in results if result.state is State.BROKEN]
    if broken and not options.guided:
        raise NotDeployableError(f"Not deployed: mend {', '.join(broken)} first, as said above.")


def release(_saved: Saved, options: argparse.Namespace) -> None:
    """Build a release, with its checksums, licences and provenance, and tag it."""
    sam = options.project / ".local" / "venv" / "bin" / "python"
    print(f"Built {releases.make(options.project, options.version, options.target, sam)}")
    if options.tag:
        print(releases.tag(options.project, options.version))


def _prompts(options: argparse.Namespace) -> list[str]:
    guided = ["--guided"] if options.guided else []
    return [*guided, "--no-confirm-changeset"] if options.yes else guided


def _overrides(saved: Saved, options: argparse.Namespace) -> str:
    """The saved parameters, followed by the architecture: passed alone, it would replace all saved ones."""
    architecture = f" Architecture={options.architecture}" if options.architecture else ""
    return f"{saved.overrides()}{architecture}"


def _region_of_the_shell() -> str | None:
    """SAM itself knows the second alone."""
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deployment", description="Build and deploy to AWS.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (build, deploy, deploy_global_events):
        summary = (command.__doc__ or "").split("\n", 1)[0]
        name = command.__name__.replace("_", "-")
        options = commands.add_parser(name, help=summary, description=summary)
        options.set_defaults(command=command)
        options.add_argument("--project", type=Path, default=PROJECT, help="folder of template.yaml and samconfig.toml")
        options.add_argument("--settings", type=_folder, help="an operator's folder; it holds only what differs")
        options.add_argument("--architecture", help="of functions and layers, instead of the saved one")
        options.add_argument("--guided", action="store_true", help="ask for the parameters, and save them")
        options.add_argument("--yes", action="store_true", help="never prompt")
    options = commands.add_parser("release", help=(release.__doc__ or ""), description=release.__doc__)
    options.set_defaults(command=release, settings=None)
    options.add_argument("version", help="such as 0.1.0; the sources say the same")
    options.add_argument("--project", type=Path, default=PROJECT, help="root of the repository")
    options.add_argument("--target", type=Path, default=PROJECT / "dist", help="where the release's folder is made")
    options.add_argument("--tag", action="store_true", help="tag the commit")
    return parser


def _folder(text: str) -> Path:
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is no folder")
    return Path(text)


if __name__ == "__main__":
    sys.exit(main())
