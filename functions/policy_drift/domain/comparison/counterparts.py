"""Which entity of the live account is which one of the baseline."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from policy_drift.domain.account import Entity

Kind = TypeVar("Kind", bound=Entity)
Kind_co = TypeVar("Kind_co", bound=Entity, covariant=True)


@dataclass(frozen=True, slots=True)
class Pair(Generic[Kind_co]):
    """An entity as it was approved and as it is; None where there is none."""

    approved: Kind_co | None
    live: Kind_co | None

    @property
    def either(self) -> Kind_co:
        """The live one, or else the approved one."""
        found = self.live or self.approved
        if found is None:
            raise ValueError("a pair of nothing")
        return found


def paired(approved: Mapping[str, Kind], live: Mapping[str, Kind]) -> Iterator[Pair[Kind]]:
    """Each entity once: by name and unique id, then by unique id alone (it was renamed), then by name alone.

    A name that differs in capitals is the same name: IAM lets no two entities of a kind differ in those alone.
    """
    left_approved, left_live = dict(approved), dict(live)
    for name, entity in approved.items():
        other = live.get(name)
        if other is not None and (other.unique_id == entity.unique_id):
            yield Pair(left_approved.pop(name), left_live.pop(name))
    for key in (_unique_id, _name):
        by_key = {key(entity): name for name, entity in left_live.items() if key(entity)}
        for name, entity in list(left_approved.items()):
            other_name = by_key.pop(key(entity), None)
            if other_name is not None:
                yield Pair(left_approved.pop(name), left_live.pop(other_name))
    for entity in left_approved.values():
        yield Pair(entity, None)
    for entity in left_live.values():
        yield Pair(None, entity)


def counterpart(entities: Mapping[str, Kind], of: Kind) -> Kind | None:
    """The one of these that an entity of the other account is, as `paired` says."""
    namesake = entities.get(of.name)
    if namesake is not None and namesake.unique_id == of.unique_id:
        return namesake
    others = [one for one in entities.values() if (of.unique_id and _unique_id(one) == of.unique_id)]
    return next(iter(others), namesake) or next((one for one in entities.values() if _name(one) == _name(of)), None)


def _unique_id(entity: Entity) -> str:
    return entity.unique_id


def _name(entity: Entity) -> str:
    return entity.name.casefold()
