"""From a change of IAM to its alert, while IAM shows its changes late: seconds, what is missed, calls.

``python -m benchmarks.delayed_visibility``: on a stack of its own with the shipped delay. For each lag of IAM the same
changes are made at once: inline and managed policies, trust policies, memberships and access keys.
It exits with 1 if one is not reported in time, or reported as another kind.
"""

import json
import statistics
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from benchmarks.deployment import Deployment, NoDeploymentError
from benchmarks.drift_changes.ears import Ears, Heard
from benchmarks.drift_changes.readers import readers
from benchmarks.drift_changes.stack import drift_stack, show_iam_late

LAGS = (0, 5, 20, 60)
DELAY = 30
"""As shipped."""
OF_EACH = 4
"""Changes of each kind, for each lag."""
PATIENCE = 3 * DELAY + 30
ADMINISTRATOR = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)


def _trusting(**principal: str) -> str:
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}],
        }
    )


CHANGES: Mapping[str, tuple[str, Callable[[Any, str], Any]]] = {
    "inline": (
        "ACCESS role/{}",
        lambda iam, name: iam.put_role_policy(RoleName=name, PolicyName="more", PolicyDocument=ADMINISTRATOR),
    ),
    "managed": (
        "ACCESS role/{}",
        lambda iam, name: iam.attach_role_policy(
            RoleName=name, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
        ),
    ),
    "trust": (
        "TRUST role/{}",
        lambda iam, name: iam.update_assume_role_policy(RoleName=name, PolicyDocument=_trusting(AWS="*")),
    ),
    "member": ("MEMBERSHIP user/{}", lambda iam, name: iam.add_user_to_group(UserName=name, GroupName="admins")),
    "key": ("CREDENTIAL user/{}", lambda iam, name: iam.create_access_key(UserName=name)),
    "new": (
        "UNMANAGED role/{}",
        lambda iam, name: iam.create_role(
            RoleName=name, AssumeRolePolicyDocument=_trusting(Service="ec2.amazonaws.com")
        ),
    ),
}
"""By what is changed: the finding of it, and the change."""


def main() -> int:
    """Print a line for each lag; 0 if nothing was missed."""
    try:
        with drift_stack(delay=DELAY) as stack:
            return _measured(stack)
    except NoDeploymentError as error:
        print(error, file=sys.stderr)
        return 2


def _measured(stack: Deployment) -> int:
    iam = stack.client("iam")
    iam.create_group(GroupName="admins")
    iam.put_group_policy(GroupName="admins", PolicyName="all", PolicyDocument=ADMINISTRATOR)
    for name, what in [(name, what) for lag in LAGS for name, what in _names(lag).items()]:
        if what in ("member", "key"):
            iam.create_user(UserName=name)
        elif what != "new":
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=_trusting(Service="ec2.amazonaws.com"))
    _scan(stack)
    time.sleep(3 * DELAY + 5)  # the last look at what was made
    ears, missed = Ears(stack), 0
    ears.start()
    try:
        print("IAM shows it after | changes | median, slowest, in s | missed | wrong | IAM calls of a change")
        for lag in LAGS:
            missed += _round(stack, ears, lag)
    finally:
        ears.stop()
    return 1 if missed else 0


def _round(stack: Deployment, ears: Ears, lag: float) -> int:
    """Make the changes under one lag, and print what was heard; how many were missed or reported wrongly."""
    iam, expected = stack.client("iam"), {name: CHANGES[what][0].format(name) for name, what in _names(lag).items()}
    show_iam_late(stack, lag)
    _requests(stack, "PUT")
    made: dict[str, float] = {}
    for name, what in _names(lag).items():
        CHANGES[what][1](iam, name)
        made[name] = time.time()
    began, heard = min(made.values()), dict[str, Heard]()
    while not _are_alerted(heard, expected.values()) and time.time() < began + PATIENCE:
        heard = _by_finding(ears.since(began))
        time.sleep(0.2)
    time.sleep(max(0.0, began + 3 * DELAY + 10 - time.time()) if lag else 5)  # a false alarm has time to come
    heard = _by_finding(ears.since(began))
    seconds = sorted(
        min((alert.at for alert in one.alerts), default=one.at) - made[name]
        for name, finding in expected.items()
        if (one := heard.get(finding)) is not None and (one.alerts or not readers(one, expected=False))
    )
    wrong = [finding for finding in heard if finding not in expected.values()]
    missed = len(expected) - len(seconds)
    calls = sum(number for call, number in _requests(stack, "GET")["counted"].items() if call.startswith("iam."))
    figures = f"{statistics.median(seconds):.1f}, {seconds[-1]:.1f}" if seconds else "none"
    print(f"{lag} s | {len(expected)} | {figures} | {missed} | {len(wrong)} | {calls / len(expected):.1f}", flush=True)
    for finding in [*wrong, *(one for one in expected.values() if one not in heard)]:
        print(f"    {finding}", file=sys.stderr)
    return missed + len(wrong)


def _are_alerted(heard: Mapping[str, Heard], expected: Iterable[str]) -> bool:
    """Whether each is on the bus, and on the topic if it deserves an alert at once."""
    return all(
        finding in heard and (heard[finding].alerts or not readers(heard[finding], expected=False))
        for finding in expected
    )


def _names(lag: float) -> dict[str, str]:
    return {f"late{lag}-{what}-{number}": what for what in CHANGES for number in range(OF_EACH)}


def _by_finding(events: list[Heard]) -> dict[str, Heard]:
    return {f"{one.data['kind']} {one.data['entity']}": one for one in events if one.kind == "PolicyDriftDetected"}


def _requests(stack: Deployment, method: str) -> dict[str, dict[str, int]]:
    """Count the calls of the functions anew (PUT), or what was counted (GET)."""
    url = f"{stack.variables['AWS_ENDPOINT_URL']}/_local/requests"
    request = urllib.request.Request(url, data=b"{}" if method == "PUT" else None, method=method)  # noqa: S310 - ours
    with urllib.request.urlopen(request, timeout=60) as reply:  # noqa: S310 - as above
        found: dict[str, dict[str, int]] = json.load(reply)
    return found


def _scan(stack: Deployment) -> None:
    answer = stack.client("lambda").invoke(FunctionName=stack.resource("DriftScan"), Payload=b"{}")
    body = json.loads(answer["Payload"].read())
    if "FunctionError" in answer or "failed" in body:
        raise NoDeploymentError(f"the first scan failed: {body}")


if __name__ == "__main__":
    sys.exit(main())
