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

_ROTATE_ACCESS_KEYS = (
    Used("iam:GetUser", "every run"),
    Used("iam:ListAccessKeys", "every run"),
    Used("iam:GetAccessKeyLastUsed", "draining"),
    Used("iam:GetLoginProfile", "judging a user that the planner did not"),
    Used("iam:ListMFADevices", "judging a user that the planner did not"),
    Used("iam:SimulatePrincipalPolicy", "judging a user that the planner did not"),
    Used("iam:CreateAccessKey", "a new key"),
    Used("iam:UpdateAccessKey", "deactivation"),
    Used("iam:DeleteAccessKey", "deletion"),
    Used("secretsmanager:CreateSecret", "the first key"),
    Used("secretsmanager:TagResource", "the first key"),
    Used("secretsmanager:DescribeSecret", "every run"),
    Used("secretsmanager:GetSecretValue", "a version that is not remembered, and every deactivation"),
    Used("secretsmanager:PutSecretValue", "a new key"),
    Used("secretsmanager:UpdateSecretVersionStage", "promotion"),
    Used("secretsmanager:PutResourcePolicy", "secret_readers"),
    Used("secretsmanager:DeleteResourcePolicy", "secret_readers, emptied"),
    Used("dynamodb:UpdateItem", "every run"),
    Used("events:PutEvents", "a new key"),
    Used("cloudtrail:LookupEvents", "a key whose secret was lost"),
    Required("kms:Decrypt", "https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html"),
    Required(
        "kms:GenerateDataKey", "https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html"
    ),
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
        Used("iam:GenerateCredentialReport", "every run"),
        Used("iam:GetAccountAuthorizationDetails", "every run"),
        Used("iam:GetCredentialReport", "every run"),
        Used("iam:SimulatePrincipalPolicy", "a user that is due"),
        Used("dynamodb:Scan", "every run"),
        Used("events:PutEvents", "a user that is due"),
        _DEAD_LETTERS,
    ),
    "RotationWorkerRole": (
        *_LOGS_AND_TRACES,
        *_ROTATE_ACCESS_KEYS,
        Required("sqs:ReceiveMessage", _QUEUE_PAGE),
        Required("sqs:DeleteMessage", _QUEUE_PAGE),
        Required("sqs:GetQueueAttributes", _QUEUE_PAGE),
    ),
    "RotationContractRole": (*_LOGS_AND_TRACES, *_ROTATE_ACCESS_KEYS),
    "ServiceUserApiRole": (
        *_LOGS_AND_TRACES,
        Used("iam:GetUser", "a rotation on demand"),
        Used("iam:ListAccessKeys", "a rotation on demand"),
        Used("iam:UpdateAccessKey", "a reactivation"),
        Used("dynamodb:GetItem", "one user"),
        Used("dynamodb:Scan", "all users"),
        Used("dynamodb:UpdateItem", "a reactivation"),
        Used("cloudtrail:LookupEvents", "who still uses a key"),
        Used("events:PutEvents", "a rotation on demand"),
    ),
    "ExposedKeyRole": (
        *_LOGS_AND_TRACES,
        Used("iam:GetAccessKeyLastUsed", "whose key it is"),
        Used("events:PutEvents", "a service user's key"),
        _DEAD_LETTERS,
    ),
    "SecretProofRole": (
        *_LOGS_AND_TRACES,
        Used("secretsmanager:DescribeSecret", "every secret"),
        Used("secretsmanager:GetSecretValue", "every secret"),
        Used("dynamodb:Scan", "every run"),
        Used("events:PutEvents", "a secret that does not authenticate"),
        Required("kms:Decrypt", "https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html"),
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
