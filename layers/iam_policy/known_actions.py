"""The actions that AWS documents today, and their access levels, so that a witness names a real one where it can.

The data file and its licence: ``known_actions.json``; refreshed by ``scripts/refresh_known_actions.py``.
"""

import json
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Services that readers know come first among equals.
FAMILIAR = ("s3", "iam", "ec2", "sts", "kms", "lambda", "dynamodb", "secretsmanager", "ecr", "sqs", "sns")


class AccessLevel(StrEnum):
    """What an action does, in AWS's words and the most dangerous first ("Access levels in policy summaries")."""

    PERMISSIONS = "Permissions management"
    WRITE = "Write"
    TAGGING = "Tagging"
    READ = "Read"
    LIST = "List"


@cache
def _services() -> dict[str, dict[str, str]]:
    text = resources.files(__package__).joinpath("known_actions.json").read_text(encoding="utf-8")
    services: dict[str, dict[str, str]] = json.loads(text)["services"]
    return services


@cache
def of_service(service: str) -> tuple[str, ...]:
    """The known actions of a service prefix (lower case), as ``service:Action``; empty for a service not known."""
    return tuple(sorted(_levels(service)))


@cache
def _levels(service: str) -> dict[str, AccessLevel]:
    return {
        f"{service}:{name}": AccessLevel(level)
        for level, names in _services().get(service, {}).items()
        for name in names.split(" ")
    }


def services() -> tuple[str, ...]:
    """The known service prefixes, sorted."""
    return tuple(_services())


def level(action: str) -> AccessLevel | None:
    """The access level of an action as AWS spells it, or None for one that is not known."""
    return _levels(action.partition(":")[0]).get(action)


@cache
def _spelling(service: str) -> dict[str, str]:
    return {name.lower(): name for name in of_service(service)}


def spelled(action: str) -> str | None:
    """How AWS spells an action given in lower case, or None for one that is not known."""
    return _spelling(action.partition(":")[0]).get(action)


def every() -> "Iterator[str]":
    """All known actions, those of familiar services first."""
    others = [service for service in _services() if service not in FAMILIAR]
    for service in (*FAMILIAR, *others):
        yield from of_service(service)
