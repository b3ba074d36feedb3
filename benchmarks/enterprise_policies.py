"""Principals as companies have them, each with a change of its policies: how many comparisons end UNKNOWN.

    python benchmarks/enterprise_policies.py [--principals 1000]

A principal has up to ten policies of AWS, guardrails by tag and by region, attribute-based access with variables, its
own work, and a permissions boundary. A change exchanges, widens or narrows one of them. The same number always makes
the same principals and changes. The AWS policies are those that the package moto ships.
"""

import argparse
import sys
from collections import Counter
from copy import deepcopy
from pathlib import Path
from random import Random
from time import process_time
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "layers"))

type Document = dict[str, Any]
ACCOUNT = "111122223333"
TEAMS = ("shop", "pay", "search", "data", "core", "ml")
WORDS = ("secret", "admin", "prod", "audit", "vault", "token", "billing", "master", "ledger", "payroll")
_TEAM = "${aws:PrincipalTag/team}"


def aws_policies() -> list[Document]:
    """The documents of the AWS managed policies, by name."""
    import json  # noqa: PLC0415 - with the package that it is for

    from moto.iam.aws_managed_policies import aws_managed_policies_data  # noqa: PLC0415 - takes a second

    policies: dict[str, Any] = json.loads(aws_managed_policies_data)
    return [policies[name]["Document"] for name in sorted(policies)]


def document(*statements: dict[str, Any]) -> Document:
    """A policy of the present version."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(actions: Any, resources: Any, condition: Any = None) -> dict[str, Any]:
    """A statement that allows."""
    return statement("Allow", actions, resources, condition)


def deny(actions: Any, resources: Any, condition: Any = None) -> dict[str, Any]:
    """A statement that denies."""
    return statement("Deny", actions, resources, condition)


def statement(effect: str, actions: Any, resources: Any, condition: Any) -> dict[str, Any]:
    """A statement, without a condition where there is none."""
    written = {"Effect": effect, "Action": actions, "Resource": resources}
    return written | ({"Condition": condition} if condition else {})


def guardrails(random: Random) -> Document:
    """Denies by tag on words in names, and one outside of some regions."""
    denies = [
        deny(
            "*",
            [f"arn:aws:*:*:*:*{word}*", f"arn:aws:iam::*:role/{word}-*"],
            {"StringNotEquals": {"aws:PrincipalTag/team": ["platform", word]}},
        )
        for word in random.sample(WORDS, random.randint(2, 6))
    ]
    regions = {"StringNotEquals": {"aws:RequestedRegion": random.sample(["eu-west-1", "eu-central-1", "us-east-1"], 2)}}
    outside = {"Effect": "Deny", "NotAction": ["iam:*", "sts:*", "cloudfront:*"], "Resource": "*", "Condition": regions}
    return document(*denies, outside)


def by_attributes(random: Random) -> Document:
    """What a team may do with what carries its tag or its name."""
    same_team = {"StringEquals": {"aws:ResourceTag/team": _TEAM}}
    statements = [
        allow(["ec2:StartInstances", "ec2:StopInstances"], "*", same_team),
        allow("s3:*", [f"arn:aws:s3:::{_TEAM}-*", f"arn:aws:s3:::{_TEAM}-*/*"]),
        allow("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/{_TEAM}-*"),
        allow("dynamodb:*", f"arn:aws:dynamodb:*:{ACCOUNT}:table/{_TEAM}/*"),
        allow(
            ["secretsmanager:GetSecretValue"], f"arn:aws:secretsmanager:*:{ACCOUNT}:secret:{_TEAM}/${{aws:username}}/*"
        ),
        allow(
            "logs:*", f"arn:aws:logs:*:{ACCOUNT}:log-group:/{_TEAM}/*", {"StringLike": {"aws:PrincipalTag/team": "s*"}}
        ),
    ]
    return document(*random.sample(statements, random.randint(2, len(statements))))


def own_work(random: Random) -> Document:
    """Names of the principal's own, some with a star inside."""
    team, number = random.choice(TEAMS), random.randint(1, 99)
    return document(
        allow(["sqs:SendMessage", "sqs:ReceiveMessage"], f"arn:aws:sqs:eu-west-1:{ACCOUNT}:{team}-{number}-*"),
        allow("s3:Get*", [f"arn:aws:s3:::{team}-*-{random.choice(WORDS)}/*" for _ in range(random.randint(1, 8))]),
        allow("kms:Decrypt", "*", {"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}}),
    )


def boundary(random: Random) -> Document:
    """Everything but IAM's dangerous parts; roles may be passed only of a team."""
    team = random.choice(TEAMS)
    not_of_team = {"Effect": "Deny", "Action": "iam:PassRole", "NotResource": f"arn:aws:iam::{ACCOUNT}:role/{team}-*"}
    kept = deny(["iam:DeleteRolePermissionsBoundary", "iam:PutRolePermissionsBoundary"], "*")
    return document(allow("*", "*"), *random.sample([not_of_team, kept], random.randint(1, 2)))


def principal(number: int, of_aws: list[Document]) -> tuple[list[Document], Document | None]:
    """The policies of one principal, and its boundary or none."""
    random = Random(number)
    policies = random.sample(of_aws, random.randint(6, 10))
    policies += [guardrails(random), by_attributes(random), own_work(random)]
    return policies, boundary(random) if random.random() < 0.8 else None  # noqa: PLR2004 - four of five


def changed(
    number: int, policies: list[Document], within: Document | None, of_aws: list[Document]
) -> tuple[str, list[Document], Document | None]:
    """What was done to the principal, and what it has then."""
    random = Random(-number - 1)
    policies, within = deepcopy(policies), deepcopy(within)
    kinds = ["AWS policy exchanged", "statement widened", "statement gone", "condition gone", "guardrail", "grant"]
    kind = random.choice([*kinds, "boundary"] if within else kinds)
    listed = random.choice(policies[-3:])["Statement"]
    one = random.choice(listed)
    match kind:
        case "AWS policy exchanged":
            policies[random.randrange(len(policies) - 3)] = random.choice(of_aws)
        case "statement widened":
            names = one["Resource"] if isinstance(one["Resource"], list) else [one["Resource"]]
            one["Resource"] = [name.replace("-*", "*") if "-*" in name else name.rstrip("*") + "*" for name in names]
        case "statement gone":
            listed.remove(one)
            listed.append(allow("sts:GetCallerIdentity", "*"))
        case "condition gone":
            one.pop("Condition", None)
        case "guardrail":
            policies[-3] = guardrails(random)
        case "grant":
            policies.append(document(allow(random.choice(["iam:*", "s3:*", "lambda:Invoke*"]), "*")))
        case "boundary" if within:
            narrow(within)
    return kind, policies, within


def narrow(within: Document) -> None:
    """Let the boundary leave other roles out, and fewer services in."""
    for part in within["Statement"]:
        if "NotResource" in part:
            part["NotResource"] = part["NotResource"].replace("-*", "*")
        elif part["Effect"] == "Allow":
            part["Action"] = ["s3:*", "ec2:*", "iam:*"]


def main() -> None:
    """Measure and print."""
    from iam_policy import compare, effective_access  # noqa: PLC0415 - after the path is set

    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--principals", type=int, default=1_000)
    options.add_argument("--first", type=int, default=0)
    asked = options.parse_args()
    of_aws = aws_policies()
    verdicts: Counter[str] = Counter()
    unknown: list[str] = []
    seconds = []
    for number in range(asked.first, asked.first + asked.principals):
        policies, within = principal(number, of_aws)
        kind, later, later_within = changed(number, policies, within, of_aws)
        sides = effective_access(policies, (), within), effective_access(later, (), later_within)
        started = process_time()
        comparison = compare(*sides)
        seconds.append(process_time() - started)
        verdicts[comparison.verdict.value] += 1
        if comparison.verdict == "UNKNOWN":
            unknown.append(f"principal {number}, {kind}: {comparison.reason}")
    ordered = sorted(1_000 * one for one in seconds)
    print(f"{asked.principals} principals: {dict(sorted(verdicts.items()))}")
    print(
        f"median {ordered[len(ordered) // 2]:.1f} ms, p99 {ordered[len(ordered) * 99 // 100]:.0f} ms, "
        f"worst {ordered[-1]:.0f} ms, total {sum(seconds):.1f} s of processor time"
    )
    print("\n".join(unknown[:20]))


if __name__ == "__main__":
    main()
