"""Every error that the policy language raises.

PolicyError
├── PolicyDocumentError      a document that AWS would refuse, or that says nothing certain
└── InvalidRequestError      a request that cannot be asked
"""

_MOST_QUOTED = 80
_MOST_OF_POINTER = 200
_LARGE = 10**20


def quoted(value: object) -> str:
    """A value as an error message quotes it: its beginning when it is long, its type when it is no text or number."""
    if isinstance(value, str):
        return repr(value) if len(value) <= _MOST_QUOTED else f"{value[:_MOST_QUOTED]!r}… ({len(value):,} characters)"
    if isinstance(value, int | float) and -_LARGE < value < _LARGE:
        return repr(value)
    return "null" if value is None else f"a value of type {type(value).__name__}"


class PolicyError(ValueError):
    """The caller handed over something that has no certain meaning."""


class PolicyDocumentError(PolicyError):
    """A policy document is malformed.

    Attributes
    ----------
    problem : str
        What is wrong.
    pointer : str
        Where, as a JSON pointer (RFC 6901) into the document, empty for the document itself; into the array of
        documents when several were given.
    allowed : str
        What would be right.
    """

    def __init__(self, problem: str, pointer: str, allowed: str) -> None:
        self.problem = problem
        self.pointer = pointer
        self.allowed = allowed
        where = pointer if len(pointer) <= _MOST_OF_POINTER else pointer[:_MOST_OF_POINTER] + "…"
        super().__init__(f"{where or 'document'}: {problem}; allowed: {allowed}")


class InvalidRequestError(PolicyError):
    """A request lacks what every request has, or a part of it has the wrong type."""
