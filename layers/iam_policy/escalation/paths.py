"""The known ways to more privileges, as data.

``escalation_paths.json`` is made from DataDog's pathfinding.cloud; the notice stands beside the data file,
``scripts/refresh_escalation_paths.py`` renews it. ``more_paths.json`` has those that the public list lacks.
"""

import json
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources


class Category(StrEnum):
    """What a path leads to, in the words of its source."""

    SELF_ESCALATION = "self-escalation"
    """The caller itself becomes an administrator."""
    PRINCIPAL_ACCESS = "principal-access"
    """The caller gets what another principal may do."""
    NEW_PASSROLE = "new-passrole"
    """The caller gets what a role may do that it passes to a service."""
    EXISTING_PASSROLE = "existing-passrole"
    """The caller gets what a role may do that a service has already."""


class Target(StrEnum):
    """What an action of a path has to be allowed on."""

    ANY = "any"
    """Something that the caller makes, or nothing in particular."""
    OTHER = "target"
    """Something that exists, and is not the caller."""
    SELF_OR_OTHER = "self-or-target"
    """The caller or one of its groups; with another principal the path leads there instead."""
    POLICY_OF_SELF = "policy-attached-to-self"
    POLICY_OF_OTHER = "policy-attached-to-target"


@dataclass(frozen=True, slots=True)
class PathStep:
    """One action that a path takes.

    ``resources`` are the forms of ARNs that it works on; one of ``passed_to`` is the service that gets the role.
    """

    action: str
    target: Target
    resources: tuple[str, ...]
    passed_to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Path:
    """A way to more privileges, open to every caller that may do all of its steps."""

    id: str
    title: str
    category: Category
    target_trusts_service: tuple[str, ...]
    target_trusts_caller: bool
    steps: tuple[PathStep, ...]


@cache
def known_paths() -> tuple[Path, ...]:
    """All of them, those of the public list first."""
    files = (resources.files(__package__).joinpath(name) for name in ("escalation_paths.json", "more_paths.json"))
    return tuple(
        Path(
            path["id"],
            path["title"],
            Category(path["category"]),
            tuple(path["target_trusts_service"]),
            path["target_trusts_caller"],
            tuple(
                PathStep(step["action"], Target(step["entity"]), tuple(step["resources"]), tuple(step["passed_to"]))
                for step in path["steps"]
            ),
        )
        for file in files
        for path in json.loads(file.read_text(encoding="utf-8"))["paths"]
    )
