"""The changes of IAM that policy drift is held to, each with the verdict, severity and request that it must find.

What must be told follows from what drift is (docs/policy-drift.md), not from what the code happens to say.
"""

from benchmarks.drift_changes.change import Change
from benchmarks.drift_changes.changes.attachments import ATTACHMENTS
from benchmarks.drift_changes.changes.attackers import ATTACKERS
from benchmarks.drift_changes.changes.boundaries import BOUNDARIES
from benchmarks.drift_changes.changes.credentials import CREDENTIALS
from benchmarks.drift_changes.changes.escalations import ESCALATIONS
from benchmarks.drift_changes.changes.existence import EXISTENCE
from benchmarks.drift_changes.changes.expected import EXPECTED
from benchmarks.drift_changes.changes.guards import GUARDS
from benchmarks.drift_changes.changes.inline import INLINE
from benchmarks.drift_changes.changes.memberships import MEMBERSHIPS
from benchmarks.drift_changes.changes.repeats import ONE_AFTER_THE_OTHER
from benchmarks.drift_changes.changes.spellings import SPELLINGS
from benchmarks.drift_changes.changes.transients import TRANSIENTS
from benchmarks.drift_changes.changes.trusts import TRUSTS
from benchmarks.drift_changes.changes.two_actors import TWO_ACTORS
from benchmarks.drift_changes.changes.versions import VERSIONS

CHANGES: tuple[Change, ...] = (
    *ATTACHMENTS,
    *INLINE,
    *VERSIONS,
    *TRUSTS,
    *BOUNDARIES,
    *MEMBERSHIPS,
    *EXISTENCE,
    *SPELLINGS,
    *TRANSIENTS,
    *ONE_AFTER_THE_OTHER,
    *ESCALATIONS,
    *EXPECTED,
    *CREDENTIALS,
    *TWO_ACTORS,
    *ATTACKERS,
    *GUARDS,
)
