"""A registry of 5,000 repositories, 400 of them foreign, with 150 ms a call: ``python -m benchmarks.fleet``.

Scan, plan of reconciliation and adoption of 200 run as deployed, over a registry in memory that takes its time. Its
calls alone are counted. A scan takes about fourteen minutes: that is its pace, not its work.
"""

import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from repository_provisioning.application.adopt_repositories import Adopted, AdoptionRequest, Intent
from repository_provisioning.domain.configuration import Repository
from repository_provisioning.domain.fleet import Images
from repository_provisioning.domain.names import RepositoryName
from repository_provisioning.domain.ownership import Owner
from repository_provisioning.domain.planning import Request
from steward.clock import SystemClock
from tests.doubles.in_memory_container_registry import InMemoryContainerRegistry, Stored
from tests.doubles.in_memory_state import InMemoryCreationQuota, InMemoryFleetScans, InMemoryRecords
from tests.doubles.provisioning_over_doubles import ACCOUNT, CALLER, StackOverDoubles, house_rules
from tests.doubles.recording_publisher import RecordingPublisher

OURS, CHANGED, FOREIGN, UNMANAGED = 4200, 200, 400, 400
BATCH = 200
LATENCY = 0.15
RULES = """
callers: [{principals: ["self:*"], repositories: ["**"], may_adopt: true}]
repositories: [{match: "**", name: default, lifecycle: {untagged_after_days: 14}, tags: {namespace: "{namespace}"}}]
"""


class SlowRegistry(InMemoryContainerRegistry):
    """Takes its time for every call, once it is filled."""

    latency = 0.0

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name in {"known_prefixes", "stored", "calls", "latency"} or name.startswith("_") or not callable(found):
            return found

        def slow(*arguments: Any) -> Any:
            time.sleep(self.latency)
            return found(*arguments)

        return slow


def filled() -> StackOverDoubles:
    """A stack over a registry as a company has it."""
    clock = SystemClock()
    registry = SlowRegistry(clock)
    records, quota, publisher = InMemoryRecords(clock), InMemoryCreationQuota(), RecordingPublisher()
    stack = StackOverDoubles(clock, registry, records, quota, publisher, house_rules(RULES))
    for n in range(OURS):
        stack.provisioner.ensure(Request(f"ours/r{n:04}"), stack.origin(within=3600))
    for n in range(CHANGED):
        registry.stored[f"ours/r{n:04}"].lifecycle_policy = None
    for n in range(FOREIGN):
        _existing(registry, f"shop/r{n:04}", {"aws:cloudformation:stack-name": "shop"})
    for n in range(UNMANAGED):
        _existing(registry, f"legacy/r{n:04}", {})
    registry.calls.clear()
    registry.latency = LATENCY
    return stack


def _existing(registry: InMemoryContainerRegistry, name: str, tags: dict[str, str]) -> None:
    arn = f"arn:aws:ecr:ca-central-1:{ACCOUNT}:repository/{name}"
    made = Repository(name, arn, name, ACCOUNT, datetime.now(UTC), "MUTABLE")
    registry.stored[name] = Stored(made, tags, images=Images(3, datetime.now(UTC)))


def timed[T](what: str, stack: StackOverDoubles, work: Callable[[], T]) -> T:
    """Do the work, and print how long it took and what it asked of the registry."""
    stack.registry.calls.clear()
    began = time.monotonic()
    result = work()
    calls: Counter[str] = stack.registry.calls
    listed = ", ".join(f"{count} {name}" for name, count in calls.most_common())
    print(f"{what}: {time.monotonic() - began:.1f} s, {calls.total()} calls ({listed})", flush=True)
    return result


def main(share: float = 1.0) -> None:
    """Print the figures; ``share`` shortens the scan to a part of its time, for a look."""
    stack = filled()
    scans = InMemoryFleetScans(stack.clock)
    scanner = stack.scanner(scans)
    until = datetime.now(UTC) + timedelta(minutes=14 * share)
    outcome = timed("scan", stack, lambda: scanner.scan("run-1", until, requested=True))
    if outcome.completed is None:
        print(f"not complete: {outcome.running}")
        return
    print(f"totals: {outcome.completed.totals}")
    fleet = stack.fleet(scans)
    page = timed("GET /repositories?limit=1000", stack, lambda: fleet.page(CALLER, None, 1000, None))
    print(f"  {len(page.entries)} repositories, {page.age_seconds} s old")
    everything, after = list(page.entries), page.next
    while after:
        page = fleet.page(CALLER, None, 1000, after)
        everything, after = [*everything, *page.entries], page.next
    differing = [entry.name for entry in everything if entry.owner is Owner.OURS and entry.would_change]
    legacy = [entry.name for entry in everything if entry.owner is Owner.UNMANAGED][:BATCH]
    print(f"  {len(everything)} in all, {len(differing)} of ours differ")
    _bring(stack, "reconciliation", Intent.RECONCILE, differing[:BATCH])
    _bring(stack, "adoption", Intent.ADOPT, legacy)


def _bring(stack: StackOverDoubles, what: str, intent: Intent, names: list[str]) -> None:
    """Plan and carry out; what does not fit in the time of a call is done by the same call again."""
    plan = [AdoptionRequest(name, intent) for name in names]
    shown = timed(f"{what}, plan of {len(plan)}", stack, lambda: stack.adopter.bring_many(plan, stack.origin()))
    left = [
        AdoptionRequest(RepositoryName(one.adoption.found.name), intent, fingerprint=one.adoption.fingerprint)
        for one in shown
        if isinstance(one, Adopted)
    ]
    while left:
        asked = left
        again = partial(stack.adopter.bring_many, asked, stack.origin())
        done = timed(f"{what} of {len(asked)}", stack, again)
        left = [request for request, one in zip(asked, done, strict=True) if not isinstance(one, Adopted)]
        print(f"  {len(asked) - len(left)} done, {len(left)} left")
        if len(left) == len(asked):
            print(f"  {done[0]}")
            return


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)
