"""Known ways to more privileges, and which of them are open to a principal of an account.

`escalations` searches them in all that the principal may do: its policies, those of its groups, its boundary and every
Deny. What is not known of the account is taken as possible, so that an answer without a path is one to rely on.
"""

from iam_policy.escalation.caller import Caller, CallerKind, Removal, Role
from iam_policy.escalation.paths import Category, Path, PathStep, Target, known_paths
from iam_policy.escalation.search import Escalation, escalations

__all__ = [
    "Caller",
    "CallerKind",
    "Category",
    "Escalation",
    "Path",
    "PathStep",
    "Removal",
    "Role",
    "Target",
    "escalations",
    "known_paths",
]
