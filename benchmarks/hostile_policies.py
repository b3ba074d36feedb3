"""Policies that are small to write and hard to decide: by an attacker, and by honest guardrails.

Each is within IAM's quotas. An attacker who may write one policy holds a check or a scan up with them, and hides a
grant behind them, unless the work of a run is bounded and shared.
"""

from collections.abc import Mapping
from typing import Any

type Document = dict[str, Any]

INNER_STARS = (
    "*et*bject*",
    "*i*t*s*",
    "*ut*o*y*",
    "*ag*e*",
    "*es*ri*e*",
    "*at*h*",
    "*re*te*",
    "*ele*e*",
    "*te*m*",
    "*pd*te*",
)
"""Actions with stars inside; a statement of each makes the stars meet in all orders."""
_WORDS = ("secret", "admin", "prod", "audit", "vault", "token", "billing", "master")
_SERVICES = ("iam", "lambda", "ec2", "sts", "ssm", "glue", "cloudformation", "codebuild", "sagemaker", "datapipeline")
_LETTERS = "esztaoinrhldcumwfgypb"


def denied_by_tags(holder: int = 0) -> Document:
    """About 1.3 KB: almost everything is allowed, but for eight words in ARNs to holders without certain tags."""
    denies = [
        {
            "Effect": "Deny",
            "Action": "*",
            "Resource": f"arn:aws:*{word}*{holder}*",
            "Condition": {"StringNotEquals": {f"aws:PrincipalTag/{word}": "yes"}},
        }
        for word in _WORDS
    ]
    return _document({"Effect": "Allow", "Action": [f"{one}:*" for one in _SERVICES], "Resource": "*"}, *denies)


def denied_on_many_globs(holder: int = 0) -> Document:
    """Everything is allowed but on 20 globs of four letters each: their stars meet in all orders."""
    globs = ["".join(f"*{_LETTERS[(start + step * 7) % 21]}" for step in range(4)) for start in range(20)]
    denied = [f"arn:{glob}*{holder}" if holder else f"arn:{glob}*" for glob in globs]
    return _document(
        {"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "*", "Resource": denied}
    )


def denied_outside_of_many_globs(holder: int = 0) -> Document:
    """About 1.7 KB: denies each ARN that one of 16 globs does not match; their stars meet in all orders."""
    globs = ["".join(f"*{_LETTERS[(start + step * 7) % 21]}" for step in range(4)) for start in range(16)]
    denies = [{"Effect": "Deny", "Action": "*", "NotResource": f"arn:{glob}*{holder}"} for glob in globs]
    return _document({"Effect": "Allow", "Action": [f"{one}:*" for one in _SERVICES], "Resource": "*"}, *denies)


def guardrails(holder: int = 0) -> tuple[Document, ...]:
    """Four honest guardrails by tag, as a landing zone attaches them to every role, and what the role is for."""
    work = {"Effect": "Allow", "Action": ["iam:PassRole", "lambda:*", "ec2:*", "s3:*"], "Resource": "*"}
    return (
        _document(work, {"Effect": "Allow", "Action": "sqs:*", "Resource": f"arn:aws:sqs:*:*:queue-{holder}"}),
        *(_guardrail(word) for word in _WORDS[:4]),
    )


def _guardrail(word: str) -> Document:
    return _document(
        {
            "Effect": "Deny",
            "Action": "*",
            "Resource": [f"arn:aws:*:*:*:*{word}*", f"arn:aws:iam::*:role/{word}-*"],
            "Condition": {"StringNotEquals": {"aws:PrincipalTag/team": ["platform", word]}},
        }
    )


def inline(name: str, holder: int) -> Mapping[str, Document]:
    """The inline policies of one holder of the set of this name."""
    documents = {
        "tags": denied_by_tags,
        "globs": denied_on_many_globs,
        "exceptions": denied_outside_of_many_globs,
    }
    if name in documents:
        return {"own": documents[name](holder)}
    return {f"guardrail-{number}": one for number, one in enumerate(guardrails(holder))}


SETS = ("tags", "globs", "exceptions", "guardrails")


def _document(*statements: Mapping[str, Any]) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}
