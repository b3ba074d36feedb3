"""The IAM policy language: what policies allow, and what a change of them changed.

`compare` tells two sets of policies apart and proves it with requests, `evaluate` puts one request to policies.
No AWS, no network, standard library only. The semantics and their limits: ``docs/policy-comparison.md``.
"""

from .access import Access, effective_access
from .asking import ASKED, asking
from .budget import Budget
from .canonical import canonical_form, canonical_hash
from .comparison import Comparison, Verdict, Witness, compare
from .errors import InvalidRequestError, PolicyDocumentError, PolicyError
from .evaluation import Decision, Request, evaluate
from .source import read_documents

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
