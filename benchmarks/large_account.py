"""What a scan of a large account costs: seconds of one core, calls, writes, memory, findings, the size of its report.

    python -m benchmarks.large_account [--principals N ...] [--change NAME ...] [--json FILE] [--of-quotas SHARE]

The account has documents of real size: several kilobytes for a managed policy, one to two for an inline one, trust
under conditions; a guardrail that all roles have, a boundary that half of them have, policies of AWS. One thing changes
at a time, and the account is scanned twice, over moto's S3 and DynamoDB: the first scan opens the findings, the second
finds nothing new. Neither begins another comparison after half of the function's limit. Then the most severe finding is
adopted. With ``--json``, the ratios to the account without a change are written, or compared with those of the file.
"""

import argparse
import json
import multiprocessing
import resource
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from time import process_time
from typing import Any

from benchmarks.scanned_account import scanned
from policy_drift.domain.account import Account, Document, Group, ManagedPolicy, Role, User
from policy_drift.domain.baseline import AT_ONCE
from policy_drift.domain.finding import Kind
from steward.events import PublishableEvent

ACCOUNT = "111122223333"
WORSE = 1.3
"""A ratio that has grown by more than this factor is printed as worse."""
_SERVICES = {
    "s3": "GetObject PutObject ListBucket DeleteObject GetBucketLocation GetObjectTagging PutObjectTagging",
    "dynamodb": "GetItem PutItem Query Scan UpdateItem DeleteItem BatchGetItem BatchWriteItem DescribeTable",
    "sqs": "SendMessage ReceiveMessage DeleteMessage GetQueueAttributes GetQueueUrl ChangeMessageVisibility",
    "logs": "CreateLogStream PutLogEvents CreateLogGroup DescribeLogStreams FilterLogEvents",
    "ecr": "GetDownloadUrlForLayer BatchGetImage GetAuthorizationToken BatchCheckLayerAvailability",
    "kms": "Decrypt GenerateDataKey DescribeKey Encrypt",
    "secretsmanager": "GetSecretValue DescribeSecret ListSecretVersionIds",
    "ec2": "DescribeInstances DescribeSubnets DescribeVpcs CreateTags DescribeSecurityGroups DescribeImages",
}


def _document(random: Random, statements: int) -> Document:
    return {"Version": "2012-10-17", "Statement": [_statement(number, random) for number in range(statements)]}


def _statement(number: int, random: Random) -> dict[str, Any]:
    service = random.choice(list(_SERVICES))
    names = _SERVICES[service].split()
    statement: dict[str, Any] = {
        "Sid": f"{service.capitalize()}Access{number}",
        "Effect": "Deny" if random.randrange(12) == 0 else "Allow",
        "Action": [f"{service}:{name}" for name in random.sample(names, random.randint(2, len(names)))],
        "Resource": [
            f"arn:aws:{service}:eu-central-1:{ACCOUNT}:team-{random.randrange(300)}-{random.randrange(5_000)}/*"
            for _ in range(random.randint(1, 4))
        ],
    }
    if random.randrange(4) == 0:
        statement["Condition"] = {"StringEquals": {"aws:RequestedRegion": ["eu-central-1", "eu-west-1"]}}
    return statement


def _arn(name: str, owner: str = ACCOUNT) -> str:
    return f"arn:aws:iam::{owner}:policy/{name}"


GUARDRAIL, BOUNDARY, UPSTREAM = _arn("guardrail"), _arn("boundary"), _arn("Operations", "aws")


def _simple(effect: str, *actions: str) -> Document:
    return {"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": list(actions), "Resource": "*"}]}


def account(principals: int, random: Random) -> Account:
    """Nine roles to a user; for a hundred of them a group and fifteen managed policies."""
    roles, users, groups = principals * 90 // 101, principals * 10 // 101, principals // 101
    own = [ManagedPolicy(_arn(f"app/policy-{one}"), f"ANPA{one:012}", "v1", _document(random, random.randint(6, 12)))
           for one in range(principals * 15 // 101)]  # fmt: skip
    arns = [policy.arn for policy in own]
    guardrail = _simple("Deny", "organizations:*", "cloudtrail:StopLogging", "s3:DeleteObject", "s3:PutObjectTagging")
    shared = [
        ManagedPolicy(GUARDRAIL, "ANPAG", "v1", guardrail),
        ManagedPolicy(BOUNDARY, "ANPAB", "v1", _simple("Allow", *(f"{service}:*" for service in _SERVICES))),
        ManagedPolicy(UPSTREAM, "ANPAU", "v1", _document(Random(1), 14)),
    ]

    def attached(*always: str) -> tuple[str, ...]:
        return tuple(sorted({*always, *random.sample(arns, min(len(arns), random.randint(1, 3)))}))

    def inline() -> dict[str, Document]:
        return {f"inline-{one}": _document(random, random.randint(2, 5)) for one in range(random.randint(1, 2))}

    def role(number: int) -> Role:
        condition = {
            "StringEquals": {"aws:SourceAccount": ACCOUNT},
            "ArnLike": {"aws:SourceArn": f"arn:aws:*:*:{ACCOUNT}:*"},
        }
        principal = {"Service": random.choice(["lambda.amazonaws.com", "ecs-tasks.amazonaws.com"])}
        said = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", "Condition": condition}
        always = (GUARDRAIL, UPSTREAM) if number % 20 == 0 else (GUARDRAIL,)
        return Role(
            f"role-{number}", "/app/", f"AROA{number:012}", inline(), attached(*always),
            {"Version": "2012-10-17", "Statement": [said]}, BOUNDARY if number % 2 == 0 else None,
        )  # fmt: skip

    def user(number: int) -> User:
        member_of = (f"group-{random.randrange(groups)}",) if groups else ()
        return User(f"user-{number}", "/", f"AIDA{number:012}", inline(), attached(), member_of)

    return Account(
        ACCOUNT,
        {one.name: one for one in map(user, range(users))},
        {
            one.name: one
            for one in (Group(f"group-{n}", "/", f"AGPA{n:012}", inline(), attached()) for n in range(groups))
        },
        {one.name: one for one in map(role, range(roles))},
        {policy.arn: policy for policy in (*own, *shared)},
    )


def largest(share: float, random: Random) -> Account:
    """So much of the largest account that IAM's default quotas allow, with every document at its limit.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """
    policies = [
        ManagedPolicy(_arn(f"app/policy-{one}"), f"ANPA{one:017}", "v1", _full(random, 6_144))
        for one in range(round(5_000 * share))
    ]
    arns = [policy.arn for policy in policies]
    trusted = [f"arn:aws:iam::{ACCOUNT}:role/app/role-{one:05}" for one in range(35)]
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": trusted}, "Action": "sts:AssumeRole"}],
    }

    def ten(names: Sequence[str]) -> tuple[str, ...]:
        return tuple(sorted(random.sample(names, min(10, len(names)))))

    groups = [
        Group(f"group-{one}", "/", f"AGPA{one:017}", {"own": _full(random, 5_120)}, ten(arns))
        for one in range(round(300 * share))
    ]
    names = [group.name for group in groups]
    users = [
        User(f"user-{one}", "/", f"AIDA{one:017}", {"own": _full(random, 2_048)}, ten(arns), ten(names))
        for one in range(round(5_000 * share))
    ]
    roles = [
        Role(f"role-{one}", "/app/", f"AROA{one:017}", {"own": _full(random, 10_240)}, ten(arns), trust,
             random.choice(arns))
        for one in range(round(10_000 * share))
    ]  # fmt: skip
    return Account(
        ACCOUNT,
        {one.name: one for one in users},
        {one.name: one for one in groups},
        {one.name: one for one in roles},
        {one.arn: one for one in policies},
    )


def _full(random: Random, characters: int) -> Document:
    """A document with as many statements as fit into so many characters."""
    statements: list[dict[str, Any]] = []
    left = characters - len('{"Version":"2012-10-17","Statement":[]}')
    while True:
        statement = _statement(len(statements), random)
        left -= len(json.dumps(statement, separators=(",", ":"))) + 1
        if left < 0:
            return {"Version": "2012-10-17", "Statement": statements}
        statements.append(statement)


def _own(percent: int) -> Callable[[Account], Account]:
    """A grant of its own at so many of a hundred roles and users."""

    def changed(approved: Account) -> Account:
        grant = _simple("Allow", "ses:SendEmail")

        def some(principals: Any) -> Any:
            return {
                name: replace(one, inline={**one.inline, "grant": grant}) if number % 100 < percent else one
                for number, (name, one) in enumerate(principals.items())
            }

        return replace(approved, users=some(approved.users), roles=some(approved.roles))

    return changed


def _with(arn: str, document: Document) -> Callable[[Account], Account]:
    def changed(approved: Account) -> Account:
        policy = replace(approved.policies[arn], version="v2", document=document)
        return replace(approved, policies={**approved.policies, arn: policy})

    return changed


def _new(percent: int) -> Callable[[Account], Account]:
    def changed(approved: Account) -> Account:
        wanted = len(approved.roles) * percent // 100
        copies = {
            f"new-{name}": replace(role, name=f"new-{name}", unique_id=f"AROANEW{name}")
            for name, role in list(approved.roles.items())[:wanted]
        }
        return replace(approved, roles={**approved.roles, **copies})

    return changed


CHANGES: dict[str, Callable[[Account], Account]] = {
    "nothing": lambda approved: approved,
    "own 1 %": _own(1),
    "own 100 %": _own(100),
    "shared": _with(GUARDRAIL, _simple("Deny", "organizations:*", "cloudtrail:StopLogging")),
    "boundary": _with(BOUNDARY, _simple("Allow", "ses:*", *(f"{service}:*" for service in _SERVICES))),
    "upstream": _with(UPSTREAM, _document(Random(2), 14)),
    "new 1 %": _new(1),
}


class _Silence:
    """A bus without listeners; counts what it is given."""

    def __init__(self) -> None:
        self.alerts = 0

    def publish(self, events: Sequence[PublishableEvent], *, correlation_id: str) -> None:  # noqa: ARG002 - the port's
        self.alerts += sum(type(event).__name__ == "PolicyDriftDetected" for event in events)


def measured(principals: int, change: str, share: float = 0) -> dict[str, Any]:
    """One measurement; with a share, of the largest account that the quotas allow."""
    approved = largest(share, Random(7)) if share else account(principals, Random(7))
    live = CHANGES[change](approved)
    principals_of = (*live.users.values(), *live.groups.values(), *live.roles.values())
    size = sum(len(json.dumps([one.inline, getattr(one, "trust", {})])) for one in principals_of)
    size += sum(len(json.dumps(one.document)) for one in live.policies.values())
    bus = _Silence()
    with scanned(approved, live, bus) as account_scanned:
        results: dict[str, Any] = {"principals": principals, "change": change, "documents MB": round(size / 1e6, 1)}
        calls = account_scanned.calls
        for name in ("first", "second"):
            calls.clear()
            begun = process_time()
            drifts = [one.drift for one in account_scanned.scan(f"{name}-scan").findings]
            results |= {
                f"{name} CPU s": round(process_time() - begun, 1),
                f"{name} DynamoDB calls": sum(calls.values()),
                f"{name} writes": calls["UpdateItem"] + calls["TransactWriteItems"],
                f"{name} left": [one.summary for one in drifts if one.kind is Kind.UNREADABLE],
            }
        if drifts and account_scanned.baseline_bytes <= AT_ONCE:
            begun = process_time()
            account_scanned.adopt(drifts[0])
            results["adopted CPU s"] = round(process_time() - begun, 1)
        return results | {
            "findings": dict(Counter(f"{one.kind} {one.severity.name}" for one in drifts)),
            "alerts": bus.alerts,
            "report MB": {kind: round(size / 1e6, 2) for kind, size in account_scanned.reports.sizes.items()},
            "baseline MB": round(account_scanned.baseline_bytes / 1e6, 1),
            "peak MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        }


def ratios(results: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Seconds of each change in relation to none, so that machines compare."""
    quiet = {one["principals"]: one["first CPU s"] for one in results if one["change"] == "nothing"}
    return {
        f"{one['principals']} principals, {one['change']}": round(one["first CPU s"] / quiet[one["principals"]], 2)
        for one in results
        if quiet.get(one["principals"])
    }


def worse(before: dict[str, float], now: dict[str, float]) -> list[str]:
    """What takes more than it did, in words."""
    return [
        f"worse: {name}: {now[name]} times a scan without a change, {ratio} before"
        for name, ratio in before.items()
        if now.get(name, 0) > ratio * WORSE
    ]


def main() -> int:
    """Measure and print; 1 if something got worse than the committed ratios."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--principals", type=int, nargs="+", default=[1_010, 10_100])
    options.add_argument("--change", nargs="+", choices=CHANGES, default=list(CHANGES))
    options.add_argument("--json", type=Path, help="the committed ratios: written if the file is not there")
    options.add_argument("--of-quotas", type=float, default=0, help="in place of --principals: a share of all quotas")
    asked = options.parse_args()
    results = []
    for size in [round(15_300 * asked.of_quotas)] if asked.of_quotas else asked.principals:
        for change in asked.change:
            with multiprocessing.get_context("spawn").Pool(1) as process:
                results.append(process.apply(measured, (size, change, asked.of_quotas)))
            print(results[-1], flush=True)
    if not asked.json:
        return 0
    now = ratios(results)
    if not asked.json.exists():
        asked.json.write_text(json.dumps(now, indent=2) + "\n")
        return 0
    got_worse = worse(json.loads(asked.json.read_text()), now)
    print("\n".join(got_worse or ["nothing got worse"]))
    return 1 if got_worse else 0


if __name__ == "__main__":
    raise SystemExit(main())
