"""An AWS account with service users: IAM, Secrets Manager, STS, ECR and CloudTrail, as far as rotation sees them."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from access_key_rotation.application.ports import (
    EcrLoginDeniedError,
    Identity,
    KeyNotFoundError,
    KeySlotsFullError,
    LabelMovedError,
    NotAuthenticatedError,
    VersionTakenError,
)
from access_key_rotation.domain.credential import Credential
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.state import AccessKey, Content, Label, LastUse, Restriction, Secret, Standing, User
from steward.errors import AccessDeniedError, ConflictError, NotFoundError, ThrottledError

ACCOUNT = "123456789012"
OUR_ROLE = f"arn:aws:iam::{ACCOUNT}:role/ecr-steward-RotationWorkerRole-1A2B3C4D5E6F"
OUR_ROLES = (OUR_ROLE,)
QUARANTINE = "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3"
LISTED_AFTER = timedelta(seconds=3)


@dataclass
class StoredUser:
    user: User
    standing: Standing = field(default_factory=lambda: Standing(has_password=False, has_mfa=False))
    keys: dict[str, AccessKey] = field(default_factory=dict)


@dataclass
class StoredSecret:
    arn: str
    owner: str | None
    versions: dict[str, Credential | Content]
    labels: dict[Label, str]
    deleted: bool = False
    replicas: dict[str, bool] = field(default_factory=dict)
    rotation: tuple[str, int] | None = None
    rotates_by: datetime | None = None
    readers: tuple[str, ...] = ()
    editors: tuple[str, ...] = ()
    other_policy: str = ""


class InMemoryServiceAccount:
    """The account itself: what is in it, what people and consumers do in it, and what it remembers."""

    def __init__(self, clock, *, propagation=timedelta(seconds=8), stack="ecr-steward", granularity=timedelta()):
        self.clock = clock
        self.stack = stack
        self.propagation = propagation
        self.granularity = granularity
        self.listed_after = LISTED_AFTER
        self.users: dict[str, StoredUser] = {}
        self.secrets: dict[str, StoredSecret] = {}
        self.used: dict[str, list[tuple[datetime, str]]] = {}
        self.made_by_us: set[str] = set()
        self.authenticated: list[tuple[datetime, str, str]] = []
        self.refused: list[tuple[datetime, str, str]] = []
        self.aws_quarantines: set[str] = set()
        """Users to which AWS attached its quarantine policy, which denies the login to ECR."""
        self.unreadable_standing = False
        """Whether IAM throttles every reading of the account's policies."""
        self.stuck: set[str] = set()
        """Keys whose every change IAM throttles."""
        self._numbers = iter(range(1, 10_000))
        self._seen_once: set[tuple[str, str]] = set()

    def add_user(self, name="ecr-push", *, path="/service/", tags=None, standing=None):
        name, number = UserName(name), next(self._numbers)
        arn = f"arn:aws:iam::{ACCOUNT}:user{path}{name}"
        tags = {"steward:rotate": "true"} if tags is None else tags
        stored = StoredUser(User(name, f"AIDA{number:016d}", arn, path, tags))
        stored.standing = standing or stored.standing
        self.users[name] = stored
        return name

    def recreate_user(self, name):
        self.add_user(name)

    def make_key(self, name, *, ours=False, active=True):
        key = AccessKey(f"AKIA{next(self._numbers):016d}", active=active, created=self.clock.now())
        self.users[name].keys[key.id] = key
        if ours:
            self.made_by_us.add(key.id)
        return key

    def put_value(self, name, key_id, version=None):
        """What a person's PutSecretValue does: AWSCURRENT moves at once."""
        secret = self.secrets[name]
        version = version or f"by-hand-{next(self._numbers)}"
        secret.versions[version] = self._credential(name, key_id)
        secret.labels[Label.PREVIOUS] = secret.labels[Label.CURRENT]
        secret.labels[Label.CURRENT] = version

    def begin_rotation(self, name, token):
        """What RotateSecret does before it calls the function: an empty version that waits."""
        secret = self.secrets[name]
        secret.versions.setdefault(token, Content.NOTHING)
        secret.labels[Label.PENDING] = token

    def current_key(self, name):
        """What a consumer reads; None where there is nothing to read."""
        secret = self.secrets.get(name)
        value = secret.versions.get(secret.labels.get(Label.CURRENT)) if secret and not secret.deleted else None
        return value.access_key_id if isinstance(value, Credential) else None

    def use(self, name, key_id, service="ecr"):
        """A consumer's call; whether AWS took the key."""
        works = self._works(name, key_id, "home")
        if works:
            self.used.setdefault(key_id, []).append((self.clock.now(), service))
        return works

    def _works(self, name, key_id, region):
        key = self.users[name].keys.get(key_id) if name in self.users else None
        if key is None or not key.active:
            return False
        age = self.clock.now() - key.created
        delay = self.propagation * (1 if region == "home" else 1.5)
        if age < delay and age > timedelta(0) and (key_id, region) not in self._seen_once:
            self._seen_once.add((key_id, region))  # IAM propagates in no fixed order: one early success, then refusals
            return True
        return age >= delay

    def _credential(self, name, key_id):
        created = self.users[name].keys[key_id].created if key_id in self.users[name].keys else self.clock.now()
        return Credential(UserName(name), key_id, material(key_id), created)


def material(key_id):
    """The secret of a key, easily found wherever it should not be."""
    return f"SECRET+MATERIAL+OF+{key_id}"


class InMemoryUsers:
    """IAM of the account."""

    def __init__(self, account):
        self._account = account

    def find(self, name):
        stored = self._account.users.get(name)
        return stored.user if stored else None

    def keys(self, name):
        """IAM takes a while to list a key that it has made."""
        if name not in self._account.users:
            return ()
        listed = self._account.clock.now() - self._account.listed_after
        return tuple(key for key in self._account.users[name].keys.values() if key.created <= listed)

    def last_use(self, key_id):
        uses = self._account.used.get(key_id, [])
        return LastUse(*uses[-1]) if uses else LastUse(None)

    def quarantine(self, name):
        return QUARANTINE if name in self._account.aws_quarantines else ""

    def standing(self, user):
        if self._account.unreadable_standing:
            raise ThrottledError("the account is unreadable: rate exceeded", code="Throttling")
        return self._account.users[user.name].standing

    def create_key(self, name):
        self._authorize(name)
        if len(self._account.users[name].keys) >= 2:
            raise KeySlotsFullError(f"{name} has two keys", code="LimitExceeded")
        key = self._account.make_key(name, ours=True)
        return self._account._credential(name, key.id)

    def deactivate_key(self, name, key_id):
        self._set(name, key_id, active=False)

    def reactivate_key(self, name, key_id):
        self._set(name, key_id, active=True)

    def _set(self, name, key_id, *, active):
        self._authorize(name, needs_tag=active)
        keys = self._account.users[name].keys
        if key_id not in keys:
            raise KeyNotFoundError(f"{name} has no key {key_id}", code="NoSuchEntity")
        if key_id in self._account.stuck:
            raise ThrottledError("rate exceeded", code="Throttling")
        keys[key_id] = replace(keys[key_id], active=active)

    def delete_key(self, name, key_id):
        self._authorize(name)
        self._account.users[name].keys.pop(key_id, None)

    def _authorize(self, name, *, needs_tag=True):
        """Our roles may change keys of users on the path that carry the tag; the path suffices to deactivate one."""
        stored = self._account.users.get(name)
        is_tagged = stored is not None and stored.user.tags.get("steward:rotate") == "true"
        if stored is None or not stored.user.path.startswith("/service/") or (needs_tag and not is_tagged):
            raise AccessDeniedError(f"not authorized on the user {name}", code="AccessDenied")


class InMemoryEnrolments:
    """The tag of the account's users."""

    def __init__(self, account):
        self._account = account

    def enrol(self, name):
        self._tag(name, {"steward:rotate": "true"})

    def withdraw(self, name):
        self._tag(name, {})

    def _tag(self, name, tag):
        if name not in self._account.users:
            raise NotFoundError(f"there is no user {name}", code="NoSuchEntity")
        stored = self._account.users[name]
        others = {key: value for key, value in stored.user.tags.items() if key != "steward:rotate"}
        stored.user = replace(stored.user, tags=others | tag)


class InMemoryVault:
    """Secrets Manager of the account."""

    def __init__(self, account):
        self._account = account

    def find(self, user):
        secret = self._account.secrets.get(user)
        if secret is None:
            return None
        function = secret.rotation[0] if secret.rotation else None
        seen = dict(secret.labels), dict(secret.replicas)
        return Secret(secret.arn, secret.owner, secret.deleted, *seen, function, secret.rotates_by)

    def read(self, user, version):
        secret = self._secret(user)
        if secret.readers and not any(fnmatchcase(OUR_ROLE, reader) for reader in secret.readers):
            raise AccessDeniedError(f"a resource policy denies the secret of {user}", code="AccessDeniedException")
        return secret.versions[version]

    def create(self, user):
        if user not in self._account.secrets:
            arn = f"arn:aws:secretsmanager:ca-central-1:{ACCOUNT}:secret:{user.secret_name}-AbCdEf"
            versions, labels = {"placeholder": Content.PLACEHOLDER}, {Label.CURRENT: "placeholder"}
            self._account.secrets[user] = StoredSecret(arn, self._account.stack, versions, labels)
        return self.find(user)

    def restriction(self, user):
        secret = self._account.secrets.get(user)
        return Restriction(secret.readers, secret.editors, secret.other_policy) if secret else Restriction()

    def restrict_readers(self, user, wanted):
        secret = self._secret(user)
        secret.readers, secret.editors, secret.other_policy = wanted.readers, wanted.editors, ""

    def replicate(self, user, regions):
        replicas = self._secret(user).replicas
        for region in regions:
            replicas.setdefault(region, False)

    def register(self, user, function, days):
        secret = self._secret(user)
        pending = secret.labels.get(Label.PENDING)
        if pending not in {None, secret.labels[Label.CURRENT]}:
            raise ConflictError("a rotation is not complete", code="InvalidRequestException")
        secret.rotation = function, days
        secret.rotates_by = self._account.clock.now() + timedelta(days=days)

    def give_up(self, user):
        secret = self._account.secrets.get(user)
        if secret is not None:
            secret.owner, secret.rotation = None, None

    def stage(self, version, credential):
        secret = self._secret(credential.user)
        if secret.versions.get(version, Content.NOTHING) not in (Content.NOTHING, credential):
            raise VersionTakenError(f"{version} has another value", code="ResourceExistsException")
        secret.versions[version] = credential
        secret.labels[Label.PENDING] = version

    def promote(self, user, version, *, expected):
        secret = self._secret(user)
        if secret.labels.get(Label.CURRENT) != expected:
            raise LabelMovedError("AWSCURRENT is elsewhere", code="InvalidParameterException")
        secret.labels[Label.PREVIOUS] = expected
        secret.labels[Label.CURRENT] = version

    def drop_pending(self, user, version):
        secret = self._secret(user)
        if secret.labels.get(Label.PENDING) != version:
            raise LabelMovedError("AWSPENDING is elsewhere", code="InvalidParameterException")
        del secret.labels[Label.PENDING]

    def _secret(self, user):
        secret = self._account.secrets[user]
        if secret.deleted:
            raise ConflictError("the secret is scheduled for deletion", code="InvalidRequestException")
        return secret


class InMemoryAuthenticator:
    """STS and ECR of the account."""

    def __init__(self, account):
        self._account = account

    def identify(self, credential, region):
        self._try(credential, region, "sts")
        user = self._account.users[credential.user].user
        return Identity(user.user_id, user.arn)

    def log_in_to_ecr(self, credential, region):
        if credential.user in self._account.aws_quarantines:
            raise EcrLoginDeniedError(f"{credential.user} is quarantined", code="AccessDeniedException")
        self._try(credential, region, "ecr")

    def _try(self, credential, region, service):
        account, key_id = self._account, credential.access_key_id
        if not account._works(credential.user, key_id, region):
            account.refused.append((account.clock.now(), key_id, region))
            raise NotAuthenticatedError(f"AWS refuses the key {key_id}", code="InvalidClientTokenId")
        account.used.setdefault(key_id, []).append((account.clock.now(), service))
        if service == "sts":
            account.authenticated.append((account.clock.now(), key_id, region))


class InMemoryTrail:
    """CloudTrail of the account, which knows at once."""

    def __init__(self, account):
        self._account = account

    def made_by_us(self, key_id, _created):
        return key_id in self._account.made_by_us
