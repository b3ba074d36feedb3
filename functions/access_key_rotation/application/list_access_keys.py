"""Lists every access key of the account, with its age, its use, and its way out; counts them for the digest."""

from collections.abc import Mapping
from datetime import timedelta

from access_key_rotation.application.ports import CredentialReport, Directory, RotationMemory
from access_key_rotation.domain.events import AccessKeysCounted
from access_key_rotation.domain.inventory import OLD_AFTER, Holder, Inventory, inventory_of, summary_of
from access_key_rotation.domain.names import ROTATE_TAG
from access_key_rotation.domain.state import Record
from steward.clock import Clock
from steward.events import EventPublisher

WHOLE_ACCOUNT = "/"


class KeyInventory:
    """Reads the account in bulk: the number of calls does not grow with the number of keys."""

    def __init__(
        self,
        report: CredentialReport,
        directory: Directory,
        memory: RotationMemory,
        publisher: EventPublisher,
        clock: Clock,
        service_path: str,
    ) -> None:
        self._report = report
        self._directory = directory
        self._memory = memory
        self._publisher = publisher
        self._clock = clock
        self._service_path = service_path

    def take(self) -> Inventory:
        """Every key of the account.

        Raises
        ------
        UpstreamError
            The account or the table cannot be read as a whole.
        DeadlineError
            IAM has not finished its report yet.
        """
        report = self._report.read()
        return inventory_of(report, self._holders(), self._clock.now())

    def count(self, correlation_id: str) -> Inventory:
        """Publish the inventory in numbers. Raises UpstreamError."""
        inventory = self.take()
        counted = summary_of(inventory.keys)
        event = AccessKeysCounted(
            as_of=inventory.as_of.isoformat(),
            keys=counted.keys,
            active=counted.active,
            old=counted.old,
            old_days=OLD_AFTER // timedelta(days=1),
            unused=counted.unused,
            not_rotated=counted.not_rotated,
            unreadable=len(inventory.unreadable),
        )
        self._publisher.publish([event], correlation_id=correlation_id)
        return inventory

    def _holders(self) -> Mapping[str, Holder]:
        records = {name: record for name, record, _ in self._memory.all()}
        holders: dict[str, Holder] = {}
        for user in self._directory.users(WHOLE_ACCOUNT):
            is_on_path = user.path.startswith(self._service_path)
            is_enrolled = is_on_path and user.tags.get(ROTATE_TAG) == "true"
            record = _of_same_user(records.get(user.name), user.user_id)
            ids = {moment.replace(microsecond=0): key_id for key_id, moment in record.created.items()}
            known = ids if len(ids) == len(record.created) else None  # two of one second cannot be told apart
            state = (record.state or "UNSEEN") if is_enrolled else ""
            holders[user.name] = Holder(user.path, user.tags, is_enrolled, is_on_path, state, known)
        return holders


def _of_same_user(record: Record | None, user_id: str) -> Record:
    """The record, unless it is of another user that had the name before."""
    return record if record and record.user_id in {None, user_id} else Record()
