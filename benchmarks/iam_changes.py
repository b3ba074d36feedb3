"""The changes of IAM that policy drift is held to, each with the verdict, severity and request that it must find.

What must be told follows from what drift is (docs/policy-drift.md), not from what the code happens to say.
"""

from benchmarks.iam_change import (
    ACCOUNT,
    Acknowledged,
    Call,
    Change,
    Document,
    Step,
    Told,
    allow,
    attach,
    call,
    deny,
    detach,
    document,
    finding,
    group,
    new_version,
    policy,
    policy_arn,
    put,
    role,
    set_default,
    take,
    told,
    trust,
    user,
)

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
PULL = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"
REPORTS = "arn:aws:s3:::reports/*"
READ = document(allow("s3:GetObject", on=REPORTS))
WRITE = document(allow("s3:PutObject", on=REPORTS))
READ_AND_WRITE = document(allow("s3:GetObject", "s3:PutObject", on=REPORTS))
READ_AND_DELETE = document(allow("s3:GetObject", "s3:DeleteObject", on=REPORTS))
ALL_OF_S3 = document(allow("s3:*"))
EC2 = {"Service": "ec2.amazonaws.com"}
PARTNER = "arn:aws:iam::999999999999:root"
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


def rewritten(slug: str, name: str, before: Document, after: Document, *expected: Told) -> Change:
    """A role whose one inline policy is written anew."""
    return Change(
        name,
        role(slug, rights=before),
        (Step((put("role", slug, after),), expected),),
        undo=(put("role", slug, before),),
    )


def retrusted(slug: str, name: str, before: Document, after: Document, *expected: Told) -> Change:
    """A role whose trust policy is written anew."""
    return Change(
        name,
        role(slug, before, rights=READ),
        (Step((call("update-assume-role-policy", RoleName=slug, PolicyDocument=after),), expected),),
        undo=(call("update-assume-role-policy", RoleName=slug, PolicyDocument=before),),
    )


def reversioned(slug: str, name: str, before: Document, after: Document, *expected: Told) -> Change:
    """A role whose one managed policy gets another version."""
    arn = policy_arn(slug)
    return Change(
        name,
        (*policy(slug, before), *role(slug), attach("role", slug, arn)),
        (Step((new_version(arn, after),), expected),),
        undo=(set_default(arn, "v1"),),
    )


def access(slug: str, severity: str, verdict: str, action: str = "", *, kind: str = "role") -> Told:
    """A change of what somebody may do."""
    return told("access", f"{kind}/{slug}", severity, verdict, action)


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
        "one of AWS's policies attached to a role",
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
        "a policy attached that gives nothing new",
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
        "a policy attached to a group: told of the group, once for all members",
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
        "one right exchanged for another",
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
        "a new default version, written otherwise",
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
        "a policy made that nobody has",
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
        "a policy that nobody has allows more",
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
        "a foreign account needs no external id any more",
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
        "a trust policy written otherwise: an account by its number, lists for single values",
        trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}),
        trust({"AWS": [ACCOUNT]}, Sid="Own"),
    ),
    Change(
        "a user deleted whom a role trusts, and IAM puts the unique id in its place",
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
        "rights granted that the boundary does not leave",
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

MEMBERSHIPS = (
    Change(
        "a user joins a group that may write",
        (*user("joins", rights=READ), *group("joins-writers", rights=WRITE)),
        (
            Step(
                (call("add-user-to-group", GroupName="joins-writers", UserName="joins"),),
                (told("membership", "user/joins", "MEDIUM", "BROADENED", "s3:PutObject"),),
            ),
        ),
        undo=(call("remove-user-from-group", GroupName="joins-writers", UserName="joins"),),
    ),
    Change(
        "a user joins a group of administrators",
        (*user("joins-admins"), *group("admins"), attach("group", "admins", ADMINISTRATOR)),
        (
            Step(
                (call("add-user-to-group", GroupName="admins", UserName="joins-admins"),),
                (told("membership", "user/joins-admins", "CRITICAL", "BROADENED", "*"),),
            ),
        ),
        undo=(call("remove-user-from-group", GroupName="admins", UserName="joins-admins"),),
    ),
    Change(
        "a user leaves a group",
        (*user("leaves"), *group("leaves-readers", "leaves", rights=READ)),
        (
            Step(
                (call("remove-user-from-group", GroupName="leaves-readers", UserName="leaves"),),
                (told("membership", "user/leaves", "LOW", "NARROWED"),),
            ),
        ),
        undo=(call("add-user-to-group", GroupName="leaves-readers", UserName="leaves"),),
    ),
    Change(
        "a user joins a group that gives nothing new",
        (*user("joins-same", rights=READ), *group("joins-same-readers", rights=READ)),
        (
            Step(
                (call("add-user-to-group", GroupName="joins-same-readers", UserName="joins-same"),),
                (told("note", "user/joins-same", "INFO", "EQUIVALENT"),),
            ),
        ),
        undo=(call("remove-user-from-group", GroupName="joins-same-readers", UserName="joins-same"),),
    ),
)

EXISTENCE = (
    Change(
        "a user made who may do nothing",
        (),
        (Step(user("user-new"), (told("unmanaged", "user/user-new", "MEDIUM", "EQUIVALENT"),)),),
        undo=(call("delete-user", UserName="user-new"),),
    ),
    Change(
        "a role made that is an administrator",
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
        "a role deleted and made anew, the same in every letter",
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
        "a role of IAM Identity Center gets a policy: AWS's own",
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
                (access("AWSReservedSSO_Reader_0123456789abcdef", "INFO", "BROADENED", "ecr:*"),),
            ),
        ),
        undo=(detach("role", "AWSReservedSSO_Reader_0123456789abcdef", PULL),),
    ),
)

SPELLINGS = (
    Change(
        "a tag put on a role",
        role("tagged", rights=READ),
        (Step((call("tag-role", RoleName="tagged", Tags=[{"Key": "team", "Value": "a"}]),)),),
    ),
    Change(
        "a role's description changed",
        role("described", rights=READ),
        (Step((call("update-role", RoleName="described", Description="other words"),)),),
    ),
    Change(
        "an access key made",
        user("key-made", rights=READ),
        (Step((call("create-access-key", UserName="key-made"),)),),
    ),
    Change(
        "an attachment by somebody who may not: refused by IAM",
        user("refused", rights=READ),
        (Step((call("attach-user-policy", by="outsider", UserName="refused", PolicyArn=ADMINISTRATOR),)),),
    ),
    rewritten(
        "reordered",
        "statements and actions in another order",
        document(allow("s3:GetObject", "s3:PutObject", on=REPORTS), allow("sqs:SendMessage")),
        document(allow("sqs:SendMessage"), allow("s3:PutObject", "s3:GetObject", on=REPORTS)),
    ),
    rewritten(
        "sid-only",
        "a Sid renamed",
        document(allow("s3:GetObject", on=REPORTS, Sid="Read")),
        document(allow("s3:GetObject", on=REPORTS, Sid="ReadReports")),
    ),
    rewritten(
        "respelled",
        "lists for single values, capitals, a repetition",
        document({"Effect": "Allow", "Action": "s3:GetObject", "Resource": REPORTS}),
        {"Version": "2012-10-17", "Statement": allow("S3:getobject", "s3:GetObject", on=[REPORTS])},
    ),
    rewritten(
        "split",
        "a statement split in two",
        READ_AND_WRITE,
        document(allow("s3:GetObject", on=REPORTS), allow("s3:PutObject", on=REPORTS)),
    ),
    rewritten(
        "subsumed",
        "a pattern added that another covers",
        document(allow("s3:Get*", on=REPORTS)),
        document(allow("s3:Get*", "s3:GetObject", on=REPORTS)),
    ),
    Change(
        "a statement moved from one policy of a role to another",
        role("moved", rights=READ_AND_WRITE, more=document(allow("sqs:SendMessage"))),
        (
            Step(
                (
                    put(
                        "role",
                        "moved",
                        document(allow("sqs:SendMessage"), allow("s3:PutObject", on=REPORTS)),
                        inline="more",
                    ),
                    put("role", "moved", READ),
                ),
                (told("note", "role/moved", "INFO", "EQUIVALENT"),),
            ),
        ),
        undo=(
            put("role", "moved", READ_AND_WRITE),
            put("role", "moved", document(allow("sqs:SendMessage")), inline="more"),
        ),
    ),
)

TRANSIENTS = (
    Change(
        "a policy attached, and detached before anybody looked",
        (*policy("used", WRITE), *role("used", rights=READ)),
        (
            Step(
                (attach("role", "used", policy_arn("used")), detach("role", "used", policy_arn("used"))),
                (told("transient", "role/used", "MEDIUM", "BROADENED", "s3:PutObject"),),
            ),
        ),
        lasting=frozenset({finding("transient", "role/used")}),
    ),
    Change(
        "AdministratorAccess attached, and detached before anybody looked",
        user("used-admin", rights=READ),
        (
            Step(
                (attach("user", "used-admin", ADMINISTRATOR), detach("user", "used-admin", ADMINISTRATOR)),
                (told("transient", "user/used-admin", "CRITICAL", "BROADENED", "*"),),
            ),
        ),
        lasting=frozenset({finding("transient", "user/used-admin")}),
    ),
    Change(
        "a policy attached that gives nothing new, and detached",
        (*policy("used-same", READ), *role("used-same", rights=READ)),
        (
            Step(
                (
                    attach("role", "used-same", policy_arn("used-same")),
                    detach("role", "used-same", policy_arn("used-same")),
                )
            ),
        ),
    ),
)

ONE_AFTER_THE_OTHER = (
    Change(
        "a second grant on an open finding",
        role("second", rights=READ),
        (
            Step(
                (put("role", "second", WRITE, inline="first"),),
                (access("second", "MEDIUM", "BROADENED", "s3:PutObject"),),
            ),
            Step(
                (put("role", "second", document(allow("sqs:SendMessage")), inline="second"),),
                (access("second", "MEDIUM", "BROADENED", "*"),),
            ),
        ),
        undo=(take("role", "second", inline="second"), take("role", "second", inline="first")),
    ),
    Change(
        "a second grant on an acknowledged finding",
        role("second-known", rights=READ),
        (
            Step(
                (put("role", "second-known", WRITE, inline="first"),),
                (access("second-known", "MEDIUM", "BROADENED", "s3:PutObject"),),
            ),
            Step(
                (
                    Acknowledged(finding("access", "role/second-known")),
                    put("role", "second-known", document(allow("sqs:SendMessage")), inline="second"),
                ),
                (access("second-known", "MEDIUM", "BROADENED", "*"),),
            ),
        ),
        undo=(take("role", "second-known", inline="second"), take("role", "second-known", inline="first")),
    ),
    Change(
        "an acknowledged finding gets smaller: nothing to tell",
        role("smaller", rights=READ),
        (
            Step(
                (put("role", "smaller", document(allow("s3:*", on=REPORTS)), inline="first"),),
                (access("smaller", "MEDIUM", "BROADENED", "s3:*"),),
            ),
            Step(
                (
                    Acknowledged(finding("access", "role/smaller")),
                    put("role", "smaller", WRITE, inline="first"),
                ),
            ),
        ),
        undo=(take("role", "smaller", inline="first"),),
    ),
)

ESCALATIONS = (
    Change(
        "a role may write new versions of its own policy",
        (
            *policy("escalates-self", READ),
            *role("escalates-self"),
            attach("role", "escalates-self", policy_arn("escalates-self")),
        ),
        (
            Step(
                (
                    put(
                        "role",
                        "escalates-self",
                        document(allow("iam:CreatePolicyVersion", on=policy_arn("escalates-self"))),
                    ),
                ),
                (access("escalates-self", "CRITICAL", "BROADENED", "iam:CreatePolicyVersion"),),
            ),
        ),
        undo=(take("role", "escalates-self"),),
    ),
    Change(
        "a role may run a function under another role, in pieces over two policies",
        (
            *policy("escalates-target", document(allow("lambda:CreateFunction", "lambda:InvokeFunction"))),
            *role("escalates-target", rights=READ),
        ),
        (
            Step(
                (
                    attach("role", "escalates-target", policy_arn("escalates-target")),
                    put("role", "escalates-target", document(allow("iam:PassRole")), inline="more"),
                ),
                (access("escalates-target", "HIGH", "BROADENED", "*"),),
            ),
        ),
        undo=(
            take("role", "escalates-target", inline="more"),
            detach("role", "escalates-target", policy_arn("escalates-target")),
        ),
    ),
    Change(
        "the same right to write policies, on a policy that the role does not have",
        (*policy("escalates-not", READ), *role("escalates-not", rights=READ)),
        (
            Step(
                (
                    put(
                        "role",
                        "escalates-not",
                        document(allow("iam:CreatePolicyVersion", on=policy_arn("escalates-not"))),
                        inline="more",
                    ),
                ),
                (access("escalates-not", "MEDIUM", "BROADENED", "iam:CreatePolicyVersion"),),
            ),
        ),
        undo=(take("role", "escalates-not", inline="more"),),
    ),
)

CHANGES: tuple[Change, ...] = (
    *ATTACHMENTS,
    *INLINE,
    *VERSIONS,
    *TRUSTS,
    *BOUNDARIES,
    *MEMBERSHIPS,
    *EXISTENCE,
    *SPELLINGS,
    *TRANSIENTS,
    *ONE_AFTER_THE_OTHER,
    *ESCALATIONS,
)
