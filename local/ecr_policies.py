"""Which lifecycle policies and repository policies ECR refuses: the former by the house rules' own check.

Source: Amazon ECR user guide, "Private repository policies in Amazon ECR"
(https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policies.html).
"""

import json
from typing import Any

from repository_provisioning.domain.lifecycle_documents import why_refused


def why_lifecycle_policy_refused(text: str) -> str | None:
    """The first reason for which ECR refuses a lifecycle policy, or ``None`` for one that it takes."""
    reason = why_refused(text)
    return f"Lifecycle policy validation failure: {reason}" if reason else None


def why_repository_policy_refused(text: str) -> str | None:
    """The first reason for which ECR refuses a repository policy, or ``None`` for one that it takes."""
    try:
        policy = json.loads(text)
    except ValueError:
        return "Invalid repository policy provided: not JSON"
    statements = policy.get("Statement") if isinstance(policy, dict) else None
    statements = [statements] if isinstance(statements, dict) else statements
    if not isinstance(statements, list) or not statements:
        return "Invalid repository policy provided: no Statement"
    for statement in statements:
        missing = {"Effect", "Action", "Principal"} - _names_of(statement)
        if missing:
            return f"Invalid repository policy provided: a statement without {', '.join(sorted(missing))}"
    return None


def _names_of(statement: Any) -> set[str]:
    """The elements of a statement, a negated one counted as what it negates."""
    return {name.removeprefix("Not") for name in statement} if isinstance(statement, dict) else set()
