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
    """An action that AWS requires and the local AWS does not ask for, or does not serve."""

    action: str
    page: str


@dataclass(frozen=True, slots=True)
class Shared:
    """An action of a managed policy that another role has too, whose probe proves that the same code needs it."""

    action: str
    role: str


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
    Probed("ecr:TagResource", "a missing repository", sid="CreateTaggedRepositories"),
    Probed("ecr:PutLifecyclePolicy", "a missing repository"),
    Probed("ecr:SetRepositoryPolicy", "a missing repository"),
    Probed("ecr:ListTagsForResource", "a half-done repository"),
    Probed("ecr:GetLifecyclePolicy", "a half-done repository"),
    Probed("ecr:GetRepositoryPolicy", "a half-done repository"),
    Probed("ecr:PutImageTagMutability", "a repository whose rules changed"),
    Probed("ecr:TagResource", "a repository whose rules changed", sid="ConfigureTaggedRepositories"),
    Probed("ecr:DeleteLifecyclePolicy", "a lifecycle override that is permitted no more"),
    Probed("ecr:DeleteRepositoryPolicy", "readers that are permitted no more"),
    Probed("ecr:UntagResource", "a tag that is permitted no more"),
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
        Probed("iam:GetAccountAuthorizationDetails", makes_a_key),
        Probed("iam:GetPolicy", makes_a_key),
        Probed("iam:GetPolicyVersion", makes_a_key),
        Probed("iam:ListAttachedUserPolicies", "a leaked key of a user that AWS quarantines"),
        Probed("iam:CreateAccessKey", makes_a_key),
        Probed("iam:UpdateAccessKey", "a leaked key"),
        Probed("iam:DeleteAccessKey", "a key whose quarantine is over"),
        Probed("secretsmanager:DescribeSecret", makes_a_key),
        Probed("secretsmanager:GetSecretValue", makes_a_key),
        Probed("secretsmanager:PutSecretValue", makes_a_key),
        Probed("secretsmanager:UpdateSecretVersionStage", makes_a_key),
        Probed("secretsmanager:ReplicateSecretToRegions", "a secret without its replica"),
        Probed("secretsmanager:GetResourcePolicy", "a secret for certain readers"),
        Probed("secretsmanager:PutResourcePolicy", "a secret for certain readers"),
        Probed("secretsmanager:DeleteResourcePolicy", "a secret that is open again"),
        Probed("dynamodb:UpdateItem", makes_a_key),
        Probed("dynamodb:GetItem", "a key that drains, with targets of secret sync", sid="ReadSyncState"),
        Probed("dynamodb:DeleteItem", "a user that is not enrolled any more"),
        Probed("events:PutEvents", makes_a_key),
        Probed("cloudtrail:LookupEvents", "a key that may be an orphan"),
        Probed("kms:Decrypt", makes_a_key),
        Probed("kms:Encrypt", "a secret without its replica"),
        Probed("kms:GenerateDataKey", makes_a_key),
    )


_PAGES_OF_IAM = "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html"
"""IAM is eventually consistent: a user may be in a group that is on no page; the local AWS shows one moment on all."""


def _reads_the_account(whole: str, group: str, policy: str) -> tuple[Probed | Required, ...]:
    """What the policy ReadTheAccount allows; each argument is the probe, or the page, of what the function reads."""
    of_groups = ("iam:GetGroup", "iam:GetGroupPolicy", "iam:ListAttachedGroupPolicies", "iam:ListGroupPolicies")
    return (
        Probed("iam:GetAccountAuthorizationDetails", whole),
        *(Required(action, group) if group == _PAGES_OF_IAM else Probed(action, group) for action in of_groups),
        Probed("iam:GetPolicy", policy),
        Probed("iam:GetPolicyVersion", policy),
    )


_BESIDE_POLICIES = "what was made beside policies"
_READS_CREDENTIALS: tuple[Probed | Required, ...] = (
    *(
        Probed(f"iam:{operation}", _BESIDE_POLICIES)
        for operation in (
            "GetAccountSummary",
            "GetLoginProfile",
            "GetOpenIDConnectProvider",
            "GetSAMLProvider",
            "ListAccessKeys",
            "ListInstanceProfilesForRole",
            "ListMFADevices",
            "ListOpenIDConnectProviders",
            "ListRoleTags",
            "ListSAMLProviders",
            "ListUserTags",
        )
    ),
    *(
        Required(f"iam:{operation}", f"https://docs.aws.amazon.com/IAM/latest/APIReference/API_{operation}.html")
        for operation in (
            "GetOutboundWebIdentityFederationInfo",
            "ListOrganizationsFeatures",
            "ListSSHPublicKeys",
            "ListServiceSpecificCredentials",
            "ListSigningCertificates",
        )
    ),
)
"""What the policy ReadCredentials allows. What cannot be read is a finding all the same, with the verdict UNKNOWN: so a
probe needs what the local AWS serves, which of these operations knows all but the last five.
"""
_SHARES_CREDENTIALS = tuple(Shared(entry.action, "DriftCheckRole") for entry in _READS_CREDENTIALS)

_READS_CREDENTIAL_REPORT = tuple(
    Required(f"iam:{operation}", f"https://docs.aws.amazon.com/IAM/latest/APIReference/API_{operation}.html")
    for operation in ("GenerateCredentialReport", "GetCredentialReport")
)
"""What is not read is said in the report, and keeps the baseline unreviewed."""

_CHANGES = "a change of a user, a group, a role and a policy"
_S3_PAGE = "https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html"

_DEAD_LETTERS = Required(
    "sqs:SendMessage", "https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html"
)
_KEY_OWNER_PAGE = "https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccessKeyLastUsed.html"
_SECURITY_HUB_PAGE = "https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchImportFindings.html"
_PARAMETER_PAGE = "https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html"
_SECRET_PAGE = "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html"
_QUEUE_PAGE = "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html"

_CHECKED = {
    "cloudformation:DescribeStacks": "stack",
    "cloudformation:ListStackResources": "stack",
    "cloudtrail:DescribeTrails": "trail",
    "cloudtrail:GetEventSelectors": "trail",
    "cloudtrail:GetTrailStatus": "trail",
    "cloudtrail:LookupEvents": "IAM events",
    "cloudwatch:GetMetricStatistics": "IAM events",
    "dynamodb:DescribeContinuousBackups": "tables",
    "dynamodb:DescribeTable": "tables",
    "events:ListRuleNamesByTarget": "forwarding",
    "iam:ListEntitiesForPolicy": "quarantine",
    "s3:GetBucketNotification": "buckets",
    "s3:GetBucketPublicAccessBlock": "buckets",
    "s3:GetBucketVersioning": "buckets",
    "sns:ListSubscriptionsByTopic": "alarm topic",
    "sqs:GetQueueAttributes": "dead letters",
}
"""The check of ``GET /health`` that is unknown without an action."""
_CHECKED_ON_AWS = {
    "cloudwatch:DescribeAlarms": "https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html",
    "ecr:DescribeRepositoryCreationTemplates": "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeRepositoryCreationTemplates.html",
    "events:DescribeRule": "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeRule.html",
    "securityhub:DescribeHub": "https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_DescribeHub.html",
}
"""The local AWS authorizes alarms on "*", and has no creation templates, no Security Hub and, here, no forwarding."""

ROLES: dict[str, tuple[Probed | Required, ...]] = {
    "RepositoryApiRole": (
        *_LOGS_AND_TRACES,
        *_PROVISION_REPOSITORIES,
        Probed("ecr:GetRegistryScanningConfiguration", "no warning that something could not be read"),
        Probed("ecr:DescribePullThroughCacheRules", "an adoption that is shown"),
        Probed("ecr:DescribeRepositoryCreationTemplates", "an adoption that is shown"),
        Probed("ecr:DescribeRegistry", "replication that is shown"),
        Probed("ecr:GetSigningConfiguration", "signing that is shown"),
        Probed("dynamodb:GetItem", "the fleet"),
        Probed("lambda:InvokeFunction", "a scan of the registry on demand"),
    ),
    "FleetScanRole": (
        *_LOGS_AND_TRACES,
        Probed("ecr:DescribeImages", "a scan of the registry"),
        Probed("ecr:DescribeRepositories", "a scan of the registry"),
        Probed("ecr:GetLifecyclePolicy", "a scan of the registry"),
        Probed("ecr:GetRepositoryPolicy", "a scan of the registry"),
        Probed("ecr:ListTagsForResource", "a scan of the registry"),
        Probed("ecr:DescribePullThroughCacheRules", "a scan of the registry"),
        Probed("ecr:DescribeRepositoryCreationTemplates", "a scan of the registry"),
        Probed("dynamodb:BatchGetItem", "a scan of the registry"),
        Probed("dynamodb:DeleteItem", "a scan of the registry"),
        Probed("dynamodb:GetItem", "a scan of the registry"),
        Probed("dynamodb:PutItem", "a scan of the registry"),
        Probed("dynamodb:UpdateItem", "a scan of the registry"),
        Probed("events:PutEvents", "a scan of the registry"),
        _DEAD_LETTERS,
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
        Probed("iam:GetAccountAuthorizationDetails", "a user that is due"),
        Probed("dynamodb:Scan", "a user that is due"),
        Probed("events:PutEvents", "a user that is due"),
        _DEAD_LETTERS,
    ),
    "RotationWorkerRole": (
        *_LOGS_AND_TRACES,
        *_rotates_access_keys("a user without a key"),
        Probed("dynamodb:GetItem", "a leaked key of a user whose lock cannot be had", sid="ReadLeaks"),
        Probed("secretsmanager:CreateSecret", "a user without a key"),
        Probed("secretsmanager:TagResource", "a user without a key"),
        Probed("secretsmanager:RotateSecret", "a user without a key"),
        Probed("lambda:InvokeFunction", "a user without a key"),
        Required("sqs:ReceiveMessage", _QUEUE_PAGE),
        Required("sqs:DeleteMessage", _QUEUE_PAGE),
        Required("sqs:GetQueueAttributes", _QUEUE_PAGE),
    ),
    "SecretRotationRole": (*_LOGS_AND_TRACES, *_rotates_access_keys("a rotation by Secrets Manager")),
    "ServiceUserApiRole": (
        *_LOGS_AND_TRACES,
        Probed("iam:GetUser", "a rotation on demand"),
        Probed("iam:ListAccessKeys", "a rotation on demand"),
        Probed("iam:UpdateAccessKey", "a reactivation"),
        Probed("dynamodb:GetItem", "a user with a superseded key", sid="ReadWriteState"),
        Probed("dynamodb:GetItem", "a user with targets of secret sync", sid="ReadSyncState"),
        Probed("dynamodb:Scan", "all users"),
        Probed("dynamodb:UpdateItem", "a reactivation"),
        Probed("cloudtrail:LookupEvents", "a user with a superseded key"),
        Probed("events:PutEvents", "a rotation on demand"),
    ),
    "EnrolmentApiRole": (
        *_LOGS_AND_TRACES,
        Probed("iam:GetUser", "an enrolment"),
        Probed("iam:ListAccessKeys", "an enrolment"),
        Required("iam:GetAccessKeyLastUsed", _KEY_OWNER_PAGE),
        Probed("iam:GetLoginProfile", "an enrolment"),
        Probed("iam:ListMFADevices", "an enrolment"),
        Probed("iam:GetAccountAuthorizationDetails", "an enrolment"),
        Required("iam:GetPolicy", _PAGES_OF_IAM),
        Required("iam:GetPolicyVersion", _PAGES_OF_IAM),
        Probed("iam:TagUser", "an enrolment"),
        Probed("iam:UntagUser", "a departure"),
        Probed("secretsmanager:DescribeSecret", "an enrolment"),
        Probed("secretsmanager:CancelRotateSecret", "a departure"),
        Probed("secretsmanager:UntagResource", "a departure"),
        Probed("dynamodb:GetItem", "an enrolment"),
        Probed("dynamodb:UpdateItem", "an enrolment"),
        Probed("dynamodb:DeleteItem", "a departure"),
        Probed("events:PutEvents", "an enrolment"),
    ),
    "AccessKeysRole": (
        *_LOGS_AND_TRACES,
        Probed("iam:GenerateCredentialReport", "the keys of the account"),
        Probed("iam:GetCredentialReport", "the keys of the account"),
        Probed("iam:GetAccountAuthorizationDetails", "the keys of the account"),
        Probed("dynamodb:Scan", "the keys of the account"),
        Probed("events:PutEvents", "the count of keys"),
        _DEAD_LETTERS,
    ),
    "ExposedKeyRole": (
        *_LOGS_AND_TRACES,
        Probed("iam:GetAccessKeyLastUsed", "a service user's key"),
        Probed("dynamodb:UpdateItem", "a service user's key"),
        Probed("events:PutEvents", "a service user's key"),
        _DEAD_LETTERS,
    ),
    "SecretProofRole": (
        *_LOGS_AND_TRACES,
        Probed("secretsmanager:DescribeSecret", "a secret that authenticates"),
        Probed("secretsmanager:GetSecretValue", "a secret that authenticates"),
        Probed("secretsmanager:GetResourcePolicy", "a restricted secret that authenticates"),
        Probed("iam:ListAccessKeys", "a secret with a key that no consumer has used"),
        Probed("kms:Decrypt", "a secret that authenticates"),
        Probed("dynamodb:Scan", "a secret that authenticates"),
        Probed("events:PutEvents", "a secret that does not authenticate"),
        _DEAD_LETTERS,
    ),
    "SecretSyncRole": (
        *_LOGS_AND_TRACES,
        Probed("secretsmanager:DescribeSecret", "targets without the current key"),
        Probed("secretsmanager:GetSecretValue", "targets without the current key", sid="ReadSecrets"),
        Probed("secretsmanager:GetSecretValue", "targets in CI systems and under a role", sid="ReadTokens"),
        Probed("secretsmanager:PutSecretValue", "targets without the current key"),
        Probed("secretsmanager:GetSecretValue", "targets without the current key", sid="WriteOtherSecrets"),
        Probed("ssm:PutParameter", "targets without the current key"),
        Probed("ssm:GetParameter", "targets without the current key"),
        Probed("sts:AssumeRole", "targets in CI systems and under a role"),
        Required("kms:Encrypt", _PARAMETER_PAGE),
        Probed("kms:GenerateDataKey", "targets without the current key"),
        Probed("kms:Decrypt", "targets without the current key", sid="UseSecretsKey"),
        Probed("kms:Decrypt", "targets without the current key", sid="UseKeysOfTargets"),
        Probed("dynamodb:Scan", "targets without the current key"),
        Probed("dynamodb:GetItem", "targets without the current key"),
        Probed("dynamodb:UpdateItem", "targets without the current key"),
        Probed("events:PutEvents", "targets without the current key"),
        _DEAD_LETTERS,
    ),
    "AlertsRole": (
        *_LOGS_AND_TRACES,
        Probed("dynamodb:GetItem", "an event to alert", sid="ReadWriteState"),
        Probed("dynamodb:GetItem", "an event to alert", sid="ReadSources"),
        Required("iam:GetAccessKeyLastUsed", _KEY_OWNER_PAGE),
        Probed("dynamodb:PutItem", "an event to alert"),
        Probed("dynamodb:UpdateItem", "an event to alert"),
        Probed("sns:Publish", "an event to alert"),
        Required("securityhub:BatchImportFindings", _SECURITY_HUB_PAGE),
        Required("secretsmanager:GetSecretValue", _SECRET_PAGE),
        Required("sqs:ReceiveMessage", _QUEUE_PAGE),
        Required("sqs:DeleteMessage", _QUEUE_PAGE),
        Required("sqs:GetQueueAttributes", _QUEUE_PAGE),
    ),
    "ScheduledAlertsRole": (
        *_LOGS_AND_TRACES,
        Probed("dynamodb:Query", "a weekly digest"),
        Probed("dynamodb:BatchWriteItem", "a weekly digest"),
        Probed("sns:Publish", "a weekly digest"),
        _DEAD_LETTERS,
    ),
    "DriftScanRole": (
        *_LOGS_AND_TRACES,
        *_reads_the_account("a scan", _PAGES_OF_IAM, "a scan"),
        *_SHARES_CREDENTIALS,
        *_READS_CREDENTIAL_REPORT,
        Probed("cloudtrail:LookupEvents", "a finding that no event announced"),
        Probed("lambda:InvokeFunction", "a report with the account's access keys"),
        Probed("s3:GetObject", "a scan"),
        Probed("s3:GetObjectVersion", "the first scan"),
        Probed("s3:PutObject", "the first scan", sid="CaptureFirstBaseline"),
        Probed("s3:PutObject", "a scan", sid="WriteReports"),
        Probed("s3:ListBucketVersions", "the first scan"),
        Required("s3:ListBucket", _S3_PAGE),
        Probed("dynamodb:GetItem", "a scan"),
        Probed("dynamodb:Scan", "a lost baseline"),
        Probed("dynamodb:UpdateItem", "a finding that no event announced"),
        Probed("events:PutEvents", "a scan"),
        _DEAD_LETTERS,
    ),
    "DriftCheckRole": (
        *_LOGS_AND_TRACES,
        *_reads_the_account("a change of a large group", _CHANGES, _CHANGES),
        *_READS_CREDENTIALS,
        Probed("iam:GetRole", _CHANGES),
        Probed("iam:GetRolePolicy", _CHANGES),
        Probed("iam:ListAttachedRolePolicies", _CHANGES),
        Probed("iam:ListRolePolicies", _CHANGES),
        Probed("iam:GetUser", _CHANGES),
        Probed("iam:GetUserPolicy", _CHANGES),
        Probed("iam:ListAttachedUserPolicies", _CHANGES),
        Probed("iam:ListGroupsForUser", _CHANGES),
        Probed("iam:ListUserPolicies", _CHANGES),
        Probed("iam:ListEntitiesForPolicy", _CHANGES),
        Probed("s3:GetObjectVersion", "the first change under another baseline"),
        Required("s3:ListBucketVersions", _S3_PAGE),
        Probed("dynamodb:BatchGetItem", _CHANGES),
        Probed("dynamodb:GetItem", _CHANGES),
        Probed("dynamodb:Scan", "a change of a large group"),
        Probed("dynamodb:UpdateItem", _CHANGES),
        Probed("events:PutEvents", "a change of a role"),
        Probed("sqs:ChangeMessageVisibility", "a change that IAM does not show yet"),
        Required("sqs:ReceiveMessage", _QUEUE_PAGE),
        Required("sqs:DeleteMessage", _QUEUE_PAGE),
        Required("sqs:GetQueueAttributes", _QUEUE_PAGE),
    ),
    "HealthApiRole": (
        *_LOGS_AND_TRACES,
        *(Probed(action, check) for action, check in _CHECKED.items()),
        *(Required(action, page) for action, page in _CHECKED_ON_AWS.items()),
    ),
    "DriftApiRole": (
        *_LOGS_AND_TRACES,
        *_reads_the_account("an adoption", _PAGES_OF_IAM, "an adoption"),
        *_SHARES_CREDENTIALS,
        *_READS_CREDENTIAL_REPORT,
        Probed("s3:GetObject", "an adoption", sid="ReadWriteBaseline"),
        Probed("s3:GetObjectVersion", "an adoption", sid="ReadWriteBaseline"),
        Probed("s3:GetObjectVersion", "a link to the report", sid="ReadReports"),
        Probed("s3:PutObject", "an adoption", sid="ReadWriteBaseline"),
        Probed("s3:GetObject", "an upload", sid="ReadWriteUploads"),
        Probed("s3:PutObject", "an upload", sid="ReadWriteUploads"),
        Required("s3:ListBucket", _S3_PAGE),
        Required("s3:ListBucketVersions", _S3_PAGE),
        Probed("dynamodb:BatchGetItem", "an adoption"),
        Probed("dynamodb:GetItem", "one finding"),
        Probed("dynamodb:Scan", "all findings"),
        Probed("dynamodb:UpdateItem", "an acknowledgement"),
        Probed("events:PutEvents", "an acknowledgement"),
        Probed("lambda:InvokeFunction", "a scan on demand"),
    ),
}
"""Logical id of each function's role -> what it may do."""
