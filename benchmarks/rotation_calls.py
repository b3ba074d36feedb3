"""AWS calls of one rotation, counted where they arrive: by the queue, and by Secrets Manager's four steps.

``python -m benchmarks.rotation_calls``: on the deployed stack, beside the probes that try the new key as users would.
"""

import json
import sys
import time
import uuid
from dataclasses import asdict
from typing import Any

from access_key_rotation.domain.events import AccessKeyRotationDue
from access_key_rotation.domain.names import UserName
from benchmarks.figures import Figure, Target, all_met, as_table
from benchmarks.rotating_stack import RotatingStack, rotating_stack

OTHERS = {"sts.GetCallerIdentity", "ecr.GetAuthorizationToken", "lambda.Invoke"}
"""The probes, and the benchmark's own call."""
BY_QUEUE, BY_STEPS = UserName("by-queue"), UserName("by-steps")
SETTINGS: dict[str, Any] = {"verify": {"over_seconds": 0.5, "give_up_after_seconds": 60}}
PATIENCE_SECONDS = 120
QUIET_SECONDS = 5


def main() -> int:
    """Print the calls of each; 0 when both targets are met."""
    with rotating_stack(SETTINGS) as stack:
        stack.add_users([BY_QUEUE, BY_STEPS])
        stack.plan()
        _wait_until(lambda: all(stack.current_key(user) for user in (BY_QUEUE, BY_STEPS)))
        _wait_until(lambda: not stack.waiting("RotationQueue"))
        stack.request(BY_QUEUE, stack.current_key(BY_QUEUE) or "", "benchmark", "benchmark")
        figures = [
            _figure("by the queue", 12, _calls(stack, BY_QUEUE, _ask_the_worker)),
            _figure("by the four steps", 12, _calls(stack, BY_STEPS, _rotate_secret)),
        ]
    findings = {"one rotation": figures}
    print(as_table(findings, {}))
    return 0 if all_met(findings) else 1


def _ask_the_worker(stack: RotatingStack, user: UserName) -> None:
    """A requested rotation, as the queue delivers it; only its rule may send to it."""
    due = AccessKeyRotationDue(user, "routine", stack.current_key(user), requested_by="benchmark")
    body = json.dumps({"detail": {"metadata": {"correlation_id": "benchmark"}, "data": asdict(due)}})
    message = {"messageId": str(uuid.uuid4()), "attributes": {"ApproximateReceiveCount": "1"}, "body": body}
    payload = json.dumps({"Records": [message]}).encode()
    stack.client("lambda").invoke(FunctionName=stack.resource("RotationWorker"), Payload=payload)


def _rotate_secret(stack: RotatingStack, user: UserName) -> None:
    function = stack.client("lambda").get_function(FunctionName=stack.resource("SecretRotation"))
    stack.client("secretsmanager").rotate_secret(
        SecretId=user.secret_name,
        ClientRequestToken=str(uuid.uuid4()),
        RotationLambdaARN=function["Configuration"]["FunctionArn"],
        RotationRules={"AutomaticallyAfterDays": 90},
    )


def _calls(stack: RotatingStack, user: UserName, rotate: Any) -> dict[str, int]:
    before = stack.current_key(user)
    _settle(stack)  # Secrets Manager tries a new registration in its own time
    stack.count_requests()
    rotate(stack, user)
    _wait_until(lambda: stack.current_key(user) != before)
    time.sleep(2)  # what comes after the promotion
    return {call: number for call, number in stack.counted()["counted"].items() if call not in OTHERS}


def _settle(stack: RotatingStack) -> None:
    """Wait until no request has come for some seconds."""
    while True:
        stack.count_requests()
        time.sleep(QUIET_SECONDS)
        if not stack.counted()["counted"]:
            return


def _figure(how: str, most: int, calls: dict[str, int]) -> Figure:
    detail = ", ".join(f"{call.partition('.')[2]} {number}" for call, number in calls.items())
    return Figure(how, sum(calls.values()), "calls", Target("at most", most), detail)


def _wait_until(reached: Any) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not reached():
        if time.monotonic() > deadline:
            raise RuntimeError("the rotation did not end")
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
