"""Every error that steward raises.

StewardError
├── InvalidRequestError          the caller can mend it
│   ├── RuleViolationError       well-formed, but a name or value breaks a rule
│   ├── UnsupportedMediaTypeError
│   └── TooLargeError
├── NotAllowedError              the rules refuse it; carries what would be allowed
├── QuotaExceededError           allowed, but not so often; carries after_seconds
├── NotFoundError
├── ConflictError                the world disagrees: a fixed setting differs, a limit is reached
├── PreconditionFailedError      the caller's own condition does not hold
├── SettingsError                what the operator wrote cannot be used; carries file and line
└── UpstreamError                AWS said no, or nothing
    ├── ThrottledError           worth a retry; carries after_seconds
    ├── DeadlineError            ours to finish at the next call; carries after_seconds
    └── AccessDeniedError        our own role lacks a right; never to be read as "not found"

Each error's ``code`` is AWS's own error code where AWS raised it, else None. ``ValidationError`` is not part of the
tree: it is a ``ValueError`` with a place, and the reader of the document makes one of these of it.
"""

from collections.abc import Sequence

Place = tuple[str | int, ...]
"""The way from a document's root to a place in it."""


class ValidationError(ValueError):
    """A value does not fit: ``path`` leads to the place, ``what`` says what is wrong there.

    A ``__post_init__`` raises it where one of its parts is wrong by what another part says; the path begins at itself.
    """

    def __init__(self, what: str, path: Place) -> None:
        place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")
        super().__init__(f"{place}: {what}" if place else what)
        self.what = what
        self.path = path


class StewardError(Exception):
    """The root: ``str(error)`` is a sentence that a caller can act on and that holds no secret."""

    after_seconds: int | None = None
    """When the same call may succeed; None where only another call can."""

    def __init__(self, detail: str, *, code: str | None = None) -> None:
        super().__init__(detail)
        self.code = code


class InvalidRequestError(StewardError):
    """The request cannot be understood as it was sent."""


class RuleViolationError(InvalidRequestError):
    """The request is well-formed, but a name or a value breaks a rule."""


class UnsupportedMediaTypeError(InvalidRequestError):
    """The body is of a media type that we do not read."""


class TooLargeError(InvalidRequestError):
    """The body or the list in it is larger than one call may carry."""


class NotAllowedError(StewardError):
    """The rules refuse this caller; ``allowed`` says what they would grant it."""

    def __init__(self, detail: str, *, allowed: Sequence[str] = ()) -> None:
        super().__init__(detail)
        self.allowed = tuple(allowed)


class QuotaExceededError(StewardError):
    """The caller has used up what it may do in a period; ``after_seconds`` is when the next period begins."""

    def __init__(self, detail: str, *, after_seconds: int) -> None:
        super().__init__(detail)
        self.after_seconds = after_seconds


class NotFoundError(StewardError):
    """The thing that was asked for does not exist, and AWS said so in as many words."""


class ConflictError(StewardError):
    """What exists rules out what was asked for."""


class PreconditionFailedError(StewardError):
    """The condition that the caller sent along does not hold."""


class SettingsError(StewardError):
    """What the operator wrote cannot be used; the text starts with ``file:line``."""

    after_seconds = 60


class UpstreamError(StewardError):
    """AWS failed us in a way that says nothing about the request."""

    after_seconds = 5


class ThrottledError(UpstreamError):
    """AWS asked us to slow down; ``after_seconds`` is a sensible time to wait."""

    def __init__(self, detail: str, *, code: str | None = None, after_seconds: int = 5) -> None:
        super().__init__(detail, code=code)
        self.after_seconds = after_seconds


class DeadlineError(UpstreamError):
    """The work did not fit in the time of one call; the same call again finishes it."""

    def __init__(self, detail: str, *, after_seconds: int = 1) -> None:
        super().__init__(detail)
        self.after_seconds = after_seconds


class AccessDeniedError(UpstreamError):
    """AWS denies our own role this call. It says nothing about whether the thing exists."""
