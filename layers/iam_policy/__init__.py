"""The IAM policy language: what policies allow, and what a change of them changed.

`compare` finds the requests that two sets of policies treat differently, `summarize` groups all of them, `evaluate`
puts one request to policies.
No AWS, no network, standard library only. The semantics and their limits are in the README. The names in ``__all__``
are the interface; ``iam_policy.escalation`` has its own.
"""

from iam_policy.access import Access, Policies, effective_access
from iam_policy.budget import Budget
from iam_policy.canonical import canonical_form, canonical_hash
from iam_policy.comparison import Comparison, Verdict, Witness, compare
from iam_policy.errors import InvalidRequestError, PolicyDocumentError, PolicyError
from iam_policy.evaluation import Decision, Request, evaluate
from iam_policy.partial_evaluation import may_allow
from iam_policy.summary import Grant, Summary, summarize
from iam_policy.summary_words import summary_in_words

__all__ = [
    "Access",
    "Budget",
    "Comparison",
    "Decision",
    "Grant",
    "InvalidRequestError",
    "Policies",
    "PolicyDocumentError",
    "PolicyError",
    "Request",
    "Summary",
    "Verdict",
    "Witness",
    "canonical_form",
    "canonical_hash",
    "compare",
    "effective_access",
    "evaluate",
    "may_allow",
    "summarize",
    "summary_in_words",
]
