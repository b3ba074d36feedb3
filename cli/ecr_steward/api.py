"""The stack's API: found, called with AWS signatures, retried where a repetition is safe and may help."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from ecr_steward.errors import CommandError
from ecr_steward.options import Options

if TYPE_CHECKING:
    from botocore.session import Session

MOST_TRIES = 4
SECONDS = 60
"""For an answer; the gateway gives one within 29."""
_LONGEST_WAIT = 20.0
_LOCAL = {"127.0.0.1", "localhost", "::1"}
_RETRYABLE = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}
_FOR_OPERATORS = {"quota-exceeded", "settings-unusable", "service-permission-missing"}
"""Problems that a repetition does not solve."""


class ApiError(CommandError):
    """The API refused a request; ``kind`` is the last part of the problem's type."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.kind = str(problem.get("type", "")).rpartition(":")[2]
        detail = str(problem.get("detail") or problem.get("title") or f"the API answered {status}")
        allowed = problem.get("allowed")
        names = f" (allowed: {', '.join(map(str, allowed))})" if isinstance(allowed, list) and allowed else ""
        request = f" (request {problem['request_id']})" if problem.get("request_id") else ""
        super().__init__(f"{detail}{names}{request}", _NEXT.get(self.kind, ""))


_NEXT = {
    "access-denied": "Attach the stack's PipelinePolicyArn or OperatorPolicyArn to your identity",
    "not-allowed": "Ask the operators for a rule in house_rules.yaml, or use an allowed name",
    "expired-token": "Log in again, such as with aws sso login",
    "invalid-signature": "Check the credentials and the clock of this machine",
    "not-found": "Check the name",
    "no-such-route": "The stack may be older than this command: compare the versions",
    "internal-error": "Give the request id to the operators",
    "settings-unusable": "The operators have to correct the settings",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API answered."""

    status: int
    body: Any


class Api:
    """The API of one stack, called as one caller."""

    def __init__(self, options: Options) -> None:
        self._session = session_of(options)
        self._url = (options.api_url or _url_of(options, self._session)).rstrip("/")
        parts = urlsplit(self._url)
        if parts.scheme != "https" and parts.hostname not in _LOCAL:
            raise CommandError(f"{self._url} is no https URL", "Use the stack's output ApiUrl")
        labels = (parts.hostname or "").split(".")
        named = labels[2] if len(labels) > 2 and labels[1] == "execute-api" else ""  # noqa: PLR2004 - id, service, region
        self._region = named or options.region or self._session.get_config_variable("region") or ""
        if not self._region:
            raise CommandError("the region is not known", "Use --region, or set AWS_REGION")

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, str | None] | None = None,
        headers: Mapping[str, str] | None = None,
        as_text: bool = False,
    ) -> Answer:
        """Call a route; ``as_text`` returns an answer that is no JSON, such as CSV.

        Raises
        ------
        ApiError
            The API refused it.
        CommandError
            It cannot be reached, or answers what it never would.
        """
        asked = urlencode({key: value for key, value in (query or {}).items() if value is not None})
        url = f"{self._url}{path}" + (f"?{asked}" if asked else "")
        data = None if body is None else json.dumps(body).encode()
        for attempt in range(1, MOST_TRIES + 1):
            try:
                status, told, text = self._send(method, url, data, headers or {})
            except _connection_errors() as error:
                if attempt == MOST_TRIES:
                    raise CommandError(
                        f"{self._url} cannot be reached: {error}", "Check the URL and the network"
                    ) from error
                _wait(attempt, "")
                continue
            if as_text and status < HTTPStatus.BAD_REQUEST:
                return Answer(status, text.decode("utf-8", "replace"))
            answer = _decoded(status, text)
            if status < HTTPStatus.BAD_REQUEST:
                return answer
            problem = answer.body if isinstance(answer.body, Mapping) else {}
            refused = ApiError(status, problem)
            if status not in _RETRYABLE or refused.kind in _FOR_OPERATORS or attempt == MOST_TRIES:
                raise refused
            _wait(attempt, told.get("retry-after", ""))
        raise CommandError("the API did not answer")

    def download(self, link: str) -> str:
        """The text behind a link that the API gave; the link is signed already.

        Raises
        ------
        CommandError
            It cannot be reached, or has expired.
        """
        return str(_linked("GET", link, "read").text)

    def upload(self, link: str, text: bytes, headers: Mapping[str, str]) -> None:
        """Send a text to a link that the API gave, with the headers that it named; the link is signed already.

        Raises
        ------
        CommandError
            It cannot be reached, or has expired.
        """
        _linked("PUT", link, "sent", text, headers)

    def _send(
        self, method: str, url: str, data: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import BotoCoreError
        from botocore.httpsession import URLLib3Session

        try:
            credentials = self._session.get_credentials()
            key = None if credentials is None else credentials.get_frozen_credentials()
        except BotoCoreError as error:  # an ended session of IAM Identity Center, a credential_process that fails
            raise CommandError(str(error), "Log in again, such as with aws sso login") from error
        if key is None:
            raise _no_credentials()
        request = AWSRequest(method, url, headers={"Content-Type": "application/json", **headers}, data=data)
        SigV4Auth(key, "execute-api", self._region).add_auth(request)
        answer = URLLib3Session(timeout=SECONDS).send(request.prepare())
        return answer.status_code, {key.lower(): value for key, value in answer.headers.items()}, answer.content


def _linked(
    method: str, link: str, done: str, text: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Any:
    from botocore.awsrequest import AWSRequest
    from botocore.httpsession import URLLib3Session

    request = AWSRequest(method, link, headers=dict(headers or {}), data=text)
    try:
        answer = URLLib3Session(timeout=SECONDS).send(request.prepare())
    except _connection_errors() as error:
        said = str(error).replace(f"?{urlsplit(link).query}", "")  # with it, whoever reads the text may use the link
        raise CommandError(f"the document cannot be {done}: {said}", "Check the network") from None
    if answer.status_code != HTTPStatus.OK:
        raise CommandError(f"the document cannot be {done}: S3 answered {answer.status_code}", "Try again")
    return answer


def path_of(*parts: str) -> str:
    """A path of the API; slashes in names stay as they are."""
    return "".join(f"/{quote(part, safe='/:')}" for part in parts)


def session_of(options: Options) -> "Session":
    """The caller, as the profile and the environment say.

    Raises
    ------
    CommandError
        There is no such profile.
    """
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session

    session = Session(profile=options.profile or None)
    try:
        session.get_scoped_config()
    except BotoCoreError as error:
        raise CommandError(str(error), "See aws configure list-profiles") from error
    return session


def _no_credentials() -> CommandError:
    return CommandError("there are no AWS credentials", "Log in (aws sso login), or use --profile")


@contextmanager
def calling_aws(failure: str, remedy: str) -> Iterator[None]:
    """Calls of AWS by a client; what goes wrong is the failure and the remedy, or says what the caller lacks.

    Raises
    ------
    CommandError
        Anything went wrong.
    """
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

    try:
        yield
    except NoRegionError as error:
        raise CommandError("the region is not known", "Use --region, or set AWS_REGION") from error
    except NoCredentialsError as error:
        raise _no_credentials() from error
    except (BotoCoreError, ClientError, ValueError) as error:
        raise CommandError(f"{failure}: {error}", remedy) from error


def _url_of(options: Options, session: "Session") -> str:
    from botocore.exceptions import ClientError

    client: Any
    stack = options.stack or "ecr-steward"
    with calling_aws(f"the stack {stack} cannot be read", "Use --stack, or set STEWARD_API_URL to its output ApiUrl"):
        client = session.create_client("cloudformation", region_name=options.region or None)
        try:
            (described,) = client.describe_stacks(StackName=stack)["Stacks"]
        except ClientError as error:
            if "does not exist" not in str(error):
                raise
            raise CommandError(
                f"there is no stack {stack} in {_account(session, client.meta.region_name)}",
                "Use --stack, --profile or --region, or set STEWARD_API_URL to its output ApiUrl",
            ) from error
    outputs = {one["OutputKey"]: one["OutputValue"] for one in described.get("Outputs", [])}
    if "ApiUrl" not in outputs:
        raise CommandError(
            f"the stack {stack} has no output ApiUrl", "Use --stack with the name of the steward's stack"
        )
    return str(outputs["ApiUrl"])


def _account(session: "Session", region: str) -> str:
    """Where was asked, in words: a caller of another account than meant reads it here."""
    client: Any = session.create_client("sts", region_name=region)
    with calling_aws("the caller is not known", "Log in again, such as with aws sso login"):
        return f"account {client.get_caller_identity()['Account']}, {region}"


def _decoded(status: int, text: bytes) -> Answer:
    try:
        return Answer(status, json.loads(text) if text else None)
    except ValueError as error:
        begin = text[:60].decode("utf-8", "replace")
        raise CommandError(
            f"the API answered {status} with what is no JSON: {begin!r}", "Check STEWARD_API_URL: a proxy may answer"
        ) from error


def _connection_errors() -> tuple[type[Exception], ...]:
    from botocore.exceptions import ConnectionError as NotConnectedError
    from botocore.exceptions import HTTPClientError

    return NotConnectedError, HTTPClientError


def _wait(attempt: int, asked: str) -> None:
    """Wait as long as the API asks for, or longer with every attempt."""
    time.sleep(min(float(asked) if asked.isdecimal() else 0.5 * 2**attempt, _LONGEST_WAIT))
