#!/usr/bin/env python3
"""The current access key of a service user, for ``credential_process`` of the AWS CLI and SDKs.

Install it as ``ecr-steward-credentials`` on the PATH of a Docker host or a build image, and name it in a profile:

    [profile pusher]
    credential_process = ecr-steward-credentials pusher --profile secret-reader
    region = eu-central-1

It reads the secret ``steward/service-users/<user>`` with an identity of its own and prints the key with an expiration,
so that long-running programs ask again by themselves and follow every rotation. The identity is one of

- ``--profile NAME``: another profile, of any kind;
- ``--own-key``: the user's own key as it was read last, which stays active for days after a rotation;
- neither: what the machine has, a role of the instance, task or pipeline, or variables of the environment.

The key that was read last is kept in a file that only its owner can read. It is printed, too, when the secret cannot be
read now and could be within the last day. Without ``--own-key``, a file that cannot be read or written costs that alone
and is a warning. It needs Python 3.9 and the AWS CLI, and nothing else.

Source of the format: AWS SDKs and Tools reference guide, "Process credential provider".
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import urllib.parse
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Callable, TypeVar

Result = TypeVar("Result")

SECRET_PREFIX = "steward/service-users/"  # noqa: S105 - a name

VALIDITY = timedelta(minutes=30)
"""How long a client may take a printed key for current.

boto3 and the AWS CLI ask again as soon as fewer than 15 minutes are left. With 15 minutes, they would ask before every
single request; with 30, they ask every 15.
"""

LONGEST_OUTAGE = timedelta(days=1)
"""How long the key that was read last is printed although its secret cannot be read.

Long enough for an outage of a region, and short enough for a lost permission to be noticed while the old key works.
What was current within it is active still, unless it leaked, or ``quiet_days`` is less than 1 in the steward's
settings, which their check points out; AWS refuses such a key, and the consumer is no worse off than with none.
"""

SEEDED = datetime.fromtimestamp(0, timezone.utc)
"""When a key that was put in place by hand was read: never, so that a setting that is wrong is seen at once."""

TIMEOUT_SECONDS = 30

_NESTED = "ECR_STEWARD_CREDENTIALS_FOR"
_PROFILE_VARIABLES = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")
_KEY_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")


class CredentialsError(Exception):
    """No key can be printed; the message says why and what to do, and never holds any part of a secret."""


class UnreadableSecretError(CredentialsError):
    """The secret could not be read just now."""


@dataclass(frozen=True)
class AccessKey:
    """A key of a service user; its secret is not in its ``repr``."""

    user_name: str
    access_key_id: str
    secret_access_key: str

    def __repr__(self) -> str:
        return f"AccessKey({self.user_name!r}, {self.access_key_id!r})"

    @classmethod
    def read(cls, text: str, user_name: str, where: str) -> AccessKey:
        """The key in a text in the form of the steward's secrets.

        Raises
        ------
        CredentialsError
            When the text is none, or holds the key of another user; ``where`` says whence it came.
        """
        try:
            document = json.loads(text)
            key = cls(document["UserName"], document["AccessKeyId"], document["SecretAccessKey"])
            version = document["Version"]
        except (ValueError, TypeError, KeyError):
            raise CredentialsError(
                f"{where} is not a key as the steward writes it: a JSON object with Version, UserName, AccessKeyId "
                "and SecretAccessKey."
            ) from None  # the cause would show the text
        if version != 1 or not all(isinstance(part, str) and part for part in vars(key).values()):
            raise CredentialsError(f"{where} is not a key of version 1 whose members are texts.")
        if key.user_name != user_name:
            raise CredentialsError(f"{where} holds the key of {key.user_name!r}, not of {user_name!r}.")
        return key

    def document(self) -> dict[str, object]:
        """The key in the form of the steward's secrets."""
        return {
            "Version": 1,
            "UserName": self.user_name,
            "AccessKeyId": self.access_key_id,
            "SecretAccessKey": self.secret_access_key,
        }


class Cache:
    """The key that was read last, in a file that only its owner can read."""

    def __init__(self, user_name: str, folder: Path) -> None:
        self._user_name = user_name
        self.path = folder / f"{urllib.parse.quote(user_name, safe='@')}.json"

    def keep(self, key: AccessKey, now: datetime) -> None:
        """Put the key in the place of the last one, in one step."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=self.path.parent)  # mode 0600
        try:
            with os.fdopen(handle, "w") as file:
                json.dump({**key.document(), "ReadAt": now.isoformat()}, file)
            Path(name).replace(self.path)
        except BaseException:
            Path(name).unlink()
            raise

    def last(self) -> tuple[AccessKey, datetime] | None:
        """The key that was read last, and when; ``None`` when there is none.

        Raises
        ------
        CredentialsError
            When others can read the file, or it is not what was written.
        """
        try:
            with self.path.open() as file:
                status = os.fstat(file.fileno())
                text = file.read()
        except FileNotFoundError:
            return None
        if status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & 0o077:
            raise CredentialsError(
                f"{self.path} can be read by others than {self._owner()}: its key may be known. Delete the file, and "
                "have the key rotated with the reason `compromised`."
            )
        key = AccessKey.read(text, self._user_name, str(self.path))
        try:
            return key, datetime.fromisoformat(json.loads(text)["ReadAt"])
        except (KeyError, TypeError, ValueError):
            raise CredentialsError(f"{self.path} does not say when it was read; delete it.") from None

    @staticmethod
    def _owner() -> str:
        return os.environ.get("USER") or f"user {os.getuid()}"


@dataclass(frozen=True)
class Secret:
    """Where the current key is, and the identity that reads it."""

    secret_id: str
    region: str | None
    profile: str | None

    def read(self, user_name: str, own_key: AccessKey | None) -> AccessKey:
        """Read the current key through the AWS CLI.

        Raises
        ------
        UnreadableSecretError
            When the CLI could not read the secret, with what the CLI says.
        CredentialsError
            When there is no CLI, or the secret holds no key of this user.
        """
        executable = shutil.which("aws")
        if executable is None:
            raise CredentialsError("The AWS CLI (`aws`) is not on the PATH; it is needed to read the secret.")
        command = [executable, "secretsmanager", "get-secret-value", "--secret-id", self.secret_id]
        command += ["--query", "SecretString", "--output", "text"]
        command += ["--cli-connect-timeout", "5", "--cli-read-timeout", "10"]
        for option, value in (("--region", self.region), ("--profile", self.profile)):
            command += [option, value] if value else []
        try:
            done = subprocess.run(
                command,
                env=_environment(user_name, own_key),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=TIMEOUT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise UnreadableSecretError(
                f"The secret {self.secret_id} was not read within {TIMEOUT_SECONDS} seconds."
            ) from None  # the cause holds what was printed until then
        if done.returncode != 0:
            raise UnreadableSecretError(f"The secret {self.secret_id} cannot be read: {done.stderr.strip()}")
        return AccessKey.read(done.stdout, user_name, f"The secret {self.secret_id}")


def current_key(secret: Secret, cache: Cache, user_name: str, now: datetime, *, own_key: bool) -> AccessKey:
    """The key to print: the secret's, or within a day of the last reading, the one that was read then.

    Raises
    ------
    CredentialsError
        There is none.
    OSError
        The cache cannot be read or written, with ``own_key``: without it, the next key could never be read.
    """
    last = _unless_it_fails(cache.last, "no key that was read before is at hand", needed=own_key)
    if own_key and last is None:
        raise CredentialsError(
            f"There is no key of {user_name!r} yet with which to read its secret. Put the first one in place, as "
            "somebody who may read it:\n"
            f"  aws secretsmanager get-secret-value --secret-id {secret.secret_id} --query SecretString "
            f"--output text | ecr-steward-credentials {user_name} --seed"
        )
    try:
        key = secret.read(user_name, last[0] if own_key and last else None)
    except UnreadableSecretError as error:
        if last is None:
            raise
        key, read_at = last
        if not now - LONGEST_OUTAGE <= read_at <= now + VALIDITY:
            raise CredentialsError(
                f"{error}\nNo key was read within the last day that could be used instead."
            ) from None
        print(f"{error}\nUsing the key that was read on {read_at:%Y-%m-%d %H:%M} UTC.", file=sys.stderr)
        return key
    _unless_it_fails(lambda: cache.keep(key, now), "the key is not kept for an outage", needed=own_key)
    return key


def _unless_it_fails(act: Callable[[], Result], consequence: str, *, needed: bool) -> Result | None:
    """What the cache says; where it fails and is not needed, a warning and nothing."""
    try:
        return act()
    except (CredentialsError, OSError) as error:
        if needed:
            raise
        print(f"ecr-steward-credentials: warning: {error}\nBecause of that, {consequence}.", file=sys.stderr)
        return None


def secret_id(user_name: str) -> str:
    """The name of a user's secret: what secret names cannot hold is written as ``%`` would be, with ``=``."""
    return SECRET_PREFIX + re.sub(r"[^A-Za-z0-9/_+.@-]", lambda found: f"={ord(found[0]):02X}", user_name)


def main(arguments: list[str] | None = None) -> int:
    """Print the key, or say on the standard error stream why there is none."""
    options = _parser().parse_args(arguments)
    now = datetime.now(timezone.utc)
    cache = Cache(options.user, options.cache)
    secret = Secret(options.secret or secret_id(options.user), options.region, options.profile)
    try:
        if options.seed:
            cache.keep(AccessKey.read(sys.stdin.read(), options.user, "The standard input"), SEEDED)
            return 0
        _refuse_to_call_itself(options.user)
        key = current_key(secret, cache, options.user, now, own_key=options.own_key)
    except (CredentialsError, OSError) as error:
        print(f"ecr-steward-credentials: {error}", file=sys.stderr)
        return 1
    printed = key.document()
    del printed["UserName"]
    print(json.dumps({**printed, "Expiration": (now + VALIDITY).strftime("%Y-%m-%dT%H:%M:%SZ")}))
    return 0


def _environment(user_name: str, own_key: AccessKey | None) -> dict[str, str]:
    """The CLI's environment: without the profile that this helper serves, else the CLI would call it for ever."""
    environment = {name: value for name, value in os.environ.items() if name not in _PROFILE_VARIABLES}
    environment[_NESTED] = user_name
    environment["AWS_PAGER"] = ""
    if own_key is not None:
        environment = {name: value for name, value in environment.items() if name not in _KEY_VARIABLES}
        environment["AWS_ACCESS_KEY_ID"] = own_key.access_key_id
        environment["AWS_SECRET_ACCESS_KEY"] = own_key.secret_access_key
    return environment


def _refuse_to_call_itself(user_name: str) -> None:
    if os.environ.get(_NESTED) == user_name:
        raise CredentialsError(
            f"The secret of {user_name!r} would be read with the profile that this very program serves. Name another "
            "with --profile, or take --own-key."
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ecr-steward-credentials",
        description="Print the current access key of a service user, for credential_process.",
    )
    parser.add_argument("user", help="the IAM user")
    identity = parser.add_mutually_exclusive_group()
    identity.add_argument("--profile", help="the profile that may read the secret (default: what the machine has)")
    identity.add_argument("--own-key", action="store_true", help="read the secret with the user's key as read last")
    parser.add_argument("--secret", help=f"name or ARN of the secret (default: {SECRET_PREFIX}<user>)")
    parser.add_argument("--region", help="of the secret (default: what the AWS CLI takes)")
    parser.add_argument("--cache", type=Path, default=_cache_folder(), help="folder (default: %(default)s)")
    parser.add_argument("--seed", action="store_true", help="keep the key on the standard input, for --own-key")
    return parser


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ecr-steward"


if __name__ == "__main__":
    sys.exit(main())
