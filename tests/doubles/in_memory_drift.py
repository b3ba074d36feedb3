"""What policy drift remembers and reads, in memory."""

from dataclasses import replace

from policy_drift.application.ports import (
    ConcurrentUpdateError,
    Kept,
    NotVersionedError,
    Snapshot,
    Undelivered,
    UploadLink,
    Version,
)
from policy_drift.domain.account import Account, EntityId, EntityKind, policy_id
from policy_drift.domain.dependents import with_dependents
from tests.doubles.frozen_clock import FrozenClock


class InMemoryOutbox:
    """Items with revisions, and the events that each revision leads to."""

    def __init__(self):
        self.items = {}

    def _save(self, item, value, after, events, until):
        kept = self.items.get(item)
        if (kept.revision if kept else 0) != after:
            raise ConcurrentUpdateError(f"{item} was written by another run")
        boxes = {**(kept.undelivered if kept else {})}
        if events:
            boxes[after + 1] = Undelivered(tuple(events), until)
        self.items[item] = Kept(value, after + 1, boxes)
        return after + 1

    def take_over(self, item, revision, *, was, until):
        kept = self.items[item]
        box = kept.undelivered.get(revision)
        if box is None or box.until != was:
            return False
        self.items[item] = replace(kept, undelivered={**kept.undelivered, revision: Undelivered(box.events, until)})
        return True

    def delivered(self, revisions):
        for item, revision in revisions:
            kept = self.items[item]
            left = {number: box for number, box in kept.undelivered.items() if number != revision}
            self.items[item] = replace(kept, undelivered=left)


class InMemoryFindings(InMemoryOutbox):
    """Findings."""

    def __init__(self):
        super().__init__()
        self._last_scan = None
        self._progress = None

    def get(self, finding_id):
        return self.items.get(finding_id)

    def of(self, entities):
        return [kept for kept in self.items.values() if kept.value.drift.entity in entities]

    def all(self):
        return list(self.items.values())

    def save(self, finding, *, after, events=(), until=None):
        return self._save(finding.id, finding, after, events, until)

    def save_many(self, writes):
        revisions = []
        for write in writes:
            try:
                revisions.append(self.save(write.finding, after=write.after, events=write.events, until=write.until))
            except ConcurrentUpdateError:
                revisions.append(None)
        return revisions

    def last_scan(self):
        return self._last_scan

    def note_scan(self, read_at):
        self._last_scan = max(read_at, self._last_scan or read_at)

    def progress(self):
        return self._progress

    def note_progress(self, progress):
        self._progress = progress


class InMemoryBaselineRecords(InMemoryOutbox):
    """Which version is in force."""

    id = "123456789012"

    def get(self):
        return self.items.get(self.id)

    def save(self, in_force, *, after, events=(), until=None):
        return self._save(self.id, in_force, after, events, until)


class InMemoryBaselineStore:
    """A versioned object."""

    def __init__(self, clock=None):
        self.clock = clock or FrozenClock()
        self.versions = []
        self.is_deleted = False
        self.keeps_versions = True
        self._number = 0

    def latest(self):
        if self.versions and not self.keeps_versions:
            raise NotVersionedError("its bucket keeps no versions: turn on versioning")
        return None if self.is_deleted or not self.versions else self.versions[-1]

    def read(self, version_id):
        return next((version for version in self.versions if version.id == version_id), None)

    def writes(self):
        return len(self.versions) + self.is_deleted

    def write(self, text, *, replaces):
        latest = self.latest()
        if (latest.etag if latest else None) != replaces:
            raise ConcurrentUpdateError("another baseline was written meanwhile")
        written = self.put(text)
        self.latest()
        return written

    def lose(self, version_id):
        """What somebody does who deletes a version for good."""
        self.versions = [version for version in self.versions if version.id != version_id]

    def put(self, text):
        """What somebody uploads."""
        self._number += 1
        number = self._number
        self.is_deleted = False
        self.versions.append(Version(f"v{number}", f"etag-{number}", self.clock.now(), text))
        return self.versions[-1]

    def link(self, version_id):
        return f"https://bucket/{version_id}"


class InMemoryAccount:
    """An account that tests change."""

    def __init__(self, account: Account):
        self.account = account
        self.reads = 0

    def snapshot(self):
        self.reads += 1
        return Snapshot(self.account, 1)

    def read(self, subjects):  # noqa: ARG002 - the port's signature
        self.reads += 1
        return self.account

    def holders(self, policy_arn):
        touched = with_dependents([policy_id(policy_arn)], [self.account])
        return frozenset(entity for entity in touched if entity.kind is not EntityKind.POLICY)

    def has_version(self, policy_arn, version):
        return version in self.account.versions.get(policy_arn, {version})

    def members(self, group):
        return frozenset(EntityId(f"user/{u.name}") for u in self.account.users.values() if group in u.groups)


class NoHistory:
    """A history without events."""

    def changes_of(self, entity, since, arn):  # noqa: ARG002 - the port's signature
        return ()


class CountingHistory:
    """A history that knows who changed some entities, and keeps who was asked for."""

    def __init__(self, changes=()):
        self.changes = dict(changes)
        self.asked = []

    def changes_of(self, entity, since, arn):  # noqa: ARG002 - the port's signature
        self.asked.append(str(entity))
        return self.changes.get(entity, ())


class InMemoryCredentials:
    """What IAM has beside policies, by entity and kind."""

    def __init__(self):
        self.items = {}
        self.unused = {}
        self.error = None

    def unused_keys(self, since):  # noqa: ARG002 - the port's signature
        if self.error:
            raise self.error
        return self.unused

    def present(self, entity, kind, items):  # noqa: ARG002 - the port's signature
        if self.error:
            raise self.error
        return frozenset(self.items.get((entity, kind), ()))


class InMemoryUploads:
    """What was sent to links."""

    def __init__(self):
        self.sent = {}

    def link(self, sha256, size):
        return UploadLink(f"https://uploads/{sha256}?bytes={size}", {}, 300)

    def read(self, sha256):
        return self.sent.get(sha256)


class NoReports:
    """Keeps nothing."""

    def put(self, scan_id, documents):  # noqa: ARG002 - the port's signature
        return f"reports/{scan_id}.html"

    def link(self, extension):  # noqa: ARG002 - the port's signature
        return None
