"""Digests of the dependents of a shared change, so that a later comparison need not decide about them again.

What a change of a policy or a group does to a dependent follows from what that one had and has, and from the roles of
the account that it could pass. A digest stands for the former. The digests of thousands are kept in up to 256 parts:
where one differs, all of its part are compared again.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from policy_drift.domain.access.effective_policies import EffectivePolicies
from policy_drift.domain.account import Account, Document, Entity, EntityId

_LENGTH = 32
"""Hexadecimal digits of a digest: with 128 bits, no attacker finds two documents that have the same one."""


@dataclass(slots=True)
class Digests:
    """Makes the digests of dependents. A document that many share is read once."""

    _of_documents: dict[int, tuple[Document, str]] = field(default_factory=dict)

    def of(self, sides: Iterable[tuple[Account, Entity, EffectivePolicies]]) -> str:
        """The digest of one: its account, itself and what it has, before the change and after it."""
        return _digest([self._side(account, principal, held) for account, principal, held in sides])

    def _side(self, account: Account, principal: Entity, held: EffectivePolicies) -> list[object]:
        groups = {
            name: [_identity(account.groups.get(name)), self._places(documents)]
            for name, documents in held.groups.items()
        }
        return [_identity(principal), self._places(held.own), groups, self._places(held.boundary)]

    def _places(self, documents: Mapping[str, Document]) -> dict[str, str]:
        return {place: self._document(document) for place, document in documents.items()}

    def _document(self, document: Document) -> str:
        kept = self._of_documents.get(id(document))
        if kept is None:
            kept = self._of_documents[id(document)] = document, _digest(document)
        return kept[1]


def part_of(entity: EntityId) -> str:
    """The part to which an entity belongs."""
    return _digest(entity)[:2]


def in_parts(digests: Mapping[EntityId, str]) -> dict[str, str]:
    """One digest for each part."""
    parts: defaultdict[str, list[tuple[EntityId, str]]] = defaultdict(list)
    for entity, digest in sorted(digests.items()):
        parts[part_of(entity)].append((entity, digest))
    return {part: _digest(members) for part, members in sorted(parts.items())}


def _identity(entity: Entity | None) -> list[str]:
    return [entity.name, entity.path, entity.unique_id] if entity else []


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_LENGTH]
