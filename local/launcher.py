"""Run the local AWS: MiniStack in this process, on 127.0.0.1 only, IAM enforced, with what it lacks added.

``python -m local.launcher --port 4570`` runs until SIGTERM or SIGINT. Root is the key of its environment's
``AWS_ACCESS_KEY_ID`` and ``AWS_SECRET_ACCESS_KEY``, and PYTHONPATH leads to ``functions``, whose rule for lifecycle
policies it shares. MiniStack passes the environment of this process on to every function: start it with a short one,
as :mod:`local.server` does.
"""

import argparse
import asyncio
import contextlib
import importlib
import importlib.metadata
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.recorded_answers import RecordedAnswers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ACCOUNT = "123456789012"
DEFAULT_PORT = 4570
HOME_REGION = "ca-central-1"
SAVE_EVERY_SECONDS, LOOK_EVERY_SECONDS = 3, 1
RELIES_ON = ("app._build_persistence_save_dict", "app.app", "app.save_all")


def main(arguments: "Sequence[str] | None" = None) -> int:
    """Serve until a signal; the exit status is 1 when this MiniStack is not the one that the additions know."""
    options = _parser().parse_args(arguments)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        if not os.environ.get(name):
            sys.exit(f"{name} must be set: it is the root key of the local AWS.")
    os.environ.pop("PYTHONPATH", None)  # each function has what is in its package and layers, and nothing else
    os.environ.update(_ministack_settings(options))
    # MiniStack reads its settings when it is imported.
    version = importlib.metadata.version("ministack")
    try:
        app = importlib.import_module("ministack.app")
        additions = importlib.import_module("local.additions")
    except ImportError as error:
        sys.exit(f"The additions do not fit MiniStack {version}, they are written for requirements/local.in: {error}")
    try:
        additions.verify_names((sys.modules[__name__], *additions.ADDITIONS), version)
        additions.replaced_names(additions.ADDITIONS)
    except (additions.MissingNameError, additions.ReplacedTwiceError) as error:
        sys.exit(str(error))
    gained = additions.install()
    if options.check:
        _report(additions.ADDITIONS, gained)
        return 0
    application = RecordedAnswers(app.app, options.answers) if options.answers else app.app
    asyncio.run(_serve(app, application, options))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.launcher", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="on 127.0.0.1 (default: %(default)s)")
    parser.add_argument("--data", type=Path, help="folder that keeps the state; without it, stopping forgets all")
    parser.add_argument("--region", default=HOME_REGION, help="of requests that name none (default: %(default)s)")
    parser.add_argument("--account", default=ACCOUNT, help="the account's number (default: %(default)s)")
    parser.add_argument("--log-level", default="WARNING", help="of MiniStack (default: %(default)s)")
    parser.add_argument("--end-with", type=int, metavar="PID", help="also end when this process has ended")
    parser.add_argument("--answers", type=Path, metavar="FILE", help="keep what AWS clients are answered")
    parser.add_argument("--check", action="store_true", help="report the additions and end")
    return parser


def _ministack_settings(options: argparse.Namespace) -> dict[str, str]:
    settings = {
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(options.port),
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_ACCOUNT_ID": options.account,
        "MINISTACK_REGION": options.region,
        "LAMBDA_EXECUTOR": "local",
        "LOG_LEVEL": options.log_level,
        # Two services that would open ports of their own.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }
    if options.data:
        options.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        settings |= {
            "PERSIST_STATE": "1",
            "STATE_DIR": str(options.data / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(options.data / "s3"),
        }
    return settings


async def _serve(app: Any, application: Any, options: argparse.Namespace) -> None:
    serve: Callable[..., Any] = importlib.import_module("hypercorn.asyncio").serve
    settings = importlib.import_module("hypercorn.config").Config()
    settings.bind = [f"127.0.0.1:{options.port}"]
    settings.keep_alive_timeout = 75
    settings.loglevel = options.log_level
    settings.accesslog = None
    stop = asyncio.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signal_number, stop.set)
    async with asyncio.TaskGroup() as tasks:
        if options.data:
            tasks.create_task(_save_now_and_then(app, stop))
        if options.end_with is not None:
            tasks.create_task(_stop_after(options.end_with, stop))
        await serve(application, settings, shutdown_trigger=stop.wait)
        stop.set()


async def _stop_after(pid: int, stop: asyncio.Event) -> None:
    """Stop when a process has ended: a test run that is killed stops nothing itself. The functions end with us."""
    while not stop.is_set():
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            stop.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), LOOK_EVERY_SECONDS)


async def _save_now_and_then(app: Any, stop: asyncio.Event) -> None:
    """Save the state while running: MiniStack saves at a clean stop only, so a killed process would lose it."""
    while not stop.is_set():
        try:
            await asyncio.wait_for(stop.wait(), SAVE_EVERY_SECONDS)
        except TimeoutError:
            app.save_all(app._build_persistence_save_dict())


def _report(additions: "Sequence[Any]", gained: "Sequence[Any]") -> None:
    for addition in additions:
        state = "gained" if addition in gained else "added"
        print(f"{state:6} {addition.__name__}: {addition.GAP}")  # noqa: T201 - what --check is for


if __name__ == "__main__":
    sys.exit(main())
