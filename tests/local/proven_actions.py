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
}
"""Logical id of each function's role -> what it may do."""
