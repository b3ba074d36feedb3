"""What is attached to users, groups and roles."""

from benchmarks.drift_changes.calls import attach, detach, group, policy, policy_arn, role, user
from benchmarks.drift_changes.change import Change, Step, access, told
from benchmarks.drift_changes.changes.documents import ADMINISTRATOR, PULL, READ, READ_AND_WRITE, WRITE

ATTACHMENTS = (
    Change(
        "a customer's policy attached to a role",
        (*policy("attach-own", WRITE), *role("attach-own", rights=READ)),
        (
            Step(
                (attach("role", "attach-own", policy_arn("attach-own")),),
                (access("attach-own", "MEDIUM", "BROADENED", "s3:PutObject"),),
            ),
        ),
        undo=(detach("role", "attach-own", policy_arn("attach-own")),),
    ),
    Change(
        "AdministratorAccess attached to a user",
        user("attach-admin", rights=READ),
        (
            Step(
                (attach("user", "attach-admin", ADMINISTRATOR),),
                (access("attach-admin", "CRITICAL", "BROADENED", "*", kind="user"),),
            ),
        ),
        undo=(detach("user", "attach-admin", ADMINISTRATOR),),
    ),
    Change(
        "an AWS managed policy attached to a role",
        role("attach-of-aws", rights=READ),
        (
            Step(
                (attach("role", "attach-of-aws", PULL),),
                (access("attach-of-aws", "MEDIUM", "BROADENED", "ecr:*"),),
            ),
        ),
        undo=(detach("role", "attach-of-aws", PULL),),
    ),
    Change(
        "a policy detached",
        (*role("detach", rights=READ), attach("role", "detach", PULL)),
        (Step((detach("role", "detach", PULL),), (access("detach", "LOW", "NARROWED"),)),),
        undo=(attach("role", "detach", PULL),),
    ),
    Change(
        "a policy attached that grants nothing new",
        (*policy("attach-same", READ), *role("attach-same", rights=READ_AND_WRITE)),
        (
            Step(
                (attach("role", "attach-same", policy_arn("attach-same")),),
                (told("note", "role/attach-same", "INFO", "EQUIVALENT"),),
            ),
        ),
        undo=(detach("role", "attach-same", policy_arn("attach-same")),),
    ),
    Change(
        "a policy attached to a group: reported for the group, once for all members",
        (*user("attach-group-1"), *user("attach-group-2"), *group("attach-group", "attach-group-1", "attach-group-2")),
        (
            Step(
                (attach("group", "attach-group", PULL),),
                (access("attach-group", "MEDIUM", "BROADENED", "ecr:*", kind="group"),),
            ),
        ),
        undo=(detach("group", "attach-group", PULL),),
    ),
)
