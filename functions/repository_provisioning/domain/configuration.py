"""What one repository should look like, and how what is there differs from it."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal, Self

from repository_provisioning.domain.house_rules import MAX_TAG_VALUE, KmsEncryption, Lifecycle, Pull, RepositoryRule
from repository_provisioning.domain.names import RepositoryName
from steward.errors import RuleViolationError

_ACCOUNT_ROOT = re.compile(r"arn:[^:]+:iam::(?P<account>\d{12}):root")

PULL_BY_ACCOUNTS, PULL_BY_ORGANIZATIONS = "PullByAccounts", "PullByOrganizations"
PULL_BY_PRINCIPALS, PULL_BY_FUNCTIONS = "PullByPrincipals", "PullByFunctions"
"""The Sids of our statements in a repository policy; every other statement is somebody else's."""

_OUR_SIDS = frozenset({PULL_BY_ACCOUNTS, PULL_BY_ORGANIZATIONS, PULL_BY_PRINCIPALS, PULL_BY_FUNCTIONS})

STACK_TAG = "steward:stack"
OUR_TAGS = (STACK_TAG, "steward:requested-by", "steward:rule", "steward:created-at")
"""The tags that every repository of ours has beside those of the rule and the caller."""
MAX_TAGS = 50  # https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-using-tags.html#tag-restrictions

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
    immutable_tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Details:
    """What DescribeRepositories does not show, each for a call of its own."""

    tags: dict[str, str]
    lifecycle_policy: str | None
    repository_policy: str | None

    @property
    def are_readable(self) -> bool:
        """Whether the policies have the shape that comparisons rest on."""
        try:
            _by_priority(self.lifecycle_policy)
            statements = _statements(json.loads(self.repository_policy or "{}"))
            return all(isinstance(statement, dict) for statement in statements)
        except (ValueError, KeyError, TypeError, AttributeError):
            return False


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
    immutable_tags: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: RepositoryName, rule: RepositoryRule) -> Self:
        """What ``rule`` means for ``name``."""
        encryption = rule.encryption
        return cls(
            tag_mutability=_mutability(rule),
            mutable_tags=rule.mutable_tags,
            immutable_tags=rule.immutable_tags,
            encryption="KMS" if isinstance(encryption, KmsEncryption) else "AES256",
            kms_key=encryption.kms_key if isinstance(encryption, KmsEncryption) else None,
            lifecycle_policy=_lifecycle_policy(rule.lifecycle),
            repository_policy=_repository_policy(rule.pull),
            tags={key: name.filled_into(value) for key, value in rule.tags.items()},
        )

    @property
    def fingerprint(self) -> str:
        """A hash that changes when, and only when, the configuration does; a version that knows more keeps it."""
        settings = asdict(self)
        if not self.immutable_tags:
            del settings["immutable_tags"]
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()

    @property
    def exclusions(self) -> tuple[str, ...]:
        """The tags that are otherwise than ``tag_mutability`` says, as ECR takes them."""
        return self.mutable_tags or self.immutable_tags

    def refuse_tags_beyond_limits(self) -> None:
        """Raise RuleViolationError if ECR would refuse a tag, for what a name makes of its value."""
        for key, value in self.tags.items():
            if len(value) > MAX_TAG_VALUE:
                raise RuleViolationError(
                    f"the rule's tag {key!r} would have {len(value)} characters for this name; "
                    f"ECR accepts {MAX_TAG_VALUE}: use a shorter name, or ask for a shorter tag in the rule"
                )

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

    def differences(
        self, found: Repository, details: Details | None = None, cleared_tags: Mapping[str, str] | None = None
    ) -> list[Difference]:
        """What is otherwise than the rules say, as far as ``found`` and ``details`` show it.

        Parameters
        ----------
        cleared_tags
            Tags of overrides that are permitted no more: they are to go where they still have this value.
        """
        return [d for d in self._compared(found, details, cleared_tags or {}) if d.expected != d.actual]

    def tags_to_remove(self, there: Mapping[str, str], cleared: Mapping[str, str]) -> list[str]:
        """Tags of overrides that are not permitted any more and still have the value that was given."""
        return sorted(key for key, value in cleared.items() if key not in self.tags and there.get(key) == value)

    def changes(
        self, found: Repository, details: Details, cleared: Mapping[str, Any] | None = None
    ) -> list[Difference]:
        """The differences that putting this configuration ends: neither the encryption, nor what no rule asks for.

        Parameters
        ----------
        cleared
            Settings that an earlier call overrode and nothing overrides any more, with what it gave: they go.
        """
        gone = cleared or {}
        silent = {
            setting
            for setting, wanted in (("lifecycle", self.lifecycle_policy), ("pull", self.repository_policy))
            if wanted is None and setting not in gone
        }
        differences = self.differences(found, details, gone.get("tags"))
        return [each for each in differences if each.setting not in silent | {"encryption"}]

    def _compared(
        self, found: Repository, details: Details | None, cleared_tags: Mapping[str, str]
    ) -> Iterator[Difference]:
        yield Difference("tag_mutability", self.tag_mutability, found.tag_mutability)
        yield Difference("mutable_tags", sorted(self.mutable_tags), sorted(found.mutable_tags))
        yield Difference("immutable_tags", sorted(self.immutable_tags), sorted(found.immutable_tags))
        if self.encryption_differs(found):
            yield Difference("encryption", self.kms_key or self.encryption, found.kms_key or found.encryption)
        if details is None:
            return
        to_remove = self.tags_to_remove(details.tags, cleared_tags)
        expected = {**self.tags, **dict.fromkeys(to_remove)}
        yield Difference("tags", expected, {key: details.tags.get(key) for key in expected})
        for setting, wanted, there in (
            ("lifecycle", self.lifecycle_policy, details.lifecycle_policy),
            ("pull", self.repository_policy, our_statements(details.repository_policy)),
        ):
            if _normal(wanted) != _normal(there):
                yield Difference(setting, wanted, there)


def _mutability(rule: RepositoryRule) -> TagMutability:
    if rule.mutable_tags:
        return "IMMUTABLE_WITH_EXCLUSION"
    return "MUTABLE_WITH_EXCLUSION" if rule.immutable_tags else rule.tag_mutability


def others_statements(policy: str) -> str | None:
    """A repository policy without our statements; None where nothing is left."""
    document = json.loads(policy)
    others = [statement for statement in _statements(document) if not _is_ours(statement)]
    return json.dumps({**document, "Statement": others}) if others else None


def may_shorten(before: str | None, after: str | None) -> bool:
    """Whether a lifecycle policy may expire or archive an image sooner than the one before it.

    A rule protects what it selects from the rules below it, so only one change is known to keep at least as much: the
    same selections in the same order, each with the same number or a higher one, the last ones left out or not.
    """
    old, new = _by_priority(before), _by_priority(after)
    return len(new) > len(old) or any(
        wanted["action"] != there["action"]
        or _without_number(wanted) != _without_number(there)
        or wanted["selection"]["countNumber"] < there["selection"]["countNumber"]
        for there, wanted in zip(old, new, strict=False)
    )


def _by_priority(policy: str | None) -> list[dict[str, Any]]:
    rules = json.loads(policy)["rules"] if policy else []
    return sorted(rules, key=lambda rule: (int(rule["rulePriority"]), rule["action"]["type"], _number(rule)))


def _number(rule: dict[str, Any]) -> int:
    return int(rule["selection"]["countNumber"])


def _without_number(rule: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in rule["selection"].items() if key != "countNumber"}


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
    return statement.get("Sid") in _OUR_SIDS


def _repository_policy(pull: Pull) -> str | None:
    """The resource policy that lets readers pull.

    Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policy-examples.html
    """
    statements: list[dict[str, Any]] = []
    if pull.accounts:
        statements.append({"Sid": PULL_BY_ACCOUNTS, "Principal": {"AWS": list(pull.accounts)}})
    if pull.organizations:
        condition = {"StringEquals": {"aws:PrincipalOrgID": list(pull.organizations)}}
        statements.append({"Sid": PULL_BY_ORGANIZATIONS, "Principal": "*", "Condition": condition})
    if pull.principals:
        statements.append({"Sid": PULL_BY_PRINCIPALS, "Principal": {"AWS": list(pull.principals)}})
    if pull.functions:
        # https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#configuration-images-xaccount-permissions
        sources = [f"arn:*:lambda:*:{account}:function:*" for account in pull.functions]
        condition = {"StringLike": {"aws:SourceArn": sources}}
        service = {"Service": "lambda.amazonaws.com"}
        statements.append({"Sid": PULL_BY_FUNCTIONS, "Principal": service, "Condition": condition})
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
