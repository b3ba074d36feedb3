"""Two hundred repositories while every request to ECR takes 150 ms longer."""

import time

from benchmarks.in_function.wiring import ensure, report, wired
from steward.errors import StewardError

BATCH = 200
ECR_DELAY_SECONDS = 0.15
MOST_CALLS = 10


def measure(names: str) -> dict[str, list[dict[str, float]]]:
    """For missing and for existing names: seconds, names done and ECR requests of each identical call until all are."""
    provisioner, requests = wired()
    requests.ecr_delay = ECR_DELAY_SECONDS
    batch = [f"{names}/slow-{number}" for number in range(BATCH)]
    found: dict[str, list[dict[str, float]]] = {}
    for case in ("missing", "existing"):
        found[case] = []
        done = 0
        while done < BATCH and len(found[case]) < MOST_CALLS:
            began = time.perf_counter()
            with requests.counted() as sent:
                results = ensure(provisioner, batch)
            seconds = time.perf_counter() - began
            done = sum(not isinstance(result, StewardError) for result in results)
            ecr = sum(number for operation, number in sent.items() if operation.startswith("ecr."))
            found[case].append({"seconds": seconds, "done": done, "ecr_requests": ecr})
    return found


if __name__ == "__main__":
    report(measure)
