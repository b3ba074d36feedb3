"""The house rules: who may create which repositories, and what a repository looks like."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, ClassVar, Literal, Self

from repository_provisioning.domain import lifecycle_documents
from repository_provisioning.domain.names import PLACEHOLDER, NamePattern, RepositoryName
from steward.errors import NotAllowedError, RuleViolationError, ValidationError
from steward.principals import Principal, PrincipalPattern

SETTINGS_FILE = "house_rules.yaml"
"""The shipped file, and that of an operator that is merged over it."""
RESERVED_TAG_PREFIX = "steward:"
MIN_DAYS_IN_ARCHIVE = 90  # https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_examples.html
MAX_RULE_NAME = 64
MAX_OWN_TAGS = 46
"""Of a rule: ECR accepts 50, and the steward sets four."""

_KMS_KEY = re.compile(r"arn:[\w-]+:kms:[\w-]+:\d{12}:key/[\w-]+")
_ACCOUNT = re.compile(r"\d{12}")
_PRINCIPAL = re.compile(r"arn:[\w-]+:iam::\d{12}:(role|user)/[\w+=,.@/-]+")
_ORGANIZATION = re.compile(r"o-[a-z0-9]{10,32}")
_TAG_TEXT = re.compile(r"[\w\s+\-=.:/@]*")
_TAG_FILTER = re.compile(r"[A-Za-z0-9._*-]{1,128}")
MAX_TAG_FILTERS, MAX_TAG_FILTER_WILDCARDS, MAX_TAG_KEY, MAX_TAG_VALUE = 5, 2, 128, 256


class Setting(StrEnum):
    """What a caller may be permitted to override."""

    TAG_MUTABILITY = "tag_mutability"
    MUTABLE_TAGS = "mutable_tags"
    IMMUTABLE_TAGS = "immutable_tags"
    ENCRYPTION = "encryption"
    LIFECYCLE = "lifecycle"
    PULL = "pull"
    TAGS = "tags"


@dataclass(frozen=True, slots=True)
class KmsEncryption:
    """Encryption with a customer-managed key, named by its ARN: an alias could not be compared with what ECR shows."""

    kms_key: str

    def __post_init__(self) -> None:
        if not _KMS_KEY.fullmatch(self.kms_key):
            raise ValueError(
                f"{self.kms_key!r} is not the ARN of a KMS key, such as arn:aws:kms:<region>:<account>:key/<id>"
            )


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """When ECR expires and archives images: by short forms, or by a policy document's rules.

    Parameters
    ----------
    untagged_after_days
        Untagged images expire so many days after they were pushed.
    keep_last
        Older images expire beyond this number; those in the archive do not count.
    archive_unpulled_after_days
        Images go to the archive when nobody pulled them for so many days.
    delete_archived_after_days
        Images expire so many days after they went to the archive, 90 at least: ECR keeps and bills them for as long.
    rules
        The rules of a lifecycle policy document, instead of the short forms.
    """

    untagged_after_days: int | None = None
    keep_last: int | None = None
    archive_unpulled_after_days: int | None = None
    delete_archived_after_days: int | None = None
    rules: tuple[dict[str, Any], ...] | None = None

    def __post_init__(self) -> None:
        short = {
            f.name: value for f in fields(self) if f.name != "rules" and (value := getattr(self, f.name)) is not None
        }
        if bool(short) == (self.rules is not None):
            names = ", ".join(f.name for f in fields(self) if f.name != "rules")
            raise ValueError(f"write one or more of {names}, or the rules of a lifecycle policy document")
        for name, number in short.items():
            least = MIN_DAYS_IN_ARCHIVE if name == "delete_archived_after_days" else 1
            if number < least:
                raise ValidationError(f"must be at least {least}", (name,))
            if number > lifecycle_documents.MAX_NUMBER:
                raise ValidationError(f"must be at most {lifecycle_documents.MAX_NUMBER}", (name,))
        if self.keep_last is not None and self.archive_unpulled_after_days is not None:
            raise ValidationError(
                "goes with keep_last in a document's rules only: both are for any image, and ECR takes one such rule",
                ("archive_unpulled_after_days",),
            )
        for problem in lifecycle_documents.problems(self.document()):
            raise ValidationError(problem.what, problem.place)
        if len(self.text()) > lifecycle_documents.MAX_CHARACTERS:
            raise ValidationError(
                f"ECR takes at most {lifecycle_documents.MAX_CHARACTERS} characters; these are {len(self.text())}",
                ("rules",),
            )

    def document(self) -> dict[str, Any]:
        """ECR's lifecycle policy document. A rule for any tag status must have the highest number of its class."""
        return {"rules": list(self.rules or self._short_forms())}

    def text(self) -> str:
        """The document as it is sent: indented, because ECR refuses a text of fewer than 100 characters."""
        return json.dumps(self.document(), indent=1)

    def _short_forms(self) -> Iterator[dict[str, Any]]:
        if (days := self.untagged_after_days) is not None:
            yield _rule(1, f"Expire images that have had no tag for {days} days", "untagged", "sinceImagePushed", days)
        if (last := self.keep_last) is not None:
            yield _rule(2, f"Keep the last {last} images", "any", "imageCountMoreThan", last)
        if (days := self.archive_unpulled_after_days) is not None:
            archived = _rule(3, f"Archive images not pulled for {days} days", "any", "sinceImagePulled", days)
            yield {**archived, "action": {"type": "transition", "targetStorageClass": "archive"}}
        if (days := self.delete_archived_after_days) is not None:
            deleted = _rule(4, f"Delete images archived for {days} days", "any", "sinceImageTransitioned", days)
            deleted["selection"]["storageClass"] = "archive"
            yield deleted


@dataclass(frozen=True, slots=True)
class LifecycleFloor:
    """What callers' own lifecycles must keep at least; the rule's lifecycle is the operator's own decision.

    Parameters
    ----------
    days
        Images expire or go to the archive after so many days at the earliest; None: no caller may count days.
    images
        So many images stay at least; None: no caller may count images.
    """

    days: int | None = None
    images: int | None = None

    def __post_init__(self) -> None:
        if self.days is None and self.images is None:
            raise ValueError("write days, images or both; leave lifecycle out of may_override to permit none")
        if min(number for number in (self.days, self.images) if number is not None) < 1:
            raise ValueError("days and images are 1 or more")

    def refuse_below(self, lifecycle: Lifecycle) -> None:
        """Raise RuleViolationError if a rule of the lifecycle keeps less."""
        for index, rule in enumerate(lifecycle.document()["rules"]):
            count = rule["selection"]
            what, least = ("images", self.images) if count["countType"] == "imageCountMoreThan" else ("days", self.days)
            if least is None or count["countNumber"] < least:
                permitted = f"at least {least} {what}" if least is not None else f"no count of {what}"
                raise RuleViolationError(
                    f"rule {index + 1} of this lifecycle keeps {count['countNumber']} {what}; "
                    f"the house rule permits {permitted}"
                )


@dataclass(frozen=True, slots=True)
class Pull:
    """Who else may pull: accounts, organizations, principals (roles and users), Lambda functions.

    ``functions`` are accounts, this one or others, of which functions may have images of the repository. The person or
    pipeline that creates a function of another account must be a reader, too.
    """

    ELSEWHERE: ClassVar[Mapping[str, str]] = {
        "services": "for Lambda functions, list their accounts in functions; other services pull with a role: list it "
        "in principals",
        "roles": "list the ARNs of roles and users in principals",
        "users": "list the ARNs of roles and users in principals",
    }

    accounts: tuple[str, ...] = ()
    organizations: tuple[str, ...] = ()
    principals: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for principal in self.principals:
            if not _PRINCIPAL.fullmatch(principal):
                raise ValueError(
                    f"{principal!r} is not the ARN of a role or user, such as arn:aws:iam::123456789012:role/build, "
                    "without wildcards"
                )
        for account in (*self.accounts, *self.functions):
            if not _ACCOUNT.fullmatch(account):
                raise ValueError(
                    f'{account!r} is not an account id: write its 12 digits in quotes, such as "123456789012"'
                )
        for organization in self.organizations:
            if not _ORGANIZATION.fullmatch(organization):
                raise ValueError(f"{organization!r} is not an organization id, such as o-a1b2c3d4e5")


@dataclass(frozen=True, slots=True)
class Overrides:
    """What a caller wants otherwise than the rule says; None where it wants nothing of its own."""

    tag_mutability: Literal["MUTABLE", "IMMUTABLE"] | None = None
    mutable_tags: tuple[str, ...] | None = None
    encryption: Literal["AES256"] | KmsEncryption | None = None
    lifecycle: Lifecycle | None = None
    pull: Pull | None = None
    tags: dict[str, str] | None = None
    immutable_tags: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        _check_tags(self.tags or {})
        _check_tag_filters("mutable_tags", self.mutable_tags or ())
        _check_tag_filters("immutable_tags", self.immutable_tags or ())

    def given(self) -> dict[Setting, Any]:
        """The settings that the caller does want otherwise."""
        return {Setting(f.name): value for f in fields(self) if (value := getattr(self, f.name)) is not None}


@dataclass(frozen=True, slots=True)
class RepositoryRule:
    """The configuration of repositories of a matching name; see ``house_rules.yaml`` for the meaning of each field."""

    ELSEWHERE: ClassVar[Mapping[str, str]] = {
        "scan_on_push": "scanning is a setting of the registry, for all repositories: "
        "aws ecr put-registry-scanning-configuration"
    }

    match: NamePattern
    name: str | None = None
    tag_mutability: Literal["MUTABLE", "IMMUTABLE"] = "IMMUTABLE"
    mutable_tags: tuple[str, ...] = ()
    encryption: Literal["AES256"] | KmsEncryption = "AES256"
    lifecycle: Lifecycle | None = None
    at_least: LifecycleFloor | None = None
    pull: Pull = field(default_factory=Pull)
    companions: tuple[str, ...] = ()
    tags: dict[str, str] = field(default_factory=dict)
    immutable_tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.tag_mutability == "MUTABLE" and self.mutable_tags:
            raise ValueError("mutable_tags are exceptions from IMMUTABLE; here every tag is mutable already")
        if self.tag_mutability == "IMMUTABLE" and self.immutable_tags:
            raise ValueError("immutable_tags are exceptions from MUTABLE; here every tag is immutable already")
        if len(self.tags) > MAX_OWN_TAGS:
            raise ValidationError(
                f"has {len(self.tags)} tags; at most {MAX_OWN_TAGS} are possible beside the steward's own, because ECR "
                "accepts 50",
                ("tags",),
            )
        if self.name is not None and not (0 < len(self.name) <= MAX_RULE_NAME and _TAG_TEXT.fullmatch(self.name)):
            raise ValueError(
                f"the name {self.name!r} is not 1 to {MAX_RULE_NAME} letters, digits, spaces or + - = . _ : / @"
            )
        _check_tags(self.tags)
        _check_tag_filters("mutable_tags", self.mutable_tags)
        _check_tag_filters("immutable_tags", self.immutable_tags)
        for companion in self.companions:
            if companion == "{name}" or "{name}" not in companion or not _makes_a_name(companion):
                raise ValueError(f"the companion {companion!r} must be made from {{name}}, such as '{{name}}/cache'")

    @property
    def label(self) -> str:
        """What this rule is called in answers and in tags, where ``*`` and ``?`` are not allowed."""
        return self.name or self.match.replace("*", "@").replace("?", "@")

    def refuse_below_floor(self, overrides: Overrides) -> None:
        """Raise RuleViolationError if the caller's lifecycle keeps less than ``at_least`` says."""
        if self.at_least and overrides.lifecycle:
            self.at_least.refuse_below(overrides.lifecycle)

    def with_overrides(self, overrides: Overrides) -> Self:
        """The rule as the caller wants it; the caller's tags add to the rule's, which win."""
        given: dict[str, Any] = {str(setting): value for setting, value in overrides.given().items()}
        if overrides.tags is not None:
            given["tags"] = {**overrides.tags, **self.tags}
        for mutability, exceptions in (("MUTABLE", "mutable_tags"), ("IMMUTABLE", "immutable_tags")):
            if overrides.tag_mutability == mutability and given.get(exceptions) is None:
                given[exceptions] = ()
        try:
            return replace(self, **given)
        except ValueError as error:
            raise RuleViolationError(str(error)) from error


@dataclass(frozen=True, slots=True)
class CallerRule:
    """Which callers may create which names, how many a day, and what they may decide for themselves.

    ``may_adopt``: whether they may also bring repositories that exist already under their rules, and back to them.
    """

    principals: tuple[PrincipalPattern, ...]
    repositories: tuple[NamePattern, ...]
    may_override: tuple[Setting, ...] = ()
    daily_limit: int | None = None
    on_push: bool = False
    may_adopt: bool = False

    def __post_init__(self) -> None:
        if not self.principals or not self.repositories:
            raise ValueError("list at least one principal and one repository, otherwise the rule can never match")
        if self.daily_limit is not None and self.daily_limit < 1:
            raise ValueError("daily_limit must be 1 or more; omit it for no limit")


@dataclass(frozen=True, slots=True)
class HouseRules:
    """All the rules. In both lists the first match wins, and where nothing matches nothing may be created."""

    callers: tuple[CallerRule, ...]
    repositories: tuple[RepositoryRule, ...]

    def __post_init__(self) -> None:
        if not self.callers or not self.repositories:
            raise ValueError("callers and repositories each need at least one rule, otherwise nothing can be created")

    def caller_rule(self, caller: Principal, name: RepositoryName, *, own_account: str) -> CallerRule:
        """The rule under which ``caller`` may create ``name``.

        Raises
        ------
        NotAllowedError
            There is none; the error carries the patterns that the caller may create.
        """
        for rule in self._rules_of(caller, own_account):
            if any(pattern.matches(name) for pattern in rule.repositories):
                return rule
        allowed = self.allowed_to(caller, own_account=own_account)
        may = f"it may create {', '.join(allowed)}" if allowed else "no house rule names it"
        raise NotAllowedError(f"{caller} may not create {name}: {may}", allowed=allowed)

    def allowed_to(self, caller: Principal, *, own_account: str) -> list[str]:
        """The patterns of names that ``caller`` may create, in the order of the rules."""
        return list(dict.fromkeys(p for rule in self._rules_of(caller, own_account) for p in rule.repositories))

    def repository_rule(self, name: RepositoryName) -> RepositoryRule:
        """What ``name`` must look like.

        Raises
        ------
        RuleViolationError
            No rule speaks of such a name.
        """
        for rule in self.repositories:
            if rule.match.matches(name):
                return rule
        raise RuleViolationError(f"no house rule matches {name}; add a rule for '**' to house_rules.yaml")

    def warnings(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Rules that can never match, each with its place in the file and why."""
        for index, rule in enumerate(self.repositories):
            before = next((r for r in self.repositories[:index] if r.match.covers(rule.match)), None)
            if before:
                yield ("repositories", index), f"{rule.match} never matches: {before.match} stands before it and wins"
        for index, caller in enumerate(self.callers):
            if any(_shadows(before, caller) for before in self.callers[:index]):
                yield ("callers", index), "never matches: an earlier rule names the same principals and repositories"

    def _rules_of(self, caller: Principal, own_account: str) -> Iterator[CallerRule]:
        for rule in self.callers:
            if any(pattern.matches(caller, own_account=own_account) for pattern in rule.principals):
                yield rule


def _rule(priority: int, description: str, status: str, count_type: str, number: int) -> dict[str, Any]:
    """One rule of a lifecycle policy document, which expires."""
    unit = {} if count_type == "imageCountMoreThan" else {"countUnit": "days"}
    return {
        "rulePriority": priority,
        "description": description,
        "selection": {"tagStatus": status, "countType": count_type, **unit, "countNumber": number},
        "action": {"type": "expire"},
    }


def _makes_a_name(companion: str) -> bool:
    try:
        return RepositoryName(companion.replace("{name}", "a")) != ""
    except RuleViolationError:
        return False


def _shadows(before: CallerRule, after: CallerRule) -> bool:
    """Whether ``before`` wins wherever ``after`` could match."""
    return all(any(wide.covers(narrow) for wide in before.principals) for narrow in after.principals) and all(
        any(wide.covers(narrow) for wide in before.repositories) for narrow in after.repositories
    )


def _check_tags(tags: Mapping[str, str]) -> None:
    """Hold resource tags to ECR's rule and keep ours to ourselves."""
    for key, value in tags.items():
        if key.lower().startswith((RESERVED_TAG_PREFIX, "aws:")):
            raise ValueError(f"the tag {key!r} cannot be set: tags that begin with steward: or aws: are reserved")
        if not 0 < len(key) <= MAX_TAG_KEY or len(value) > MAX_TAG_VALUE:
            raise ValueError(
                f"the tag {key!r} is too long: {MAX_TAG_KEY} characters for a key, {MAX_TAG_VALUE} for a value"
            )
        if not _TAG_TEXT.fullmatch(key) or not _TAG_TEXT.fullmatch(PLACEHOLDER.sub("", value)):
            raise ValueError(
                f"the tag {key!r} has a character other than letters, digits, spaces and + - = . _ : / @; "
                "only {name} and {namespace} may be in braces"
            )


def _check_tag_filters(name: str, filters: tuple[str, ...]) -> None:
    """Hold exclusion filters to ECR's rule.

    Source: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageTagMutabilityExclusionFilter.html
    """
    if len(filters) > MAX_TAG_FILTERS:
        raise ValueError(f"ECR accepts at most {MAX_TAG_FILTERS} {name}")
    for text in filters:
        if not _TAG_FILTER.fullmatch(text) or text.count("*") > MAX_TAG_FILTER_WILDCARDS:
            raise ValueError(f"{text!r} is not a tag filter: 1 to 128 of letters, digits, . _ - and at most two *")
