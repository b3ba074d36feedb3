"""The IAM policy language: what policies allow, and what a change of them changed.

`compare` tells two sets of policies apart and proves it with requests, `evaluate` puts one request to policies.
No AWS, no network, standard library only. The semantics and their limits: ``docs/policy-comparison.md``.
"""

from iam_policy.access import Access, effective_access
from iam_policy.asking import ASKED, asking
from iam_policy.budget import Budget
from iam_policy.canonical import canonical_form, canonical_hash
from iam_policy.comparison import Comparison, Verdict, Witness, compare
from iam_policy.errors import InvalidRequestError, PolicyDocumentError, PolicyError
from iam_policy.evaluation import Decision, Request, evaluate
from iam_policy.source import read_documents

__all__ = [
    "ASKED",
    "Access",
    "Budget",
    "Comparison",
    "Decision",
    "InvalidRequestError",
    "PolicyDocumentError",
    "PolicyError",
    "Request",
    "Verdict",
    "Witness",
    "asking",
    "canonical_form",
    "canonical_hash",
    "compare",
    "effective_access",
    "evaluate",
    "read_documents",
]
