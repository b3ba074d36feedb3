"""Which entities are looked at, which belong to AWS, and which groups are privileged."""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Self

from policy_drift.domain.account import Entity, EntityId, EntityKind, Role

_SERVICE_LINKED = "/aws-service-role/"
_RESERVED_PATHS = (_SERVICE_LINKED, "/aws-reserved/sso.amazonaws.com/")


class EntityPattern(str):
    """A glob over entities as ``<kind>/<name>``, such as ``role/ci-*``; capitals of names do not count, as in IAM.

    Raises
    ------
    ValueError
        No kind of entity fits what stands before the slash.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check the text."""
        kind, _, name = text.partition("/")
        if text != "*" and not (name and any(fnmatchcase(known, kind) for known in EntityKind)):
            kinds = ", ".join(EntityKind)
            raise ValueError(f"{text!r} fits no entity: write <kind>/<name> such as role/ci-*; kinds are {kinds}")
        return super().__new__(cls, text)

    def fits(self, entity: EntityId) -> bool:
        """Whether the entity is meant."""
        return fnmatchcase(entity.casefold(), self.casefold())


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which entities are compared.

    Attributes
    ----------
    include, exclude : tuple of EntityPattern
        An entity is looked at when a pattern includes it and none excludes it. Policies of an excluded name still count
        for the principals that hold them.
    privileged_groups : tuple of EntityPattern
        Groups whose membership matters, independent of their policies; such as ``group/admins``.
    """

    include: tuple[EntityPattern, ...] = field(default_factory=lambda: (EntityPattern("*"),))
    exclude: tuple[EntityPattern, ...] = ()
    privileged_groups: tuple[EntityPattern, ...] = ()

    def __contains__(self, entity: EntityId) -> bool:
        """Whether the entity is looked at."""
        return _fits_any(entity, self.include) and not _fits_any(entity, self.exclude)

    def is_privileged(self, group: str) -> bool:
        """Whether membership in the group of this name is reported."""
        return _fits_any(EntityId(f"{EntityKind.GROUP}/{group}"), self.privileged_groups)


def is_kept_by_aws(entity: Entity) -> bool:
    """Whether only AWS can change the role: it is service-linked. Roles of Identity Center change as people assign."""
    return isinstance(entity, Role) and entity.path.startswith(_SERVICE_LINKED)


def is_protected(entity: Entity) -> bool:
    """Whether AWS made the role and keeps it: service-linked, or of a permission set of IAM Identity Center.

    The path decides, not the name: IAM reserves these paths for AWS, and lets any role have such a name.
    """
    return isinstance(entity, Role) and entity.path.startswith(_RESERVED_PATHS)


def _fits_any(entity: EntityId, patterns: tuple[EntityPattern, ...]) -> bool:
    return any(pattern == "*" or pattern.fits(entity) for pattern in patterns)
