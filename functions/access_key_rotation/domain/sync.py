"""Targets of secret sync: where a user's current key is also written, for systems that cannot read Secrets Manager."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import Any, Literal, Self

from access_key_rotation.domain.names import SECRET_PREFIX, UserName

TOKENS = "steward/sync-tokens/"
"""How the names of the secrets begin that hold the tokens of targets."""
PLACE_OF_USER = "{user}"
"""Stands for the user's name in what a target names."""
_STEWARDS_OWN = ("steward/", SECRET_PREFIX)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")
_HTTPS = re.compile(r"https://[^/?#@\s]+[^?#@\s]*|http://(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?[^?#@\s]*")
_REPOSITORY = re.compile(r"[\w.-]{1,100}/[\w.{}-]{1,100}", re.ASCII)
_SECRET_ARN = re.compile(r"arn:aws[a-z-]*:secretsmanager:([a-z0-9-]+):\d{12}:secret:(.+)")
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[!-~]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A SecureString parameter of Systems Manager, which holds the key in the form of the user's secret."""

    name: str
    region: str = ""
    """Empty for the stack's own."""
    kms_key: str = ""
    """Empty for the account's key of Systems Manager."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"/?[\w./{}-]{1,1011}", self.name, re.ASCII) or self.name.lstrip("/").startswith(
            ("aws", "ssm")
        ):
            raise ValueError(f"{self.name!r} is no name of a parameter: letters, digits and _.-/, not /aws or /ssm")


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherSecret:
    """A secret of another name or account, which exists, and holds the key in the form of the user's secret."""

    secret: str
    """Its name, or its ARN where it is in another account."""
    region: str = ""
    role: str = ""
    """A role to take for it; empty for the function's own."""

    def __post_init__(self) -> None:
        found = _SECRET_ARN.fullmatch(self.secret)
        name = found[2] if found else self.secret
        if not re.fullmatch(r"[\w/+=.@{}-]{1,512}", name, re.ASCII):
            raise ValueError(f"{self.secret!r} is no name and no ARN of a secret")
        if name.startswith(_STEWARDS_OWN):
            raise ValueError(f"{self.secret!r} is one of the steward's own secrets, or is named like one")
        if self.role and not _ROLE_ARN.fullmatch(self.role):
            raise ValueError(f"{self.role!r} is no ARN of a role")
        if found and self.region not in {"", found[1]}:
            raise ValueError(f"the secret is in {found[1]}, and region says {self.region}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Variables:
    """The two variables that hold a key in a CI system, and the secret that holds the token to write them."""

    token_secret: str
    key_id_variable: str = "AWS_ACCESS_KEY_ID"
    secret_variable: str = "AWS_SECRET_ACCESS_KEY"  # noqa: S105 - a name
    api: str = ""

    def __post_init__(self) -> None:
        if not self.token_secret.startswith(TOKENS) or not re.fullmatch(r"[\w/+=.@-]{1,512}", self.token_secret):
            raise ValueError(f"token_secret names the secret that holds the token; its name begins with {TOKENS}")
        for name in (self.key_id_variable, self.secret_variable):
            if not _VARIABLE.fullmatch(name):
                raise ValueError(f"{name!r} is no name of a variable: letters, digits and _, no digit first")
        if self.key_id_variable.upper() == self.secret_variable.upper():
            raise ValueError("key_id_variable and secret_variable are the same")
        if self.api and not _HTTPS.fullmatch(self.api):
            raise ValueError(f"{self.api!r} is no https URL")


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHub(Variables):
    """Secrets of GitHub Actions: of a repository, of one of its environments, or of an organization."""

    repository: str = ""
    """OWNER/NAME."""
    environment: str = ""
    organization: str = ""
    visibility: Literal["all", "private", "selected"] = "private"
    """Which repositories of the organization read it."""
    repository_ids: tuple[int, ...] = ()
    api: str = "https://api.github.com"

    def __post_init__(self) -> None:
        Variables.__post_init__(self)
        if bool(self.repository) == bool(self.organization):
            raise ValueError("name either a repository or an organization")
        if self.repository and not _REPOSITORY.fullmatch(self.repository):
            raise ValueError(f"{self.repository!r} is no repository: write OWNER/NAME")
        if self.environment and not self.repository:
            raise ValueError("an environment is one of a repository: name that, too")
        if self.organization and not re.fullmatch(r"[\w.-]{1,100}", self.organization, re.ASCII):
            raise ValueError(f"{self.organization!r} is no name of an organization")
        if bool(self.repository_ids) != (self.visibility == "selected"):
            raise ValueError("repository_ids goes with visibility: selected, and with nothing else")
        for name in (self.key_id_variable, self.secret_variable):
            if name.upper().startswith("GITHUB_"):
                raise ValueError(f"{name}: GitHub refuses names that begin with GITHUB_")


@dataclass(frozen=True, slots=True, kw_only=True)
class GitLab(Variables):
    """Masked CI/CD variables of GitLab: of a project or of a group."""

    project: str = ""
    """Its number, or its path, such as group/project."""
    group: str = ""
    environment_scope: str = "*"
    protected: bool = True
    """Whether only protected branches and tags read them."""
    api: str = "https://gitlab.com/api/v4"

    def __post_init__(self) -> None:
        Variables.__post_init__(self)
        if bool(self.project) == bool(self.group):
            raise ValueError("name either a project or a group")
        if not re.fullmatch(r"[\w./{}-]{1,255}", self.project or self.group, re.ASCII):
            raise ValueError(f"{self.project or self.group!r} is no number and no path")


type Place = Parameter | OtherSecret | GitHub | GitLab


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One place where the key is written; exactly one of the four is set."""

    parameter: Parameter | None = None
    secret: OtherSecret | None = None
    github: GitHub | None = None
    gitlab: GitLab | None = None

    def __post_init__(self) -> None:
        if sum(getattr(self, kind.name) is not None for kind in fields(self)) != 1:
            raise ValueError("a target is one of parameter, secret, github and gitlab")

    @property
    def place(self) -> Place:
        """The one that is set."""
        places = (self.parameter, self.secret, self.github, self.gitlab)
        return next(place for place in places if place is not None)

    @property
    def name(self) -> str:
        """What people call it, and what it is recorded under: where it is, without what only describes it."""
        match self.place:
            case Parameter(name=name, region=region):
                return f"parameter:{name}{f'@{region}' if region else ''}"
            case OtherSecret(secret=name, region=region, role=role):
                account = f"@{role.split(':')[4]}" if role and not name.startswith("arn:") else ""
                return f"secret:{name}{account}{f'@{region}' if region else ''}"
            case GitHub() as at:
                where = at.organization or f"{at.repository}{f'/{at.environment}' if at.environment else ''}"
                return f"github:{where}:{at.secret_variable}"
            case GitLab() as at:
                scope = "" if at.environment_scope == "*" else f"/{at.environment_scope}"
                return f"gitlab:{at.project or at.group}{scope}:{at.secret_variable}"

    @property
    def fingerprint(self) -> str:
        """Changes when anything here does, so that a changed target is written again."""
        return sha256(repr(self).encode()).hexdigest()[:16]

    def of(self, user: UserName) -> Self:
        """The target of one user."""
        return replace(
            self,
            parameter=_filled(self.parameter, user),
            secret=_filled(self.secret, user),
            github=_filled(self.github, user),
            gitlab=_filled(self.gitlab, user),
        )


def _filled[P: (Parameter, OtherSecret, GitHub, GitLab)](place: P | None, user: UserName) -> P | None:
    """A place with the user's name where it stands for one."""
    if place is None:
        return None
    texts = {one.name: getattr(place, one.name) for one in fields(place)}
    named: dict[str, Any] = {
        name: text.replace(PLACE_OF_USER, user) for name, text in texts.items() if isinstance(text, str)
    }
    return replace(place, **named)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync:
    """The targets of the users with names that match the pattern ``match``; all rules that match count."""

    match: str
    targets: tuple[Target, ...]

    def __post_init__(self) -> None:
        if not self.targets:
            raise ValueError("targets is empty; leave the rule out")
        if any(wild in self.match for wild in "*?["):
            for target in self.targets:
                if PLACE_OF_USER not in target.name:
                    raise ValueError(
                        f"{target.name} is the same for every user that matches {self.match}: put {PLACE_OF_USER} into "
                        "it, or name one user"
                    )


def targets_of(rules: tuple[Sync, ...], user: UserName) -> tuple[Target, ...]:
    """The targets of one user, each once."""
    found = {
        target.of(user).name: target.of(user)
        for rule in rules
        if fnmatchcase(user, rule.match)
        for target in rule.targets
    }
    return tuple(found.values())


def named_twice(rules: tuple[Sync, ...]) -> Iterator[tuple[int, str]]:
    """The numbers of rules that name a target of an earlier one: two users would overwrite each other's key."""
    seen: dict[str, str] = {}
    for number, rule in enumerate(rules):
        for target in rule.targets:
            if seen.setdefault(target.name, rule.match) != rule.match:
                yield number, target.name
        if len({target.name for target in rule.targets}) != len(rule.targets):
            yield number, "a target"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a target has not confirmed the key: since when, when it was tried and published last."""

    reason: str
    since: datetime
    published_at: datetime | None = None
    tried_at: datetime | None = None
    """None in a record of an earlier version."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What is recorded of one target. Without a key id, a write may be under way: what it holds is unknown."""

    key_id: str = ""
    fingerprint: str = ""
    at: datetime | None = None
    failure: Failure | None = None

    def holds(self, key_id: str, target: Target) -> bool:
        """Whether this target, as the settings describe it now, confirmed this key last."""
        return bool(key_id) and self.key_id == key_id and self.fingerprint == target.fingerprint


@dataclass(frozen=True, slots=True)
class SyncRecord:
    """The confirmations of a user's targets, by name."""

    targets: Mapping[str, Confirmation] = field(default_factory=dict)

    def noting(self, target: Target, confirmation: Confirmation) -> Self:
        """The same with another confirmation of one target."""
        return replace(self, targets={**self.targets, target.name: confirmation})

    def late(self, targets: tuple[Target, ...], key_id: str) -> tuple[Target, ...]:
        """The targets that have not confirmed this key."""
        return tuple(
            target for target in targets if not self.targets.get(target.name, Confirmation()).holds(key_id, target)
        )
