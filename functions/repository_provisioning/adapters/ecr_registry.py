"""The container registry, on Amazon ECR."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from itertools import batched
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from repository_provisioning.application.ports import (
    PrincipalNotYetKnownError,
    RepositoryAlreadyExistsError,
    RepositoryNotFoundError,
)
from repository_provisioning.domain.configuration import Configuration, Repository
from repository_provisioning.domain.fleet import Images
from repository_provisioning.domain.names import RepositoryName
from repository_provisioning.domain.ownership import RegistryPrefixes, RegistrySettings
from steward.aws.errors import code_of, upstream
from steward.clock import Clock
from steward.errors import ConflictError, RuleViolationError, UpstreamError

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_ecr.literals import ImageTagMutabilityType
    from mypy_boto3_ecr.type_defs import (
        EncryptionConfigurationTypeDef,
        ImageTagMutabilityExclusionFilterTypeDef,
        RegistryScanningConfigurationTypeDef,
        ReplicationConfigurationOutputTypeDef,
        RepositoryTypeDef,
        SigningConfigurationOutputTypeDef,
        TagTypeDef,
    )

NAMES_PER_CALL = 100  # https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeRepositories.html
REPOSITORIES_PER_PAGE = IMAGES_PER_PAGE = 1000
MOST_PAGES_OF_IMAGES = 3
"""Of one repository: a count for people needs no more, and the calls of a scan stay bounded."""
SCAN_CONFIGURATION_KEPT = timedelta(minutes=5)


class _Mutability(TypedDict):
    imageTagMutability: "ImageTagMutabilityType"
    imageTagMutabilityExclusionFilters: NotRequired["list[ImageTagMutabilityExclusionFilterTypeDef]"]


_REFUSED = frozenset(
    {
        "InvalidParameterException",
        "InvalidTagParameterException",
        "KmsException",
        "TagPolicyException",  # in no service model
        "TooManyTagsException",
    }
)


class EcrContainerRegistry:
    """The registry of the account and region that ``client`` speaks to."""

    def __init__(self, client: "ECRClient", clock: Clock) -> None:
        self._ecr = client
        self._clock = clock
        self._read: dict[str, tuple[datetime, Any]] = {}
        self._scanning: tuple[datetime, RegistryScanningConfigurationTypeDef | None] | None = None

    def find(self, name: RepositoryName) -> Repository | None:
        """The repository, or None where ECR says that it does not exist."""
        found = self.find_many([name])
        return found.get(name)

    def find_many(self, names: Collection[RepositoryName]) -> dict[RepositoryName, Repository]:
        """Those of ``names`` that exist; a call that fails because one of several is missing is halved."""
        found: dict[RepositoryName, Repository] = {}
        pending = [tuple(batch) for batch in batched(names, NAMES_PER_CALL, strict=False)]
        while pending:
            batch = pending.pop()
            try:
                with _translated():
                    page = self._ecr.describe_repositories(repositoryNames=batch)
            except RepositoryNotFoundError:
                if len(batch) > 1:
                    middle = len(batch) // 2
                    pending += [batch[:middle], batch[middle:]]
                continue
            found |= {RepositoryName(shown["repositoryName"]): _repository(shown) for shown in page["repositories"]}
        return found

    def create(self, name: RepositoryName, configuration: Configuration, tags: Mapping[str, str]) -> Repository:
        """Create it with its mutability, encryption and tags, which one call can set."""
        encryption: EncryptionConfigurationTypeDef = {"encryptionType": configuration.encryption}
        if configuration.kms_key:
            encryption["kmsKey"] = configuration.kms_key
        with _translated():
            answer = self._ecr.create_repository(
                repositoryName=name, encryptionConfiguration=encryption, tags=_tags(tags), **_mutability(configuration)
            )
        return _repository(answer["repository"])

    def tags(self, repository: Repository) -> dict[str, str]:
        """Its resource tags."""
        with _translated():
            answer = self._ecr.list_tags_for_resource(resourceArn=repository.arn)
        return {tag["Key"]: tag["Value"] for tag in answer["tags"]}

    def lifecycle_policy(self, name: RepositoryName) -> str | None:
        """Its lifecycle policy text."""
        try:
            with _translated():
                return self._ecr.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"]
        except _PolicyNotFoundError:
            return None

    def repository_policy(self, name: RepositoryName) -> str | None:
        """Its repository policy text."""
        try:
            with _translated():
                return self._ecr.get_repository_policy(repositoryName=name)["policyText"]
        except _PolicyNotFoundError:
            return None

    def put_tag_mutability(self, name: RepositoryName, configuration: Configuration) -> None:
        """Set the mutability and its exclusion filters."""
        with _translated():
            self._ecr.put_image_tag_mutability(repositoryName=name, **_mutability(configuration))

    def put_lifecycle_policy(self, name: RepositoryName, text: str) -> None:
        """Set the lifecycle policy."""
        with _translated():
            self._ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=text)

    def put_repository_policy(self, name: RepositoryName, text: str) -> None:
        """Set the repository policy."""
        with _translated():
            self._ecr.set_repository_policy(repositoryName=name, policyText=text)

    def put_tags(self, repository: Repository, tags: Mapping[str, str]) -> None:
        """Add or overwrite these tags."""
        with _translated():
            self._ecr.tag_resource(resourceArn=repository.arn, tags=_tags(tags))

    def delete_lifecycle_policy(self, name: RepositoryName) -> None:
        """Delete the lifecycle policy."""
        with suppress(_PolicyNotFoundError), _translated():
            self._ecr.delete_lifecycle_policy(repositoryName=name)

    def delete_repository_policy(self, name: RepositoryName) -> None:
        """Delete the repository policy."""
        with suppress(_PolicyNotFoundError), _translated():
            self._ecr.delete_repository_policy(repositoryName=name)

    def remove_tags(self, repository: Repository, keys: Collection[str]) -> None:
        """Remove these tags."""
        with _translated():
            self._ecr.untag_resource(resourceArn=repository.arn, tagKeys=list(keys))

    def everything(self) -> list[Repository]:
        """Every repository of the registry, by name."""
        pages = self._ecr.get_paginator("describe_repositories").paginate(
            PaginationConfig={"PageSize": REPOSITORIES_PER_PAGE}
        )
        with _translated():
            found = [_repository(shown) for page in pages for shown in page["repositories"]]
        return sorted(found, key=lambda repository: repository.name)

    def images(self, name: RepositoryName) -> Images:
        """What is in it: of a large one, the first pages."""
        pages = self._ecr.get_paginator("describe_images").paginate(
            repositoryName=name, PaginationConfig={"PageSize": IMAGES_PER_PAGE}
        )
        count, last, complete = 0, None, True
        with _translated():
            for number, page in enumerate(pages, start=1):
                pushed = [image["imagePushedAt"] for image in page["imageDetails"]]
                count += len(pushed)
                last = max(pushed if last is None else [last, *pushed], default=last)
                if number == MOST_PAGES_OF_IMAGES:
                    complete = "nextToken" not in page
                    break
        return Images(count, last, complete)

    def prefixes(self) -> RegistryPrefixes:
        """The prefixes of its pull-through caches and of its creation templates."""
        with _translated():
            caches = {
                rule["ecrRepositoryPrefix"]: rule["upstreamRegistryUrl"]
                for page in self._ecr.get_paginator("describe_pull_through_cache_rules").paginate()
                for rule in page["pullThroughCacheRules"]
            }
            templates = tuple(
                template["prefix"]
                for page in self._ecr.get_paginator("describe_repository_creation_templates").paginate()
                for template in page["repositoryCreationTemplates"]
            )
        return RegistryPrefixes(caches, templates)

    def settings(self, name: RepositoryName) -> RegistrySettings:
        """What the registry's settings, as of the last five minutes, do with this name."""
        prefixes = self._cached("prefixes", self.prefixes)
        replication = self._cached("replication", lambda: self._ecr.describe_registry()["replicationConfiguration"])
        signing = self._cached("signing", lambda: self._ecr.get_signing_configuration()["signingConfiguration"])
        return RegistrySettings(
            self.scans(name),
            None if replication is None else tuple(_destinations(replication, name)),
            None if signing is None else tuple(_profiles(signing, name)),
            prefixes,
        )

    def _cached[T](self, what: str, read: Callable[[], T]) -> T | None:
        """What was read within five minutes; None where it cannot be read."""
        now = self._clock.now()
        if what not in self._read or now - self._read[what][0] >= SCAN_CONFIGURATION_KEPT:
            try:
                with _translated():
                    self._read[what] = now, read()
            except UpstreamError:
                self._read[what] = now, None
        value: T | None = self._read[what][1]
        return value

    def scans(self, name: RepositoryName) -> bool | None:
        """Whether a rule of the registry's scan configuration, as of the last five minutes, scans this name on push."""
        now = self._clock.now()
        if self._scanning is None or now - self._scanning[0] >= SCAN_CONFIGURATION_KEPT:
            self._scanning = now, self._scanning_configuration()
        configuration = self._scanning[1]
        if configuration is None:
            return None
        return any(
            rule["scanFrequency"] != "MANUAL" and _filter_matches(wanted["filter"], name)
            for rule in configuration.get("rules", [])
            for wanted in rule["repositoryFilters"]
        )

    def _scanning_configuration(self) -> "RegistryScanningConfigurationTypeDef | None":
        try:
            with _translated():
                return self._ecr.get_registry_scanning_configuration()["scanningConfiguration"]
        except UpstreamError:
            return None


def _destinations(replication: "ReplicationConfigurationOutputTypeDef", name: RepositoryName) -> Iterator[str]:
    """The registries that a name is copied to; a rule without a filter means every name.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/replication.html
    """
    for rule in replication["rules"]:
        filters = rule.get("repositoryFilters", [])
        if not filters or any(name.startswith(one["filter"]) for one in filters):
            yield from (f"{one['registryId']}/{one['region']}" for one in rule["destinations"])


def _profiles(signing: "SigningConfigurationOutputTypeDef", name: RepositoryName) -> Iterator[str]:
    """The profiles that sign images of a name; a rule without a filter means every name.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/managed-signing.html
    """
    for rule in signing.get("rules", []):
        filters = rule.get("repositoryFilters", [])
        if not filters or any(fnmatchcase(name, one["filter"]) for one in filters):
            yield rule["signingProfileArn"]


class _PolicyNotFoundError(Exception):
    """There is a repository, and it has no such policy."""


@contextmanager
def _translated() -> Iterator[None]:
    """Raise what the ports promise in place of what botocore raises."""
    try:
        yield
    except ParamValidationError as error:
        raise RuleViolationError(f"ECR would reject it: {' '.join(str(error).splitlines())}") from error
    except BotoCoreError as error:
        raise upstream(error) from error
    except ClientError as error:
        raise _domain_error(error) from error


def _domain_error(error: ClientError) -> Exception:  # noqa: PLR0911 - a table, in the form of a match
    code, message = code_of(error), error.response["Error"].get("Message", "")
    match code:
        case "RepositoryNotFoundException":
            return RepositoryNotFoundError(message, code=code)
        case "LifecyclePolicyNotFoundException" | "RepositoryPolicyNotFoundException":
            return _PolicyNotFoundError(message)
        case "RepositoryAlreadyExistsException":
            return RepositoryAlreadyExistsError(message, code=code)
        case "LimitExceededException":
            return ConflictError(f"the registry's quota is reached: {message}", code=code)
        case "InvalidParameterException" if "Principal" in message and error.operation_name == "SetRepositoryPolicy":
            # The one message that is matched: ECR has no code for a principal that has yet to propagate.
            return PrincipalNotYetKnownError(message, code=code)
        case _ if code in _REFUSED:
            return RuleViolationError(f"ECR rejects it: {message}", code=code)
        case _:
            return upstream(error)


def _mutability(configuration: Configuration) -> "_Mutability":
    """The mutability, with exclusion filters only where there are some: ECR takes no empty list."""
    arguments: _Mutability = {"imageTagMutability": configuration.tag_mutability}
    if configuration.exclusions:
        arguments["imageTagMutabilityExclusionFilters"] = [
            {"filterType": "WILDCARD", "filter": text} for text in configuration.exclusions
        ]
    return arguments


def _tags(tags: Mapping[str, str]) -> "list[TagTypeDef]":
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _repository(shown: "RepositoryTypeDef") -> Repository:
    encryption = shown.get("encryptionConfiguration", {"encryptionType": "AES256"})
    exclusions = tuple(f["filter"] for f in shown.get("imageTagMutabilityExclusionFilters", []))
    mutable = shown["imageTagMutability"].startswith("MUTABLE")
    return Repository(
        name=shown["repositoryName"],
        arn=shown["repositoryArn"],
        uri=shown["repositoryUri"],
        registry_id=shown["registryId"],
        created_at=shown["createdAt"],
        tag_mutability=shown["imageTagMutability"],
        mutable_tags=() if mutable else exclusions,
        immutable_tags=exclusions if mutable else (),
        encryption=encryption["encryptionType"],
        kms_key=encryption.get("kmsKey"),
    )


def _filter_matches(text: str, name: RepositoryName) -> bool:
    """Whether a scan filter means a name: one without ``*`` means every name that contains it.

    Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning-filters.html
    """
    return fnmatchcase(name, text) if "*" in text else text in name
