"""Whether a read shows the change of an event: IAM is eventually consistent, and may be read before it shows it.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
"""

from datetime import datetime, timedelta

from policy_drift.domain.account import Account, policy_id
from policy_drift.domain.changes.change_event import ChangeEvent
from policy_drift.domain.changes.grants import grants_of, is_in_place
from policy_drift.domain.changes.operations import OPERATIONS, Part

_LOOKS = (1, 3)
"""The checks after the first one, in delays after the change: at 30 s and 90 s of 30 s each."""
_CREATED = {"CreateGroup", "CreatePolicy", "CreateRole", "CreateServiceLinkedRole", "CreateUser"}
_DELETED = {"DeleteGroup", "DeletePolicy", "DeleteRole", "DeleteServiceLinkedRole", "DeleteUser"}
_RENAMED = {"UpdateUser": ("userName", "newUserName"), "UpdateGroup": ("groupName", "newGroupName")}
_OF_VERSIONS = {"CreatePolicyVersion", "DeletePolicyVersion"}


def next_look(changed_at: datetime, read_at: datetime, delay: timedelta) -> datetime | None:
    """When to check a change again that a read at ``read_at`` does not show; None if IAM shows it by then, if ever."""
    at = min(changed_at, read_at)
    looks = (at + times * delay for times in _LOOKS)
    return next((look for look in looks if look > read_at), None)


def is_shown(event: ChangeEvent, account: Account) -> bool:
    """Whether an account surely shows the change of an event.

    It does not where it contradicts the event, and where the event does not say enough: what is not known is not there.
    What was made beside policies is not in the account; see `FindCredentials`.
    """
    name = event.change.event_name
    if grants := grants_of(event, lambda _: ()):
        return all(is_in_place(grant, account) for grant in grants)
    if OPERATIONS.get(name) is Part.NOT_COMPARED or (name in _OF_VERSIONS and event.policies):
        return True  # a version that is not the default changes nothing
    named = event.principals or frozenset(map(policy_id, event.policies))
    there = frozenset(entity for entity in named if account.has(entity))
    if name in _CREATED:
        return there == named
    if name in _DELETED:
        return not there and named.isdisjoint(account.unreadable)
    old, new = (event.parameters.get(key) for key in _RENAMED.get(name, ("", "")))
    names = {entity.name for entity in there}
    return new in names and old not in names


def is_to_come(event: ChangeEvent, approved: Account, live: Account) -> bool:
    """Whether an event restores what is approved, and the account does not show it: it explains nothing that is there.

    Who takes an expected change back is so no unexpected actor of it.
    """
    return is_shown(event, approved) and not is_shown(event, live)
