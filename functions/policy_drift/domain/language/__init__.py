"""The IAM policy language: what policies allow, and what a change of them changed.

`compare` tells two sets of policies apart and proves it with requests, `evaluate` puts one request to policies.
No AWS, no network, standard library only. The semantics and their limits: ``docs/policy-comparison.md``.
"""

from .access import Access, effective_access
from .budget import Budget
from .comparison import Comparison, Verdict, Witness, compare
from .errors import InvalidRequestError, PolicyDocumentError, PolicyError
from .evaluation import Decision, Request, evaluate

__all__ = [
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
    "compare",
    "effective_access",
    "evaluate",
]
