"""Names the right that a call needs, so that an operator knows what to grant."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import ClientError

from steward.aws.errors import ACCESS_DENIED, code_of, translated
from steward.errors import AccessDeniedError

_DENIED = ACCESS_DENIED | {"AccessDeniedFault", "403", "NotAuthorized"}


@contextmanager
def needing(action: str) -> Iterator[None]:
    """Translate every failure of the calls inside; a denial carries the IAM action as its code."""
    try:
        with translated():
            yield
    except AccessDeniedError as error:
        raise AccessDeniedError(f"{action} is denied", code=action) from error
    except Exception as error:
        cause = error.__cause__
        if isinstance(cause, ClientError) and code_of(cause) in _DENIED:
            raise AccessDeniedError(f"{action} is denied", code=action) from error
        raise
