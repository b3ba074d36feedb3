"""The commands ``start``, ``stop``, ``status``, ``logs`` and ``clean`` of ``python -m local``."""

import argparse
import os
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from local import demonstration, stack
from local.aws_wrapper import write_aws_wrapper
from local.environment_file import read_environment, write_environment
from local.errors import LocalAwsError
from local.function_logs import follow, read_functions
from local.headlines import Headlines, has_headlines
from local.launcher import DEFAULT_PORT
from local.server import Server, running_server, start_server, stop_server
from local.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_console = Console(soft_wrap=True, highlight=False)


def main(arguments: "Sequence[str] | None" = None) -> int:
    """Run one command; 0 when it did its work, otherwise 1 with one sentence on standard error."""
    try:
        options = _parser().parse_args(arguments)
        workspace = _workspace(options.project.resolve())
        run: Callable[[Workspace, argparse.Namespace], None] = options.run
        run(workspace, options)
    except LocalAwsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the command's answer
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def start(workspace: Workspace, options: argparse.Namespace) -> None:
    """Start the local AWS, deploy the stack, and demonstrate the main job; anything already in place is kept."""
    began = time.monotonic()
    stack.find_interpreter()
    server = _ensure_server(workspace, options)
    settings = options.settings and options.settings.resolve()
    sources = stack.fingerprint(workspace.project, settings)
    if stack.is_deployed(workspace, server, sources):
        _console.print("[green]✓[/] the stack is up to date")
    else:
        if not stack.is_built(workspace, sources):
            with _step("building the functions and layers (sam build)", "built"):
                stack.build(workspace, server, sources, settings)
        with _step("deploying the stack (sam deploy)", "deployed"):
            stack.deploy(workspace, server, sources, settings)
    deployed = stack.describe(workspace, server)
    known = read_environment(workspace.environment_file)
    callers = demonstration.ensure_callers(server, deployed, known)
    variables = {
        "AWS_ENDPOINT_URL": server.endpoint,
        "AWS_REGION": server.region,
        "AWS_DEFAULT_REGION": server.region,
        "AWS_ACCESS_KEY_ID": server.access_key_id,
        "AWS_SECRET_ACCESS_KEY": server.secret_access_key,
        "STEWARD_API_URL": deployed.api_url,
        "STEWARD_STACK": deployed.name,
        "STEWARD_REGISTRY": f"127.0.0.1:{server.port}",
    }
    write_environment(
        workspace.environment_file, variables | callers.pipeline.as_variables() | callers.outsider.as_variables()
    )
    write_aws_wrapper(workspace)
    if options.headlines and has_headlines(deployed):
        _show_headlines(workspace, server, deployed, callers, sources)
    else:
        _show_main_job(server, deployed, callers)
    _print_summary(workspace, server, deployed, callers, time.monotonic() - began)


def _show_main_job(server: Server, deployed: stack.Stack, callers: demonstration.Callers) -> None:
    _console.print("\n[bold]Repositories on demand[/]")
    demonstration.demonstrate(server, deployed, callers, _say)


def _show_headlines(
    workspace: Workspace, server: Server, deployed: stack.Stack, callers: demonstration.Callers, sources: str
) -> None:
    """Show all three; what takes long, the first keys and the first baseline, goes on behind the others."""
    headlines = Headlines(server, deployed, _say)
    were_shown = headlines.were_shown()
    if not stack.are_global_events_deployed(workspace, server, sources):
        with _step("deploying the stack of us-east-1, which forwards IAM's events (sam deploy)", "IAM's events arrive"):
            stack.deploy_global_events(workspace, server, sources)
    if not were_shown:
        headlines.prepare()
    _show_main_job(server, deployed, callers)
    if were_shown:
        _console.print("\n[bold]Keys that rotate themselves, IAM policy drift[/]")
        _say("both were shown on this stack before; to see them again: make clean start")
        return
    _console.print("\n[bold]Keys that rotate themselves[/]")
    replaced = headlines.start_rotation()
    _console.print("\n[bold]IAM policy drift[/]")
    headlines.show_drift()
    _console.print("\n[bold]The rotation, meanwhile[/]")
    headlines.show_rotation(replaced)
    headlines.finish()


def _say(seen: str) -> None:
    mark = "  " if seen.startswith(" ") else "[green]✓[/] "
    _console.print(f"{mark}{escape(seen)}")


def stop(workspace: Workspace, _options: argparse.Namespace) -> None:
    """Stop the local AWS."""
    server = stop_server(workspace)
    if server is None:
        _console.print("The local AWS is not running.")
    else:
        kept = "its state is kept" if server.keeps_state else "its state is discarded"
        _console.print(f"Stopped the local AWS on port {server.port} (process {server.pid}); {kept}.")


def status(workspace: Workspace, _options: argparse.Namespace) -> None:
    """Show what is running, where, and since when."""
    server = running_server(workspace)
    if server is None:
        raise LocalAwsError("The local AWS is not running; start it: make start")
    age = datetime.now(UTC) - datetime.fromisoformat(server.since)
    state = f"kept in {workspace.data}" if server.keeps_state else "in memory"
    _console.print(f"AWS      {server.endpoint} in {server.region}, process {server.pid}, state {state}")
    _console.print(f"since    {server.since} ({int(age.total_seconds())} s)")
    deployed = stack.find(workspace, server)
    if deployed is None:
        raise LocalAwsError(f"The stack {stack.stack_name(workspace.project)} is not deployed; deploy it: make start")
    sources = stack.fingerprint(workspace.project, stack.deployed_settings(workspace))
    changed = "" if stack.is_deployed(workspace, server, sources) else ", sources changed"
    _console.print(f"stack    {deployed.name}{changed}")
    _console.print(f"API      {deployed.api_url}")
    _console.print(f"registry 127.0.0.1:{server.port}")


def logs(workspace: Workspace, options: argparse.Namespace) -> None:
    """Print the logs of the launcher and the functions; with ``--follow``, also new lines."""
    server = running_server(workspace)
    if workspace.launcher_log.exists():
        for written in workspace.launcher_log.read_text(errors="replace").splitlines():
            _console.print(f"launcher {written}", markup=False)
    if server is None:
        raise LocalAwsError("The local AWS is not running, so its functions have no logs; start it: make start")
    client = stack.session(server).client("logs", endpoint_url=server.endpoint)
    lines = follow(client) if options.follow else read_functions(client)
    for line in lines:
        _console.print(f"{line.time:%H:%M:%S} {line.function} {line.text}", markup=False)


def clean(workspace: Workspace, options: argparse.Namespace) -> None:
    """Stop the local AWS and delete everything that these commands created."""
    stop(workspace, options)
    workspace.remove()
    _console.print("Removed the local AWS, its state, its logs and the build.")
    environments = [folder for folder in (".venv", ".local/venv") if (workspace.project / folder).exists()]
    if environments:
        _console.print(
            f"The Python environments ({', '.join(environments)}) stay for the next start; "
            "to remove them, too: make clean ALL=1"
        )


def _workspace(project: Path) -> Workspace:
    for name in ("template.yaml", "samconfig.toml"):
        if not (project / name).exists():
            raise LocalAwsError(f"There is no {name} in {project}.")
    return Workspace(project)


def _ensure_server(workspace: Workspace, options: argparse.Namespace) -> Server:
    server = running_server(workspace)
    if server is None:
        with _step("starting the local AWS", "the local AWS is running"):
            region = stack.home_region(workspace.project)
            return start_server(
                workspace,
                options.port,
                keep_state=options.keep,
                region=region,
                end_with=options.end_with,
                answers=options.answers,
            )
    if server.port != options.port:
        raise LocalAwsError(
            f"The local AWS is already running on port {server.port}; use it: PORT={server.port} make start, "
            "or stop it first: make stop"
        )
    if options.keep and not server.keeps_state:
        raise LocalAwsError(
            "The local AWS is already running without KEEP=1, so its state ends with it; "
            "to keep the state of a new one: make stop && KEEP=1 make start"
        )
    _console.print(f"[green]✓[/] the local AWS is already running, since {server.since}")
    return server


@contextmanager
def _step(doing: str, done: str) -> "Iterator[None]":
    """Show that something goes on, and how long it took."""
    began = time.monotonic()
    if _console.is_terminal:
        with _console.status(f"{doing} …"):
            yield
    else:
        _console.print(f"  {doing} …")
        yield
    _console.print(f"[green]✓[/] {done} in {time.monotonic() - began:.1f} s")


def _print_summary(
    workspace: Workspace,
    server: Server,
    deployed: stack.Stack,
    callers: demonstration.Callers,
    seconds: float,
) -> None:
    _console.print(f"\n[bold]Ready[/] in {seconds:.1f} s")
    _console.print(f"API           {deployed.api_url}")
    _console.print(f"registry      127.0.0.1:{server.port} (plain HTTP)")
    for caller, may in ((callers.pipeline, "may call and push"), (callers.outsider, "may push, may not call")):
        _console.print(f"{caller.name} {caller.access_key_id} {caller.secret_access_key} ({may})", markup=False)
    _console.print(f"operator      . {os.path.relpath(workspace.environment_file)}")
    _console.print("\n[bold]Try it[/]")
    for command in demonstration.commands_to_copy(server, deployed, callers):
        _console.print(command, markup=False)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local", description="AWS on a laptop, with the stack deployed.")
    parser.add_argument(
        "--project",
        type=Path,
        default=Path(__file__).parents[1],
        help="folder of template.yaml and samconfig.toml (default: this repository)",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (start, stop, status, logs, clean):
        summary = (command.__doc__ or "").split("\n", 1)[0]
        commands.add_parser(command.__name__, help=summary, description=summary).set_defaults(run=command)
    starting, following = commands.choices["start"], commands.choices["logs"]
    starting.add_argument(
        "--port", type=_port, default=os.environ.get("PORT") or DEFAULT_PORT, help="on 127.0.0.1; also PORT=…"
    )
    starting.add_argument(
        "--keep",
        action="store_true",
        default=os.environ.get("KEEP", "") not in ("", "0"),
        help="keep the state; KEEP=1",
    )
    starting.add_argument(
        "--settings", type=_folder, help="an operator's settings, merged over the shipped ones; SETTINGS=folder of make"
    )
    starting.add_argument(
        "--headlines", action="store_true", help="also show a key that rotates, and drift that is reverted"
    )
    starting.add_argument("--end-with", type=int, metavar="PID", help="the local AWS ends when this process has ended")
    starting.add_argument("--answers", type=Path, metavar="FILE", help="keep what AWS clients are answered")
    following.add_argument("--follow", "-f", action="store_true", help="follow until interrupted")
    return parser


def _folder(text: str) -> Path:
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is no folder")
    return Path(text)


def _port(text: str) -> int:
    if not text.isdecimal() or not 1024 <= int(text) <= 65535:  # noqa: PLR2004 - the ports a user may open
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 1024 to 65535")
    return int(text)
