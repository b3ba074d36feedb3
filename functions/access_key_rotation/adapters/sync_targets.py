"""The targets of secret sync: Systems Manager, other secrets, GitHub Actions, GitLab. Each returns once it confirmed.

No error shows what was sent or received; what a target answers is compared, and never repeated.
"""

import base64
import json
import re
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from access_key_rotation.adapters.https_json import Answer, HttpsJson
from access_key_rotation.application.ports import TargetRefusedError
from access_key_rotation.domain.credential import Credential
from access_key_rotation.domain.sync import GitHub, GitLab, OtherSecret, Parameter, Target, Variables
from steward.aws.errors import ACCESS_DENIED, code_of, upstream
from steward.errors import UpstreamError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

FORM = 1
TRIES = 2
"""For each of the two variables: between them, jobs of the CI system read a key id and a secret that do not fit."""
PUBLIC_KEY_BYTES = 32
_TOKEN = re.compile(r"[!-~]{8,4096}")
_DONE = {HTTPStatus.CREATED, HTTPStatus.NO_CONTENT}
_TRIED_AGAIN = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS, *range(500, 600)}
_SAYS = {
    HTTPStatus.UNAUTHORIZED: "the token is not accepted",
    HTTPStatus.FORBIDDEN: "the token may not write there, or its rate is used up",
    HTTPStatus.NOT_FOUND: "it does not exist, or the token may not see it",
    HTTPStatus.UNPROCESSABLE_ENTITY: "the value or its name is refused",
}

type AwsClient = Callable[[str, str, str], Any]
"""A client of a service, in a region (empty: this one), under a role (empty: the function's own)."""
type Api = Callable[[str, dict[str, str]], HttpsJson]


class AwsAndCiTargets:
    """Writes keys to every kind of target.

    Parameters
    ----------
    aws
        Makes AWS clients.
    tokens
        Secrets Manager, for the tokens of CI systems: each in a secret of its own.
    api
        Makes clients of HTTPS APIs.
    """

    def __init__(self, aws: AwsClient, tokens: "SecretsManagerClient", api: Api = HttpsJson) -> None:
        self._client = aws
        self._tokens = tokens
        self._api = api

    def write(self, target: Target, credential: Credential) -> None:
        """Write the key to one target."""
        match target.place:
            case Parameter() as place:
                self._to_parameter(place, credential)
            case OtherSecret() as place:
                self._to_secret(place, credential)
            case GitHub() as place:
                self._to_github(place, credential)
            case GitLab() as place:
                self._to_gitlab(place, credential)

    def _to_parameter(self, place: Parameter, credential: Credential) -> None:
        def written() -> Any:
            ssm = self._client("ssm", place.region, "")
            key = {"KeyId": place.kms_key} if place.kms_key else {}
            ssm.put_parameter(Name=place.name, Value=_document(credential), Type="SecureString", Overwrite=True, **key)
            found = ssm.get_parameter(Name=place.name, WithDecryption=True)["Parameter"]
            return found.get("Value"), found.get("Type")

        _require(_aws_call(written) == (_document(credential), "SecureString"), "another value is in it")

    def _to_secret(self, place: OtherSecret, credential: Credential) -> None:
        def written() -> Any:
            secrets = self._client("secretsmanager", place.region or _region_of(place.secret), place.role)
            secrets.put_secret_value(SecretId=place.secret, SecretString=_document(credential))
            return secrets.get_secret_value(SecretId=place.secret).get("SecretString")

        _require(_aws_call(written) == _document(credential), "another value is current in it")

    def _to_github(self, place: GitHub, credential: Credential) -> None:
        """Seal each value for the place's public key.

        Source: https://docs.github.com/en/rest/actions/secrets
        """
        headers = {"Accept": "application/vnd.github+json, application/json", "X-GitHub-Api-Version": "2022-11-28"}
        token = self._token(place)
        api = self._api(place.api, {**headers, "Authorization": f"Bearer {token}"})
        base = _github_path(place)
        found = _tried(partial(api.call, "GET", f"{base}/public-key"), {HTTPStatus.OK})
        key, key_id = _public_key(found)
        scope: dict[str, Any] = {}
        if place.organization:
            scope = {"visibility": place.visibility}
            if place.repository_ids:
                scope["selected_repository_ids"] = list(place.repository_ids)
        for name, value in _variables(place, credential):
            sealed = {"encrypted_value": _sealed(key, value), "key_id": key_id, **scope}
            _tried(partial(api.call, "PUT", f"{base}/{name}", sealed), _DONE)

    def _to_gitlab(self, place: GitLab, credential: Credential) -> None:
        """Update each variable, or create it.

        Source: https://docs.gitlab.com/api/project_level_variables/
        """
        api = self._api(place.api, {"PRIVATE-TOKEN": self._token(place)})
        kind, name_of_place = ("projects", place.project) if place.project else ("groups", place.group)
        base = f"/{kind}/{quote(name_of_place, safe='')}/variables"
        scope = quote(place.environment_scope, safe="")
        for name, value in _variables(place, credential):
            wanted = {"value": value, "masked": True, "protected": place.protected, "raw": True}
            update = f"{base}/{name}?filter[environment_scope]={scope}"
            statuses = {HTTPStatus.OK, HTTPStatus.NOT_FOUND}
            answer = _tried(partial(api.call, "PUT", update, wanted), statuses)
            if answer.status == HTTPStatus.NOT_FOUND:
                made = {**wanted, "key": name, "environment_scope": place.environment_scope}
                answer = _tried(partial(api.call, "POST", base, made), {HTTPStatus.CREATED})
            body = answer.body if isinstance(answer.body, dict) else {}
            got = body.get("key"), body.get("value"), body.get("masked"), body.get("protected")
            _require(got == (name, value, True, place.protected), "it did not store what was sent, or not masked")

    def _token(self, place: Variables) -> str:
        got = _aws_call(lambda: self._tokens.get_secret_value(SecretId=place.token_secret).get("SecretString"))
        if not isinstance(got, str) or not _TOKEN.fullmatch(got.strip()):
            raise TargetRefusedError(f"the secret {place.token_secret} holds no token: store it alone, as a text")
        return got.strip()


def _document(credential: Credential) -> str:
    """The key in the form of the user's own secret."""
    return json.dumps(
        {
            "Version": FORM,
            "AccessKeyId": credential.access_key_id,
            "SecretAccessKey": credential.secret_access_key,
            "UserName": credential.user,
            "CreatedAt": credential.created.isoformat(),
        }
    )


def _variables(place: Variables, credential: Credential) -> list[tuple[str, str]]:
    return [
        (place.secret_variable, credential.secret_access_key),
        (place.key_id_variable, credential.access_key_id),
    ]


def _aws_call(call: Callable[[], Any]) -> Any:
    """What a call of AWS answers; an error keeps no cause, because the chain leads to the parameters of the call."""
    try:
        return call()
    except ClientError as error:
        code, operation = code_of(error), error.operation_name
        if code in ACCESS_DENIED:
            text = f"{operation} is denied: the stack's Sync…Arns must name the target, and the target permit it"
            raise TargetRefusedError(text, code=code) from None
        if code.endswith(("NotFoundException", "NotFound")):
            raise TargetRefusedError(f"{operation} finds nothing there ({code}): create it first", code=code) from None
        raise upstream(error) from None
    except (BotoCoreError, ResponseParserError) as error:
        raise upstream(error) from None


def _tried(call: Callable[[], Answer], wanted: set[HTTPStatus]) -> Answer:
    """The answer with one of the wanted statuses; what may pass is tried again at once.

    Raises
    ------
    TargetRefusedError, UpstreamError
        Another status; no answer.
    """
    for last in range(1, TRIES + 1):
        try:
            answer = call()
        except UpstreamError:
            if last == TRIES:
                raise
            continue
        if answer.status in wanted:
            return answer
        if answer.status not in _TRIED_AGAIN or last == TRIES:
            break
    why = _SAYS.get(HTTPStatus(answer.status)) if answer.status in {*HTTPStatus} else None
    text = f"the target answered {answer.status}{f': {why}' if why else ''}"
    raise TargetRefusedError(text)


def _require(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - the condition itself
    if not holds:
        raise TargetRefusedError(f"the target did not confirm the key: {otherwise}")


def _github_path(place: GitHub) -> str:
    if place.organization:
        return f"/orgs/{quote(place.organization, safe='')}/actions/secrets"
    repository = "/".join(quote(part, safe="") for part in place.repository.split("/"))
    if place.environment:
        return f"/repos/{repository}/environments/{quote(place.environment, safe='')}/secrets"
    return f"/repos/{repository}/actions/secrets"


def _public_key(answer: Answer) -> tuple[bytes, str]:
    body = answer.body if isinstance(answer.body, dict) else {}
    key_id, text = body.get("key_id"), body.get("key")
    try:
        key = base64.b64decode(str(text), validate=True)
    except (ValueError, TypeError):
        key = b""
    _require(isinstance(key_id, str) and len(key) == PUBLIC_KEY_BYTES, "it answered with no public key")
    return key, str(key_id)


def _sealed(key: bytes, value: str) -> str:
    """A value that only the holder of the private key reads."""
    from nacl.public import PublicKey, SealedBox  # noqa: PLC0415 - only where a target needs it

    return base64.b64encode(SealedBox(PublicKey(key)).encrypt(value.encode())).decode()


def _region_of(secret: str) -> str:
    return secret.split(":")[3] if secret.startswith("arn:") else ""
