"""A scan that is killed in the middle, on the deployed stack: what was published before, and what its retries do.

    python -m benchmarks.killed_scan [--grants N] [--costly N]

A stack of its own, with IAM enforced. Events of IAM are not forwarded, so that the scan alone finds what was changed:
grants, and roles with hostile policies, which are decided last. The process in which the local AWS runs the function
gets SIGKILL; then Lambda tries again, at most twice, here after one and two seconds. Each round changes all roles,
requests a scan, kills it, counts the alerts of each finding, and takes all back. It exits with 1 if an alert is
missing, or more came again than one call of the bus has. Linux only.
"""

import argparse
import json
import sys
import time
import uuid
import zlib
from collections import Counter
from collections.abc import Callable
from typing import Any

from benchmarks.deployment import Deployment, NoDeploymentError
from benchmarks.drift_changes.ears import Ears, Heard
from benchmarks.function_processes import kill
from benchmarks.hostile_policies import denied_outside_of_many_globs
from benchmarks.own_stack import own_stack
from policy_drift.application.ports import Progress
from policy_drift.application.record_findings import LEASE
from policy_drift.domain.account import EntityId

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
_READ = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
_ADMINISTRATOR = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
_SOON = 2.0
"""Seconds after which a scan of this account has published nothing yet."""
_OF_ONE_CALL = 10
"""Alerts that the bus may have taken when the run dies, before it could note that: they come again, word for word."""
_SOME = 20
"""Alerts after which others are yet to come."""

type Moment = Callable[["KilledScans"], bool]


class KilledScans:
    """The rounds on one stack."""

    def __init__(self, stack: Deployment, ears: Ears, grants: int, costly: int) -> None:
        self._ears = ears
        self._iam, self._lambda, self._dynamodb, self._sqs = map(stack.client, ("iam", "lambda", "dynamodb", "sqs"))
        self._function, self._table = stack.resource("DriftScan"), stack.resource("DriftState")
        self._dead_letters = stack.resource("DeadLetters")
        self._port = int(stack.variables["AWS_ENDPOINT_URL"].rpartition(":")[2])
        self._grants = [f"grant-{number:03}" for number in range(grants)]
        self._costly = [f"{'a' if number % 2 else 'z'}-{number:03}" for number in range(costly)]
        self._requested = 0.0

    def prepare(self) -> None:
        """Make the roles, and capture them as the baseline."""
        for name in (*self._grants, *self._costly):
            self._iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(_TRUST))
        self._take_back()

    def killed(self, name: str, *moments: Moment) -> bool:
        """A round in which a scan is killed once at each of these moments; whether all was right."""
        print(f"{name}:", flush=True)
        began = self._change()
        if not self._scan(*moments):
            print(f"    {LEASE.total_seconds():.0f} s later, when the dead run owns no alert any more:", flush=True)
            time.sleep(LEASE.total_seconds())
            self._scan()
        return self._is_right(began)

    def left_out(self) -> bool:
        """A round in which a scan is killed at one entity until it is left out; whether all was right."""
        print("twice at the same entity:", flush=True)
        began, deadly, missing = self._change(), set[EntityId](), set[str]()

        def first(_: "KilledScans") -> bool:
            if one := self.costly_one():
                deadly.add(one)
            return bool(deadly)

        def second(_: "KilledScans") -> bool:
            is_time = self.noted() in [Progress(one, 2) for one in deadly]
            if is_time:
                time.sleep(1)
                missing.update(self._expected() - set(self._alerts(began)))
            return is_time

        self._scan(first, second)
        said = [one.data["summary"] for one in self._heard(began, "PolicyDriftDetected", "account/")]
        print(f"    before the second kill all but {', '.join(missing)} was published", flush=True)
        print(f"    the retry after it left it out: {' '.join(said)}", flush=True)
        self._scan()
        over = [one.data["how"] for one in self._heard(began, "PolicyDriftResolved", "account/")]
        print(f"    the next scan compared it; that it was left out is {' '.join(over)}", flush=True)
        is_alone = missing == {f"access:{one.replace('/', ':')}" for one in deadly}
        return self._is_right(began) and is_alone and len(said) == 1 and over == ["reverted"]

    def published(self) -> Counter[str]:
        """The alerts of roles since the scan was requested."""
        return self._alerts(self._requested)

    def has_all_grants(self) -> bool:
        """Whether every grant was published since then."""
        return {f"access:role:{name}" for name in self._grants} <= set(self.published())

    def costly_one(self) -> EntityId | None:
        """The costly role that a scan is at, as the table says, if every grant was published."""
        noted = self.noted()
        return noted.entity if noted and noted.entity.name in self._costly and self.has_all_grants() else None

    def seconds(self) -> float:
        """Since then."""
        return time.time() - self._requested

    def noted(self) -> Progress | None:
        """Where the table says that a scan is."""
        key = {"id": {"S": "scan#under way"}}
        found = self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        noted = json.loads(zlib.decompress(found["value"]["B"]))["progress"] if found else None
        return Progress(EntityId(noted["entity"]), noted["times"]) if noted else None

    def _change(self) -> float:
        """Grant, and make hostile; when that was done."""
        for name in self._grants:
            self._put(name, _ADMINISTRATOR)
        for number, name in enumerate(self._costly):
            self._put(name, denied_outside_of_many_globs(number))
        return time.time()

    def _take_back(self) -> None:
        for name in (*self._grants, *self._costly):
            self._put(name, _READ)
        if not self._scan(is_silent=True):
            raise NoDeploymentError("a scan without a difference failed")

    def _put(self, name: str, document: Any) -> None:
        self._iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps(document))

    def _scan(self, *moments: Moment, is_silent: bool = False) -> bool:
        """Request a scan, and kill it at each of these moments; whether it or a retry completed."""
        scan, before, to_come = f"killed-{uuid.uuid4().hex[:8]}", self._failed(), list(moments)

        def say(text: str) -> None:
            if not is_silent:
                print(f"    {text}", flush=True)

        self._requested = time.time()
        payload = json.dumps({"id": scan}).encode()
        self._lambda.invoke(FunctionName=self._function, InvocationType="Event", Payload=payload)
        while True:
            if to_come and to_come[0](self):
                at = self.noted()
                kill(self._function, self._port)
                seconds = self.seconds()
                time.sleep(1)  # the ears hear what is on its way
                place = f"at {at.entity}" if at else "where nothing is noted yet"
                say(f"killed {seconds:.0f} s after the request, {place}: {len(self.published())} findings published")
                to_come.pop(0)
            completed = [one for one in self._ears.since(self._requested) if one.data.get("scan_id") == scan]
            if completed:
                time.sleep(1)
                took = completed[0].data["seconds"]
                say(
                    f"completed after {self.seconds():.0f} s ({took:.0f} s compared): {len(self.published())} published"
                )
                return True
            if self._failed() > before:
                say(f"failed after {self.seconds():.0f} s, retries included: {len(self.published())} published")
                return False
            time.sleep(0.2)

    def _failed(self) -> int:
        """Requests that failed after all retries."""
        wanted = "ApproximateNumberOfMessages"
        got = self._sqs.get_queue_attributes(QueueUrl=self._dead_letters, AttributeNames=[wanted])
        return int(got["Attributes"][wanted])

    def _expected(self) -> set[str]:
        return {f"access:role:{name}" for name in (*self._grants, *self._costly)}

    def _alerts(self, since: float) -> Counter[str]:
        return Counter(one.data["finding_id"] for one in self._heard(since, "PolicyDriftDetected", "role/"))

    def _heard(self, since: float, kind: str, entity: str) -> list[Heard]:
        return [one for one in self._ears.since(since) if one.kind == kind and one.data["entity"].startswith(entity)]

    def _is_right(self, since: float) -> bool:
        """Whether each change has one alert; then take all back."""
        time.sleep(3)
        heard = self._heard(since, "PolicyDriftDetected", "role/")
        alerts, expected = Counter(one.data["finding_id"] for one in heard), self._expected()
        lost, wrong = expected - set(alerts), set(alerts) - expected
        twice = sum(alerts.values()) - len(alerts)
        texts = {json.dumps(one.data, sort_keys=True) for one in heard}
        same = "word for word" if len(texts) == len(alerts) else "not word for word"
        print(
            f"    of {len(expected)} changes: {len(lost)} lost, {len(wrong)} wrong; {twice} again, {same}", flush=True
        )
        self._take_back()
        return not lost and not wrong and twice <= _OF_ONE_CALL and len(texts) == len(alerts)


def main() -> int:
    """Print what happened in each round; 0 if all was right."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--grants", type=int, default=300)
    options.add_argument("--costly", type=int, default=6)
    asked = options.parse_args()
    try:
        with own_stack({}, {}) as variables:
            stack = Deployment(variables)
            ears = Ears(stack)
            ears.start()
            try:
                scans = KilledScans(stack, ears, asked.grants, asked.costly)
                scans.prepare()
                right = [
                    scans.killed("before anything is published", lambda one: one.seconds() > _SOON),
                    scans.killed("while it publishes", lambda one: len(one.published()) >= _SOME),
                    scans.killed("behind the grants", lambda one: one.costly_one() is not None),
                    scans.left_out(),
                ]
            finally:
                ears.stop()
            return 0 if all(right) else 1
    except NoDeploymentError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
