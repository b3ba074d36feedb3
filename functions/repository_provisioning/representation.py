"""How outcomes look to a client of the REST API; ``openapi.json`` describes the same."""

import base64
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import msgspec

from repository_provisioning.application.adopt_repositories import Adopted
from repository_provisioning.application.one_repository import Outcome
from repository_provisioning.application.show_fleet import FleetPage, Place
from repository_provisioning.domain.fleet import FleetEntry
from steward.errors import InvalidRequestError

USUAL_PAGE, LONGEST_PAGE = 200, 1000
"""Repositories of a page of the fleet: a thousand take less than half a megabyte."""


def representation_of(outcome: Outcome, warnings: Sequence[str]) -> dict[str, Any]:
    """All that a pipeline needs next: where to push, what is there, what is odd about it."""
    repository, plan = outcome.repository, outcome.plan
    if outcome.restricted:
        return {"name": outcome.name, "rule": outcome.rule, "restricted": True}
    body: dict[str, Any] = {
        "name": outcome.name,
        "created": outcome.created,
        "rule": outcome.rule,
        "companions": outcome.companions,
        "differences": [asdict(difference) for difference in outcome.differences],
        "warnings": warnings,
    }
    if repository:
        body |= {
            "uri": repository.uri,
            "arn": repository.arn,
            "registry_id": repository.registry_id,
            "region": repository.arn.split(":")[3],
            "tag_mutability": repository.tag_mutability,
        }
    if outcome.ownership and outcome.settings:
        settings = outcome.settings
        body |= {
            "owner": outcome.ownership.owner,
            "owned_by": outcome.ownership.by or None,
            "registry": {
                "scan_on_push": settings.scan_on_push,
                "replicated_to": settings.replicated_to,
                "signed_by": settings.signed_by,
                "created_by_template": settings.prefixes.template_of(outcome.name) if settings.prefixes else None,
            },
        }
    if plan and plan.dry_run:
        body |= {"dry_run": True, "would_create": repository is None, "configuration": asdict(plan.configuration)}
    return body


def adoption_representation(result: Adopted) -> dict[str, Any]:
    """What bringing a repository under its rule would change, or has; the fingerprint stands for all of it."""
    adoption = result.adoption
    body: dict[str, Any] = {
        "name": adoption.target.name,
        "arn": adoption.found.arn,
        "rule": adoption.target.rule.label,
        "owner": adoption.ownership.owner,
        "owned_by": adoption.ownership.by or None,
        "scope": adoption.scope,
        "changes": [asdict(change) for change in adoption.changes],
        "shortens_retention": adoption.shortens_retention,
        "warnings": adoption.warnings,
    }
    if result.done is None:
        return body | {"dry_run": True, "fingerprint": adoption.fingerprint}
    return body | {"changed": result.done}


def fleet_representation(page: FleetPage) -> dict[str, Any]:
    """A page of the fleet, and how old it is; of names that the caller may not create it shows the rule alone."""
    scan, running = page.scan, page.running
    return {
        "scan_id": scan.scan_id,
        "started_at": scan.started_at,
        "as_of": scan.as_of,
        "age_seconds": page.age_seconds,
        "stale": page.stale,
        "running": {"since": running.started_at, "repositories": running.totals.repositories} if running else None,
        "totals": asdict(scan.totals),
        "repositories": [_entry(entry, restricted=entry.name in page.restricted) for entry in page.entries],
        "next": _token(page.next) if page.next else None,
    }


def _entry(entry: FleetEntry, *, restricted: bool) -> dict[str, Any]:
    if restricted:
        return {"name": entry.name, "rule": entry.rule, "restricted": True}
    return {
        **asdict(entry),
        "owned_by": entry.owned_by or None,
        "problem": entry.problem or None,
        "empty": entry.empty,
    }


def place_in(token: str) -> Place:
    """The place that a token names. Raises InvalidRequestError for one that no page gave."""
    try:
        place = msgspec.json.decode(base64.urlsafe_b64decode(f"{token}===".encode()), type=Place)
    except ValueError as error:  # also msgspec's own
        raise InvalidRequestError(f"next is what the page before gave, not {token!r}") from error
    if not 1 <= place.limit <= LONGEST_PAGE:
        raise InvalidRequestError(f"next is what the page before gave, not {token!r}")
    return place


def _token(place: Place) -> str:
    """All of a page in one parameter: curl before 8.3 signs two parameters in the order in which they are sent."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")
