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

ROLES: dict[str, tuple[Probed | Required, ...]] = {
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
}
"""Logical id of each function's role -> what it may do."""
