"""What each function's role may do, and what proves that it must: the table that two suites are held to.

``tests/local/test_least_privilege.py`` takes each action away in turn and sees its probe fail on the deployed stack.
``tests/template/test_roles.py`` refuses an action of the template that is not listed here. An action that the local AWS
cannot prove names the AWS page that requires it instead.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Probed:
    """An action whose absence a probe on the deployed stack notices; ``sid`` tells two grants of one action apart."""

    action: str
    probe: str
    sid: str = ""


@dataclass(frozen=True, slots=True)
class Required:
    """An action that AWS requires and the local AWS does not ask for."""

    action: str
    page: str


@dataclass(frozen=True, slots=True)
class Used:
    """An action that a step of the function makes, and that no probe takes away yet; ``by`` says which step."""

    action: str
    by: str


_LOGS_AND_TRACES = (
    Required("logs:CreateLogGroup", "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html"),
    Required("logs:CreateLogStream", "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html"),
    Required("logs:PutLogEvents", "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html"),
    Required("xray:PutTraceSegments", "https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html"),
    Required("xray:PutTelemetryRecords", "https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html"),
)
"""What SAM attaches by AWS-managed policies to every function that logs and is traced."""

_PROVISION_REPOSITORIES = (
    Probed("ecr:DescribeRepositories", "a missing repository"),
    Probed("ecr:CreateRepository", "a missing repository"),
    Probed("ecr:TagResource", "a missing repository", sid="CreateOurs"),
    Probed("ecr:PutLifecyclePolicy", "a missing repository"),
    Probed("ecr:SetRepositoryPolicy", "a missing repository"),
    Probed("ecr:ListTagsForResource", "a half-done repository"),
    Probed("ecr:GetLifecyclePolicy", "a half-done repository"),
    Probed("ecr:GetRepositoryPolicy", "a half-done repository"),
    Probed("ecr:PutImageTagMutability", "a repository whose rules changed"),
    Probed("ecr:TagResource", "a repository whose rules changed", sid="ConfigureOurs"),
    Probed("dynamodb:BatchGetItem", "a missing repository"),
    Probed("dynamodb:PutItem", "a missing repository"),
    Probed("dynamodb:UpdateItem", "a missing repository"),
    Probed("events:PutEvents", "a missing repository"),
    Required("kms:CreateGrant", "https://docs.aws.amazon.com/AmazonECR/latest/userguide/encryption-at-rest.html"),
    Required("kms:DescribeKey", "https://docs.aws.amazon.com/AmazonECR/latest/userguide/encryption-at-rest.html"),
)


def _rotates_access_keys(makes_a_key: str) -> tuple[Probed, ...]:
    """What the policy RotateAccessKeys allows; ``makes_a_key`` is the probe in which the function makes a key."""
    return (
        Probed("iam:GetUser", makes_a_key),
        Probed("iam:ListAccessKeys", makes_a_key),
        Probed("iam:GetAccessKeyLastUsed", "a key whose use is not known"),
        Probed("iam:GetLoginProfile", makes_a_key),
        Probed("iam:ListMFADevices", makes_a_key),
        Probed("iam:SimulatePrincipalPolicy", makes_a_key),
        Probed("iam:CreateAccessKey", makes_a_key),
        Probed("iam:UpdateAccessKey", "a leaked key"),
        Probed("iam:DeleteAccessKey", "a key whose quarantine is over"),
        Probed("secretsmanager:DescribeSecret", makes_a_key),
        Probed("secretsmanager:GetSecretValue", makes_a_key),
        Probed("secretsmanager:PutSecretValue", makes_a_key),
        Probed("secretsmanager:UpdateSecretVersionStage", makes_a_key),
        Probed("secretsmanager:ReplicateSecretToRegions", "a secret without its replica"),
        Probed("secretsmanager:PutResourcePolicy", "a secret for certain readers"),
        Probed("secretsmanager:DeleteResourcePolicy", "a secret that is open again"),
        Probed("dynamodb:UpdateItem", makes_a_key),
        Probed("events:PutEvents", makes_a_key),
        Probed("cloudtrail:LookupEvents", "a key that may be an orphan"),
        Probed("kms:Decrypt", makes_a_key),
        Probed("kms:Encrypt", "a secret without its replica"),
        Probed("kms:GenerateDataKey", makes_a_key),
    )


_READ_THE_ACCOUNT = (
    Used("iam:GetAccountAuthorizationDetails", "every scan and adoption"),
    Used("iam:GetGroup", "a group that changed, or that is on no page"),
    Used("iam:GetGroupPolicy", "a group that changed, or that is on no page"),
    Used("iam:ListAttachedGroupPolicies", "a group that changed, or that is on no page"),
    Used("iam:ListGroupPolicies", "a group that changed, or that is on no page"),
    Used("iam:GetPolicy", "a policy that changed, or that is on no page"),
    Used("iam:GetPolicyVersion", "a policy that changed, or that is on no page"),
)
_S3_PAGE = "https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html"

_DEAD_LETTERS = Required(
    "sqs:SendMessage", "https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html"
)
_SECURITY_HUB_PAGE = "https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchImportFindings.html"
_QUEUE_PAGE = "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html"

ROLES: dict[str, tuple[Probed | Required | Used, ...]] = {
    "RepositoryApiRole": (
        *_LOGS_AND_TRACES,
        *_PROVISION_REPOSITORIES,
        Probed("ecr:GetRegistryScanningConfiguration", "no warning that something could not be read"),
    ),
    "FailedPushRole": (
        *_LOGS_AND_TRACES,
        *_PROVISION_REPOSITORIES,
        Probed("dynamodb:DeleteItem", "a second try after the first could not publish"),
        Required(
            "sqs:SendMessage", "https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html"
        ),
    ),
    "RotationPlannerRole": (
        *_LOGS_AND_TRACES,
        Probed("iam:GenerateCredentialReport", "a user that is due"),
        Probed("iam:GetAccountAuthorizationDetails", "a user that is due"),
        Probed("iam:GetCredentialReport", "a user that is due"),
        Probed("iam:SimulatePrincipalPolicy", "a user that is due"),
        Probed("dynamodb:Scan", "a user that is due"),
        Probed("events:PutEvents", "a user that is due"),
        _DEAD_LETTERS,
    ),
    "RotationWorkerRole": (
        *_LOGS_AND_TRACES,
        *_rotates_access_keys("a user without a key"),
        Probed("secretsmanager:CreateSecret", "a user without a key"),
        Probed("secretsmanager:TagResource", "a user without a key"),
        Probed("secretsmanager:RotateSecret", "a user without a key"),
        Probed("lambda:InvokeFunction", "a user without a key"),
        Required("sqs:ReceiveMessage", _QUEUE_PAGE),
        Required("sqs:DeleteMessage", _QUEUE_PAGE),
        Required("sqs:GetQueueAttributes", _QUEUE_PAGE),
    ),
    "RotationContractRole": (*_LOGS_AND_TRACES, *_rotates_access_keys("a rotation by Secrets Manager")),
    "ServiceUserApiRole": (
        *_LOGS_AND_TRACES,
        Probed("iam:GetUser", "a rotation on demand"),
        Probed("iam:ListAccessKeys", "a rotation on demand"),
        Probed("iam:UpdateAccessKey", "a reactivation"),
        Probed("dynamodb:GetItem", "a user with a superseded key"),
        Probed("dynamodb:Scan", "all users"),
        Probed("dynamodb:UpdateItem", "a reactivation"),
        Probed("cloudtrail:LookupEvents", "a user with a superseded key"),
        Probed("events:PutEvents", "a rotation on demand"),
    ),
    "ExposedKeyRole": (
        *_LOGS_AND_TRACES,
        Probed("iam:GetAccessKeyLastUsed", "a service user's key"),
        Probed("events:PutEvents", "a service user's key"),
        _DEAD_LETTERS,
    ),
    "SecretProofRole": (
        *_LOGS_AND_TRACES,
        Probed("secretsmanager:DescribeSecret", "a secret that authenticates"),
        Probed("secretsmanager:GetSecretValue", "a secret that authenticates"),
        Probed("kms:Decrypt", "a secret that authenticates"),
        Probed("dynamodb:Scan", "a secret that authenticates"),
        Probed("events:PutEvents", "a secret that does not authenticate"),
        _DEAD_LETTERS,
    ),
    "AlertsRole": (
        *_LOGS_AND_TRACES,
        Probed("dynamodb:GetItem", "an event to tell"),
        Probed("dynamodb:PutItem", "an event to tell"),
        Probed("dynamodb:UpdateItem", "an event to tell"),
        Probed("sns:Publish", "an event to tell"),
        Required("securityhub:BatchImportFindings", _SECURITY_HUB_PAGE),
        Required("sqs:ReceiveMessage", _QUEUE_PAGE),
        Required("sqs:DeleteMessage", _QUEUE_PAGE),
        Required("sqs:GetQueueAttributes", _QUEUE_PAGE),
    ),
    "GatheredAlertsRole": (
        *_LOGS_AND_TRACES,
        Probed("dynamodb:Query", "a week to tell"),
        Probed("dynamodb:BatchWriteItem", "a week to tell"),
        Probed("sns:Publish", "a week to tell"),
        _DEAD_LETTERS,
    ),
    "DriftScanRole": (
        *_LOGS_AND_TRACES,
        *_READ_THE_ACCOUNT,
        Used("cloudtrail:LookupEvents", "a finding that no event announced"),
        Used("s3:GetObject", "every scan"),
        Used("s3:GetObjectVersion", "a scan that finds another baseline"),
        Used("s3:PutObject", "the first scan, and every report"),
        Used("s3:ListBucketVersions", "the first scan"),
        Required("s3:ListBucket", _S3_PAGE),
        Used("dynamodb:GetItem", "every scan"),
        Used("dynamodb:Scan", "every scan"),
        Used("dynamodb:UpdateItem", "a finding"),
        Used("events:PutEvents", "every scan"),
        _DEAD_LETTERS,
    ),
    "DriftCheckRole": (
        *_LOGS_AND_TRACES,
        *_READ_THE_ACCOUNT,
        Used("iam:GetRole", "a role that changed"),
        Used("iam:GetRolePolicy", "a role that changed"),
        Used("iam:ListAttachedRolePolicies", "a role that changed"),
        Used("iam:ListRolePolicies", "a role that changed"),
        Used("iam:GetUser", "a user that changed"),
        Used("iam:GetUserPolicy", "a user that changed"),
        Used("iam:ListAttachedUserPolicies", "a user that changed"),
        Used("iam:ListGroupsForUser", "a user that changed"),
        Used("iam:ListUserPolicies", "a user that changed"),
        Used("iam:ListEntitiesForPolicy", "a policy that changed"),
        Used("s3:GetObjectVersion", "the first change of an environment"),
        Required("s3:ListBucketVersions", _S3_PAGE),
        Used("dynamodb:BatchGetItem", "every change"),
        Used("dynamodb:GetItem", "every change"),
        Used("dynamodb:UpdateItem", "a finding"),
        Used("events:PutEvents", "a finding"),
        Required("sqs:ReceiveMessage", _QUEUE_PAGE),
        Required("sqs:DeleteMessage", _QUEUE_PAGE),
        Required("sqs:GetQueueAttributes", _QUEUE_PAGE),
    ),
    "DriftApiRole": (
        *_LOGS_AND_TRACES,
        *_READ_THE_ACCOUNT,
        Used("s3:GetObject", "an adoption, and links"),
        Used("s3:GetObjectVersion", "an adoption, and links"),
        Used("s3:PutObject", "an adoption"),
        Required("s3:ListBucket", _S3_PAGE),
        Required("s3:ListBucketVersions", _S3_PAGE),
        Used("dynamodb:BatchGetItem", "an adoption"),
        Used("dynamodb:GetItem", "one finding"),
        Used("dynamodb:Scan", "all findings"),
        Used("dynamodb:UpdateItem", "an acknowledgement"),
        Used("events:PutEvents", "an acknowledgement"),
        Used("lambda:InvokeFunction", "a scan on demand"),
    ),
}
"""Logical id of each function's role -> what it may do."""
