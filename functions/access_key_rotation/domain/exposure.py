"""A key of the account was found in public: if it is a service user's, it is replaced and taken away at once."""

from collections.abc import Sequence
from typing import Protocol

from access_key_rotation.domain.events import AccessKeyRotationDue
from access_key_rotation.domain.naming import UserName
from access_key_rotation.domain.situation import Reason
from steward.events import EventPublisher


class KeyOwners(Protocol):
    """Whose a key is."""

    def owner(self, key_id: str) -> UserName | None:
        """The user that has the key, or None where IAM knows no such key. One call."""
        ...


class ExposedKeys:
    """Turns AWS Health's finding into a demand. Whose user it is, and whether it is ours, the worker finds out."""

    def __init__(self, owners: KeyOwners, publisher: EventPublisher) -> None:
        self._owners = owners
        self._publisher = publisher

    def report(self, key_ids: Sequence[str], correlation_id: str) -> list[str]:
        """Ask for the rotation of each key that a user of the account has; the users' names."""
        due = [
            AccessKeyRotationDue(owner, Reason.COMPROMISED.value, key_id, requested_by="AWS Health")
            for key_id in key_ids
            if (owner := self._owners.owner(key_id)) is not None
        ]
        if due:
            self._publisher.publish(due, correlation_id=correlation_id)
        return [event.user_name for event in due]
