"""Who may assume a role."""

from benchmarks.drift_changes.calls import call, role, trust, user
from benchmarks.drift_changes.change import ACCOUNT, Change, Document, Step, Told, finding, told
from benchmarks.drift_changes.changes.documents import EC2, PARTNER, READ


def retrusted(slug: str, name: str, before: Document, after: Document, *expected: Told) -> Change:
    """A role with a trust policy that is replaced."""
    return Change(
        name,
        role(slug, before, rights=READ),
        (Step((call("update-assume-role-policy", RoleName=slug, PolicyDocument=after),), expected),),
        undo=(call("update-assume-role-policy", RoleName=slug, PolicyDocument=before),),
    )


TRUSTS = (
    retrusted(
        "trust-everyone",
        "a role trusts everyone",
        trust(EC2),
        trust("*"),
        told("trust", "role/trust-everyone", "CRITICAL", "BROADENED", "sts:AssumeRole"),
    ),
    retrusted(
        "trust-foreign",
        "a role trusts a foreign account, too",
        trust(EC2),
        trust({**EC2, "AWS": PARTNER}),
        told("trust", "role/trust-foreign", "CRITICAL", "BROADENED", "sts:AssumeRole"),
    ),
    retrusted(
        "trust-external-id",
        "a foreign account no longer needs an external id",
        trust({"AWS": PARTNER}, Condition={"StringEquals": {"sts:ExternalId": "3c1f"}}),
        trust({"AWS": PARTNER}),
        told("trust", "role/trust-external-id", "CRITICAL", "BROADENED", "sts:AssumeRole"),
    ),
    retrusted(
        "trust-own",
        "a role trusts another service, too",
        trust(EC2),
        trust({"Service": ["ec2.amazonaws.com", "ecs-tasks.amazonaws.com"]}),
        told("trust", "role/trust-own", "MEDIUM", "BROADENED", "sts:AssumeRole"),
    ),
    retrusted(
        "trust-less",
        "a role trusts one service less",
        trust({"Service": ["ec2.amazonaws.com", "ecs-tasks.amazonaws.com"]}),
        trust(EC2),
        told("trust", "role/trust-less", "LOW", "NARROWED"),
    ),
    retrusted(
        "trust-respelled",
        "a trust policy written differently: an account by its number, lists for single values",
        trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}),
        trust({"AWS": [ACCOUNT]}, Sid="Own"),
    ),
    Change(
        "a user that a role trusts is deleted, and IAM puts the unique id in its place",
        (*user("dangling-user"), *role("dangling", trust({"AWS": f"arn:aws:iam::{ACCOUNT}:user/dangling-user"}))),
        (
            Step(
                (
                    call(
                        "update-assume-role-policy",
                        RoleName="dangling",
                        PolicyDocument=trust({"AWS": "<user/dangling-user>"}),
                    ),
                    call("delete-user", UserName="dangling-user"),
                ),
                (
                    told("dangling", "role/dangling", "MEDIUM", "EQUIVALENT"),
                    told("missing", "user/dangling-user", "LOW", "NARROWED"),
                ),
            ),
        ),
        adopted=(finding("dangling", "role/dangling"), finding("missing", "user/dangling-user")),
    ),
)
