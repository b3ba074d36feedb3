"""A key of the account was found in public: if it is a service user's, it is replaced and taken away at once."""

from collections.abc import Sequence

from access_key_rotation.application.ports import KeyOwners
from access_key_rotation.domain.events import AccessKeyRotationDue
from access_key_rotation.domain.rules.situation import Reason
from steward.errors import StewardError, UpstreamError
from steward.events import EventPublisher


class ExposedKeys:
    """Turns AWS Health's finding into a demand. Whose user it is, and whether it is ours, the worker finds out."""

    def __init__(self, owners: KeyOwners, publisher: EventPublisher) -> None:
        self._owners = owners
        self._publisher = publisher

    def report(self, key_ids: Sequence[str], correlation_id: str) -> list[str]:
        """Ask for the rotation of each key that a user of the account has; the users' names.

        Raises
        ------
        UpstreamError
            Whose one of the keys is could not be found out, so that a person must; all others were asked for.
        """
        due, unclear = list[AccessKeyRotationDue](), list[str]()
        for key_id in dict.fromkeys(key_ids):
            try:
                owner = self._owners.owner(key_id)
            except StewardError as error:
                unclear.append(f"{key_id} ({error})")
                continue
            if owner is not None:
                due.append(AccessKeyRotationDue(owner, Reason.COMPROMISED.value, key_id, requested_by="AWS Health"))
        if due:
            self._publisher.publish(due, correlation_id=correlation_id)
        if unclear:
            raise UpstreamError(f"whose these exposed keys are is not known: {', '.join(unclear)}")
        return [event.user_name for event in due]
