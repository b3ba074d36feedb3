"""Two hundred ensures of one name at once, each a thread of its own."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from benchmarks.in_function.wiring import ensure, report, wired
from repository_provisioning.application.one_repository import Outcome, Result

CALLERS = 200


def measure(names: str) -> dict[str, object]:
    """How many created it, found it or failed; how long it took them all; how often the creation was announced."""
    provisioner, requests = wired()
    together = threading.Barrier(CALLERS)

    def call() -> Result:
        together.wait()
        (result,) = ensure(provisioner, [f"{names}/one-in-process"])
        return result

    began = time.perf_counter()
    with requests.counted() as sent, ThreadPoolExecutor(CALLERS) as pool:
        results = list(pool.map(lambda _: call(), range(CALLERS)))
    outcomes = Counter(
        ("created" if result.created else "found") if isinstance(result, Outcome) else type(result).__name__
        for result in results
    )
    announced = sent.get("eventbridge.PutEvents", 0)
    return {"outcomes": outcomes, "seconds": time.perf_counter() - began, "announced": announced}


if __name__ == "__main__":
    report(measure)
