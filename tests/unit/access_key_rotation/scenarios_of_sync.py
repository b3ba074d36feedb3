"""Secret sync beside rotation: the old key lives until every target has the new one if a part fails, too."""

from dataclasses import replace

from access_key_rotation.domain.events import AccessKeyDeactivated, AccessKeyRotated, SecretSynced, SecretSyncFailed
from access_key_rotation.domain.rules.situation import Reason
from access_key_rotation.domain.sync import GitHub, GitLab, OtherSecret, Parameter, Sync, Target
from tests.unit.access_key_rotation.lives import SETTINGS, Life

TOKEN = "steward/sync-tokens/ci"
FOUR = (
    Target(parameter=Parameter(name="/ci/{user}")),
    Target(secret=OtherSecret(secret="legacy/{user}")),
    Target(github=GitHub(repository="octo/app", environment="production", token_secret=TOKEN)),
    Target(gitlab=GitLab(project="group/app", token_secret=TOKEN)),
)
SYNCED = replace(SETTINGS, sync=(Sync(match="ecr-push", targets=FOUR),))


def synced(days=0, settings=SYNCED, **how):
    """A user whose keys are also in four targets."""
    life = Life(settings=settings, **how)
    life.account.add_user(life.name)
    life.targets.names = [target.of(life.name).name for target in settings.sync[0].targets]
    life.invariants.watch_targets(life.targets, life.targets.names)
    return life.days(days)


def rotation_with_four_targets(**how):
    """Every target has the new key before the old one is deactivated, and the next key follows."""
    life = synced(days=7.5, **how)
    first = next(key for _, key in life.targets.writes)
    life.days(4.5)
    assert first in {event.key_id for event in life.publisher.of(AccessKeyDeactivated)}
    current = life.account.current_key(life.name)
    assert current != first
    assert life.targets.held == dict.fromkeys(life.targets.names, current)
    assert {event.target for event in life.publisher.of(SecretSynced)} == set(life.targets.names)
    return life


def target_that_is_down(**how):
    """While one target fails, the old key works, and people are told every day; then it goes."""
    life = synced(days=5, **how)
    old = life.account.current_key(life.name)
    life.targets.down = {life.targets.names[2]}
    life.days(6)
    assert life.account.current_key(life.name) != old
    assert life.account.users[life.name].keys[old].active
    assert life.targets.names[2] in life.outcome.end.notice
    failures = life.publisher.of(SecretSyncFailed)
    assert {event.target for event in failures} == {life.targets.names[2]}
    assert len({event.since for event in failures}) == 1
    life.targets.down = set()
    life.days(2)
    assert not life.account.users[life.name].keys[old].active
    return life


def target_that_is_added(**how):
    """A target that the settings gain while a key drains holds it back, until it has the new key, too."""
    few = replace(SYNCED, sync=(Sync(match="ecr-push", targets=FOUR[:1]),))
    life = synced(days=6.5, settings=few, **how)
    old = next(key for _, key in life.targets.writes)
    life.targets.down = {FOUR[1].of(life.name).name}
    life.change_settings(SYNCED)
    life.days(4)
    assert life.account.users[life.name].keys[old].active
    return life


def leak_with_four_targets(**how):
    """A leaked key dies at once, even if a target holds it; then the targets get its successor."""
    life = synced(days=2, **how)
    leaked = life.account.current_key(life.name)
    life.targets.down = set(life.targets.names)
    life.invariants.leaked.add(leaked)
    life.demand_rotation(Reason.COMPROMISED, leaked)
    life.days(0.5)
    assert not life.account.users[life.name].keys[leaked].active
    life.targets.down = set()
    life.days(1)
    assert set(life.targets.held.values()) == {life.account.current_key(life.name)}
    waived = [event.waived for event in life.publisher.of(AccessKeyRotated) if event.key_id != leaked]
    assert any("targets of secret sync" in one for one in waived)
    return life


SCENARIOS = (rotation_with_four_targets, target_that_is_down, target_that_is_added, leak_with_four_targets)
