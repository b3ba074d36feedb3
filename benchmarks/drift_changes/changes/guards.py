"""Principals that get rid of what holds them: a Deny of their own or of their group, and their boundary."""

from benchmarks.drift_changes.calls import (
    allow,
    attach,
    call,
    detach,
    document,
    group,
    new_version,
    policy,
    policy_arn,
    put,
    role,
    set_default,
    take,
    user,
)
from benchmarks.drift_changes.change import Change, Document, Step, access, told
from benchmarks.drift_changes.changes.documents import READ

_ALL = document(allow("*"))


def _but(*actions: str) -> Document:
    """Denies everything but reading, and these actions."""
    return document({"Effect": "Deny", "NotAction": ["s3:*", *actions], "Resource": "*"})


GUARDS = (
    Change(
        "a Deny of a role lets it delete the Deny",
        role("own-deny", rights=_ALL, guard=_but()),
        (
            Step(
                (put("role", "own-deny", _but("iam:DeleteRolePolicy"), inline="guard"),),
                (access("own-deny", "CRITICAL", "BROADENED", "iam:DeleteRolePolicy"),),
            ),
        ),
        undo=(put("role", "own-deny", _but(), inline="guard"),),
    ),
    Change(
        "the Deny of an administrator deleted",
        role("deny-gone", rights=_ALL, guard=_but()),
        (Step((take("role", "deny-gone", inline="guard"),), (access("deny-gone", "CRITICAL", "BROADENED", "*"),)),),
        undo=(put("role", "deny-gone", _but(), inline="guard"),),
    ),
    Change(
        "an attached policy that denies, detached from an administrator",
        (
            *policy("deny-detached", _but()),
            *user("deny-detached", rights=_ALL),
            attach("user", "deny-detached", policy_arn("deny-detached")),
        ),
        (
            Step(
                (detach("user", "deny-detached", policy_arn("deny-detached")),),
                (access("deny-detached", "CRITICAL", "BROADENED", "*", kind="user"),),
            ),
        ),
        undo=(attach("user", "deny-detached", policy_arn("deny-detached")),),
    ),
    Change(
        "a boundary lets its role delete the boundary",
        (
            *policy("boundary-own", document(allow("s3:*"))),
            *role("boundary-own", rights=_ALL),
            call(
                "put-role-permissions-boundary",
                RoleName="boundary-own",
                PermissionsBoundary=policy_arn("boundary-own"),
            ),
        ),
        (
            Step(
                (
                    new_version(
                        policy_arn("boundary-own"), document(allow("s3:*", "iam:DeleteRolePermissionsBoundary"))
                    ),
                ),
                (told("boundary", "role/boundary-own", "CRITICAL", "BROADENED", "iam:DeleteRolePermissionsBoundary"),),
            ),
        ),
        undo=(set_default(policy_arn("boundary-own"), "v1"),),
    ),
    Change(
        "an administrator leaves the group that denies",
        (*user("deny-left", rights=_ALL), *group("deny-left", "deny-left", rights=_but())),
        (
            Step(
                (call("remove-user-from-group", GroupName="deny-left", UserName="deny-left"),),
                (told("membership", "user/deny-left", "CRITICAL", "BROADENED", "*"),),
            ),
        ),
        undo=(call("add-user-to-group", GroupName="deny-left", UserName="deny-left"),),
    ),
    Change(
        "a role may make another version of its own policy the default",
        (
            *policy("own-default", READ),
            *role("own-default"),
            attach("role", "own-default", policy_arn("own-default")),
        ),
        (
            Step(
                (
                    put(
                        "role",
                        "own-default",
                        document(allow("iam:SetDefaultPolicyVersion", on=policy_arn("own-default"))),
                    ),
                ),
                (access("own-default", "CRITICAL", "BROADENED", "iam:SetDefaultPolicyVersion"),),
            ),
        ),
        undo=(take("role", "own-default"),),
    ),
    Change(
        "a role may replace the metadata of identity providers",
        role("own-metadata", rights=READ),
        (
            Step(
                (put("role", "own-metadata", document(allow("iam:UpdateSAMLProvider")), inline="more"),),
                (access("own-metadata", "HIGH", "BROADENED", "iam:UpdateSAMLProvider"),),
            ),
        ),
        undo=(take("role", "own-metadata", inline="more"),),
    ),
)
