"""Every error that the policy language raises.

PolicyError
├── PolicyDocumentError      a document that AWS would refuse, or that says nothing certain
└── InvalidRequestError      a request that cannot be asked
"""


class PolicyError(ValueError):
    """The caller handed over something that has no certain meaning."""


class PolicyDocumentError(PolicyError):
    """A policy document is malformed.

    Attributes
    ----------
    problem : str
        What is wrong.
    pointer : str
        Where, as a JSON pointer (RFC 6901) into the document; empty for the document itself.
    allowed : str
        What would be right.
    """

    def __init__(self, problem: str, pointer: str, allowed: str) -> None:
        self.problem = problem
        self.pointer = pointer
        self.allowed = allowed
        super().__init__(f"{pointer or 'document'}: {problem}; allowed: {allowed}")


class InvalidRequestError(PolicyError):
    """A request lacks what every request has, or a part of it has the wrong type."""
