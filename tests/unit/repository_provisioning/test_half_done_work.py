"""Work that was cut short anywhere is finished by the next call, and nothing of anybody else is touched."""

from datetime import timedelta

import pytest

from repository_provisioning.domain.events import RepositoryConfigurationChanged, RepositoryCreated
from repository_provisioning.domain.house_rules import Lifecycle, Overrides
from repository_provisioning.domain.names import RepositoryName
from repository_provisioning.domain.planning import Request
from steward.errors import StewardError, UpstreamError
from tests.doubles.fault_injection import Fuse
from tests.doubles.provisioning_over_doubles import CALLER, StackOverDoubles

LIMITED = """
callers: [{principals: ["self:*"], repositories: ["**"], daily_limit: 5, may_override: [lifecycle]}]
repositories:
  - {match: "**/cache", lifecycle: {keep_last: 3}}
  - {match: "**", companions: ["{name}/cache"], lifecycle: {untagged_after_days: 14},
     pull: {accounts: ["210987654321"]}, tags: {namespace: "{namespace}"}}
"""
BROKEN = UpstreamError("ServerException")
WANTED = Request("team-a/web")
CALLS_OF_A_CREATION = 20
CALLS_OF_A_CHANGE = 10


def with_fuse(stack, at, *, after_acting):
    fuse = Fuse(at, BROKEN, after_acting=after_acting)
    ports = {port: fuse.on(getattr(stack, port)) for port in ("registry", "records", "quota", "publisher")}
    return fuse, StackOverDoubles(**{**vars(stack), **ports, "in_flight": 1})


def cut_short(stack, at, *, after_acting, request=WANTED):
    """One call whose ``at``-th call of a port fails; whether it came so far."""
    fuse, failing = with_fuse(stack, at, after_acting=after_acting)
    try:
        failing.provisioner.ensure(request, failing.origin())
    except StewardError as error:
        assert error is BROKEN  # noqa: PT017 - a call that does not come so far raises nothing
    return fuse.blown


@pytest.mark.parametrize("after_acting", [False, True], ids=["before acting", "after acting"])
@pytest.mark.parametrize("at", range(1, CALLS_OF_A_CREATION + 1))
@pytest.mark.parametrize("meanwhile", [timedelta(0), timedelta(hours=2)], ids=["at once", "later"])
def test_a_creation_that_failed_at_any_call_is_completed_by_the_next(at, after_acting, meanwhile):
    stack = StackOverDoubles.over_doubles(LIMITED)

    cut_short(stack, at, after_acting=after_acting)
    stack.clock.advance(seconds=meanwhile.total_seconds())  # type: ignore[attr-defined]
    stack.provisioner.ensure(WANTED, stack.origin())

    web, cache = stack.registry.stored["team-a/web"], stack.registry.stored["team-a/web/cache"]
    assert '"countNumber": 14' in web.lifecycle_policy
    assert "210987654321" in web.repository_policy
    assert '"countNumber": 3' in cache.lifecycle_policy
    assert {event.name for event in stack.publisher.of(RepositoryCreated)} == {"team-a/web", "team-a/web/cache"}
    assert stack.provisioner.inspect("team-a/web", CALLER).differences == ()


def test_the_points_above_are_all_there_are():
    stack = StackOverDoubles.over_doubles(LIMITED)

    assert not cut_short(stack, CALLS_OF_A_CREATION + 1, after_acting=False)


@pytest.mark.parametrize("after_acting", [False, True], ids=["before acting", "after acting"])
@pytest.mark.parametrize("at", range(1, CALLS_OF_A_CHANGE + 1))
def test_a_change_that_failed_at_any_call_is_completed_by_the_next(at, after_acting):
    stack = StackOverDoubles.over_doubles(LIMITED)
    stack.provisioner.ensure(WANTED, stack.origin())
    changed = Request("team-a/web", Overrides(lifecycle=Lifecycle(keep_last=7)))

    cut_short(stack, at, after_acting=after_acting, request=changed)
    stack.provisioner.ensure(changed, stack.origin())

    assert '"countNumber": 7' in stack.registry.stored["team-a/web"].lifecycle_policy
    assert stack.publisher.of(RepositoryConfigurationChanged) != []
    assert stack.provisioner.inspect("team-a/web", CALLER).differences == ()


def test_the_points_of_a_change_are_all_there_are():
    stack = StackOverDoubles.over_doubles(LIMITED)
    stack.provisioner.ensure(WANTED, stack.origin())
    changed = Request("team-a/web", Overrides(lifecycle=Lifecycle(keep_last=7)))

    assert not cut_short(stack, CALLS_OF_A_CHANGE + 1, after_acting=False, request=changed)


@pytest.mark.parametrize("after_acting", [False, True], ids=["before acting", "after acting"])
@pytest.mark.parametrize("at", range(1, CALLS_OF_A_CREATION + 1))
def test_a_foreign_repository_is_never_changed_at_any_failing_call(at, after_acting):
    stack = StackOverDoubles.over_doubles(LIMITED)
    name = RepositoryName("team-a/web")
    stack.registry.create(name, stack.planner.configuration(name)[1], {"owner": "somebody else"})
    before = repr(stack.registry.stored["team-a/web"])
    stack.clock.advance(hours=1)  # type: ignore[attr-defined]

    cut_short(stack, at, after_acting=after_acting)
    stack.provisioner.ensure(WANTED, stack.origin())

    assert repr(stack.registry.stored["team-a/web"]) == before
    assert {event.name for event in stack.publisher.of(RepositoryCreated)} == {"team-a/web/cache"}
