"""An account that drifted, with eight findings as one might really see them; the sample report is made from it."""

from datetime import UTC, datetime, timedelta

from iam_policy import Verdict, Witness
from policy_drift.domain.access_keys import AccessKeys, KeySummary, ListedKey
from policy_drift.domain.account import Account, EntityId, Group, ManagedPolicy, Role, User
from policy_drift.domain.finding import (
    Acknowledgement,
    Change,
    Drift,
    Finding,
    Kind,
    Severity,
    State,
)
from policy_drift.report.document import Coverage, Report

ACCOUNT = "123456789012"
NOW = datetime(2026, 5, 4, 12, 0, 41, tzinfo=UTC)


def arn(resource):
    return f"arn:aws:iam::{ACCOUNT}:{resource}"


def allow(action, resource="*", **more):
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource, **more}]}


def trust(principal, **more):
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more}],
    }


LAMBDA = trust({"Service": "lambda.amazonaws.com"})
CI = trust({"AWS": arn("role/ci")})
OPEN_CI = trust({"AWS": [arn("role/ci"), "arn:aws:iam::999999999999:root"]})
PUSH = allow(
    ["ecr:BatchCheckLayerAvailability", "ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload", "ecr:PutImage"],
    f"arn:aws:ecr:eu-central-1:{ACCOUNT}:repository/team-a/*",
)
ANY_REPOSITORY = f"arn:aws:ecr:eu-central-1:{ACCOUNT}:repository/*"
PUSH_ANYWHERE = allow(PUSH["Statement"][0]["Action"], ANY_REPOSITORY)
READ = allow("s3:GetObject", "arn:aws:s3:::reports/*")
DEPLOY = allow(["cloudformation:*", "iam:*", "lambda:*"])
BOUNDARY = allow(["cloudformation:*", "ecr:*", "lambda:*", "s3:*"])
PASS = allow(["iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"])
POWER = "arn:aws:iam::aws:policy/ReadOnlyAccess"

APPROVED = Account(
    ACCOUNT,
    users={
        "dana": User("dana", "/", "AIDA00000000000000001", groups=("readers",)),
        "lee": User("lee", "/", "AIDA00000000000000002", groups=("readers",)),
    },
    groups={
        "readers": Group("readers", "/", "AGPA1", inline={"reports": READ}),
        "admins": Group("admins", "/", "AGPA2"),
    },
    roles={
        "ci": Role("ci", "/", "AROA1", attached=(arn("policy/push"),), trust=LAMBDA),
        "deployer": Role(
            "deployer", "/", "AROA2", inline={"deploy": DEPLOY}, trust=CI, boundary=arn("policy/delivery-boundary")
        ),
        "nightly": Role("nightly", "/", "AROA3", inline={"reports": READ}, trust=LAMBDA),
        "release": Role("release", "/", "AROA4", attached=(arn("policy/push"),), trust=CI),
        "old-reports": Role("old-reports", "/", "AROA5", inline={"reports": READ}, trust=LAMBDA),
        "audit": Role("audit", "/", "AROA6", attached=(POWER,), trust=LAMBDA),
    },
    policies={
        arn("policy/push"): ManagedPolicy(arn("policy/push"), "ANPA1", "v3", PUSH),
        arn("policy/delivery-boundary"): ManagedPolicy(arn("policy/delivery-boundary"), "ANPA2", "v1", BOUNDARY),
        POWER: ManagedPolicy(POWER, "ANPA3", "v120", allow(["s3:Get*", "s3:List*"])),
    },
)
LIVE = Account(
    ACCOUNT,
    users={
        "dana": User("dana", "/", "AIDA00000000000000001", groups=("admins", "readers")),
        "lee": User("lee", "/", "AIDA00000000000000002", groups=("readers",)),
        "svc-migrate": User("svc-migrate", "/", "AIDA00000000000000009", inline={"tmp": allow("s3:*")}),
    },
    groups=APPROVED.groups,
    roles={
        "ci": Role("ci", "/", "AROA1", attached=(arn("policy/push"),), trust=LAMBDA),
        "deployer": Role("deployer", "/", "AROA2", inline={"deploy": DEPLOY}, trust=OPEN_CI),
        "nightly": Role("nightly", "/", "AROA3", inline={"hotfix": PASS, "reports": READ}, trust=LAMBDA),
        "release": Role("release", "/", "AROA4", attached=(arn("policy/push"),), trust=CI),
        "audit": Role("audit", "/", "AROA6", attached=(POWER,), trust=LAMBDA),
    },
    policies={
        arn("policy/push"): ManagedPolicy(arn("policy/push"), "ANPA1", "v4", PUSH_ANYWHERE),
        arn("policy/delivery-boundary"): APPROVED.policies[arn("policy/delivery-boundary")],
        POWER: ManagedPolicy(POWER, "ANPA3", "v121", allow(["s3:Get*", "s3:List*", "s3express:Get*"])),
    },
)


def change(event_name, actor, minutes, *, agent="aws-cli/2.31.9", source_ip="203.0.113.7"):
    event = f"{minutes:08x}-4f50-4172-8394-a5b6c7d8e9f0"
    return Change(event, event_name, actor, NOW - timedelta(minutes=minutes), source_ip, agent)


def drift(entity, kind, severity, summary, **more):
    entity = EntityId(entity)
    fingerprint = f"{abs(sum(map(ord, entity + kind))) * 2654435761:064x}"
    known = {"arn": arn(entity), "verdict": Verdict.BROADENED, "fingerprint": fingerprint}
    return Drift(entity=entity, kind=kind, severity=severity, summary=summary, **known | more)


def finding(one, minutes, *changes, state=State.OPEN, **more):
    first = NOW - timedelta(minutes=minutes)
    severities = ((first, one.severity),)
    return Finding(one, state, first, NOW, changes=changes, announced=bool(changes), severities=severities, **more)


MALLORY = f"{ACCOUNT}:role/support"
PIPELINE = f"{ACCOUNT}:role/release-pipeline"

FINDINGS = (
    finding(
        drift(
            "role/deployer",
            Kind.TRUST,
            Severity.CRITICAL,
            "role/deployer can be assumed by more principals than was approved.",
            reasons=("the foreign account 999999999999 can now assume it", "the role is an administrator"),
            added=(f"sts:AssumeRole (write) on any resource by {arn('role/ci')} or arn:aws:iam::999999999999:root",),
            newly_allowed=(Witness("sts:AssumeRole", arn("role/deployer"), {}, "arn:aws:iam::999999999999:root"),),
            approved=CI,
            live=OPEN_CI,
        ),
        46,
        change("UpdateAssumeRolePolicy", MALLORY, 46),
    ),
    finding(
        drift(
            "role/deployer",
            Kind.BOUNDARY,
            Severity.CRITICAL,
            "role/deployer no longer has a permissions boundary.",
            reasons=("the permissions boundary was removed", "it is now an administrator"),
            added=("every iam action on any resource",),
            newly_allowed=(
                Witness("iam:AttachRolePolicy", arn("role/example")),
                Witness("iam:CreateAccessKey", arn("user/example")),
            ),
            approved={"boundary": {arn("policy/delivery-boundary"): BOUNDARY}},
            live={},
        ),
        44,
        change("DeleteRolePermissionsBoundary", MALLORY, 44),
    ),
    finding(
        drift(
            "role/nightly",
            Kind.ACCESS,
            Severity.HIGH,
            "role/nightly has more access than was approved.",
            reasons=(
                "escalation path lambda-001 is open: iam:PassRole + lambda:CreateFunction + lambda:InvokeFunction",
            ),
            added=(
                "iam:PassRole (write) on any resource",
                "lambda:CreateFunction and lambda:InvokeFunction (write) on any resource",
            ),
            newly_allowed=(
                Witness("iam:PassRole", arn("role/example"), {"iam:passedtoservice": "lambda.amazonaws.com"}),
                Witness("lambda:CreateFunction", f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:example"),
                Witness("lambda:InvokeFunction", f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:example"),
            ),
            approved={"policies": {"inline:reports": READ}},
            live={"policies": {"inline:hotfix": PASS, "inline:reports": READ}},
        ),
        191,
        change("PutRolePolicy", f"{ACCOUNT}:user/lee", 191, agent="console", source_ip="198.51.100.23"),
    ),
    finding(
        drift(
            "user/dana",
            Kind.MEMBERSHIP,
            Severity.HIGH,
            "user/dana joined admins, and has the same access.",
            reasons=("joined the privileged group admins",),
            approved=["readers"],
            live=["admins", "readers"],
        ),
        1450,
    ),
    finding(
        drift(
            "policy/push",
            Kind.POLICY,
            Severity.MEDIUM,
            "policy/push was changed, which 2 principals have: it allows more.",
            added=(
                f"ecr:PutImage, ecr:CompleteLayerUpload and ecr:InitiateLayerUpload (write) on {ANY_REPOSITORY}",
                f"ecr:BatchCheckLayerAvailability (read) on {ANY_REPOSITORY}",
            ),
            newly_allowed=(Witness("ecr:PutImage", f"arn:aws:ecr:eu-central-1:{ACCOUNT}:repository/example"),),
            approved=PUSH,
            live=PUSH_ANYWHERE,
            holders=2,
        ),
        73,
        change("CreatePolicyVersion", PIPELINE, 73, agent="cloudformation.amazonaws.com", source_ip="cloudformation"),
        expected=True,
    ),
    finding(
        drift(
            "user/svc-migrate",
            Kind.UNMANAGED,
            Severity.MEDIUM,
            "user/svc-migrate is in the account but not in the baseline.",
            added=("every s3 action on any resource",),
            newly_allowed=(Witness("s3:PutObject", "arn:aws:s3:::example/example"),),
            live={"unique_id": "AIDA00000000000000009", "policies": {"inline:tmp": allow("s3:*")}},
        ),
        4310,
        change("CreateUser", f"{ACCOUNT}:user/lee", 4310),
        state=State.ACKNOWLEDGED,
        acknowledgement=Acknowledgement(
            f"{ACCOUNT}:role/platform",
            "platform team",
            "Moves the old reports until the end of the week.",
            f"{0:064x}",
            NOW - timedelta(days=2),
            NOW + timedelta(days=4),
        ),
    ),
    finding(
        drift(
            "role/old-reports",
            Kind.MISSING,
            Severity.LOW,
            "role/old-reports is in the baseline but not in the account.",
            verdict=Verdict.NARROWED,
            newly_denied=(Witness("s3:GetObject", "arn:aws:s3:::reports/example"),),
            approved={"unique_id": "AROA5", "policies": {"inline:reports": READ}, "trust": LAMBDA},
        ),
        88,
        change("DeleteRole", PIPELINE, 88, agent="cloudformation.amazonaws.com", source_ip="cloudformation"),
        expected=True,
    ),
    finding(
        drift(
            "policy/aws:ReadOnlyAccess",
            Kind.UPSTREAM,
            Severity.INFO,
            "AWS updated policy/aws:ReadOnlyAccess (v1 to v2), which 1 principal has: it allows more.",
            arn=POWER,
            added=("8 read actions of s3express, such as s3express:GetAccessPoint, on any resource",),
            newly_allowed=(Witness("s3express:GetBucketPolicy", "arn:aws:s3express:::example"),),
            approved=APPROVED.policies[POWER].document,
            live=LIVE.policies[POWER].document,
        ),
        2900,
    ),
)

KEYS = AccessKeys(
    as_of=(NOW - timedelta(hours=1)).isoformat(),
    old_days=90,
    summary=KeySummary(keys=9, active=7, old=2, unused=1, not_rotated=2),
    keys=(
        ListedKey(
            user="legacy-deploy",
            owner="team-a",
            key_id=None,
            age_days=1412,
            last_use="used",
            last_used_at=(NOW - timedelta(days=300)).isoformat(),
            last_used_service="s3",
            rotated_by="nobody",
            way_out="unused",
            reason=f"not used since {(NOW - timedelta(days=300)).date()}: "
            "deactivate it, and delete it once no consumer misses it",
        ),
        ListedKey(
            user="github-push",
            owner=None,
            key_id=None,
            age_days=203,
            last_use="used",
            last_used_at=(NOW - timedelta(hours=5)).isoformat(),
            last_used_service="ecr",
            rotated_by="nobody",
            way_out="oidc",
            reason="its name says github, whose jobs can take a role by OpenID Connect",
        ),
    ),
)

REPORT = Report(
    account=ACCOUNT,
    region="eu-central-1",
    scan_id="5d3c9f0e-2f4b-4a53-9d0b-0a4f0f6f7c11",
    started=NOW,
    baseline_version="3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrH",
    baseline_reviewed=True,
    baseline_changed=NOW - timedelta(days=12, hours=3),
    coverage=Coverage({"users": 42, "groups": 7, "roles": 318, "policies": 96}, 2, {}, 1.4),
    findings=FINDINGS,
    not_looked_at=(
        "Session durations and instance profiles of roles.",
        "Identity providers, passwords, access keys and MFA devices.",
        "Resource policies, organization policies (SCP, RCP) and session policies.",
    ),
    access_keys=KEYS,
)
