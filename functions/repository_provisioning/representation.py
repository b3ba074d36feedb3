"""How outcomes look to a client of the REST API; ``openapi.json`` describes the same."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from repository_provisioning.application.one_repository import Outcome


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
    if plan and plan.dry_run:
        body |= {"dry_run": True, "would_create": repository is None, "configuration": asdict(plan.configuration)}
    return body
