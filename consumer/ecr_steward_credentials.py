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

The key that was read last is kept in a file that only its owner can read, one file for each way of reading. It is
printed, too, when the secret cannot be read now and could be within the last day, if the same account is asked as
then. Without ``--own-key``, a file that cannot be read or written costs that alone and is a warning. It needs
Python 3.9 and the AWS CLI, and nothing else.

Source of the format: AWS SDKs and Tools reference guide, "Process credential provider".
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import urllib.parse
from dataclasses import asdict, dataclass
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
What was current within it is active still, unless it leaked, or ``drain_days`` is less than 1 in the steward's
settings, which their check points out; AWS refuses such a key, and the consumer is no worse off than with none.
"""

SEEDED = datetime.fromtimestamp(0, timezone.utc)
"""When a key that was put in place by hand was read: never, so that a setting that is wrong is seen at once."""

TIMEOUT_SECONDS = 30

LARGEST_FILE = 64 * 1024
"""Bytes; a kept key has a few hundred."""

_PATH_VARIABLE = "ECR_STEWARD_CREDENTIALS_READING"
"""The readings that the present one is part of: a reading that leads back to one of them would never end."""

_PROFILE_VARIABLES = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")
_KEY_VARIABLES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",  # of the key that is replaced
)
_READER_VARIABLES = re.compile(r"AWS_(ACCESS_KEY_ID|ROLE_ARN|WEB_IDENTITY_.*|CONTAINER_.*|.*REGION|ENDPOINT_URL.*)")
"""What decides, beside the files of the AWS CLI, in which account and region a name of a secret is looked up."""

_SECRET_ARN = re.compile(r"arn(:[^:]*){3}:\d{12}:secret:.+")

_CLI_FILES = (("AWS_CONFIG_FILE", "config"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials"))


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
    def read(cls, text: str | bytes, user_name: str, where: str) -> AccessKey:
        """The key in a text in the form of the steward's secrets.

        Raises
        ------
        CredentialsError
            When the text is none, holds no key yet, or the key of another user; ``where`` says where it came from.
        """
        try:
            document = json.loads(text)
            key = cls(document["UserName"], document["AccessKeyId"], document.get("SecretAccessKey"))
            version = document["Version"]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise CredentialsError(
                f"{where} is not a key as the steward writes it: a JSON object with Version, UserName, AccessKeyId "
                "and SecretAccessKey."
            ) from None  # the cause would show the text
        if key.user_name != user_name:
            raise CredentialsError(f"{where} holds the key of {key.user_name!r}, not of {user_name!r}.")
        if key.access_key_id is None:
            raise CredentialsError(
                f"{where} holds no key yet: the first key of {user_name!r} is created within the hour; "
                f"`GET /service-users/{user_name}` of the steward says what it waits for."
            )
        if version != 1 or not key._can_be_used():
            raise CredentialsError(f"{where} is not a key of version 1 whose members are texts.")
        return key

    def _can_be_used(self) -> bool:
        texts = (self.access_key_id, self.secret_access_key)
        return all(isinstance(text, str) and re.fullmatch("[!-~]+", text) for text in texts)

    def document(self) -> dict[str, object]:
        """The key in the form of the steward's secrets."""
        return {
            "Version": 1,
            "UserName": self.user_name,
            "AccessKeyId": self.access_key_id,
            "SecretAccessKey": self.secret_access_key,
        }


@dataclass(frozen=True)
class Reading:
    """Which secret is read, and the identity that reads it. Two readings that differ share no kept key."""

    user_name: str
    secret_id: str
    region: str | None
    profile: str | None
    own_key: bool

    @property
    def is_general(self) -> bool:
        """Whether it is the user's own and names no secret and no region: the first key may be put in place so."""
        return self.own_key and self.region is None and self.secret_id == secret_id(self.user_name)

    def digest(self) -> str:
        """A short name that no other reading has."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class KeptKey:
    """A key as it was kept: when and where it was read, and with which settings of the AWS CLI."""

    key: AccessKey
    read_at: datetime
    arn: str | None
    reader: str | None

    @property
    def account(self) -> str | None:
        """The account of the secret, where its ARN is known."""
        return self.arn.split(":")[4] if self.arn else None

    @property
    def is_of_earlier_version(self) -> bool:
        """Whether it was kept when one file was for every account."""
        return self.reader is None

    @classmethod
    def read(cls, text: bytes, reading: Reading, where: str) -> KeptKey:
        """The key in a file that this reading wrote, or an earlier version did.

        Raises
        ------
        CredentialsError
            When the file is not what was written, or another reading wrote it.
        """
        key = AccessKey.read(text, reading.user_name, where)
        document = json.loads(text)
        try:
            read_at = datetime.fromisoformat(document["ReadAt"]).astimezone(timezone.utc)
        except (KeyError, TypeError, ValueError, OverflowError):
            raise CredentialsError(f"{where} does not say when it was read; delete it.") from None
        arn, reader, written = (document.get(member) for member in ("SecretArn", "Reader", "Reading"))
        if (written, reader) != (None, None) and (written != reading.digest() or not isinstance(reader, str)):
            raise CredentialsError(f"{where} was written for another secret, region or reader; delete it.")
        if arn is not None and not (isinstance(arn, str) and _SECRET_ARN.fullmatch(arn)):
            raise CredentialsError(f"{where} does not say from which secret it was read; delete it.")
        return cls(key, read_at, arn, reader)


class Cache:
    """The keys that were read last, each in a file that only its owner can read.

    Parameters
    ----------
    folder
        Where the files are; ``None`` where the host has no place for them.
    """

    def __init__(self, reading: Reading, folder: Path | None) -> None:
        self._reading = reading
        self._folder = folder
        user = urllib.parse.quote(reading.user_name, safe="@")
        self._general = f"{user}.json"
        self._name = self._general if reading.is_general else f"{user}+{reading.digest()}.json"
        self._of_readings = f"{user}+*.json"

    @property
    def path(self) -> Path:
        """The file of this reading."""
        return self._in_folder(self._name)

    def keep(self, key: AccessKey, now: datetime, *, arn: str | None = None) -> None:
        """Put the key in the place of the last one, in one step.

        Raises
        ------
        CredentialsError
            When there is no place, or the file belongs to another user in whose folder it is.
        """
        path = self.path
        _make_private_folder(path.parent)
        if _is_of_another(path) and _is_of_another(path.parent):
            raise CredentialsError(f"{path} belongs to another user; name a folder of your own with --cache.")
        document = {
            **key.document(),
            "ReadAt": now.isoformat(),
            "SecretArn": arn,
            "Reader": _reader(),
            "Reading": self._reading.digest(),
        }
        handle, name = tempfile.mkstemp(dir=path.parent)  # mode 0600
        try:
            with os.fdopen(handle, "w") as file:
                json.dump(document, file)
                file.flush()
                os.fsync(file.fileno())  # an empty file after a power cut would cost the host its own key
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink()
            raise

    def last(self) -> KeptKey | None:
        """The key that this reading had last; ``None`` when there is none.

        Raises
        ------
        CredentialsError
            When others can read the file, or it is not what was written.
        """
        if self._reading.is_general:
            return self._general_key()
        text = _read_private_file(self.path)
        return KeptKey.read(text, self._reading, str(self.path)) if text is not None else None

    def unclaimed(self) -> KeptKey | None:
        """The user's own key that was put in place for no certain region and secret, or by an earlier version.

        It is for the first reading that it serves: which account it is of cannot be seen.

        Raises
        ------
        CredentialsError
            When nothing shows that it is the user's own, or as :meth:`last`.
        """
        kept = None if self._reading.is_general else self._general_key()
        return kept if kept is None or kept.is_of_earlier_version or kept.read_at == SEEDED else None

    def claim(self) -> None:
        """Remove the unclaimed key, after its successor was kept for this reading."""
        self._in_folder(self._general).unlink(missing_ok=True)

    def of_earlier_version(self) -> Path | None:
        """The file of an earlier version, which does not say of which account its key is."""
        path = self._in_folder(self._general)
        return path if not self._reading.own_key and path.exists() else None

    def _general_key(self) -> KeptKey | None:
        path = self._in_folder(self._general)
        text = _read_private_file(path)
        if text is None:
            return None
        user = self._reading.user_name
        kept = KeptKey.read(text, Reading(user, secret_id(user), None, None, own_key=True), str(path))
        if kept.is_of_earlier_version and any(path.parent.glob(self._of_readings)):
            raise CredentialsError(
                f"{path} is of an earlier version, does not say of which account its key is, and this host reads the "
                "secret in another way, too. Delete it, and put the key in place with --seed."
            )
        return kept

    def _in_folder(self, name: str) -> Path:
        if self._folder is None:
            raise CredentialsError("there is no home folder to keep a key in; name a folder with --cache.")
        return self._folder / name


@dataclass(frozen=True)
class Cli:
    """The AWS CLI, asked as the reader.

    Parameters
    ----------
    own_key
        The key to ask with, instead of the identity that the reading names.
    """

    reading: Reading
    own_key: AccessKey | None

    def read_secret(self) -> tuple[AccessKey, str | None]:
        """The current key, and the ARN of its secret.

        Raises
        ------
        UnreadableSecretError
            When the CLI could not read the secret, with what the CLI says.
        CredentialsError
            When there is no CLI, or the secret holds no key of this user.
        """
        name = self.reading.secret_id
        printed = self._ask("secretsmanager", "get-secret-value", "[ARN, SecretString]", "--secret-id", name)
        arn, tab, text = printed.partition(b"\t")
        if not (tab and arn.startswith(b"arn:")):  # a wrapper of the CLI that prints the secret alone
            arn, text = b"", printed
        key = AccessKey.read(text, self.reading.user_name, f"The secret {name}")
        return key, arn.decode("ascii", "replace") or None

    def account(self) -> str | None:
        """The account of the reader; ``None`` when AWS does not say."""
        try:
            printed = self._ask("sts", "get-caller-identity", "Account", timeout=TIMEOUT_SECONDS // 2)
        except CredentialsError:
            return None
        account = printed.strip()
        return account.decode() if re.fullmatch(rb"\d{12}", account) else None

    def _ask(self, service: str, operation: str, query: str, *options: str, timeout: float = TIMEOUT_SECONDS) -> bytes:
        executable = shutil.which("aws")
        if executable is None:
            raise CredentialsError("The AWS CLI (`aws`) is not on the PATH; it is needed to read the secret.")
        command = [executable, service, operation, *options, "--query", query, "--output", "text"]
        command += ["--cli-connect-timeout", "5", "--cli-read-timeout", "10"]
        for option, value in (("--region", self.reading.region), ("--profile", self.reading.profile)):
            command += [option, value] if value else []
        try:
            done = subprocess.run(
                command,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise UnreadableSecretError(
                f"The secret {self.reading.secret_id} was not read within {timeout} seconds."
            ) from None  # the cause holds what was printed until then
        if done.returncode != 0:
            said = " ".join(done.stderr.decode("utf-8", "backslashreplace").split())
            raise UnreadableSecretError(f"The secret {self.reading.secret_id} cannot be read: {said.rstrip('.')}.")
        return done.stdout

    def _environment(self) -> dict[str, str]:
        """Without the profile that this helper serves, else the CLI would call it for ever."""
        environment = {name: value for name, value in os.environ.items() if name not in _PROFILE_VARIABLES}
        environment[_PATH_VARIABLE] = " ".join([*_readings_around(), self.reading.digest()])
        environment["AWS_PAGER"] = ""
        environment["AWS_CLI_AUTO_PROMPT"] = "off"
        if self.own_key is not None:
            environment = {name: value for name, value in environment.items() if name not in _KEY_VARIABLES}
            environment["AWS_ACCESS_KEY_ID"] = self.own_key.access_key_id
            environment["AWS_SECRET_ACCESS_KEY"] = self.own_key.secret_access_key
        return environment


def current_key(reading: Reading, cache: Cache, now: datetime) -> AccessKey:
    """The key to print: the secret's, or within a day of the last reading, the one that was read then.

    Raises
    ------
    CredentialsError
        There is none.
    OSError
        The cache cannot be read or written, with ``own_key``: without it, the next key could never be read.
    """
    unusable: list[str] = []
    last = _unless_it_fails(cache.last, unusable, needed=reading.own_key)
    unclaimed = cache.unclaimed() if reading.own_key and last is None else None
    if reading.own_key and not (last or unclaimed):
        options = _options(reading)
        raise CredentialsError(
            f"There is no key of {reading.user_name!r} yet with which to read its secret. Put the first one in place, "
            "as somebody who may read it:\n"
            f"  aws secretsmanager get-secret-value --secret-id {reading.secret_id} --query SecretString "
            f"--output text | ecr-steward-credentials {reading.user_name} --seed{options}"
        )
    own = last or unclaimed
    cli = Cli(reading, own.key if reading.own_key and own else None)
    try:
        key, arn = cli.read_secret()
    except UnreadableSecretError as error:
        if last is None:
            _warn(unusable, "no key that was read before is at hand")
            raise _with_file_of_earlier_version(error, cache) from None
        return _bridge(error, last, cli, now)
    _unless_it_fails(lambda: cache.keep(key, now, arn=arn), unusable, needed=reading.own_key)
    if unclaimed is not None:
        cache.claim()
    _warn(unusable, "the key is not kept for an outage")
    return key


def put_in_place(reading: Reading, cache: Cache, key: AccessKey) -> None:
    """Keep the user's own first key; a key of another account, or of one that is not known, is not replaced.

    Raises
    ------
    CredentialsError
        Another key is in place, and nothing proves that it is of the same account.
    """
    try:
        last = cache.last()
    except CredentialsError:  # no key that could still be used
        last = None
    if last is not None and last.key.access_key_id != key.access_key_id:
        account = Cli(reading, key).account()
        if account is None or account != last.account:
            raise CredentialsError(
                f"{cache.path} holds the key {last.key.access_key_id} of {reading.user_name!r}, and nothing shows that "
                f"{key.access_key_id} is of the same account. To replace it, delete the file; to have both, name "
                "--region, or the ARN of each account's secret with --secret, here and in the profile."
            )
    cache.keep(key, SEEDED, arn=last.arn if last else None)


def _bridge(error: UnreadableSecretError, last: KeptKey, cli: Cli, now: datetime) -> AccessKey:
    """The key that was read last, if it is recent, and of the account that was asked now."""
    if not now - LONGEST_OUTAGE <= last.read_at <= now + VALIDITY:
        raise CredentialsError(f"{error} No key was read within the last day that could be used instead.") from None
    if not _is_of_the_account_asked(last, cli):
        raise CredentialsError(
            f"{error} The key that was read last is not used: nothing shows that it is of the account that was asked "
            "now; to be sure of it, name the secret by its ARN with --secret."
        ) from None
    print(f"{error} Using the key that was read on {last.read_at:%Y-%m-%d %H:%M} UTC.", file=sys.stderr)
    return last.key


def _is_of_the_account_asked(last: KeptKey, cli: Cli) -> bool:
    """Whether it is proven: by the request, by AWS, or where AWS does not answer, by settings that are the same."""
    if cli.reading.own_key or cli.reading.secret_id.startswith("arn:"):
        return True
    account = cli.account() if last.account else None
    return account == last.account if account else last.reader == _reader()


def _reader() -> str:
    """A digest of the settings that decide which identity the AWS CLI uses."""
    digest = hashlib.sha256()
    for name, value in sorted(os.environ.items()):
        if _READER_VARIABLES.fullmatch(name):
            digest.update(f"{name}={value}\0".encode("utf-8", "surrogateescape"))
    for variable, name in _CLI_FILES:
        try:
            digest.update(Path(os.environ.get(variable) or Path.home() / ".aws" / name).expanduser().read_bytes())
        except (OSError, RuntimeError, KeyError):  # none, or no home folder
            digest.update(b"none")
        digest.update(b"\0")
    return digest.hexdigest()[:16]


def _with_file_of_earlier_version(error: UnreadableSecretError, cache: Cache) -> CredentialsError:
    try:
        path = cache.of_earlier_version()
    except (CredentialsError, OSError):
        return error
    if path is None:
        return error
    return CredentialsError(
        f"{error} {path} is not used: an earlier version wrote it, without the account that its key is of. Delete it."
    )


def _unless_it_fails(act: Callable[[], Result], failures: list[str], *, needed: bool) -> Result | None:
    """What the cache says; where it fails and is not needed, the reason and nothing."""
    try:
        return act()
    except (CredentialsError, OSError) as error:
        if needed:
            raise
        failures.append(str(error))
        return None


def _warn(failures: list[str], consequence: str) -> None:
    """One line about what was not possible."""
    if failures:
        reasons = "; ".join(dict.fromkeys(failures)).rstrip(".")
        print(f"ecr-steward-credentials: warning: {reasons}. Because of that, {consequence}.", file=sys.stderr)


def secret_id(user_name: str) -> str:
    """The name of a user's secret: what secret names cannot hold is written as ``%`` would be, with ``=``."""
    return SECRET_PREFIX + re.sub(r"[^A-Za-z0-9/_+.@-]", lambda found: f"={ord(found[0]):02X}", user_name)


def main(arguments: list[str] | None = None) -> int:
    """Print the key, or say on the standard error stream why there is none."""
    options = _parser().parse_args(arguments)
    now = datetime.now(timezone.utc)
    reading = Reading(
        user_name=options.user,
        secret_id=options.secret or secret_id(options.user),
        region=options.region,
        profile=None if options.seed else options.profile,
        own_key=options.own_key or options.seed,
    )
    cache = Cache(reading, options.cache or _cache_folder())
    try:
        if options.seed:
            text = sys.stdin.buffer.read(LARGEST_FILE)
            put_in_place(reading, cache, AccessKey.read(text, options.user, "The standard input"))
            return 0
        _refuse_to_go_round(reading)
        key = current_key(reading, cache, now)
    except (CredentialsError, OSError) as error:
        print(f"ecr-steward-credentials: {error}", file=sys.stderr)
        return 1
    printed = key.document()
    del printed["UserName"]
    print(json.dumps({**printed, "Expiration": (now + VALIDITY).strftime("%Y-%m-%dT%H:%M:%SZ")}))
    return 0


def _readings_around() -> list[str]:
    return os.environ.get(_PATH_VARIABLE, "").split()


def _refuse_to_go_round(reading: Reading) -> None:
    if reading.digest() in _readings_around():
        raise CredentialsError(
            f"The secret of {reading.user_name!r} would be read with a profile that this very program serves, and that "
            "one through this reading again. Name another with --profile, or take --own-key."
        )


def _options(reading: Reading) -> str:
    """The options that name the same reading again."""
    named = reading.secret_id if reading.secret_id != secret_id(reading.user_name) else None
    options = (("--region", reading.region), ("--secret", named))
    return "".join(f" {option} {value}" for option, value in options if value)


def _read_private_file(path: Path) -> bytes | None:
    """The text of a file that others can neither read nor have written; ``None`` when there is none.

    Raises
    ------
    CredentialsError
        It is no file, too large, another user's, or others can read it.
    """
    if path.is_symlink():
        raise CredentialsError(f"{path} is a symbolic link, and not used; delete it.")
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(path, flags)
    except FileNotFoundError:
        return None
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise CredentialsError(f"{path} is no file; remove it.")
        text = file.read(LARGEST_FILE + 1)
    own = _own_id()
    if own is not None and status.st_uid != own:
        raise CredentialsError(
            f"{path} belongs to user {status.st_uid}, not to user {own}; name a folder of your own with --cache."
        )
    if own is not None and stat.S_IMODE(status.st_mode) & 0o077:
        raise CredentialsError(
            f"{path} can be read by others than {os.environ.get('USER') or f'user {own}'}: its key may be known. "
            "Delete the file, and have the key rotated with the reason `compromised`."
        )
    if len(text) > LARGEST_FILE:
        raise CredentialsError(f"{path} is too large for a key; delete it.")
    return text


def _own_id() -> int | None:
    """The user that files made now belong to; ``None`` on Windows, where the folder's access list decides."""
    return os.geteuid() if hasattr(os, "geteuid") and hasattr(os, "getuid") else None


def _is_of_another(path: Path) -> bool:
    own = _own_id()
    try:
        return own is not None and path.lstat().st_uid != own
    except FileNotFoundError:
        return False


def _make_private_folder(folder: Path) -> None:
    """Make a folder that only its owner can read, if it is not there: by its mode, on Windows by its access list."""
    if folder.is_dir():
        return
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if _own_id() is not None:
        return
    user = "\\".join(part for part in (os.environ.get("USERDOMAIN"), os.environ.get("USERNAME")) if part)
    restrict = ["icacls", str(folder), "/inheritance:r", "/grant:r", f"{user}:(OI)(CI)F"]
    try:
        subprocess.run(restrict, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        folder.rmdir()
        raise CredentialsError(f"{folder} cannot be restricted to {user or 'its owner'} with icacls.") from None


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
    parser.add_argument(
        "--cache", type=Path, help="folder (default: ecr-steward in %%LOCALAPPDATA%%, $XDG_CACHE_HOME or ~/.cache)"
    )
    parser.add_argument(
        "--seed", action="store_true", help="keep the key on the standard input, for --own-key with the same options"
    )
    return parser


def _cache_folder() -> Path | None:
    """Where keys are kept; ``None`` without a home folder. XDG ignores relative paths."""
    if _own_id() is None and os.environ.get("LOCALAPPDATA"):
        return Path(os.environ["LOCALAPPDATA"]) / "ecr-steward"
    named = os.environ.get("XDG_CACHE_HOME", "")
    try:
        return (Path(named) if Path(named).is_absolute() else Path.home() / ".cache") / "ecr-steward"
    except (RuntimeError, KeyError):  # Python 3.9 raises the second
        return None


if __name__ == "__main__":
    sys.exit(main())
