"""Authenticates with credentials as a consumer does: on STS and ECR."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from access_key_rotation.application.ports import EcrLoginDeniedError, Identity, NotAuthenticatedError
from access_key_rotation.domain.credential import Credential
from steward.aws.errors import ACCESS_DENIED, FAILURES, Failure, code_of, upstream

REFUSED = frozenset(
    {
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
        "InvalidSignatureException",
        "AuthFailure",
    }
)
"""The error codes of AWS's services for a key that does not exist or is Inactive."""

ECR_LOGIN = "GetAuthorizationToken"

type ClientOf = Callable[[str, str, Credential], Any]
"""Makes a client of a service in a region that signs with a credential."""


class AwsAuthenticator:
    """Calls GetCallerIdentity, which needs no right, and GetAuthorizationToken, which users of the registry have."""

    def __init__(self, client_of: ClientOf) -> None:
        self._client_of = client_of

    def identify(self, credential: Credential, region: str) -> Identity:
        """Return the identity that STS returns for the credential."""
        try:
            found = self._client_of("sts", region, credential).get_caller_identity()
        except FAILURES as error:
            raise self._judged(error, credential) from None
        return Identity(found["UserId"], found["Arn"])

    def log_in_to_ecr(self, credential: Credential, region: str) -> None:
        """Get a token and discard it."""
        try:
            self._client_of("ecr", region, credential).get_authorization_token()
        except FAILURES as error:
            raise self._judged(error, credential) from None

    @staticmethod
    def _judged(error: Failure, credential: Credential) -> Exception:
        if isinstance(error, ClientError) and code_of(error) in REFUSED | ACCESS_DENIED:
            code, operation = code_of(error), error.operation_name
            text = f"AWS refuses the key {credential.access_key_id} of {credential.user} at {operation} ({code})"
            if operation == ECR_LOGIN and code in ACCESS_DENIED:
                return EcrLoginDeniedError(
                    f"the user {credential.user} may not call ecr:{ECR_LOGIN} ({code}): its policies lack the "
                    "permission, or a policy denies it, such as AWS's quarantine; the key itself authenticates",
                    code=code,
                )
            return NotAuthenticatedError(text, code=code)
        return upstream(error)
