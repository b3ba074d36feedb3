"""What bringing an existing repository under its rule would do, and why it may be refused."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from repository_provisioning.domain.configuration import (
    MAX_TAGS,
    STACK_TAG,
    Details,
    Difference,
    Repository,
    may_shorten,
)
from repository_provisioning.domain.ownership import (
    ADOPTED_AT_TAG,
    ADOPTED_BY_TAG,
    RULE_TAG,
    SCOPE_TAG,
    Owner,
    Ownership,
    RegistryPrefixes,
    Scope,
    hints,
)
from repository_provisioning.domain.planning import Target
from steward.errors import ConflictError


@dataclass(frozen=True, slots=True)
class Adoption:
    """What is there, what it becomes, and its owner: everything that a decision needs.

    ``fingerprint`` stands for all of it: to approve a fingerprint is to approve this change of this state.
    """

    target: Target
    scope: Scope
    found: Repository
    details: Details
    ownership: Ownership
    changes: tuple[Difference, ...]
    warnings: tuple[str, ...]

    @property
    def shortens_retention(self) -> bool:
        """Whether images may expire sooner afterwards."""
        return any(c.setting == "lifecycle" for c in self.changes) and may_shorten(
            self.details.lifecycle_policy, self.target.configuration.lifecycle_policy
        )

    @property
    def fingerprint(self) -> str:
        """Of what is there, its owner, and what it becomes, 32 hexadecimal digits."""
        seen = {
            "name": self.target.name,
            "scope": self.scope,
            "owner": [self.ownership.owner, self.ownership.by],
            "wanted": self.target.configuration.fingerprint,
            "rule": self.target.rule.label,
            "found": asdict(self.found),
            "details": asdict(self.details),
        }
        return hashlib.sha256(json.dumps(seen, sort_keys=True, default=str).encode()).hexdigest()[:32]

    def tags(self, *, stack: str, by: str, at: datetime) -> dict[str, str]:
        """The tags to put: the rule's, and those that name the owner, the time and the caller of the adoption.

        A repository of ours gets no new marks, those of its creation or adoption stay.
        """
        tags = dict(self.target.configuration.tags)
        if self.ownership.is_ours and self.scope is Scope.WHOLE:
            return tags
        tags |= {STACK_TAG: stack, RULE_TAG: self.target.rule.label}
        if self.scope is Scope.TAGS or SCOPE_TAG in self.details.tags:
            tags[SCOPE_TAG] = self.scope
        if not self.ownership.is_ours and ADOPTED_BY_TAG not in self.details.tags:
            tags |= {ADOPTED_BY_TAG: by, ADOPTED_AT_TAG: at.strftime("%Y-%m-%dT%H:%M:%SZ")}
        return tags

    def refuse(self, *, reconciling: bool) -> None:
        """Raise ConflictError where this must not be done."""
        name, owner = self.target.name, self.ownership
        if reconciling and owner.owner not in {Owner.OURS, Owner.TAGS_ONLY}:
            whose = f"it belongs to {owner.by}" if owner.by else "it was never adopted"
            raise ConflictError(f"{name} is not this steward's to bring back to its rule: {whose}")
        if owner.another_steward:
            raise ConflictError(f"{name} belongs to {owner.by}; remove its tag {STACK_TAG} there first")
        if owner.by and self.scope is Scope.WHOLE:
            raise ConflictError(
                f"{name} belongs to {owner.by}, and each would undo the other's changes: adopt its tags only, or take "
                "it out of there first"
            )
        if self.scope is Scope.WHOLE and self.target.configuration.encryption_differs(self.found):
            wanted = self.target.configuration.kms_key or self.target.configuration.encryption
            raise ConflictError(
                f"{name} has the encryption {self.found.kms_key or self.found.encryption}, the rule says {wanted}, and "
                "ECR cannot change it: adopt its tags only, or add a house rule for this name with its encryption"
            )
        self._refuse_too_many_tags()

    def _refuse_too_many_tags(self) -> None:
        # With the longest set of marks: what is refused must not depend on the moment.
        after = self.details.tags.keys() | self.tags(stack="", by="", at=self.found.created_at).keys()
        if len(after) > MAX_TAGS:
            raise ConflictError(
                f"{self.target.name} would have {len(after)} tags; ECR accepts {MAX_TAGS}: remove some, or ask for "
                "fewer in the rule"
            )


def adoption_of(
    target: Target,
    scope: Scope,
    found: Repository,
    details: Details,
    ownership: Ownership,
    prefixes: RegistryPrefixes,
    cleared: Mapping[str, Any] | None = None,
    warnings: Sequence[str] = (),
) -> Adoption:
    """What adopting the repository, or bringing it back to its rule, means.

    Parameters
    ----------
    cleared
        As for ``Configuration.changes``.
    warnings
        What else to say of it.
    """
    if scope is Scope.WHOLE:
        changes = tuple(target.configuration.changes(found, details, cleared))
    else:
        changes = tuple(d for d in target.configuration.differences(found, details) if d.setting == "tags")
    said = [*warnings]
    if ownership.by and scope is Scope.TAGS:
        said.append(f"it belongs to {ownership.by}, which may set its tags, too")
    if not ownership.is_ours:
        said += hints(target.name, details.tags, prefixes)
    adoption = Adoption(target, scope, found, details, ownership, changes, tuple(said))
    if not adoption.shortens_retention:
        return adoption
    note = "images may expire or be archived sooner than today: ECR cannot restore what has expired"
    return replace(adoption, warnings=(note, *said))
