"""Users that existed before the steward: enrolled with and without their present key, and leaving again."""

from datetime import timedelta

from access_key_rotation.domain.enrolment import FirstSecret
from access_key_rotation.domain.events import AccessKeyDeactivated, AccessKeyRotationBlocked
from access_key_rotation.domain.rules.situation import Reason
from access_key_rotation.domain.state import Label
from tests.doubles.in_memory_service_account import InMemoryVault
from tests.unit.access_key_rotation.lives import Life


def existing(**how):
    """A user with a key that a consumer uses, and its key; nothing enrols it."""
    life = Life(**how)
    life.account.add_user(life.name, tags={})
    key = life.account.make_key(life.name)
    life.invariants.accept()
    life.clock.advance(minutes=5)
    life.consumer.key, life.consumer.read_at = key.id, life.clock.now() - timedelta(hours=11)
    return life, key.id


def store(life, key_id):
    """What the key's holder does: the present key under AWSPENDING."""
    secret = life.account.secrets[life.name]
    secret.versions["by-its-holder"] = life.account._credential(life.name, key_id)
    secret.labels[Label.PENDING] = "by-its-holder"
    life.invariants.accept()


def enrolled_with_a_new_key(**how):
    """The present key works on until its consumers have switched; then it goes as any old key does."""
    life, before = existing(**how)
    life.enrol()
    life.days(1)
    assert life.account.current_key(life.name) not in {None, before}
    assert life.account.users[life.name].keys[before].active
    life.days(5)
    assert before in {event.key_id for event in life.publisher.of(AccessKeyDeactivated)}
    life.days(3)
    assert before not in life.key_ids()
    return life


def enrolled_while_a_consumer_stays(**how):
    """Without a word of its consumers, the present key is not taken away."""
    life, before = existing(**how)
    life.consumer.read_at = life.clock.now() + timedelta(days=90)
    life.enrol()
    life.days(5)
    assert life.account.users[life.name].keys[before].active
    return life


def enrolled_with_the_present_key(**how):
    """The secret waits for the key; its holder stores it; it becomes current, and is rotated when it is old."""
    life, before = existing(**how)
    life.enrol(FirstSecret.PRESENT_KEY)
    life.days(1)
    assert life.outcome is not None
    assert life.outcome.state == "AWAITING_KEY", life.outcome
    assert life.key_ids() == {before}
    life.days(1.25)
    assert any("has not stored the key" in event.reason for event in life.publisher.of(AccessKeyRotationBlocked))
    store(life, before)
    life.run()
    assert life.account.current_key(life.name) == before
    life.days(6)
    assert life.account.current_key(life.name) != before
    return life


def leaked_key_of_an_enrolled_user(**how):
    """A present key that leaks while it drains dies at once."""
    life, before = existing(**how)
    life.enrol()
    life.days(1)
    life.invariants.leaked.add(before)
    life.demand_rotation(Reason.COMPROMISED, before)
    life.days(1)
    assert not life.account.users[life.name].keys[before].active
    return life


def user_that_leaves(**how):
    """Its keys and its secret stay as they are, consumers read on, and nothing of it is remembered."""
    life, _ = existing(**how)
    life.enrol()
    life.days(2)
    keys, current = life.key_ids(), life.account.current_key(life.name)
    life.leave()
    life.days(4)
    assert life.key_ids() == keys
    assert all(key.active for key in life.account.users[life.name].keys.values())
    assert life.account.current_key(life.name) == current
    secret = InMemoryVault(life.account).find(life.name)
    assert (secret.owner, secret.rotation_function) == (None, None)
    assert life.records.find(life.name) is None
    return life


SCENARIOS = (
    enrolled_with_a_new_key, enrolled_while_a_consumer_stays, enrolled_with_the_present_key,
    leaked_key_of_an_enrolled_user, user_that_leaves,
)  # fmt: skip
