"""The proof that what consumers read still authenticates: what it tries, what it tells, what it leaves alone."""

from dataclasses import replace
from datetime import timedelta

import pytest

from access_key_rotation.domain.events import SecretDoesNotAuthenticate
from access_key_rotation.domain.observation import Content, Label
from access_key_rotation.domain.policy import Verification
from access_key_rotation.domain.proof import Proof, SecretProof
from steward.errors import AccessDeniedError, ThrottledError, UpstreamError
from tests.doubles.fault_injection import FaultInjecting
from tests.doubles.in_memory_service_account import InMemoryProber, InMemoryUsers, InMemoryVault
from tests.doubles.recording_publisher import RecordingPublisher
from tests.unit.access_key_rotation.scenarios import begun

HOME_AND_AWAY = Verification(regions=("home", "away"))


@pytest.fixture
def life():
    """A user whose first key a consumer uses."""
    return begun(days=3)


class Proven:
    """The proof over a life, with ports that can fail."""

    def __init__(self, life, wanted=HOME_AND_AWAY):
        self.vault = FaultInjecting(InMemoryVault(life.account))
        self.prober = FaultInjecting(InMemoryProber(life.account))
        self.publisher = RecordingPublisher()
        self._proof = SecretProof(life.records, self.vault, self.prober, self.publisher, wanted, home_region="home")

    def prove(self):
        return self._proof.prove("test")


def test_a_key_that_works_is_good_and_nothing_is_told(life):
    proven = Proven(life)

    assert proven.prove() == Proof(good=1, bad=(), unclear=0)
    assert proven.publisher.published == []


def test_a_key_is_tried_in_every_region_but_never_on_ecr(life):
    life.account.authenticated.clear()
    life.account.used.clear()

    Proven(life).prove()

    assert [region for _, _, region in life.account.authenticated] == ["home", "away"]
    assert {service for uses in life.account.used.values() for _, service in uses} == {"sts"}


def test_without_regions_it_is_tried_at_home(life):
    life.account.authenticated.clear()

    Proven(life, Verification()).prove()

    assert [region for _, _, region in life.account.authenticated] == ["home"]


def test_a_key_that_aws_refuses_is_told_with_the_region(life):
    key = life.account.current_key(life.name)
    InMemoryUsers(life.account).deactivate_key(life.name, key)
    proven = Proven(life)

    assert proven.prove() == Proof(good=0, bad=(life.name,), unclear=0)
    assert proven.publisher.published == [SecretDoesNotAuthenticate(life.name, key, "home")]


@pytest.mark.parametrize("content", [Content.UNREADABLE, Content.NOTHING, Content.PLACEHOLDER])
def test_a_secret_that_names_no_key_is_told_without_one(life, content):
    secret = life.account.secrets[life.name]
    secret.versions[secret.labels[Label.CURRENT]] = content
    proven = Proven(life)

    proven.prove()

    assert proven.publisher.published == [SecretDoesNotAuthenticate(life.name, "", "home")]


def test_a_secret_that_is_gone_is_told(life):
    life.account.secrets[life.name].deleted = True

    assert Proven(life).prove().bad == (life.name,)


@pytest.mark.parametrize("error", [ThrottledError("busy"), UpstreamError("down"), AccessDeniedError("not ours")])
@pytest.mark.parametrize(("port", "method"), [("vault", "find"), ("vault", "read"), ("prober", "identify")])
def test_what_could_not_be_read_or_tried_is_neither_good_nor_bad(life, error, port, method):
    proven = Proven(life)
    getattr(proven, port).fail(method, error)

    assert proven.prove() == Proof(good=0, bad=(), unclear=1)
    assert proven.publisher.published == []


def test_a_key_that_nobody_uses_yet_is_not_tried(life):
    """Our own use of it would hide whether anybody else uses it."""
    record = life.records.records[life.name]
    unused = {key: replace(history, adopted_at=None) for key, history in record.keys.items()}
    life.records.records[life.name] = replace(record, keys=unused)
    life.account.authenticated.clear()

    assert Proven(life).prove() == Proof(good=0, bad=(), unclear=0)
    assert life.account.authenticated == []


def test_a_user_that_a_run_works_on_is_left_to_it(life):
    life.records.claim(life.name, "a run", timedelta(minutes=6))

    assert Proven(life).prove() == Proof(good=0, bad=(), unclear=0)


def test_no_run_tries_more_secrets_than_the_settings_allow(life):
    assert Proven(life, Verification(proofs_per_run=0)).prove() == Proof(good=0, bad=(), unclear=0)
