"""Secret material, in a type that shows itself to nobody, and its form in a secret."""

from dataclasses import dataclass, field
from datetime import datetime

from access_key_rotation.domain.names import UserName


@dataclass(frozen=True, slots=True)
class Credential:
    """A key with its material. ``repr`` and ``str`` leave the material out; nothing but a vault and a probe reads it.

    In the secret it has the form of a ``credential_process``'s output, so that a consumer can hand it on as it is.
    Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
    """

    user: UserName
    access_key_id: str
    secret_access_key: str = field(repr=False)
    created: datetime
