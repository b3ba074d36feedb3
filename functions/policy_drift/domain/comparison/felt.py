"""Pins of the principals that feel a shared change, so that a later comparison need not decide about them again.

What a change of a policy or a group does to one that has it follows from what that one had and has. A digest of this
stands for it. The digests of thousands are pinned in up to 256 parts: where one differs, its part is compared again.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from policy_drift.domain.access.effective_policies import EffectivePolicies, Step
from policy_drift.domain.account import Document, Entity, EntityId, User

_LENGTH = 32
"""Hexadecimal digits of a digest: 128 bits, so that nobody finds two documents with the same one."""


@dataclass(slots=True)
class Digests:
    """Digests of what principals had and have. A document that many share is read once."""

    _of_documents: dict[int, tuple[Document, str]] = field(default_factory=dict)

    def of(self, approved: Entity, live: Entity, step: Step) -> str:
        """What decides how one principal feels one change."""
        who = [[one.name, one.path, one.unique_id, *_groups(one)] for one in (approved, live)]
        return _digest([who, self._held(step.before), self._held(step.after)])

    def _held(self, held: EffectivePolicies) -> list[object]:
        groups = {name: self._places(documents) for name, documents in held.groups.items()}
        return [self._places(held.own), groups, self._places(held.boundary)]

    def _places(self, documents: Mapping[str, Document]) -> dict[str, str]:
        return {place: self._document(document) for place, document in documents.items()}

    def _document(self, document: Document) -> str:
        kept = self._of_documents.get(id(document))
        if kept is None:
            kept = self._of_documents[id(document)] = document, _digest(document)
        return kept[1]


def part_of(entity: EntityId) -> str:
    """The part in which an entity is pinned."""
    return _digest(entity)[:2]


def pinned(digests: Mapping[EntityId, str]) -> dict[str, str]:
    """The digest of each part."""
    parts: defaultdict[str, list[tuple[EntityId, str]]] = defaultdict(list)
    for entity, digest in sorted(digests.items()):
        parts[part_of(entity)].append((entity, digest))
    return {part: _digest(members) for part, members in sorted(parts.items())}


def _groups(entity: Entity) -> tuple[str, ...]:
    return entity.groups if isinstance(entity, User) else ()


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_LENGTH]
