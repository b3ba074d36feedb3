"""Requests the replacement of keys that AWS found in public."""

from collections.abc import Sequence

from access_key_rotation.application.ports import KeyOwners, LeakReports
from access_key_rotation.domain.events import AccessKeyRotationDue
from access_key_rotation.domain.rules.situation import Reason
from steward.errors import StewardError, UpstreamError
from steward.events import EventPublisher


class ExposedKeys:
    """Turns AWS Health's finding into a demand; the worker decides whether the user is ours."""

    def __init__(self, owners: KeyOwners, reports: LeakReports, publisher: EventPublisher) -> None:
        self._owners = owners
        self._reports = reports
        self._publisher = publisher

    def report(self, key_ids: Sequence[str], correlation_id: str) -> list[str]:
        """Request the rotation of each key of a user of the account, and return the users' names.

        Raises
        ------
        UpstreamError
            The owner of a key could not be read, so a person must find it, or the report could not be stored; all
            other keys were requested.
        """
        due, unclear = list[AccessKeyRotationDue](), list[str]()
        for key_id in dict.fromkeys(key_ids):
            try:
                owner = self._owners.owner(key_id)
                if owner is not None:
                    self._reports.report_leak(owner, key_id)
            except StewardError as error:
                unclear.append(f"{key_id} ({error})")
                continue
            if owner is not None:
                due.append(AccessKeyRotationDue(owner, Reason.COMPROMISED.value, key_id, requested_by="AWS Health"))
        if due:
            self._publisher.publish(due, correlation_id=correlation_id)
        if unclear:
            raise UpstreamError(f"the leaks of these exposed keys could not be reported: {', '.join(unclear)}")
        return [event.user_name for event in due]
