"""The proof that what consumers read still authenticates: what it tries, what it tells, what it leaves alone."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access_key_rotation.application.prove_secrets import Proof, window
from access_key_rotation.bootstrap import prove_secrets
from access_key_rotation.domain.events import AccessKeyRotationDue, SecretDoesNotAuthenticate
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.settings import Verification
from access_key_rotation.domain.state import UNREADABLE, Content, Label, Record
from steward.errors import AccessDeniedError, ConflictError, ThrottledError, UpstreamError
from tests.doubles.fault_injection import FaultInjecting
from tests.doubles.in_memory_service_account import InMemoryAuthenticator, InMemoryUsers, InMemoryVault
from tests.doubles.recording_publisher import RecordingPublisher
from tests.doubles.rotation_settings import rotation_settings
from tests.unit.access_key_rotation.lives import SETTINGS
from tests.unit.access_key_rotation.scenarios import DEPLOY, begun

HOME_AND_AWAY = Verification(regions=("home", "away"))


@pytest.fixture
def life():
    """A user whose first key a consumer uses."""
    return begun(days=3)


class Proven:
    """The proof over a life, with ports that can fail."""

    def __init__(self, life, wanted=HOME_AND_AWAY):
        self.users = FaultInjecting(InMemoryUsers(life.account))
        self.vault = FaultInjecting(InMemoryVault(life.account))
        self.authenticator = FaultInjecting(InMemoryAuthenticator(life.account))
        self.publisher = RecordingPublisher()
        self.clock = life.clock
        self._proof = prove_secrets(
            users=self.users, memory=life.records, vault=self.vault, authenticator=self.authenticator,
            publisher=self.publisher, clock=self.clock, settings=rotation_settings(verify=wanted),
            service_path="/service/", home_region="home",
        )  # fmt: skip

    def prove(self):
        return self._proof.prove("test")


def test_a_key_that_authenticates_is_good_and_nothing_is_published(life):
    proven = Proven(life)

    assert proven.prove() == Proof(good=1, bad=(), unclear={})
    assert proven.publisher.published == []


def test_a_key_is_verified_in_every_region_but_never_on_ecr(life):
    life.account.authenticated.clear()
    life.account.used.clear()

    Proven(life).prove()

    assert [region for _, _, region in life.account.authenticated] == ["home", "away"]
    assert {service for uses in life.account.used.values() for _, service in uses} == {"sts"}


def test_without_regions_a_key_is_verified_at_home(life):
    life.account.authenticated.clear()

    Proven(life, Verification()).prove()

    assert [region for _, _, region in life.account.authenticated] == ["home"]


def test_a_refused_key_is_published_with_the_region(life):
    key = life.account.current_key(life.name)
    InMemoryUsers(life.account).deactivate_key(life.name, key)
    proven = Proven(life)

    assert proven.prove() == Proof(good=0, bad=(life.name,), unclear={})
    assert proven.publisher.published == [SecretDoesNotAuthenticate(life.name, key, "home")]


@pytest.mark.parametrize("content", [Content.UNREADABLE, Content.NOTHING, Content.PLACEHOLDER])
def test_a_secret_that_names_no_key_is_published_without_one(life, content):
    secret = life.account.secrets[life.name]
    secret.versions[secret.labels[Label.CURRENT]] = content
    proven = Proven(life)

    proven.prove()

    assert proven.publisher.published == [SecretDoesNotAuthenticate(life.name, "", "home")]


def test_a_key_that_no_record_knows_and_that_is_gone_is_published(life):
    key = life.account.current_key(life.name)
    life.account.users[life.name].keys.clear()
    record = life.records.records[life.name]
    life.records.records[life.name] = replace(record, keys={}, frozen="a consumer broke")
    proven = Proven(life)

    proven.prove()

    assert proven.publisher.published == [SecretDoesNotAuthenticate(life.name, key, "home")]


def test_the_placeholder_before_the_first_key_is_not_published(life):
    secret, record = life.account.secrets[life.name], life.records.records[life.name]
    secret.versions[secret.labels[Label.CURRENT]] = Content.PLACEHOLDER
    life.records.records[life.name] = replace(record, keys={}, versions={"pending": "AKIAPENDING"})
    proven = Proven(life)

    proven.prove()

    assert proven.publisher.published == []


def test_a_deleted_secret_is_published(life):
    life.account.secrets[life.name].deleted = True

    assert Proven(life).prove().bad == (life.name,)


@pytest.mark.parametrize(
    "error",
    [ThrottledError("busy"), UpstreamError("down"), AccessDeniedError("not ours"), ConflictError("in the wrong state")],
)
@pytest.mark.parametrize(("port", "method"), [("vault", "find"), ("vault", "read"), ("authenticator", "identify")])
def test_what_could_not_be_read_or_verified_is_neither_good_nor_bad(life, error, port, method):
    proven = Proven(life)
    getattr(proven, port).fail(method, error)

    assert proven.prove() == Proof(good=0, bad=(), unclear={life.name: str(error)})
    assert proven.publisher.published == []


def unused(life):
    """No consumer has used the current key yet."""
    record = life.records.records[life.name]
    keys = {key: replace(history, adopted_at=None) for key, history in record.keys.items()}
    life.records.records[life.name] = replace(record, keys=keys)
    life.account.authenticated.clear()


def test_a_key_that_is_not_adopted_is_looked_up_and_not_used(life):
    """Our own use of it would hide whether a consumer uses it."""
    unused(life)

    assert Proven(life).prove() == Proof(good=1, bad=(), unclear={})
    assert life.account.authenticated == []


@pytest.mark.parametrize("is_deleted", [True, False])
def test_a_dead_key_that_no_consumer_has_used_is_published(life, is_deleted):
    unused(life)
    key = life.account.current_key(life.name)
    (InMemoryUsers(life.account).delete_key if is_deleted else InMemoryUsers(life.account).deactivate_key)(
        life.name, key
    )
    proven = Proven(life)

    assert proven.prove() == Proof(good=0, bad=(life.name,), unclear={})
    assert proven.publisher.published == [SecretDoesNotAuthenticate(life.name, key, "home")]


def test_a_key_that_iam_does_not_list_for_an_error_is_neither_good_nor_bad(life):
    unused(life)
    proven = Proven(life)
    proven.users.fail("keys", ThrottledError("busy"))

    assert proven.prove() == Proof(good=0, bad=(), unclear={life.name: "busy"})


@pytest.mark.parametrize("state", ["FROZEN", "EXEMPT", "DRAINING", "QUARANTINED", "BLOCKED", "STEADY"])
@pytest.mark.parametrize("is_adopted", [True, False])
def test_a_dead_current_key_is_published_within_the_hour_in_every_state(life, state, is_adopted):
    if not is_adopted:
        unused(life)
    life.records.records[life.name] = replace(life.records.records[life.name], state=state, frozen="a consumer broke")
    InMemoryUsers(life.account).deactivate_key(life.name, life.account.current_key(life.name))

    assert Proven(life).prove().bad == (life.name,)


def test_a_user_that_a_run_works_on_is_left_to_it(life):
    life.records.claim(life.name, "a run", timedelta(minutes=6))

    assert Proven(life).prove() == Proof(good=0, bad=(), unclear={})


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "ORPHANED_SECRET"},
        {"tags": {}},
        {"arn": "arn:aws:iam::123456789012:user/people/ecr-push"},
    ],
    ids=["gone", "untagged", "moved"],
)
def test_the_secret_of_a_user_that_is_no_longer_ours_is_not_verified(life, changes):
    life.records.records[life.name] = replace(life.records.records[life.name], **changes)
    life.account.secrets[life.name].deleted = True

    assert Proven(life).prove() == Proof(good=0, bad=(), unclear={})


def joined_by(life, number):
    """Further users as the first, whose secrets are gone."""
    record = life.records.records[life.name]
    names = [UserName(f"other-{index:02}") for index in range(number)]
    life.records.records |= {name: replace(record, arn=f"arn:aws:iam::1:user/service/{name}") for name in names}
    return names


def test_every_secret_is_verified_within_hours_and_no_run_exceeds_the_settings(life):
    others = joined_by(life, 24)
    proven = Proven(life, Verification(proofs_per_run=10))

    runs = [proven.prove() for _ in range(3) if proven.clock.advance(hours=1) is None]

    assert [run.good + len(run.bad) for run in runs] == [10, 10, 10]
    assert {name for run in runs for name in run.bad} == set(others)
    assert sum(run.good for run in runs) >= 1


def test_a_repeated_run_verifies_the_same_secrets(life):
    joined_by(life, 24)
    proven = Proven(life, Verification(proofs_per_run=10))

    assert proven.prove() == proven.prove()


def test_what_is_bad_is_published_before_the_run_ends(life):
    others = joined_by(life, 24)
    proven = Proven(life)
    tried = []

    def ended_from_outside(name):
        tried.append(name)
        if len(tried) == 15:
            raise KeyboardInterrupt
        proven.vault.before("find", ended_from_outside)

    proven.vault.before("find", ended_from_outside)
    with pytest.raises(KeyboardInterrupt):
        proven.prove()

    assert {event.user_name for event in proven.publisher.published} == {*tried[:10]} & {*others}  # type: ignore[attr-defined]


@given(total=st.integers(0, 60), size=st.integers(1, 70), first=st.integers(0, 500_000))
def test_windows_that_follow_one_another_hold_everything_and_each_no_more_than_its_size(total, size, first):
    everything = range(total)
    runs = -(-total // size)

    windows = [window(everything, size, number) for number in range(first, first + runs)]

    assert {one for some in windows for one in some} == set(everything)
    assert all(len(some) == len(set(some)) <= size for some in windows)


def test_a_policy_that_another_writer_changed_makes_the_user_due():
    life = begun(replace(SETTINGS, secret_readers=(DEPLOY,)), days=3)
    proven = Proven(life)
    proven.prove()
    before = proven.publisher.of(AccessKeyRotationDue)
    life.account.secrets[life.name].readers = ()

    proven.prove()

    assert before == []
    assert proven.publisher.of(AccessKeyRotationDue) == [
        AccessKeyRotationDue(life.name, "scheduled", requested_by="the hourly check")
    ]


def test_a_secret_with_a_damaged_record_is_unclear_and_the_others_are_proven(life):
    life.records.records[UserName("damaged")] = Record(state=UNREADABLE)

    proof = Proven(life).prove()

    assert proof.good == 1
    assert list(proof.unclear) == ["damaged"]
    assert "restore-the-table" in proof.unclear["damaged"]
