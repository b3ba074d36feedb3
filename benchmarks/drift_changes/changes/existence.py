"""Who is there at all, and under which name."""

from benchmarks.drift_changes.calls import attach, call, detach, role, take, trust, user
from benchmarks.drift_changes.change import Change, Step, access, finding, told
from benchmarks.drift_changes.changes.documents import ADMINISTRATOR, EC2, PULL, READ

EXISTENCE = (
    Change(
        "a user created without permissions",
        (),
        (Step(user("user-new"), (told("unmanaged", "user/user-new", "MEDIUM", "EQUIVALENT"),)),),
        undo=(call("delete-user", UserName="user-new"),),
    ),
    Change(
        "an administrator role created",
        (),
        (
            Step(
                (*role("role-new"), attach("role", "role-new", ADMINISTRATOR)),
                (told("unmanaged", "role/role-new", "CRITICAL", "BROADENED", "*"),),
            ),
        ),
        undo=(detach("role", "role-new", ADMINISTRATOR), call("delete-role", RoleName="role-new")),
    ),
    Change(
        "a role deleted",
        role("role-gone", rights=READ),
        (
            Step(
                (take("role", "role-gone"), call("delete-role", RoleName="role-gone")),
                (told("missing", "role/role-gone", "LOW", "NARROWED"),),
            ),
        ),
        adopted=(finding("missing", "role/role-gone"),),
    ),
    Change(
        "a role deleted and recreated identically",
        role("recreated", rights=READ),
        (
            Step(
                (
                    take("role", "recreated"),
                    call("delete-role", RoleName="recreated"),
                    *role("recreated", rights=READ),
                ),
                (told("recreated", "role/recreated", "MEDIUM", "INCOMPARABLE"),),
            ),
        ),
        adopted=(finding("recreated", "role/recreated"),),
    ),
    Change(
        "a user renamed",
        user("renamed", rights=READ),
        (
            Step(
                (call("update-user", UserName="renamed", NewUserName="renamed-now"),),
                (told("note", "user/renamed-now", "INFO", "EQUIVALENT"),),
            ),
        ),
        undo=(call("update-user", UserName="renamed-now", NewUserName="renamed"),),
    ),
    Change(
        "a service-linked role: AWS's own",
        (),
        (
            Step(
                (call("create-service-linked-role", AWSServiceName="autoscaling.amazonaws.com"),),
                (told("unmanaged", "role/AWSServiceRoleForAutoscaling", "INFO", "*", "*"),),
            ),
        ),
        adopted=(finding("unmanaged", "role/AWSServiceRoleForAutoscaling"),),
    ),
    Change(
        "a role of IAM Identity Center gets a policy",
        (
            call(
                "create-role",
                RoleName="AWSReservedSSO_Reader_0123456789abcdef",
                Path="/aws-reserved/sso.amazonaws.com/",
                AssumeRolePolicyDocument=trust(EC2),
            ),
        ),
        (
            Step(
                (attach("role", "AWSReservedSSO_Reader_0123456789abcdef", PULL),),
                (access("AWSReservedSSO_Reader_0123456789abcdef", "MEDIUM", "BROADENED", "ecr:*"),),
            ),
        ),
        undo=(detach("role", "AWSReservedSSO_Reader_0123456789abcdef", PULL),),
    ),
)
