"""The processes in which a local AWS runs a function, and their sudden end. Linux only."""

import os
import signal
from pathlib import Path


def kill(function: str, port: int) -> int:
    """Kill a function of the local AWS at this port, as Lambda does at its time limit; how many processes it had."""
    processes = [one for one in Path("/proc").glob("[0-9]*") if _runs(one, function, port)]
    for process in processes:
        os.kill(int(process.name), signal.SIGKILL)
    return len(processes)


def _runs(process: Path, function: str, port: int) -> bool:
    """Whether a process runs the function, and is a child of the launcher at the port."""
    try:
        if f"AWS_LAMBDA_FUNCTION_NAME={function}".encode() not in (process / "environ").read_bytes().split(b"\0"):
            return False
        parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
        return f"--port\0{port}\0" in Path("/proc", parent, "cmdline").read_text()
    except OSError:
        return False
