"""The actions that AWS documents today, so that a witness names a real one where it can.

The data file and its licence: ``known_actions.json``; refreshed by ``scripts/refresh_known_actions.py``.
"""

import json
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Services that readers know come first among equals.
_FAMILIAR = ("s3", "iam", "ec2", "sts", "kms", "lambda", "dynamodb", "secretsmanager", "ecr", "sqs", "sns")


@cache
def _services() -> dict[str, tuple[str, ...]]:
    text = resources.files(__package__).joinpath("known_actions.json").read_text(encoding="utf-8")
    return {service: tuple(names.split(" ")) for service, names in json.loads(text)["services"].items()}


@cache
def of_service(service: str) -> tuple[str, ...]:
    """The known actions of a service prefix (lower case), as ``service:Action``; empty for a service not known."""
    return tuple(f"{service}:{name}" for name in _services().get(service, ()))


@cache
def _spelling(service: str) -> dict[str, str]:
    return {name.lower(): name for name in of_service(service)}


def spelled(action: str) -> str | None:
    """How AWS spells an action given in lower case, or None for one that is not known."""
    return _spelling(action.partition(":")[0]).get(action)


def every() -> "Iterator[str]":
    """All known actions, those of familiar services first."""
    others = [service for service in _services() if service not in _FAMILIAR]
    for service in (*_FAMILIAR, *others):
        yield from of_service(service)
