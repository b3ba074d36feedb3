"""Two hundred ensures of one name: one creates it, the others find it.

Against the deployed stack there are as many at once as the local AWS has function processes for: it starts each by
unpacking all layers, which takes seconds of processor time, so two hundred at once would wait for minutes and measure
that. The two hundred at once meet in one process instead, on the function's own use case and clients.
"""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from benchmarks.deployment import Deployment, Reply
from benchmarks.figures import Figure, Target
from benchmarks.function_process import run

CALLERS = 200
WORKERS = 20
"""Function processes of the local AWS that are started before, and requests in flight."""


def measure(stack: Deployment) -> list[Figure]:
    """How many of the callers created the repository, and how many found it."""
    warm_up = _started_workers(stack)
    began = time.perf_counter()
    with ThreadPoolExecutor(WORKERS) as pool:
        replies = list(pool.map(lambda _: _ensure(stack), range(CALLERS)))
    seconds = time.perf_counter() - began
    statuses = Counter(str(reply.status) for reply in replies)
    detail = (
        f"{dict(statuses)} in {seconds:.1f} s, {WORKERS} in flight; {WORKERS} function processes took {warm_up:.1f} s"
    )
    inside = run("one_name", stack)
    outcomes = inside["outcomes"]
    together = f"{outcomes} in {inside['seconds']:.1f} s, all at once; announced {inside['announced']} times"
    return [
        Figure("deployed stack: 201", statuses["201"], "", Target("exactly", 1), detail),
        Figure("deployed stack: 200", statuses["200"], "", Target("exactly", CALLERS - 1)),
        Figure("one process: created", outcomes.get("created", 0), "", Target("exactly", 1), together),
        Figure("one process: found", outcomes.get("found", 0), "", Target("exactly", CALLERS - 1)),
    ]


def _ensure(stack: Deployment) -> Reply:
    return stack.call("PUT", f"/repositories/{stack.names}/one-deployed")


def _started_workers(stack: Deployment) -> float:
    """Seconds until as many function processes as we use are started: that many calls at once need as many."""
    together = threading.Barrier(WORKERS)

    def call() -> None:
        together.wait()
        stack.call("GET", "/whoami")

    began = time.perf_counter()
    with ThreadPoolExecutor(WORKERS) as pool:
        for call_made in [pool.submit(call) for _ in range(WORKERS)]:
            call_made.result()
    return time.perf_counter() - began
