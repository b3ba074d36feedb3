"""The managed policies of Amazon ECR and X-Ray, which the groups and functions of the stack have.

Source: the AWS Managed Policy Reference, https://docs.aws.amazon.com/aws-managed-policy/latest/reference/
"""

import json

from ministack.services import iam

GAP = "the managed policies of Amazon ECR and X-Ray"
RELIES_ON = ("services.iam._aws_managed_policies", "services.iam._make_aws_managed_record")

_ARN_PREFIX = "arn:aws:iam::aws:policy/"

_PULL = (
    "ecr:GetAuthorizationToken",
    "ecr:BatchCheckLayerAvailability",
    "ecr:GetDownloadUrlForLayer",
    "ecr:GetRepositoryPolicy",
    "ecr:DescribeRepositories",
    "ecr:ListImages",
    "ecr:DescribeImages",
    "ecr:BatchGetImage",
    "ecr:GetLifecyclePolicy",
    "ecr:GetLifecyclePolicyPreview",
    "ecr:ListTagsForResource",
    "ecr:DescribeImageScanFindings",
)
_PUSH = ("ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage")

POLICIES: dict[str, tuple[dict[str, object], ...]] = {
    "AmazonEC2ContainerRegistryReadOnly": ({"Effect": "Allow", "Action": _PULL, "Resource": "*"},),
    "AmazonEC2ContainerRegistryPowerUser": ({"Effect": "Allow", "Action": (*_PULL, *_PUSH), "Resource": "*"},),
    "AmazonEC2ContainerRegistryFullAccess": (
        {"Effect": "Allow", "Action": ("ecr:*", "cloudtrail:LookupEvents"), "Resource": "*"},
        {
            "Effect": "Allow",
            "Action": ("iam:CreateServiceLinkedRole",),
            "Resource": "*",
            "Condition": {"StringEquals": {"iam:AWSServiceName": ["replication.ecr.amazonaws.com"]}},
        },
    ),
    "AmazonEC2ContainerRegistryPullOnly": (
        {
            "Effect": "Allow",
            "Action": (
                "ecr:GetAuthorizationToken",
                "ecr:BatchGetImage",
                "ecr:GetDownloadUrlForLayer",
                "ecr:BatchImportUpstreamImage",
            ),
            "Resource": "*",
        },
    ),
    "AWSXrayWriteOnlyAccess": (
        {
            "Effect": "Allow",
            "Action": (
                "xray:PutTraceSegments",
                "xray:PutTelemetryRecords",
                "xray:GetSamplingRules",
                "xray:GetSamplingTargets",
                "xray:GetSamplingStatisticSummaries",
            ),
            "Resource": ["*"],
        },
    ),
}


def is_still_missing() -> bool:
    """Whether one of the policies is unknown; attached, it would grant nothing."""
    return any(_ARN_PREFIX + name not in iam._aws_managed_policies for name in POLICIES)


def install() -> None:
    """Make the policies known, under the ARNs that they have on AWS."""
    for name, statements in POLICIES.items():
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam._aws_managed_policies[_ARN_PREFIX + name] = iam._make_aws_managed_record(name, document)
