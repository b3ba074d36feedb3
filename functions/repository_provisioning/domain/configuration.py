"""What one repository should look like, and how what is there differs from it."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal, Self

from repository_provisioning.domain.house_rules import KmsEncryption, Lifecycle, Pull, RepositoryRule
from repository_provisioning.domain.names import RepositoryName

_ACCOUNT_ROOT = re.compile(r"arn:[^:]+:iam::(?P<account>\d{12}):root")

PULL_BY_ACCOUNTS, PULL_BY_ORGANIZATIONS = "PullByAccounts", "PullByOrganizations"
"""The Sids of our statements in a repository policy; every other statement is somebody else's."""

PULL_ACTIONS = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")

type TagMutability = Literal["MUTABLE", "IMMUTABLE", "MUTABLE_WITH_EXCLUSION", "IMMUTABLE_WITH_EXCLUSION"]
type Encryption = Literal["AES256", "KMS", "KMS_DSSE"]


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository as DescribeRepositories shows it."""

    name: str
    arn: str
    uri: str
    registry_id: str
    created_at: datetime
    tag_mutability: str
    mutable_tags: tuple[str, ...] = ()
    encryption: str = "AES256"
    kms_key: str | None = None


@dataclass(frozen=True, slots=True)
class Details:
    """What DescribeRepositories does not show, each for a call of its own."""

    tags: dict[str, str]
    lifecycle_policy: str | None
    repository_policy: str | None


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting that is not as the rules say; documents are given as JSON text."""

    setting: str
    expected: Any
    actual: Any


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything that the house rules decide about one repository, in ECR's own terms.

    ``lifecycle_policy`` and ``repository_policy`` are JSON texts, None where the rules ask for none.
    """

    tag_mutability: TagMutability
    mutable_tags: tuple[str, ...]
    encryption: Encryption
    kms_key: str | None
    lifecycle_policy: str | None
    repository_policy: str | None
    tags: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, name: RepositoryName, rule: RepositoryRule) -> Self:
        """What ``rule`` means for ``name``."""
        encryption = rule.encryption
        return cls(
            tag_mutability="IMMUTABLE_WITH_EXCLUSION" if rule.mutable_tags else rule.tag_mutability,
            mutable_tags=rule.mutable_tags,
            encryption="KMS" if isinstance(encryption, KmsEncryption) else "AES256",
            kms_key=encryption.kms_key if isinstance(encryption, KmsEncryption) else None,
            lifecycle_policy=_lifecycle_policy(rule.lifecycle),
            repository_policy=_repository_policy(rule.pull),
            tags={key: name.filled_into(value) for key, value in rule.tags.items()},
        )

    @property
    def fingerprint(self) -> str:
        """A hash that changes when, and only when, the configuration does."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def repository_policy_beside(self, there: str | None) -> str | None:
        """The repository policy to put, with the statements of others as they stand in the one that is there.

        Lambda, for instance, adds a statement by itself when it takes a repository's image:
        https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#gettingstarted-images-permissions
        """
        if self.repository_policy is None or there is None:
            return self.repository_policy
        policy = json.loads(there)
        others = [statement for statement in _statements(policy) if not _is_ours(statement)]
        return json.dumps({**policy, "Statement": [*others, *_statements(json.loads(self.repository_policy))]})

    def encryption_differs(self, found: Repository) -> bool:
        """Whether the one setting that ECR fixes at creation is otherwise than the rules say."""
        return (found.encryption, found.kms_key if self.kms_key else None) != (self.encryption, self.kms_key)

    def differences(self, found: Repository, details: Details | None = None) -> list[Difference]:
        """What is otherwise than the rules say, as far as ``found`` and ``details`` show it."""
        return [d for d in self._compared(found, details) if d.expected != d.actual]

    def _compared(self, found: Repository, details: Details | None) -> Iterator[Difference]:
        yield Difference("tag_mutability", self.tag_mutability, found.tag_mutability)
        yield Difference("mutable_tags", sorted(self.mutable_tags), sorted(found.mutable_tags))
        if self.encryption_differs(found):
            yield Difference("encryption", self.kms_key or self.encryption, found.kms_key or found.encryption)
        if details is None:
            return
        kept = {key: details.tags.get(key) for key in self.tags}
        yield Difference("tags", self.tags, kept)
        for setting, wanted, there in (
            ("lifecycle", self.lifecycle_policy, details.lifecycle_policy),
            ("pull", self.repository_policy, our_statements(details.repository_policy)),
        ):
            if _normal(wanted) != _normal(there):
                yield Difference(setting, wanted, there)


def _lifecycle_policy(lifecycle: Lifecycle | None) -> str | None:
    return lifecycle.text() if lifecycle else None


def our_statements(policy: str | None) -> str | None:
    """What a repository policy says in statements of ours, as a policy; None where it has none."""
    document = json.loads(policy) if policy else {}
    ours = [statement for statement in _statements(document) if _is_ours(statement)]
    return json.dumps({"Version": "2012-10-17", "Statement": ours}) if ours else None


def _statements(policy: dict[str, Any]) -> list[dict[str, Any]]:
    """The statements; a single one may stand without a list."""
    statements = policy.get("Statement", [])
    return [statements] if isinstance(statements, dict) else statements


def _is_ours(statement: dict[str, Any]) -> bool:
    return statement.get("Sid") in {PULL_BY_ACCOUNTS, PULL_BY_ORGANIZATIONS}


def _repository_policy(pull: Pull) -> str | None:
    """The resource policy that lets other accounts and organizations pull.

    Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policy-examples.html
    """
    statements: list[dict[str, Any]] = []
    if pull.accounts:
        statements.append({"Sid": PULL_BY_ACCOUNTS, "Principal": {"AWS": list(pull.accounts)}})
    if pull.organizations:
        condition = {"StringEquals": {"aws:PrincipalOrgID": list(pull.organizations)}}
        statements.append({"Sid": PULL_BY_ORGANIZATIONS, "Principal": "*", "Condition": condition})
    if not statements:
        return None
    allow = {"Effect": "Allow", "Action": list(PULL_ACTIONS)}
    return json.dumps({"Version": "2012-10-17", "Statement": [{**s, **allow} for s in statements]})


def _normal(document: str | None) -> object:
    """A document without what ECR is free to change: order of list items, one-element lists, spelling of accounts."""
    return None if document is None else _unordered(json.loads(document))


def _unordered(value: Any) -> object:  # any JSON value
    if isinstance(value, dict):
        return tuple(sorted((key, _unordered(item)) for key, item in value.items()))
    if isinstance(value, list):
        return (
            _unordered(value[0]) if len(value) == 1 else tuple(sorted((_unordered(item) for item in value), key=repr))
        )
    root = _ACCOUNT_ROOT.fullmatch(value) if isinstance(value, str) else None
    return root["account"] if root else value
