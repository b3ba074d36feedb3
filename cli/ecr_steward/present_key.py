"""The present key of a user that is enrolled: read from a profile or the standard input, stored past the API.

It is never an argument of a process, and never in a request to the steward: the caller's own identity stores it in the
user's secret, as a version that waits, and the steward makes it current once it has authenticated.
"""

import getpass
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ecr_steward.api import path_of
from ecr_steward.errors import CommandError

if TYPE_CHECKING:
    from ecr_steward.api import Api
    from ecr_steward.options import Options

LOOKS, EVERY_SECONDS = 24, 5
"""How often, and how far apart, the command looks whether the steward has created the secret."""


@dataclass(frozen=True, slots=True)
class PresentKey:
    """A key with its material, which ``repr`` leaves out."""

    user: str
    secret: str
    key_id: str
    material: str = field(repr=False)
    created: str

    def store(self, api: "Api", options: "Options") -> None:
        """Wait for the secret, store the key as AWSPENDING, and have the steward look.

        Raises
        ------
        CommandError
            The secret does not come into being, or the caller may not write it.
        """
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.session import Session

        self._await_secret(api)
        value = {
            "Version": 1,
            "AccessKeyId": self.key_id,
            "SecretAccessKey": self.material,
            "UserName": self.user,
            "CreatedAt": self.created,
        }
        session = Session(profile=options.profile or None)
        try:
            client: Any = session.create_client("secretsmanager", region_name=options.region or None)
            client.put_secret_value(SecretId=self.secret, SecretString=json.dumps(value), VersionStages=["AWSPENDING"])
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            raise CommandError(
                f"the key could not be stored in {self.secret}: {code}",
                "Your identity needs secretsmanager:PutSecretValue on it; then call the same again",
            ) from None  # the chain would lead to the parameters of the call
        except BotoCoreError as error:
            raise CommandError(
                f"the key could not be stored in {self.secret}: {type(error).__name__}", "Call the same again"
            ) from None
        api.call("POST", path_of("service-users", self.user, "check"))

    def _await_secret(self, api: "Api") -> None:
        found: dict[str, Any] = {}
        for _ in range(LOOKS):
            found = api.call("GET", path_of("service-users", self.user)).body
            if found["state"] == "AWAITING_KEY":
                return
            time.sleep(EVERY_SECONDS)
        why = found.get("blocked_by") or f"the user is {found.get('state')}"
        raise CommandError(
            f"the user is enrolled, and its secret does not wait for the key yet: {why}",
            f"See steward keys show {self.user}; then call the same again",
        )


def present_key_of(plan: Mapping[str, Any], profile: str) -> PresentKey:
    """The key that the plan awaits.

    Raises
    ------
    CommandError
        It cannot be read, or is another key.
    """
    key_id, material = _of_profile(profile) if profile else _of_input(plan["awaits"])
    if key_id != plan["awaits"]:
        raise CommandError(
            f"the key {key_id or 'without an id'} is not the user's present one, which is {plan['awaits']}",
            "Give the key that the user's consumers have",
        )
    (created,) = (key["created_at"] for key in plan["keys"] if key["id"] == key_id)
    return PresentKey(plan["name"], plan["secret"], key_id, material, created)


def _of_profile(profile: str) -> tuple[str, str]:
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session

    try:
        credentials = Session(profile=profile).get_credentials()
    except BotoCoreError as error:
        raise CommandError(str(error), "See aws configure list-profiles") from error
    if credentials is None or credentials.token:
        raise CommandError(f"the profile {profile} has no access key of a user", "Name one that has, or use the input")
    return credentials.access_key, credentials.secret_key


def _of_input(awaited: str) -> tuple[str, str]:
    """From the terminal without echo, or as JSON: what create-access-key or a credential_process prints."""
    if sys.stdin.isatty():
        return awaited, getpass.getpass(f"Secret access key of {awaited} (not shown): ").strip()
    try:
        value = json.loads(sys.stdin.read())
        value = value.get("AccessKey", value)
        key_id, material = value["AccessKeyId"], value["SecretAccessKey"]
    except (ValueError, KeyError, TypeError, AttributeError):
        key_id = material = None
    if not isinstance(key_id, str) or not isinstance(material, str):
        raise CommandError(
            "the standard input is no key", 'Give {"AccessKeyId": …, "SecretAccessKey": …} as JSON, or --from-profile'
        ) from None
    return key_id, material
