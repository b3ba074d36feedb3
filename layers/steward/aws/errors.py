"""From AWS's error codes to the error tree. Codes are matched as strings: several are in no service model."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

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


def code_of(error: ClientError) -> str:
    """AWS's code for an error, such as ``RepositoryNotFoundException``."""
    return str(error.response.get("Error", {}).get("Code", ""))


def upstream(error: ClientError | BotoCoreError) -> UpstreamError:
    """The error of our tree for a failure that no adapter expects; raise it ``from`` the original."""
    if not isinstance(error, ClientError):
        return UpstreamError(f"AWS could not be reached ({type(error).__name__})", code=type(error).__name__)
    code, operation = code_of(error), error.operation_name
    if code in THROTTLING:
        return ThrottledError(f"AWS throttles {operation}; try again later", code=code)
    if code in ACCESS_DENIED:
        return AccessDeniedError(f"the service's own role is denied {operation}; its operator must look", code=code)
    return UpstreamError(f"AWS failed {operation} ({code}); try again later", code=code)


@contextmanager
def translated() -> Iterator[None]:
    """Raise the error of our tree for any failure of the calls inside, where no failure is expected."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise upstream(error) from error
