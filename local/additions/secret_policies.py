"""Resource policies of secrets are checked when they are put, and a public one is refused where that is asked for.

MiniStack stores any text as a policy and ignores BlockPublicPolicy. Public means here: a statement that allows
everybody without a condition. Secrets Manager proves more than that.

Source: AWS Secrets Manager API reference, PutResourcePolicy.
"""

import json
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import secretsmanager

from local import secrets_manager
from local.scratch_account import Reply, scratch_account
from local.secrets_manager import refusal

GAP = "the checks of a secret's resource policy"
RELIES_ON = (
    "core.iam_evaluator.validate_policy_document",
    "services.secretsmanager._create_secret",
    "services.secretsmanager._delete_secret",
    "services.secretsmanager._put_resource_policy",
    *secrets_manager.RELIES_ON,
)


def is_still_missing() -> bool:
    """Whether a text that is no policy is stored."""
    with scratch_account():
        secretsmanager._create_secret({"Name": "probe", "SecretString": "-"})
        reply = secretsmanager._put_resource_policy({"SecretId": "probe", "ResourcePolicy": "not a policy"})
        secretsmanager._delete_secret({"SecretId": "probe", "ForceDeleteWithoutRecovery": True})
    return bool(reply[0] == 200)  # noqa: PLR2004 - HTTP OK


def install() -> None:
    """Check before it is put."""
    put = secretsmanager._put_resource_policy

    def put_resource_policy(request: dict[str, Any]) -> Reply:
        statements = _statements(request.get("ResourcePolicy", ""))
        if statements is None:
            return refusal("MalformedPolicyDocumentException", "This resource policy contains invalid Json or grammar.")
        if request.get("BlockPublicPolicy") and any(_is_public(statement) for statement in statements):
            return refusal("PublicPolicyException", "This resource policy grants broad access to the secret.")
        reply: Reply = put(request)
        return reply

    secretsmanager._put_resource_policy = put_resource_policy


def _statements(policy: str) -> list[dict[str, Any]] | None:
    """The statements of a policy; ``None`` when it is none."""
    try:
        document = json.loads(policy)
    except ValueError:
        return None
    if not isinstance(document, dict) or iam_evaluator.validate_policy_document(document):
        return None
    statements = document["Statement"]
    statements = statements if isinstance(statements, list) else [statements]
    return statements if all("Principal" in statement for statement in statements) else None


def _is_public(statement: dict[str, Any]) -> bool:
    principals = (
        statement["Principal"].get("AWS") if isinstance(statement["Principal"], dict) else statement["Principal"]
    )
    everybody = "*" in (principals if isinstance(principals, list) else [principals])
    return bool(statement["Effect"] == "Allow" and everybody and not statement.get("Condition"))
