"""Many repositories in one call, and many calls at once."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Lock
from time import sleep

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repository_provisioning.application.one_repository import Outcome
from repository_provisioning.domain.events import RepositoryCreated, RepositoryRequestDenied
from repository_provisioning.domain.house_rules import Lifecycle, Overrides
from repository_provisioning.domain.planning import Request
from steward.clock import SystemClock
from steward.errors import (
    DeadlineError,
    NotAllowedError,
    QuotaExceededError,
    RuleViolationError,
    ThrottledError,
    TooLargeError,
    UpstreamError,
)
from tests.doubles.fault_injection import FaultInjecting
from tests.doubles.provisioning_over_doubles import StackOverDoubles, house_rules

TEAM_A = """
callers: [{principals: ["self:*"], repositories: ["team-a/**"]}]
repositories: [{match: "**"}]
"""


def ensure_many(stack, *names, within=24):
    return stack.provisioner.ensure_many([Request(name) for name in names], stack.origin(within=within))


class Turnstile:
    """Stands before a registry, counts who is inside, and keeps each for a moment."""

    def __init__(self, registry, moment):
        self._registry = registry
        self._moment = moment
        self._lock = Lock()
        self._inside = 0
        self.most = 0

    def __getattr__(self, method):
        def call(*arguments):
            with self._lock:
                self._inside += 1
                self.most = max(self.most, self._inside)
            sleep(self._moment)
            try:
                return getattr(self._registry, method)(*arguments)
            finally:
                with self._lock:
                    self._inside -= 1

        return call


ASKED = st.lists(
    st.sampled_from(["team-a/one", "team-a/two", "team-a/three", "team-b/one", "NOT A NAME", "", "team-a/.."]),
    max_size=12,
)


@settings(max_examples=50, deadline=None)
@given(ASKED)
def test_every_item_has_its_own_result_in_the_order_asked(asked):
    stack = StackOverDoubles.over_doubles(TEAM_A)

    results = ensure_many(stack, *asked)

    kinds = {"team-a/one": Outcome, "team-a/two": Outcome, "team-a/three": Outcome, "team-b/one": NotAllowedError}
    assert [type(result) for result in results] == [kinds.get(name, RuleViolationError) for name in asked]
    assert [result.name for result in results if isinstance(result, Outcome)] == [
        n for n in asked if kinds.get(n) is Outcome
    ]
    assert Counter(e.name for e in stack.publisher.of(RepositoryCreated)) == dict.fromkeys(
        {name for name in asked if kinds.get(name) is Outcome}, 1
    )


def test_an_empty_batch_is_answered_with_nothing():
    assert ensure_many(StackOverDoubles.over_doubles()) == []


def test_two_hundred_repositories_are_created_in_one_call():
    stack = StackOverDoubles.over_doubles(clock=SystemClock())

    results = ensure_many(stack, *[f"team-a/r{n}" for n in range(200)])

    assert all(result.created for result in results)
    assert len(stack.registry.stored) == 200


def test_two_hundred_and_one_are_too_many():
    with pytest.raises(TooLargeError, match="at most 200 repositories; this one has 201"):
        ensure_many(StackOverDoubles.over_doubles(), *[f"team-a/r{n}" for n in range(201)])


def test_two_hundred_that_exist_cost_one_look_at_the_registry():
    stack = StackOverDoubles.over_doubles()
    names = [f"team-a/r{n}" for n in range(200)]
    ensure_many(stack, *names)
    stack.registry.calls.clear()

    results = ensure_many(stack, *names)

    assert not any(result.created for result in results)
    assert stack.registry.calls == {"find_many": 1}


def test_the_same_name_twice_is_done_once_and_answered_twice():
    stack = StackOverDoubles.over_doubles()

    first, second = ensure_many(stack, "team-a/web", "team-a/web")

    assert first == second
    assert stack.registry.calls["create"] == 1


def test_the_same_name_with_different_overrides_is_refused_where_it_differs():
    stack = StackOverDoubles.over_doubles()
    other = Request("team-a/web", Overrides(lifecycle=Lifecycle(keep_last=1)))

    first, second = stack.provisioner.ensure_many([Request("team-a/web"), other], stack.origin())

    assert first.created
    assert isinstance(second, RuleViolationError)
    assert "more than once, with different overrides" in str(second)


def test_a_companion_that_is_also_asked_for_is_done_once_as_asked():
    stack = StackOverDoubles.over_doubles("""
        callers: [{principals: ["self:*"], repositories: ["**"], may_override: [tag_mutability]}]
        repositories: [{match: "**/cache"}, {match: "**", companions: ["{name}/cache"]}]
    """)
    cache = Request("team-a/web/cache", Overrides(tag_mutability="MUTABLE"))

    stack.provisioner.ensure_many([Request("team-a/web"), cache], stack.origin())

    assert stack.registry.calls["create"] == 2
    assert stack.registry.stored["team-a/web/cache"].repository.tag_mutability == "MUTABLE"


def test_one_failure_never_stops_the_rest():
    stack = StackOverDoubles.over_doubles()
    stack.registry = FaultInjecting(stack.registry)
    stack.registry.fail("create", ThrottledError("slow down"))

    results = ensure_many(stack, *[f"team-a/r{n}" for n in range(20)])

    assert Counter(type(result) for result in results) == {Outcome: 19, ThrottledError: 1}


def test_a_look_at_what_is_remembered_that_fails_fails_every_item_and_not_the_call():
    stack = StackOverDoubles.over_doubles()
    ensure_many(stack, "team-a/one")
    stack.registry = FaultInjecting(stack.registry)
    stack.registry.fail("find_many", ThrottledError("slow down"))

    results = ensure_many(stack, "team-a/one", "team-a/two", "NOT A NAME")

    assert [type(result) for result in results] == [ThrottledError, ThrottledError, RuleViolationError]


def test_records_that_cannot_be_read_end_the_call_before_anything_is_done():
    stack = StackOverDoubles.over_doubles()
    stack.records = FaultInjecting(stack.records)
    stack.records.fail("get_many", UpstreamError("AWS failed BatchGetItem"))

    with pytest.raises(UpstreamError):
        ensure_many(stack, "team-a/one", "team-a/two")

    assert stack.registry.stored == {}


def test_each_denial_is_answered_and_the_rest_is_done():
    stack = StackOverDoubles.over_doubles(TEAM_A)

    ensure_many(stack, "team-b/one", "team-a/one", "team-b/two")

    assert [event.name for event in stack.publisher.of(RepositoryRequestDenied)] == ["team-b/one", "team-b/two"]
    assert set(stack.registry.stored) == {"team-a/one"}


@pytest.mark.parametrize("in_flight", [1, 3, 10])
def test_never_more_than_a_bounded_number_of_calls_is_in_flight(in_flight):
    stack = StackOverDoubles.over_doubles(clock=SystemClock())
    stack.registry = Turnstile(stack.registry, moment=0.002)
    stack.in_flight = in_flight

    ensure_many(stack, *[f"team-a/r{n}" for n in range(40)])

    assert 1 <= stack.registry.most <= in_flight


def test_what_does_not_fit_in_the_time_is_retryable_and_the_same_call_again_finishes_it():
    stack = StackOverDoubles.over_doubles(clock=SystemClock())
    stack.registry = Turnstile(stack.registry, moment=0.06)
    names = [f"team-a/r{n}" for n in range(60)]

    first = ensure_many(stack, *names, within=0.7)
    again = ensure_many(stack, *names, within=24)

    kinds = Counter(type(result) for result in first)
    assert set(kinds) == {Outcome, DeadlineError}
    assert kinds.total() == 60
    assert all(isinstance(result, Outcome) for result in again)


def test_a_deadline_that_has_passed_leaves_everything_for_the_next_call():
    stack = StackOverDoubles.over_doubles()

    results = ensure_many(stack, "team-a/one", "team-a/two", within=-1)

    assert [type(result) for result in results] == [DeadlineError, DeadlineError]
    assert stack.registry.stored == {}


def test_two_hundred_calls_for_one_name_at_once_create_it_exactly_once():
    stack = StackOverDoubles.over_doubles(clock=SystemClock(), visible_after=timedelta(milliseconds=50))

    with ThreadPoolExecutor(200) as callers:
        outcomes = list(
            callers.map(lambda _: stack.provisioner.ensure(Request("team-a/web"), stack.origin()), range(200))
        )

    assert Counter(outcome.created for outcome in outcomes) == {True: 1, False: 199}
    assert len(stack.publisher.of(RepositoryCreated)) == 1


def test_the_day_s_limit_holds_when_calls_come_at_once():
    stack = StackOverDoubles.over_doubles(clock=SystemClock())
    stack.rules = house_rules(TEAM_A.replace('repositories: ["team-a/**"]', 'repositories: ["**"], daily_limit: 7'))

    results = ensure_many(stack, *[f"team-a/r{n}" for n in range(40)])

    assert Counter(type(result) for result in results) == {Outcome: 7, QuotaExceededError: 33}
    assert len(stack.registry.stored) == 7
