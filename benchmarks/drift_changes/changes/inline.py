"""What stands in inline policies."""

from benchmarks.drift_changes.calls import allow, deny, document, group, put, role, take, user
from benchmarks.drift_changes.change import Change, Document, Step, Told, access, told
from benchmarks.drift_changes.changes.documents import MFA, READ, READ_AND_DELETE, READ_AND_WRITE, REPORTS, WRITE


def rewritten(slug: str, name: str, before: Document, after: Document, *expected: Told) -> Change:
    """A role with one inline policy, which is replaced."""
    return Change(
        name,
        role(slug, rights=before),
        (Step((put("role", slug, after),), expected),),
        undo=(put("role", slug, before),),
    )


INLINE = (
    Change(
        "an inline policy added to a user",
        user("inline-new", rights=READ),
        (
            Step(
                (put("user", "inline-new", document(allow("s3:DeleteObject", on=REPORTS)), inline="more"),),
                (access("inline-new", "MEDIUM", "BROADENED", "s3:DeleteObject", kind="user"),),
            ),
        ),
        undo=(take("user", "inline-new", inline="more"),),
    ),
    Change(
        "an inline policy deleted",
        role("inline-gone", rights=READ, more=WRITE),
        (Step((take("role", "inline-gone", inline="more"),), (access("inline-gone", "LOW", "NARROWED"),)),),
        undo=(put("role", "inline-gone", WRITE, inline="more"),),
    ),
    Change(
        "an inline policy added to a group",
        (*user("inline-group-1"), *group("inline-group", "inline-group-1", rights=READ)),
        (
            Step(
                (put("group", "inline-group", WRITE, inline="more"),),
                (access("inline-group", "MEDIUM", "BROADENED", "s3:PutObject", kind="group"),),
            ),
        ),
        undo=(take("group", "inline-group", inline="more"),),
    ),
    rewritten(
        "resource-wider",
        "a resource widened from a bucket's objects to everything",
        READ,
        document(allow("s3:GetObject")),
        access("resource-wider", "MEDIUM", "BROADENED", "s3:GetObject"),
    ),
    rewritten(
        "condition-dropped",
        "a condition on a second factor dropped",
        document(allow("s3:DeleteObject", on=REPORTS, Condition=MFA)),
        document(allow("s3:DeleteObject", on=REPORTS)),
        access("condition-dropped", "MEDIUM", "BROADENED", "s3:DeleteObject"),
    ),
    rewritten(
        "condition-added",
        "a condition added",
        READ,
        document(allow("s3:GetObject", on=REPORTS, Condition=MFA)),
        access("condition-added", "LOW", "NARROWED"),
    ),
    rewritten(
        "variable-dropped",
        "a policy variable replaced by a wildcard",
        document(allow("s3:GetObject", on="arn:aws:s3:::homes/${aws:username}/*")),
        document(allow("s3:GetObject", on="arn:aws:s3:::homes/*")),
        access("variable-dropped", "MEDIUM", "BROADENED", "s3:GetObject"),
    ),
    rewritten(
        "not-action",
        "a list of actions turned into NotAction",
        READ,
        document({"Effect": "Allow", "NotAction": "s3:DeleteObject", "Resource": REPORTS}),
        access("not-action", "MEDIUM", "BROADENED", "*"),
    ),
    rewritten(
        "swapped",
        "one permission exchanged for another",
        READ_AND_WRITE,
        READ_AND_DELETE,
        access("swapped", "MEDIUM", "INCOMPARABLE", "s3:DeleteObject"),
    ),
    rewritten(
        "deny-added",
        "a Deny added that cancels an Allow",
        READ_AND_WRITE,
        document(allow("s3:GetObject", "s3:PutObject", on=REPORTS), deny("s3:PutObject")),
        access("deny-added", "LOW", "NARROWED"),
    ),
    rewritten(
        "deny-removed",
        "a Deny removed that cancelled an Allow",
        document(allow("s3:*", on=REPORTS), deny("s3:DeleteObject")),
        document(allow("s3:*", on=REPORTS)),
        access("deny-removed", "MEDIUM", "BROADENED", "s3:DeleteObject"),
    ),
    rewritten(
        "denied-anyway",
        "an Allow added that an old Deny cancels",
        document(allow("s3:GetObject", on=REPORTS), deny("s3:DeleteObject")),
        document(allow("s3:GetObject", "s3:DeleteObject", on=REPORTS), deny("s3:DeleteObject")),
        told("note", "role/denied-anyway", "INFO", "EQUIVALENT"),
    ),
)
