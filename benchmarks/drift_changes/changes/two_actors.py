"""Two actors on one finding, in every order, at once and one after the other."""

from benchmarks.drift_changes.calls import (
    allow,
    attach,
    call,
    document,
    group,
    made_by,
    new_version,
    policy,
    policy_arn,
    put,
    role,
    set_default,
    take,
    trust,
    user,
)
from benchmarks.drift_changes.change import Change, Step, Who, access, told
from benchmarks.drift_changes.changes.documents import EC2, READ, READ_AND_DELETE, WRITE

_SEND = document(allow("sqs:SendMessage"))
_ORDERS: tuple[tuple[Who, Who], ...] = (
    ("insider", "deployer"),
    ("insider", "colleague"),
    ("colleague", "insider"),
    ("deployer", "deployer"),
    ("colleague", "deployer"),
    ("deployer", "colleague"),
)


def _at_once(first: Who, second: Who) -> Change:
    slug = f"at-once-{first}-{second}"
    calls = (
        *made_by(first, put("role", slug, WRITE, inline="first")),
        *made_by(second, put("role", slug, _SEND, inline="second")),
    )
    expected = {first, second} == {"deployer"}
    return Change(
        f"{first}, then {second} at once",
        role(slug, rights=READ),
        (Step(calls, (access(slug, "MEDIUM", "BROADENED", "*", expected=expected),)),),
        undo=(take("role", slug, inline="second"), take("role", slug, inline="first")),
    )


def _one_after_the_other(first: Who, second: Who) -> Change:
    slug = f"later-{first}-{second}"
    expected = {first, second} == {"deployer"}
    return Change(
        f"{first}, and {second} later",
        role(slug, rights=READ),
        (
            Step(
                made_by(first, put("role", slug, WRITE, inline="first")),
                (access(slug, "MEDIUM", "BROADENED", "s3:PutObject", expected=first == "deployer"),),
            ),
            Step(
                made_by(second, put("role", slug, _SEND, inline="second")),
                (access(slug, "MEDIUM", "BROADENED", "sqs:SendMessage", expected=expected),),
            ),
        ),
        undo=(take("role", slug, inline="second"), take("role", slug, inline="first")),
    )


TWO_ACTORS = (
    *(_at_once(*order) for order in _ORDERS),
    *(_one_after_the_other(*order) for order in _ORDERS),
    Change(
        "the deployer widens a role, and another person opens its trust: each finding has its own actor",
        role("parts-apart", rights=READ),
        (
            Step(
                (
                    *made_by("deployer", put("role", "parts-apart", WRITE, inline="more")),
                    call(
                        "update-assume-role-policy",
                        RoleName="parts-apart",
                        PolicyDocument=trust({"Service": ["ec2.amazonaws.com", "ecs-tasks.amazonaws.com"]}),
                    ),
                ),
                (
                    access("parts-apart", "MEDIUM", "BROADENED", "s3:PutObject", expected=True, by=("deployer",)),
                    told("trust", "role/parts-apart", "MEDIUM", "BROADENED", "sts:AssumeRole", by=("insider",)),
                ),
            ),
        ),
        undo=(
            call("update-assume-role-policy", RoleName="parts-apart", PolicyDocument=trust(EC2)),
            take("role", "parts-apart", inline="more"),
        ),
    ),
    Change(
        "the deployer attaches a policy, and another person widens it at once",
        (*policy("attached-wider", READ), *role("attached-wider", rights=READ)),
        (
            Step(
                (
                    *made_by("deployer", attach("role", "attached-wider", policy_arn("attached-wider"))),
                    new_version(policy_arn("attached-wider"), READ_AND_DELETE),
                ),
                (access("attached-wider", "MEDIUM", "BROADENED", "s3:DeleteObject"),),
            ),
        ),
        undo=(
            call("detach-role-policy", RoleName="attached-wider", PolicyArn=policy_arn("attached-wider")),
            set_default(policy_arn("attached-wider"), "v1"),
        ),
    ),
    Change(
        "one person joins a group, and another widens the group at once",
        (*user("joins-wider", rights=READ), *group("joins-wider", rights=READ)),
        (
            Step(
                (
                    *made_by("colleague", call("add-user-to-group", GroupName="joins-wider", UserName="joins-wider")),
                    put("group", "joins-wider", WRITE, inline="more"),
                ),
                (
                    access("joins-wider", "MEDIUM", "BROADENED", "s3:PutObject", kind="group", by=("insider",)),
                    told("membership", "user/joins-wider", "MEDIUM", "BROADENED", "s3:PutObject"),
                ),
            ),
        ),
        undo=(
            call("remove-user-from-group", GroupName="joins-wider", UserName="joins-wider"),
            take("group", "joins-wider", inline="more"),
        ),
    ),
)
