"""How outcomes look to a client of the REST API; ``openapi.json`` describes the same."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from repository_provisioning.domain.provisioning import Outcome, Result
from steward.errors import StewardError


def representation_of(outcome: Outcome) -> dict[str, Any]:
    """All that a pipeline needs next: where to push, what is there, what is odd about it."""
    repository, plan = outcome.repository, outcome.plan
    body: dict[str, Any] = {
        "name": outcome.name,
        "created": outcome.created,
        "rule": outcome.rule,
        "companions": outcome.companions,
        "differences": [asdict(difference) for difference in outcome.differences],
        "warnings": outcome.warnings,
    }
    if repository:
        body |= {
            "uri": repository.uri,
            "arn": repository.arn,
            "registry_id": repository.registry_id,
            "region": repository.arn.split(":")[3],
            "tag_mutability": repository.tag_mutability,
        }
    if plan and plan.dry_run:
        body |= {"dry_run": True, "would_create": repository is None, "configuration": asdict(plan.configuration)}
    return body


def item_of(asked: object, result: Result, problem: Callable[[StewardError], dict[str, Any]]) -> dict[str, Any]:
    """One item of a batch's answer: its status, and the repository or the problem; nameless if it was asked so."""
    if isinstance(result, StewardError):
        refusal = problem(result)
        named = {"name": asked} if isinstance(asked, str) else {}
        return {**named, "status": refusal["status"], "problem": refusal}
    return {"name": result.name, "status": 201 if result.created else 200, "repository": representation_of(result)}
