"""Which lifecycle policies and repository policies ECR refuses.

Sources: Amazon ECR user guide, "Lifecycle policy properties in Amazon ECR"
(https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html) and "Private repository
policies in Amazon ECR" (https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policies.html).
"""

import json
from typing import Any

_TAG_STATUSES = ("tagged", "untagged", "any")
_COUNT_TYPES = ("imageCountMoreThan", "sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned")
_TAG_LISTS = ("tagPrefixList", "tagPatternList")


def why_lifecycle_policy_refused(text: str) -> str | None:
    """The first reason for which ECR refuses a lifecycle policy, or ``None`` for one that it takes."""
    try:
        policy = json.loads(text)
    except ValueError:
        return "Lifecycle policy validation failure: not JSON"
    rules = policy.get("rules") if isinstance(policy, dict) else None
    if not isinstance(rules, list) or not rules:
        return 'Lifecycle policy validation failure: object has missing required properties (["rules"])'
    reasons = (_why_rule_refused(rule) for rule in rules)
    reason = next((reason for reason in reasons if reason), None)
    if reason is None:
        priorities = [rule["rulePriority"] for rule in rules]
        if len(set(priorities)) < len(priorities):
            reason = "rulePriority must be unique"
        elif any(rule["selection"]["tagStatus"] == "any" and rule["rulePriority"] != max(priorities) for rule in rules):
            reason = "a rule for tagStatus 'any' must have the highest rulePriority"
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


def _why_rule_refused(rule: Any) -> str | None:
    if not isinstance(rule, dict):
        return "a rule is not an object"
    priority, selection = rule.get("rulePriority"), rule.get("selection")
    if not _is_whole(priority):
        return "rulePriority is not a whole number from 1"
    if not isinstance(rule.get("action"), dict) or not isinstance(rule["action"].get("type"), str):
        return f"rule {priority} has no action"
    if not isinstance(selection, dict):
        return f"rule {priority} has no selection"
    reason = _why_selection_refused(selection)
    return f"rule {priority}: {reason}" if reason else None


def _why_selection_refused(selection: dict[str, Any]) -> str | None:
    status, count, unit = (selection.get(name) for name in ("tagStatus", "countType", "countUnit"))
    number = selection.get("countNumber")
    has_tags = any(selection.get(name) for name in _TAG_LISTS)
    checks = {
        f"tagStatus is not one of {', '.join(_TAG_STATUSES)}": status in _TAG_STATUSES,
        "tagStatus 'tagged' needs tagPrefixList or tagPatternList": status != "tagged" or has_tags,
        "tagPrefixList and tagPatternList go with tagStatus 'tagged' only": status == "tagged" or not has_tags,
        "countNumber is not a whole number from 1": _is_whole(number),
        f"countType is not one of {', '.join(_COUNT_TYPES)}": count in _COUNT_TYPES,
        "countUnit is not days": count == "imageCountMoreThan" or unit == "days",
        "countUnit goes with a count of days only": count != "imageCountMoreThan" or unit is None,
    }
    return next((reason for reason, holds in checks.items() if not holds), None)


def _is_whole(number: Any) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number >= 1


def _names_of(statement: Any) -> set[str]:
    """The elements of a statement, a negated one counted as what it negates."""
    return {name.removeprefix("Not") for name in statement} if isinstance(statement, dict) else set()
