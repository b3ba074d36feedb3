"""What a permissions boundary leaves."""

from benchmarks.drift_changes.calls import (
    allow,
    call,
    document,
    new_version,
    policy,
    policy_arn,
    put,
    role,
    set_default,
    take,
)
from benchmarks.drift_changes.change import Call, Change, Document, Step, Told, told
from benchmarks.drift_changes.changes.documents import ALL_OF_S3, READ, READ_AND_DELETE


def bounded(slug: str, boundary: Document) -> tuple[Call, ...]:
    """A role with all of S3 within a boundary."""
    return (
        *policy(slug, boundary),
        *role(slug, rights=ALL_OF_S3),
        call("put-role-permissions-boundary", RoleName=slug, PermissionsBoundary=policy_arn(slug)),
    )


def bound(slug: str) -> Call:
    """Put the boundary of a role's own name."""
    return call("put-role-permissions-boundary", RoleName=slug, PermissionsBoundary=policy_arn(slug))


def unbound(slug: str) -> Call:
    """Delete a role's boundary."""
    return call("delete-role-permissions-boundary", RoleName=slug)


def boundary(slug: str, severity: str, verdict: str, action: str = "") -> Told:
    """A change of a role's boundary."""
    return told("boundary", f"role/{slug}", severity, verdict, action)


BOUNDARIES = (
    Change(
        "a permissions boundary put on a role",
        (*policy("boundary-put", READ), *role("boundary-put", rights=ALL_OF_S3)),
        (Step((bound("boundary-put"),), (boundary("boundary-put", "LOW", "NARROWED"),)),),
        undo=(unbound("boundary-put"),),
    ),
    Change(
        "a permissions boundary deleted",
        bounded("boundary-gone", READ),
        (Step((unbound("boundary-gone"),), (boundary("boundary-gone", "CRITICAL", "BROADENED", "s3:*"),)),),
        undo=(bound("boundary-gone"),),
    ),
    Change(
        "a permissions boundary widened by a new version of its policy",
        bounded("boundary-wider", READ),
        (
            Step(
                (new_version(policy_arn("boundary-wider"), READ_AND_DELETE),),
                (boundary("boundary-wider", "CRITICAL", "BROADENED", "s3:DeleteObject"),),
            ),
        ),
        undo=(set_default(policy_arn("boundary-wider"), "v1"),),
    ),
    Change(
        "permissions granted that the boundary does not allow",
        bounded("boundary-holds", READ),
        (
            Step(
                (put("role", "boundary-holds", document(allow("iam:*", "sts:*")), inline="more"),),
                (told("note", "role/boundary-holds", "INFO", "EQUIVALENT"),),
            ),
        ),
        undo=(take("role", "boundary-holds", inline="more"),),
    ),
)
