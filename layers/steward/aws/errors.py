"""From AWS's error codes to the error tree. Codes are matched as strings: several are in no service model."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from steward.errors import AccessDeniedError, ThrottledError, UpstreamError

THROTTLING = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "ProvisionedThroughputExceededException",
    }
)
ACCESS_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"})


Failure = ClientError | BotoCoreError | ResponseParserError
FAILURES = (ClientError, BotoCoreError, ResponseParserError)
"""Every way in which a call fails. The last one stands outside of botocore's tree, and its text quotes AWS's answer."""


def code_of(error: ClientError) -> str:
    """AWS's code for an error, such as ``RepositoryNotFoundException``."""
    return str(error.response.get("Error", {}).get("Code", ""))


def upstream(error: Failure) -> UpstreamError:
    """The error of our tree for a failure that no adapter expects; raise it ``from`` the original."""
    if isinstance(error, ResponseParserError):
        return UpstreamError("AWS's response cannot be parsed; try again later", code=type(error).__name__)
    if not isinstance(error, ClientError):
        return UpstreamError(f"AWS could not be reached ({type(error).__name__})", code=type(error).__name__)
    code, operation = code_of(error), error.operation_name
    if code in THROTTLING:
        return ThrottledError(f"AWS throttles {operation}; try again later", code=code)
    if code in ACCESS_DENIED:
        return AccessDeniedError(f"the service's own role is denied {operation}; the operator must grant it", code=code)
    return UpstreamError(f"AWS failed {operation} ({code}); try again later", code=code)


@contextmanager
def translated(expected: Mapping[str, Exception] | None = None) -> Iterator[None]:
    """Raise the error of our tree for any failure of the calls inside.

    Parameters
    ----------
    expected
        What to raise for the codes that mean something here; any other failure is ``upstream``'s.
    """
    try:
        yield
    except ClientError as error:
        raise (expected or {}).get(code_of(error), upstream(error)) from error
    except BotoCoreError as error:
        raise upstream(error) from error
    except ResponseParserError as error:
        raise upstream(error) from None  # its text quotes the answer, and so may hold a secret


def unless(*codes: str) -> AbstractContextManager[None, bool]:
    """Leave the block where AWS answers with one of these codes, which is an answer as good as any.

    For use inside ``translated``, which takes every other failure::

        with translated(), unless("NoSuchEntity"):
            return iam.get_user(UserName=name)["User"]
        return None
    """
    return _Unless(frozenset(codes))


class _Unless(AbstractContextManager[None, bool]):
    def __init__(self, codes: frozenset[str]) -> None:
        self._codes = codes

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        return isinstance(error, ClientError) and code_of(error) in self._codes
