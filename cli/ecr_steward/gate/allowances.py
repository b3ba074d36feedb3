"""Additions of access that are accepted, each with a reason and an end: the allow file of a repository."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from fnmatch import fnmatchcase
from typing import Any

from ecr_steward.gate.check import Finding
from ecr_steward.gate.errors import UnusableInputError
from ecr_steward.gate.templates import parsed

_KEYS = {"entity", "kind", "reason", "expires", "file"}


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is accepted: entities by glob, perhaps of one kind or in one file, until a day."""

    entity: str
    reason: str
    expires: date
    kind: str = "*"
    file: str = "*"

    def fits(self, finding: Finding) -> bool:
        """Whether it is about a finding."""
        return (
            fnmatchcase(finding.entity, self.entity)
            and fnmatchcase(finding.kind.value.lower(), self.kind.lower())
            and fnmatchcase(finding.file, self.file)
        )


def read_allowances(text: str, name: str) -> tuple[Allowance, ...]:
    """The allow file: a list of objects with ``entity``, ``reason``, ``expires``, and perhaps ``kind`` and ``file``.

    Raises
    ------
    UnusableInputError
        An entry says too little or too much.
    """
    listed = parsed(text, name) or []
    if not isinstance(listed, list):
        raise UnusableInputError(name, "it is no list", "write one entry for each accepted addition")
    return tuple(_allowance(one, f"{name}, entry {number}") for number, one in enumerate(listed, 1))


def _allowance(entry: Any, where: str) -> Allowance:
    if not isinstance(entry, Mapping) or not {"entity", "reason", "expires"} <= entry.keys() <= _KEYS:
        raise UnusableInputError(where, "it needs entity, reason and expires; kind and file may be there, nothing else")
    values = {key: str(value) for key, value in entry.items()}
    if not values["reason"].strip():
        raise UnusableInputError(where, "its reason is empty", "write why the addition is accepted")
    try:
        expires = date.fromisoformat(values["expires"])
    except ValueError as error:
        raise UnusableInputError(
            where, f"expires is {values['expires']!r}", "write a day, such as 2027-03-31"
        ) from error
    return Allowance(values["entity"], values["reason"], expires, values.get("kind", "*"), values.get("file", "*"))


def accepted(found: Iterable[Finding], allowances: Iterable[Allowance], today: date) -> tuple[Finding, ...]:
    """The findings, those that are accepted today with the reason; what expired is said and not accepted."""
    allowances = tuple(allowances)
    return tuple(_judged(finding, allowances, today) for finding in found)


def _judged(finding: Finding, allowances: tuple[Allowance, ...], today: date) -> Finding:
    fitting = [one for one in allowances if one.fits(finding)]
    in_force = [one for one in fitting if one.expires >= today]
    if in_force:
        return replace(finding, accepted=f"{in_force[0].reason} (until {in_force[0].expires})")
    expired = tuple(f"it was accepted until {one.expires}: {one.reason}" for one in fitting)
    return replace(finding, reasons=(*finding.reasons, *expired)) if expired else finding
