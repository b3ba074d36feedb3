"""AWS calls per ensure, counted at the clients."""

from benchmarks.deployment import Deployment
from benchmarks.figures import Figure, Target
from benchmarks.function_process import run

STEADY_STATE = "existing and complete"
_ONE_CALL = Target("exactly", 1)


def measure(stack: Deployment) -> list[Figure]:
    """ECR calls of each case, with all calls in the detail; the steady state has targets."""
    figures = []
    found: dict[str, dict[str, float]] = run("aws_calls", stack)
    for case, calls in found.items():
        steady = case == STEADY_STATE
        detail = ", ".join(f"{operation.partition('.')[2]} {number:g}" for operation, number in calls.items())
        figures.append(Figure(f"{case}: ECR", _calls(calls, "ecr"), "calls", _ONE_CALL if steady else None, detail))
        if steady:
            figures.append(Figure(f"{case}: DynamoDB", _calls(calls, "dynamodb"), "calls", _ONE_CALL))
    return figures


def _calls(calls: dict[str, float], service: str) -> float:
    return sum(number for operation, number in calls.items() if operation.startswith(f"{service}."))
