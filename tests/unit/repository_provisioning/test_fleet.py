"""A scan sees every repository, throttles nobody, and readers see complete scans with their age."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repository_provisioning.application.scan_fleet import PART, TRIES
from repository_provisioning.domain.configuration import Repository
from repository_provisioning.domain.events import RepositoryFleetScanned
from repository_provisioning.domain.fleet import Images
from repository_provisioning.domain.house_rules import Lifecycle, Overrides
from repository_provisioning.domain.ownership import Owner, RegistryPrefixes
from repository_provisioning.domain.planning import Request
from steward.errors import AccessDeniedError, NotFoundError, ThrottledError, UpstreamError
from steward.principals import Principal
from tests.doubles.in_memory_container_registry import InMemoryContainerRegistry, Stored
from tests.doubles.in_memory_state import InMemoryFleetScans
from tests.doubles.provisioning_over_doubles import ACCOUNT, CALLER, StackOverDoubles

RULES = """
callers:
  - {principals: ["self:role/ci-team-a"], repositories: ["**"], may_override: [lifecycle], may_adopt: true}
  - {principals: ["self:role/ci-team-b"], repositories: ["team-b/**"]}
repositories:
  - {match: "nobody/**", lifecycle: {keep_last: 1}}
  - {match: "**", name: default, lifecycle: {untagged_after_days: 14}}
"""
TEAM_B = Principal(ACCOUNT, "role", "ci-team-b")


def existing(stack, name, tags=None, images=None, policy=None):
    made = Repository(
        name,
        f"arn:aws:ecr:ca-central-1:{ACCOUNT}:repository/{name}",
        f"{ACCOUNT}.dkr.ecr.ca-central-1.amazonaws.com/{name}",
        ACCOUNT,
        stack.clock.now(),
        "MUTABLE",
    )
    stored = stack.registry.stored[name] = Stored(made, dict(tags or {}), repository_policy=policy)
    stored.images = images or Images(0, None)
    return stored


@pytest.fixture
def stack():
    return StackOverDoubles.over_doubles(RULES)


@pytest.fixture
def scans(stack):
    return InMemoryFleetScans(stack.clock)


def scan(stack, scans, run="run-1", *, minutes=14.0, requested=False, **pace):
    return stack.scanner(scans, **pace).scan(run, stack.clock.now() + timedelta(minutes=minutes), requested=requested)


def entries(stack, scans, caller=CALLER, owner=None, limit=1000):
    return {entry.name: entry for entry in stack.fleet(scans).page(caller, owner, limit, None).entries}


def test_every_repository_is_ours_foreign_or_unmanaged(stack, scans):
    stack.provisioner.ensure(Request("team-a/ours"), stack.origin())
    existing(stack, "team-a/tags", {"steward:stack": "steward", "steward:scope": "tags"})
    existing(stack, "team-a/cloudformation", {"aws:cloudformation:stack-name": "shop"})
    existing(stack, "team-a/steward", {"steward:stack": "other"})
    existing(stack, "hub/nginx")
    existing(stack, "team-a/nobody")
    stack.registry.known_prefixes = RegistryPrefixes(caches={"hub": "registry-1.docker.io"})

    scan(stack, scans)

    found = entries(stack, scans)
    assert {name: str(entry.owner) for name, entry in found.items()} == {
        "team-a/ours": "ours",
        "team-a/tags": "tags-only",
        "team-a/cloudformation": "foreign",
        "team-a/steward": "foreign",
        "hub/nginx": "foreign",
        "team-a/nobody": "unmanaged",
    }
    assert found["hub/nginx"].owned_by == "the pull-through cache of registry-1.docker.io"


def test_an_entry_says_what_differs_and_what_a_reconciliation_would_change(stack, scans):
    stack.provisioner.ensure(Request("team-a/web"), stack.origin())
    stored = stack.registry.stored["team-a/web"]
    stored.lifecycle_policy = None
    stored.repository = replace(stored.repository, encryption="KMS", kms_key="k")

    scan(stack, scans)

    found = entries(stack, scans)["team-a/web"]
    assert found.differences == ("encryption", "lifecycle")
    assert found.would_change == ("lifecycle",)
    assert found.shortens_retention is True


def test_what_callers_may_override_is_no_difference(stack, scans):
    stack.provisioner.ensure(Request("team-a/web", Overrides(lifecycle=Lifecycle(keep_last=3))), stack.origin())

    scan(stack, scans)

    assert entries(stack, scans)["team-a/web"].differences == ()


def test_an_entry_says_when_it_was_last_pushed_to_and_whether_it_is_empty(stack, scans):
    pushed = stack.clock.now() - timedelta(days=40)
    existing(stack, "team-a/used", images=Images(7, pushed))
    existing(stack, "team-a/large", images=Images(3000, pushed, complete=False))
    existing(stack, "team-a/empty")

    scan(stack, scans)

    found = entries(stack, scans)
    assert (found["team-a/used"].last_push, found["team-a/used"].empty) == (pushed.isoformat(), False)
    assert (found["team-a/large"].images, found["team-a/large"].images_complete) == (3000, False)
    assert (found["team-a/empty"].last_push, found["team-a/empty"].empty) == (None, True)


def test_a_complete_scan_is_published_with_its_counts(stack, scans):
    existing(stack, "team-a/one")
    existing(stack, "team-a/two", {"steward:stack": "steward"})

    scan(stack, scans)

    (event,) = stack.publisher.of(RepositoryFleetScanned)
    assert (event.repositories, event.owners) == (2, {"ours": 1, "unmanaged": 1})
    assert (event.differing, event.empty, event.unreadable, event.aws_calls) == (1, 2, 0, 8)


def test_a_scan_keeps_its_pace(stack, scans):
    for n in range(20):
        existing(stack, f"team-a/r{n}")
    began = stack.clock.now()

    scan(stack, scans, calls_per_second=10)

    assert stack.clock.now() - began >= timedelta(seconds=8)


class Throttling(InMemoryContainerRegistry):
    """Throttles some calls for images, and fails others of one repository."""

    def __init__(self, clock, throttled=0, errors=None):
        super().__init__(clock)
        self._throttled = throttled
        self._errors = errors or {}

    def images(self, name):
        if self._throttled:
            self._throttled -= 1
            raise ThrottledError("slow down")
        return super().images(name)

    def lifecycle_policy(self, name):
        if name in self._errors:
            raise self._errors[name]
        return super().lifecycle_policy(name)


def test_a_throttled_scan_slows_down_and_goes_on(stack, scans):
    stack.registry = Throttling(stack.clock, throttled=TRIES - 1)
    existing(stack, "team-a/web")
    began = stack.clock.now()

    outcome = scan(stack, scans)

    assert outcome.completed is not None
    assert stack.clock.now() - began >= timedelta(seconds=1)


def test_one_repository_that_cannot_be_read_is_unknown_and_blinds_nothing(stack, scans):
    stack.registry = Throttling(stack.clock, errors={"team-a/bad": AccessDeniedError("denied GetLifecyclePolicy")})
    for name in ("team-a/bad", "team-a/good", "team-a/fine"):
        existing(stack, name)

    scan(stack, scans)

    bad = entries(stack, scans)["team-a/bad"]
    assert (bad.owner, bad.differences, bad.would_change, bad.empty) == (Owner.UNKNOWN, None, None, None)
    assert "denied" in bad.problem
    assert entries(stack, scans)["team-a/good"].owner is Owner.UNMANAGED
    assert stack.publisher.of(RepositoryFleetScanned)[0].unreadable == 1


def test_a_scan_of_unknowns_never_takes_the_place_of_the_last_good_one(stack, scans):
    existing(stack, "team-a/web")
    scan(stack, scans)
    stack.registry = Throttling(stack.clock, errors={"team-a/web": UpstreamError("AWS failed")})
    existing(stack, "team-a/web")

    with pytest.raises(UpstreamError):
        scan(stack, scans, "run-2", requested=True)

    assert entries(stack, scans)["team-a/web"].owner is Owner.UNMANAGED


class Vanishing(InMemoryContainerRegistry):
    """Lists a repository that is deleted before it is looked at."""

    def everything(self):
        listed = super().everything()
        self.stored.pop("team-a/gone")
        return listed


def test_a_repository_that_is_deleted_meanwhile_is_left_out(stack, scans):
    stack.registry = Vanishing(stack.clock)
    existing(stack, "team-a/gone")
    existing(stack, "team-a/there")

    scan(stack, scans)

    assert entries(stack, scans).keys() == {"team-a/there"}


def test_a_name_without_a_rule_is_shown_with_the_reason(stack, scans):
    stack.rules = replace(stack.rules, repositories=stack.rules.repositories[:1])
    existing(stack, "team-a/web")

    scan(stack, scans)

    found = entries(stack, scans)["team-a/web"]
    assert (found.owner, found.rule, found.would_change) == (Owner.UNMANAGED, None, None)
    assert "no house rule matches" in found.problem


def test_a_scan_that_runs_out_of_time_goes_on_in_the_next_run(stack, scans):
    names = [f"team-a/r{n:04}" for n in range(3 * PART + 5)]
    for name in names:
        existing(stack, name)

    first = scan(stack, scans, minutes=0.5)
    while (outcome := scan(stack, scans, "run-2", minutes=0.5)).completed is None:
        assert outcome.running.scan_id == first.running.scan_id

    assert first.completed is None
    assert outcome.completed.parts == 4
    assert sorted(entries(stack, scans)) == names
    assert stack.registry.calls["images"] == len(names)


def test_readers_see_the_last_complete_scan_while_another_one_runs(stack, scans):
    existing(stack, "team-a/a0")
    scan(stack, scans)
    for n in range(PART + 1):
        existing(stack, f"team-a/r{n}")

    scan(stack, scans, "run-2", minutes=0.3, requested=True)

    page = stack.fleet(scans).page(CALLER, None, 10, None)
    assert [entry.name for entry in page.entries] == ["team-a/a0"]
    assert page.running.totals.repositories == PART


def test_two_runs_never_work_on_a_scan_at_once(stack, scans):
    scanner = stack.scanner(scans)
    other = stack.scanner(scans)

    class Meddling(InMemoryContainerRegistry):
        def everything(self):
            self.outcome = other.scan("run-2", stack.clock.now() + timedelta(minutes=5), requested=True)
            return super().everything()

    meddling = Meddling(stack.clock)
    stack.registry = meddling
    scanner = stack.scanner(scans)

    done = scanner.scan("run-1", stack.clock.now() + timedelta(minutes=5), requested=True)

    assert done.completed is not None
    assert "another run" in meddling.outcome.reason


def test_the_schedule_leaves_a_fresh_result_and_a_request_does_not(stack, scans):
    existing(stack, "team-a/web")
    scan(stack, scans)
    stack.clock.advance(hours=1)

    assert "fresh" in scan(stack, scans, "run-2").reason
    assert scan(stack, scans, "run-3", requested=True).completed is not None
    stack.clock.advance(hours=24)
    assert scan(stack, scans, "run-4").completed is not None


def test_a_scan_that_began_too_long_ago_is_begun_anew(stack, scans):
    for n in range(PART + 1):
        existing(stack, f"team-a/r{n}")
    old = scan(stack, scans, minutes=0.3).running
    stack.clock.advance(hours=13)

    assert scan(stack, scans, "run-2").completed.scan_id != old.scan_id


def test_the_answer_says_how_old_it_is(stack, scans):
    existing(stack, "team-a/web")
    scan(stack, scans)
    stack.clock.advance(days=3)

    page = stack.fleet(scans).page(CALLER, None, 10, None)

    assert (page.age_seconds, page.stale) == (3 * 86_400, True)


def test_without_a_scan_nothing_is_shown_as_an_empty_registry(stack, scans):
    with pytest.raises(NotFoundError, match="POST /fleet/scans"):
        stack.fleet(scans).page(CALLER, None, 10, None)


def test_a_lost_part_is_not_shown_as_a_smaller_registry(stack, scans):
    existing(stack, "team-a/web")
    scan(stack, scans)
    scans.parts.clear()

    with pytest.raises(NotFoundError, match="not kept"):
        stack.fleet(scans).page(CALLER, None, 10, None)


def test_a_caller_sees_of_other_names_that_they_exist_and_no_more(stack, scans):
    existing(stack, "team-a/web")
    existing(stack, "team-b/web")
    scan(stack, scans)

    assert stack.fleet(scans).page(TEAM_B, None, 10, None).restricted == {"team-a/web"}


@settings(max_examples=15)
@given(
    owners=st.lists(st.sampled_from(["steward", "other", ""]), max_size=230),
    limit=st.integers(1, 120),
    wanted=st.sampled_from([None, Owner.OURS, Owner.FOREIGN]),
)
def test_pages_together_are_the_whole_list_in_order(owners, limit, wanted):
    stack = StackOverDoubles.over_doubles(RULES)
    scans = InMemoryFleetScans(stack.clock)
    for n, owner in enumerate(owners):
        existing(stack, f"team-a/r{n:03}", {"steward:stack": owner} if owner else {})
    scan(stack, scans)
    kinds = {"steward": Owner.OURS, "other": Owner.FOREIGN, "": Owner.UNMANAGED}

    listed, after, fleet = [], None, stack.fleet(scans)
    while True:
        page = fleet.page(CALLER, wanted, limit, after)
        assert len(page.entries) <= limit
        listed += [entry.name for entry in page.entries]
        if (after := page.next) is None:
            break

    assert listed == [f"team-a/r{n:03}" for n, owner in enumerate(owners) if wanted in {None, kinds[owner]}]


@pytest.mark.parametrize(
    ("lifecycle", "policy"),
    [
        (None, "<html>"),
        (None, "[]"),
        (None, '{"Statement": ["x"]}'),
        ('{"rules": [{}]}', None),
        ('{"rules": null}', None),
        ("{", None),
        ('{"rules": [{"rulePriority": 1, "action": {"type": "expire"}, "selection": {}}]}', None),
    ],
)
def test_an_answer_that_is_no_policy_is_unknown_and_blinds_nothing(stack, scans, lifecycle, policy):
    existing(stack, "team-a/bad", policy=policy).lifecycle_policy = lifecycle
    existing(stack, "team-a/good")
    existing(stack, "team-a/fine")

    scan(stack, scans)

    found = entries(stack, scans)
    assert (found["team-a/bad"].owner, found["team-a/good"].owner) == (Owner.UNKNOWN, Owner.UNMANAGED)
    assert "no policy" in found["team-a/bad"].problem


def test_a_name_that_rules_cannot_speak_of_is_unknown_and_seen_by_no_caller(stack, scans):
    for name in ("Team-A/odd", "team-a/good", "team-a/fine"):
        existing(stack, name)

    scan(stack, scans)

    page = stack.fleet(scans).page(CALLER, None, 10, None)
    assert page.restricted == {"Team-A/odd"}
    assert {entry.name: str(entry.owner) for entry in page.entries}["Team-A/odd"] == "unknown"
