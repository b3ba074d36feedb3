"""The owner of a repository, as its tags and the registry's own settings show it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from repository_provisioning.domain.configuration import STACK_TAG
from repository_provisioning.domain.names import RepositoryName

SCOPE_TAG = "steward:scope"
"""On an adopted repository of which the steward keeps the tags and nothing else; its value is ``tags``."""
ADOPTED_BY_TAG, ADOPTED_AT_TAG, RULE_TAG = "steward:adopted-by", "steward:adopted-at", "steward:rule"

CLOUDFORMATION_STACK_TAG, CLOUDFORMATION_RESOURCE_TAG = "aws:cloudformation:stack-name", "aws:cloudformation:logical-id"
"""Set by CloudFormation alone: nobody else can write tags that begin with aws:.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html
"""
ROOT = "ROOT"
"""The prefix of a cache rule or creation template that means every name that no other one means.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-creation-templates.html
"""
_TOOLS = ("terraform", "opentofu", "pulumi", "crossplane")


class Owner(StrEnum):
    """The party that configures a repository."""

    OURS = "ours"
    TAGS_ONLY = "tags-only"
    FOREIGN = "foreign"
    UNMANAGED = "unmanaged"
    UNKNOWN = "unknown"


class Scope(StrEnum):
    """How much of an adopted repository is brought under its rule."""

    WHOLE = "whole"
    TAGS = "tags"


@dataclass(frozen=True, slots=True)
class RegistryPrefixes:
    """For which prefixes of names ECR creates repositories by itself.

    Parameters
    ----------
    caches
        Prefix of a pull-through cache -> the registry that it caches.
    templates
        Prefixes of creation templates.
    """

    caches: Mapping[str, str] = field(default_factory=dict)
    templates: tuple[str, ...] = ()

    def cache_of(self, name: str) -> str | None:
        """The registry that a repository of this name caches; None where its prefix does not say so.

        A cache for every name (``ROOT``) says nothing about a repository: people create such names, too.
        """
        prefix = _longest(self.caches, name)
        return None if prefix is None or prefix == ROOT else self.caches[prefix]

    def template_of(self, name: str) -> str | None:
        """The prefix of the creation template that ECR would use for this name; None where there is none."""
        return _longest(self.templates, name)


@dataclass(frozen=True, slots=True)
class RegistrySettings:
    """What the settings of the registry do with one name; None is what could not be read.

    Parameters
    ----------
    scan_on_push
        Whether images are scanned when they are pushed.
    replicated_to
        Registries that ECR copies images to, as account/region.
    signed_by
        Signing profiles with which ECR signs images when they are pushed.
    prefixes
        For which names ECR creates repositories by itself.
    """

    scan_on_push: bool | None = None
    replicated_to: tuple[str, ...] | None = None
    signed_by: tuple[str, ...] | None = None
    prefixes: RegistryPrefixes | None = None


@dataclass(frozen=True, slots=True)
class Ownership:
    """The owner of a repository; ``by`` names another one, of a foreign one or of one adopted for its tags alone."""

    owner: Owner
    by: str = ""
    another_steward: bool = False

    @property
    def is_ours(self) -> bool:
        """Whether this stack configures all of it."""
        return self.owner is Owner.OURS


def ownership_of(
    name: str, tags: Mapping[str, str], *, stack: str, prefixes: RegistryPrefixes | None = None
) -> Ownership:
    """The owner of the repository.

    What CloudFormation created stays CloudFormation's, even where it has our tag: its next deployment would undo what
    we configure. A repository that is adopted for its tags alone has ``by`` when it has another owner, too.
    """
    other = _other_owner(name, tags, prefixes or RegistryPrefixes())
    if tags.get(STACK_TAG) == stack and tags.get(SCOPE_TAG) == Scope.TAGS:
        return Ownership(Owner.TAGS_ONLY, other)
    if other:
        return Ownership(Owner.FOREIGN, other)
    if STACK_TAG not in tags:
        return Ownership(Owner.UNMANAGED)
    if tags[STACK_TAG] == stack:
        return Ownership(Owner.OURS)
    return Ownership(Owner.FOREIGN, f"the steward's stack {tags[STACK_TAG]}", another_steward=True)


def _other_owner(name: str, tags: Mapping[str, str], prefixes: RegistryPrefixes) -> str:
    if stack := tags.get(CLOUDFORMATION_STACK_TAG):
        resource = tags.get(CLOUDFORMATION_RESOURCE_TAG)
        return f"the CloudFormation stack {stack}" + (f" (its resource {resource})" if resource else "")
    if STACK_TAG not in tags and (upstream := prefixes.cache_of(name)):
        return f"the pull-through cache of {upstream}"
    return ""


def hints(name: RepositoryName, tags: Mapping[str, str], prefixes: RegistryPrefixes) -> Iterator[str]:
    """What may work against an adoption and does not rule it out."""
    for key, value in sorted(tags.items()):
        tool = next((tool for tool in _TOOLS if tool in f"{key} {value}".lower()), None)
        if tool:
            yield f"the tag {key}={value} names {tool}: if {tool} configures this repository, its next run may undo it"
            break
    if (prefix := prefixes.template_of(name)) is not None:
        yield (
            f"the creation template of the prefix {prefix} speaks of this name: ECR applies it when it creates the "
            "repository, and not again, so nothing undoes the rule"
        )


def _longest(prefixes: Iterable[str], name: str) -> str | None:
    known = list(prefixes)
    matching = [prefix for prefix in known if name.startswith(f"{prefix.removesuffix('/')}/")]
    return max(matching, key=len, default=ROOT if ROOT in known else None)
