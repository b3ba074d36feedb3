"""The secret that signs what the webhook sends, from Secrets Manager."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from steward.aws.errors import translated
from steward.clock import Clock
from steward.errors import RuleViolationError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

KEPT = timedelta(minutes=5)
"""After a rotation of the secret, alerts are signed with the old one for at most this long."""
SHORTEST = 32
"""Characters; RFC 2104 discourages keys that are shorter than the hash, here 32 bytes."""


class SecretsManagerSecret:
    """One secret, read when it is needed and kept for five minutes. Its value is in no message and no repr."""

    def __init__(self, client: "SecretsManagerClient", arn: str, clock: Clock) -> None:
        self._secrets = client
        self._arn = arn
        self._clock = clock
        self._read: tuple[datetime, bytes] | None = None

    def value(self) -> bytes:
        """The secret, as UTF-8.

        Raises
        ------
        RuleViolationError
            It is no text, or too short to sign with.
        UpstreamError
            It cannot be read.
        """
        now = self._clock.now()
        if self._read is None or now - self._read[0] >= KEPT:
            with translated():
                text = self._secrets.get_secret_value(SecretId=self._arn).get("SecretString", "")
            if len(text) < SHORTEST:
                raise RuleViolationError(
                    f"the webhook's secret {self._arn} must be a text of at least {SHORTEST} characters: "
                    "put a longer one, such as the output of openssl rand -hex 32"
                )
            self._read = now, text.encode()
        return self._read[1]
