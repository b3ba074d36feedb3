"""Secret material, in a type with a ``repr`` that hides it."""

from dataclasses import dataclass, field
from datetime import datetime

from access_key_rotation.domain.names import UserName


@dataclass(frozen=True, slots=True)
class Credential:
    """A key with its material. ``repr`` and ``str`` leave the material out; only vaults and authenticators read it.

    In the secret it has the form of a ``credential_process``'s output, so that a consumer can pass it on unchanged.
    Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
    """

    user: UserName
    access_key_id: str
    secret_access_key: str = field(repr=False)
    created: datetime
