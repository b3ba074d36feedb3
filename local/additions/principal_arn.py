"""The condition key ``aws:PrincipalArn`` of a role's session is the role's ARN.

Source: IAM user guide, "AWS global condition context keys", aws:PrincipalArn.
"""

from typing import Any

from ministack.core import iam_evaluator
from ministack.services import iam

from local.scratch_account import ACCOUNT, REGION

GAP = "the role's ARN in aws:PrincipalArn"
RELIES_ON = (
    "core.iam_evaluator.EvalContext",
    "core.iam_evaluator._resolve_condition_key",
    "core.iam_evaluator._role_name_from_assumed_arn",
    "services.iam._roles",
)


def is_still_missing() -> bool:
    """Whether the key holds the session's ARN."""
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/probe/session"
    context = iam_evaluator.EvalContext(session, "AssumedRole", ACCOUNT, "ecr:DescribeRepositories", "*", REGION)
    return bool(iam_evaluator._resolve_condition_key("aws:PrincipalArn", context) == session)


def install() -> None:
    """Answer the key for sessions of roles; every other key and principal as before."""
    resolve = iam_evaluator._resolve_condition_key

    def resolve_condition_key(key: str, context: Any) -> Any:
        if key.lower() == "aws:principalarn" and ":assumed-role/" in context.principal_arn:  # SQS and SNS say type Root
            name = iam_evaluator._role_name_from_assumed_arn(context.principal_arn)
            role = iam._roles.get_scoped(context.principal_account, None, name) or {}
            return role.get("Arn") or f"arn:aws:iam::{context.principal_account}:role/{name}"
        return resolve(key, context)

    iam_evaluator._resolve_condition_key = resolve_condition_key
