"""Two hundred repositories a call while ECR takes 150 ms a request, each call answered in time."""

from benchmarks.deployment import Deployment
from benchmarks.figures import Figure, Target
from benchmarks.function_process import run

IN_TIME = Target("at most", 25)
"""Seconds: API Gateway gives up after 29."""


def measure(stack: Deployment) -> list[Figure]:
    """The longest call, the number of calls until all are there, and ECR requests per name."""
    figures = []
    found: dict[str, list[dict[str, float]]] = run("slow_ecr", stack)
    for case, calls in found.items():
        names = calls[-1]["done"]
        detail = "; ".join(f"{call['seconds']:.1f} s: {call['done']:g} names" for call in calls)
        figures += [
            Figure(f"200 {case}: longest call", max(call["seconds"] for call in calls), "s", IN_TIME, detail),
            Figure(
                f"200 {case}: calls until all are there",
                len(calls),
                "calls",
                Target("exactly", 1) if case == "existing" else None,
            ),
            Figure(f"200 {case}: names there", names, "names", Target("exactly", 200)),
            Figure(f"200 {case}: ECR requests per name", sum(call["ecr_requests"] for call in calls) / 200, "calls"),
        ]
    return figures
