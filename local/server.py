"""The process of the local AWS: started, recognised, and stopped by its recorded id."""

import os
import secrets
import signal
import socket
import string
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from local.errors import LocalAwsError
from local.launcher import HOME_REGION
from local.workspace import Workspace, read_record, write_record

_REPOSITORY = Path(__file__).parents[1]
START_SECONDS = 180
"""A quiet machine needs three; one on which everything else runs, too, has needed more than thirty."""
_STOP_SECONDS = 20
_POLL_SECONDS = 0.1
_KEY_LETTERS = string.ascii_uppercase + "234567"


@dataclass(frozen=True, slots=True)
class Server:
    """A local AWS that was started.

    Attributes
    ----------
    pid, born
        The process, and when the operating system says that it began: a process that took over the id later differs.
    since
        When it was started, as ISO 8601 in UTC.
    keeps_state
        Whether its state outlives it.
    access_key_id, secret_access_key
        The operator's key, which is root.
    """

    pid: int
    born: str
    since: str
    port: int
    region: str
    keeps_state: bool
    access_key_id: str
    secret_access_key: str

    @property
    def endpoint(self) -> str:
        """Where every AWS client finds it."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def is_running(self) -> bool:
        """Whether that very process still runs."""
        return _born(self.pid) == self.born


def running_server(workspace: Workspace) -> Server | None:
    """The local AWS of this workspace, if it runs."""
    record = read_record(workspace.server_record)
    server = Server(**record) if record else None
    return server if server and server.is_running else None


def start_server(
    workspace: Workspace,
    port: int,
    *,
    keep_state: bool,
    region: str = HOME_REGION,
    end_with: int | None = None,
    answers: Path | None = None,
    seconds: float = START_SECONDS,
) -> Server:
    """Start the local AWS and wait ``seconds`` at most until it answers.

    ``end_with`` is a process with which it ends, too; ``answers`` a file that keeps what AWS clients are answered.

    Raises
    ------
    LocalAwsError
        When another program has the port, or the process does not answer.
    """
    _refuse_taken_port(port)
    workspace.prepare()
    access_key_id = "AKIA" + "".join(secrets.choice(_KEY_LETTERS) for _ in range(16))
    secret_access_key = secrets.token_urlsafe(30)
    arguments = [sys.executable, "-m", "local.launcher", "--port", str(port), "--region", region]
    if keep_state:
        arguments += ["--data", str(workspace.data)]
    if end_with is not None:
        arguments += ["--end-with", str(end_with)]
    if answers is not None:
        arguments += ["--answers", str(answers.resolve())]
    with workspace.launcher_log.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own launcher
            arguments,
            cwd=_REPOSITORY,
            env=_short_environment(workspace, access_key_id, secret_access_key),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    server = Server(
        pid=process.pid,
        born=_born(process.pid) or "",
        since=datetime.now(UTC).isoformat(timespec="seconds"),
        port=port,
        region=region,
        keeps_state=keep_state,
        access_key_id=access_key_id,
        secret_access_key=secret_access_key,
    )
    write_record(workspace.server_record, asdict(server))
    deadline = time.monotonic() + seconds
    while not _answers(server.endpoint):
        if process.poll() is not None:
            stop_server(workspace)
            raise LocalAwsError(f"The local AWS did not start; the reason is at the end of {workspace.launcher_log}.")
        if time.monotonic() > deadline:
            stop_server(workspace)
            process.wait()
            raise LocalAwsError(
                f"The local AWS did not answer within {seconds:.0f} s and was stopped: the machine may be busy. "
                f"Start it again; what it said is in {workspace.launcher_log}."
            )
        time.sleep(_POLL_SECONDS)
    return server


def stop_server(workspace: Workspace) -> Server | None:
    """Stop the local AWS of this workspace and wait until it has ended; return what was stopped."""
    server = running_server(workspace)
    if server is not None:
        _end(server)
    workspace.server_record.unlink(missing_ok=True)
    return server


def _end(server: Server) -> None:
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        os.kill(server.pid, signal_number)
        deadline = time.monotonic() + _STOP_SECONDS
        while time.monotonic() < deadline:
            _reap(server.pid)
            if not server.is_running:
                return
            time.sleep(_POLL_SECONDS)


def _reap(pid: int) -> None:
    """Take note of the end of a process that this very program started."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


def _short_environment(workspace: Workspace, access_key_id: str, secret_access_key: str) -> dict[str, str]:
    """All that the launcher needs; MiniStack passes it on to every function, so nothing of the user's is in it.

    The launcher reads a rule of the functions, and takes PYTHONPATH away before any function starts.
    """
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "TMPDIR": str(workspace.temporary),
        "PYTHONPATH": str(_REPOSITORY / "functions"),
        "AWS_ACCESS_KEY_ID": access_key_id,
        "AWS_SECRET_ACCESS_KEY": secret_access_key,
    }


def _refuse_taken_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise LocalAwsError(
                f"Port {port} is taken by another program; choose one that is free: PORT={port + 1} make start"
            ) from error


def _answers(endpoint: str) -> bool:
    try:
        with urllib.request.urlopen(f"{endpoint}/_ministack/ready", timeout=2) as response:  # noqa: S310 - http, ours
            return bool(response.status == 200)  # noqa: PLR2004 - HTTP OK
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def _born(pid: int) -> str | None:
    """When a process of the launcher began; ``None`` when there is none of that id, or it is something else."""
    seen = subprocess.run(  # noqa: S603 - a number is all that varies
        ["/bin/ps", "-o", "lstart=,command=", "-p", str(pid)],
        env={"LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    began, is_launcher, _ = seen.partition(" -m local.launcher ")
    return " ".join(began.split()[:5]) if is_launcher else None
