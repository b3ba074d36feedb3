"""AWS's managed policies that matter here: of Amazon ECR and X-Ray, and the quarantine of users of exposed keys.

Source: the AWS Managed Policy Reference, https://docs.aws.amazon.com/aws-managed-policy/latest/reference/
"""

import json

from ministack.services import iam

GAP = "the managed policies of Amazon ECR and X-Ray, and AWS's quarantine"
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

_QUARANTINE = (
    "cloudtrail:LookupEvents",
    "ecr:GetAuthorizationToken",
    "iam:AddUserToGroup",
    "iam:AttachGroupPolicy",
    "iam:AttachRolePolicy",
    "iam:AttachUserPolicy",
    "iam:ChangePassword",
    "iam:CreateAccessKey",
    "iam:CreateInstanceProfile",
    "iam:CreateLoginProfile",
    "iam:CreatePolicyVersion",
    "iam:CreateRole",
    "iam:CreateUser",
    "iam:DetachUserPolicy",
    "iam:PassRole",
    "iam:PutGroupPolicy",
    "iam:PutRolePolicy",
    "iam:PutUserPermissionsBoundary",
    "iam:PutUserPolicy",
    "iam:SetDefaultPolicyVersion",
    "iam:UpdateAccessKey",
    "iam:UpdateAccountPasswordPolicy",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateLoginProfile",
    "iam:UpdateUser",
    "lambda:AddPermission",
    "lambda:CreateFunction",
)
"""What the quarantine denies of IAM and of the services that the project uses; AWS's list is longer."""

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
    "AWSCompromisedKeyQuarantineV2": ({"Effect": "Deny", "Action": _QUARANTINE, "Resource": ["*"]},),
    "AWSCompromisedKeyQuarantineV3": ({"Effect": "Deny", "Action": _QUARANTINE, "Resource": ["*"]},),
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
