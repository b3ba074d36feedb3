"""How long the comparison of an account with its baseline takes, and how much memory.

    python -m benchmarks.policy_drift [--principals N]

The account is made up: nine roles to one user, and for every hundred of them a group and fifteen policies, attached and
inline. It is compared as it is, with one principal in a hundred changed, and with every document written otherwise.
Reading is what a scan does before: GetAccountAuthorizationDetails in pages of a thousand, as botocore parses them,
without the network. Each measurement runs in a process of its own, on one core, with both accounts in its memory. Whole
scans and adoptions, with documents of real size: ``large_account``.
"""

import argparse
import json
import multiprocessing
import resource
from collections import Counter
from copy import deepcopy
from dataclasses import replace
from random import Random
from time import perf_counter
from typing import Any

import boto3

from benchmarks.served_iam import ServedIam
from policy_drift.adapters.iam_account import IamAccount
from policy_drift.bootstrap import drift_severities
from policy_drift.domain.account import Account, Document, Group, ManagedPolicy, Role, User
from policy_drift.domain.comparison.drifts import drifts

ACCOUNT = "111122223333"
_ACTIONS = {
    "s3": ["GetObject", "PutObject", "ListBucket", "DeleteObject", "GetBucketLocation"],
    "dynamodb": ["GetItem", "PutItem", "Query", "Scan", "UpdateItem"],
    "sqs": ["SendMessage", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes"],
    "logs": ["CreateLogStream", "PutLogEvents", "CreateLogGroup"],
    "ecr": ["GetDownloadUrlForLayer", "BatchGetImage", "GetAuthorizationToken"],
    "kms": ["Decrypt", "GenerateDataKey", "DescribeKey"],
    "secretsmanager": ["GetSecretValue", "DescribeSecret"],
}


def account(principals: int, random: Random) -> Account:
    """An account of so many users, groups and roles, and half as many again in policies."""
    roles, users, groups = principals * 90 // 101, principals * 10 // 101, principals // 101
    policies = [
        ManagedPolicy(_policy_arn(number), f"ANPA{number:012}", f"v{number % 5 + 1}", document(random, 4))
        for number in range(principals * 15 // 101)
    ]
    arns = [policy.arn for policy in policies]
    return Account(
        ACCOUNT,
        {user.name: user for user in (_user(number, groups, arns, random) for number in range(users))},
        {group.name: group for group in (_group(number, arns, random) for number in range(groups))},
        {role.name: role for role in (_role(number, arns, random) for number in range(roles))},
        {policy.arn: policy for policy in policies},
    )


def document(random: Random, most_statements: int) -> Document:
    """A policy of a few statements, some with a condition, some that deny."""
    return {
        "Version": "2012-10-17",
        "Statement": [_statement(number, random) for number in range(random.randint(1, most_statements))],
    }


def _statement(number: int, random: Random) -> dict[str, Any]:
    service = random.choice(list(_ACTIONS))
    names = random.sample(_ACTIONS[service], random.randint(1, len(_ACTIONS[service])))
    statement: dict[str, Any] = {
        "Sid": f"Statement{number}",
        "Effect": "Deny" if _chance(random, 10) else "Allow",
        "Action": [f"{service}:{name}" for name in names],
        "Resource": [f"arn:aws:{service}:eu-central-1:{ACCOUNT}:app-{random.randrange(5_000)}/*" for _ in range(2)],
    }
    if _chance(random, 20):
        statement["Condition"] = {"StringEquals": {"aws:RequestedRegion": ["eu-central-1", "eu-west-1"]}}
    return statement


def _chance(random: Random, percent: int) -> bool:
    return random.randrange(100) < percent


def _policy_arn(number: int) -> str:
    return f"arn:aws:iam::{ACCOUNT}:policy/app/policy-{number}"


def _attached(arns: list[str], random: Random) -> tuple[str, ...]:
    return tuple(sorted(random.sample(arns, random.randint(0, min(4, len(arns))))))


def _inline(random: Random) -> dict[str, Document]:
    return {f"inline-{number}": document(random, 3) for number in range(random.randint(0, 2))}


def _role(number: int, arns: list[str], random: Random) -> Role:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": random.choice(["lambda.amazonaws.com", "ecs-tasks.amazonaws.com"])},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    boundary = random.choice(arns) if _chance(random, 10) else None
    inline, attached = _inline(random), _attached(arns, random)
    return Role(f"role-{number}", "/app/", f"AROA{number:012}", inline, attached, trust, boundary)


def _user(number: int, groups: int, arns: list[str], random: Random) -> User:
    member_of = tuple(sorted(f"group-{one}" for one in random.sample(range(groups), min(groups, random.randint(0, 3)))))
    return User(f"user-{number}", "/", f"AIDA{number:012}", _inline(random), _attached(arns, random), member_of)


def _group(number: int, arns: list[str], random: Random) -> Group:
    return Group(f"group-{number}", "/", f"AGPA{number:012}", _inline(random), _attached(arns, random))


def unchanged(approved: Account, _: Random) -> Account:
    """The same again, sharing nothing in memory."""
    return deepcopy(approved)


def one_percent_changed(approved: Account, random: Random) -> Account:
    """The same with an inline policy more, less or other at one role or user in a hundred."""
    live = deepcopy(approved)

    def changed[Principal: (User, Role)](principals: dict[str, Principal]) -> dict[str, Principal]:
        some = random.sample(sorted(principals), max(1, len(principals) // 100))
        return principals | {name: replace(principals[name], inline={"inline-0": document(random, 3)}) for name in some}

    return replace(live, users=changed(dict(live.users)), roles=changed(dict(live.roles)))


def rewritten(approved: Account, random: Random) -> Account:
    """The same with every document written otherwise."""

    def other(given: Document) -> Document:
        statements = [
            {
                **statement,
                "Sid": f"Other{random.randrange(10**6)}",
                "Action": [action.upper() for action in reversed(statement["Action"])],
            }
            for statement in reversed(given["Statement"])
        ]
        return {"Statement": statements, "Version": given["Version"]}

    def entities(given: Any) -> Any:
        return {
            name: replace(one, inline={place: other(said) for place, said in one.inline.items()})
            for name, one in given.items()
        }

    policies = {arn: replace(policy, document=other(policy.document)) for arn, policy in approved.policies.items()}
    return replace(
        approved,
        users=entities(approved.users),
        groups=entities(approved.groups),
        roles=entities(approved.roles),
        policies=policies,
    )


CHANGES = {"nothing changed": unchanged, "1 % changed": one_percent_changed, "everything rewritten": rewritten}


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--principals", type=int, default=10_100, help="users, groups and roles")
    asked = options.parse_args()
    for size in (asked.principals // 10, asked.principals):
        for name in CHANGES:
            with multiprocessing.get_context("spawn").Pool(1) as process:
                print(process.apply(measured, (size, name)), flush=True)


def measured(principals: int, change: str) -> str:
    """One measurement, in words."""
    random = Random(7)
    approved = account(principals, random)
    iam = boto3.client("iam", aws_access_key_id="made-up", aws_secret_access_key="made-up")  # noqa: S106 - made up
    iam.meta.events.register("before-send.iam", ServedIam(CHANGES[change](approved, random)).answer)
    begun = perf_counter()
    snapshot = IamAccount(iam, ACCOUNT).snapshot()
    started = perf_counter()
    found = drifts(approved, snapshot.account, severities=drift_severities()).found
    seconds = perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    text = len(json.dumps([[role.inline, role.trust] for role in approved.roles.values()]))
    kinds = dict(Counter(str(drift.kind) for drift in found))
    return (
        f"{principals} principals, {len(approved.policies)} policies, {change}: "
        f"read in {started - begun:.2f} s by {snapshot.aws_calls} calls, compared in {seconds:.2f} s, "
        f"peak {peak:.0f} MB, {len(found)} findings {kinds} ({text / 1e6:.0f} MB of roles' documents)"
    )


if __name__ == "__main__":
    main()
