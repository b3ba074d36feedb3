"""Managed policies and their versions."""

from benchmarks.drift_changes.calls import (
    allow,
    attach,
    call,
    document,
    new_version,
    policy,
    policy_arn,
    role,
    set_default,
)
from benchmarks.drift_changes.change import Change, Document, Step, Told, access, told
from benchmarks.drift_changes.changes.documents import ALL_OF_S3, READ, READ_AND_WRITE, REPORTS, WRITE


def reversioned(slug: str, name: str, before: Document, after: Document, *expected: Told) -> Change:
    """A role with one managed policy, which gets another version."""
    arn = policy_arn(slug)
    return Change(
        name,
        (*policy(slug, before), *role(slug), attach("role", slug, arn)),
        (Step((new_version(arn, after),), expected),),
        undo=(set_default(arn, "v1"),),
    )


VERSIONS = (
    reversioned(
        "version-wider",
        "a new default version that allows more",
        READ,
        READ_AND_WRITE,
        access("version-wider", "MEDIUM", "BROADENED", "s3:PutObject"),
    ),
    reversioned(
        "version-respelled",
        "a new default version, written differently",
        READ_AND_WRITE,
        document(allow("S3:putobject", "s3:GetObject", on=[REPORTS], Sid="Everything")),
    ),
    Change(
        "an older, wider version made the default",
        (
            *policy("version-older", ALL_OF_S3),
            new_version(policy_arn("version-older"), READ),
            *role("version-older"),
            attach("role", "version-older", policy_arn("version-older")),
        ),
        (
            Step(
                (set_default(policy_arn("version-older"), "v1"),),
                (access("version-older", "MEDIUM", "BROADENED", "s3:*"),),
            ),
        ),
        undo=(set_default(policy_arn("version-older"), "v2"),),
    ),
    Change(
        "a new version that is not the default",
        (
            *policy("version-idle", READ),
            *role("version-idle"),
            attach("role", "version-idle", policy_arn("version-idle")),
        ),
        (Step((call("create-policy-version", PolicyArn=policy_arn("version-idle"), PolicyDocument=ALL_OF_S3),)),),
    ),
    Change(
        "a policy created without attachment",
        (),
        (
            Step(
                policy("policy-new", WRITE),
                (told("unmanaged", "policy/policy-new", "LOW", "BROADENED", "s3:PutObject"),),
            ),
        ),
        undo=(call("delete-policy", PolicyArn=policy_arn("policy-new")),),
    ),
    Change(
        "an unattached policy allows more",
        policy("policy-idle", READ),
        (
            Step(
                (new_version(policy_arn("policy-idle"), READ_AND_WRITE),),
                (told("policy", "policy/policy-idle", "LOW", "BROADENED", "s3:PutObject"),),
            ),
        ),
        undo=(set_default(policy_arn("policy-idle"), "v1"),),
    ),
)
