"""Somebody else changes the account between any two calls of ours; the invariants hold, and nobody is cut off.

The one place left out is the instant before a destructive call itself: IAM has no conditional call that could close it.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.access_key_rotation.lives import Fault, Life
from tests.unit.access_key_rotation.scenarios import whole_life

pytestmark = pytest.mark.no_cover  # thousands of times the same lines, which other tests count

DESTRUCTIVE = {"deactivate_key", "delete_key"}
CALLS = whole_life().stage.calls
PLACES = [at for at, call in enumerate(CALLS) if call not in DESTRUCTIVE]


def puts_the_old_key_back(life):
    """A person's PutSecretValue, with the oldest key that is still active."""
    if life.name in life.account.secrets and life.account.current_key(life.name):
        keys = sorted(life.account.users[life.name].keys.values(), key=lambda key: key.created)
        active = [key for key in keys if key.active]
        if active and life.account.current_key(life.name) != active[0].id:
            life.account.put_value(life.name, active[0].id)


def makes_a_key_by_hand(life):
    """A person's CreateAccessKey, where a slot is free."""
    if len(life.key_ids()) < 2:
        life.invariants.foreign.add(life.account.make_key(life.name).id)


def deletes_the_secret(life):
    """A person schedules the secret for deletion."""
    if life.name in life.account.secrets:
        life.account.secrets[life.name].deleted = True


def loses_the_table(life):
    """The table is gone."""
    life.records.lose()


def moves_the_user(life):
    """Somebody moves the user away from the service path: it is no service user any more."""
    _changes(life, path="/people/", arn=f"arn:aws:iam::123456789012:user/people/{life.name}")


def untags_the_user(life):
    """Somebody takes the tag away that enrols the user."""
    _changes(life, tags={})


def _changes(life, **what):
    stored = life.account.users[life.name]
    stored.user = replace(stored.user, **what)


def sets_the_clock_ahead(life):
    """Our clock is suddenly five minutes ahead."""
    life.clock.advance(minutes=5)


def sets_the_clock_back(life):
    """Our clock is suddenly five minutes behind."""
    life.clock.advance(minutes=-5)


@pytest.mark.parametrize(
    "meanwhile",
    [
        puts_the_old_key_back,
        makes_a_key_by_hand,
        deletes_the_secret,
        loses_the_table,
        moves_the_user,
        untags_the_user,
        sets_the_clock_ahead,
        sets_the_clock_back,
    ],
    ids=lambda meanwhile: meanwhile.__name__,
)
def test_manual_changes_between_two_calls_cut_no_consumer_off(meanwhile):
    for at in PLACES:
        life = Life(Fault(at, "none"), meanwhile=meanwhile)
        life.account.add_user(life.name)
        life.days(14)
        assert life.consumer.refused == []


def test_a_run_that_slept_past_its_lease_changes_nothing_any_more():
    """Another run took over in the meantime; whatever the first was about to do, it stops."""
    for at in PLACES:
        life = Life(Fault(at, "none"), meanwhile=_sleep_while_another_works)
        life.account.add_user(life.name)
        life.days(11)
        assert life.consumer.refused == []
        assert len(life.account.made_by_us) <= 3


def _sleep_while_another_works(life):
    life.clock.advance(seconds=timedelta(minutes=10).total_seconds())
    life._run(life.rotator)
