"""Many service users due at once, through the bus and the queue of the deployed stack: time, calls, none lost or twice.

``python -m benchmarks.rotation_throughput [USERS]``: first keys, then a rotation, then another one while every tenth
request to IAM and to Secrets Manager is throttled, then one more while Secrets Manager permits a tenth of its quota for
writes. A key is verified over half a second here and over ten seconds as shipped; the last column says what that wait
alone takes at the concurrency of the template.
"""

import sys
import time
from collections import Counter
from typing import Any

from benchmarks.rotating_stack import RotatingStack, rotating_stack

USERS = 150
SECOND = 1 / 86_400
DUE_AFTER, CHECKED_EVERY = 20, 20
SETTINGS: dict[str, Any] = {
    "times": {
        "rotate_after_days": DUE_AFTER * SECOND,
        "drain_days": 8 * CHECKED_EVERY * SECOND,
        "max_age_days": 1,
        "adoption_timeout_days": 1,
        "keep_inactive_days": 1,
    },
    "max_users_per_run": 10_000,
    "verify": {"over_seconds": 0.5, "give_up_after_seconds": 60},
}
AT_ONCE = 5 * 4
"""Users in flight: the queue's MaximumConcurrency, times the users of a batch."""
SHIPPED_WAIT = 10
PROBES = {"sts.GetCallerIdentity", "ecr.GetAuthorizationToken"}
THROTTLED = {"every": 10, "services": ["iam", "secretsmanager"]}
WRITES = ("PutSecretValue", "UpdateSecretVersionStage", "UpdateSecret", "ReplicateSecretToRegion")
"""What may be called together 50 times a second: "AWS Secrets Manager quotas"."""
A_TENTH = {"rates": [{"operations": [f"secretsmanager.{write}" for write in WRITES], "per_second": 5}]}
PATIENCE_SECONDS = 3600


def main() -> None:
    """Print a line for each round."""
    users = [f"service-{number:04d}" for number in range(int(sys.argv[1]) if len(sys.argv) > 1 else USERS)]
    with rotating_stack(SETTINGS) as stack:
        stack.add_users(users)
        titles = ("round", "users", "seconds", "calls a user", "probes a user", "throttled", "lost", "twice", "dead")
        _print(*titles, "wait as shipped")
        _round(stack, "first key", users)
        time.sleep(DUE_AFTER)
        _round(stack, "rotation", users)
        _delete_superseded_keys(stack, users)
        time.sleep(CHECKED_EVERY)
        _round(stack, "rotation, 10 % throttled", users, **THROTTLED)
        _delete_superseded_keys(stack, users)
        time.sleep(CHECKED_EVERY)
        _round(stack, "rotation, tenth of quota", users, **A_TENTH)


def _round(stack: RotatingStack, title: str, users: list[str], **throttling: Any) -> None:
    before, seen = _keys(stack, users), stack.subscribed("AccessKeyRotated")
    stack.count_requests(**throttling)
    began = time.perf_counter()
    planned = stack.plan()
    while stack.waiting("RotationQueue") and time.perf_counter() - began < PATIENCE_SECONDS:
        time.sleep(0.5)
    seconds = time.perf_counter() - began
    counted = stack.counted()
    stack.count_requests()
    made = {user: len(keys - before[user]) for user, keys in _keys(stack, users).items()}
    told = Counter(event["detail"]["data"]["user_name"] for event in stack.received(seen))
    lost = sum(made[user] == 0 or not told[user] for user in users)
    twice = sum(made[user] > 1 or told[user] > 1 for user in users)
    probes = sum(number for call, number in counted["counted"].items() if call in PROBES)
    calls = sum(counted["counted"].values()) - probes
    dead = stack.waiting("DeadLetters") + stack.waiting("QueueDeadLetters")
    _print(
        title, planned["due"], f"{seconds:.0f}", f"{calls / len(users):.2f}", f"{probes / len(users):.2f}",
        sum(counted["throttled"].values()), lost, twice, dead,
        f"{len(users) * SHIPPED_WAIT / AT_ONCE:.0f} s",
    )  # fmt: skip
    print(f"    {dict(sorted(counted['counted'].items()))}", flush=True)


def _keys(stack: RotatingStack, users: list[str]) -> dict[str, set[str]]:
    iam = stack.client("iam")
    return {
        user: {key["AccessKeyId"] for key in iam.list_access_keys(UserName=user)["AccessKeyMetadata"]} for user in users
    }


def _delete_superseded_keys(stack: RotatingStack, users: list[str]) -> None:
    """What time would do: room for the next key."""
    iam = stack.client("iam")
    for user in users:
        listed = iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
        oldest = min(listed, key=lambda key: key["CreateDate"])
        iam.delete_access_key(UserName=user, AccessKeyId=oldest["AccessKeyId"])


def _print(title: object, *columns: object) -> None:
    print(f"{title!s:26}" + "".join(f"{column!s:>16}" for column in columns), flush=True)


if __name__ == "__main__":
    main()
