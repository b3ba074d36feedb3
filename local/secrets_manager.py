"""How Secrets Manager answers: with a document, or with a refusal that has a code."""

from typing import TYPE_CHECKING, Any

from ministack.services import secretsmanager

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.scratch_account import Reply

RELIES_ON = ("services.secretsmanager.error_response_json", "services.secretsmanager.json_response")


def success(document: "Mapping[str, Any]") -> "Reply":
    """An answer with status 200."""
    reply: Reply = secretsmanager.json_response(dict(document))
    return reply


def refusal(code: str, message: str) -> "Reply":
    """An answer with status 400, as Secrets Manager gives to every error of the caller."""
    reply: Reply = secretsmanager.error_response_json(code, message, 400)
    return reply


def not_found() -> "Reply":
    """The answer for a secret that does not exist."""
    return refusal("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
