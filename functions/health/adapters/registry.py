"""What acts beside the steward: ECR's creation templates, and AWS's quarantine of users."""

from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError

from health.adapters.rights import needing
from health.domain.facts import CreationTemplate, Quarantine
from steward.aws.errors import code_of

QUARANTINE_POLICIES = tuple(
    f"arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantine{version}" for version in ("", "V2", "V3")
)
"""https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSCompromisedKeyQuarantineV3.html"""


class Registry:
    """Reads ECR and IAM."""

    def __init__(self, ecr: Any, iam: Any) -> None:
        self._ecr = ecr
        self._iam = iam

    def creation_templates(self) -> Sequence[CreationTemplate]:
        """One call for each hundred."""
        with needing("ecr:DescribeRepositoryCreationTemplates"):
            pages = self._ecr.get_paginator("describe_repository_creation_templates").paginate()
            return [
                CreationTemplate(each["prefix"], tuple(each.get("appliedFor", ())))
                for page in pages
                for each in page["repositoryCreationTemplates"]
            ]

    def quarantines(self) -> Sequence[Quarantine]:
        """One call for each version of the policy."""
        found = []
        for arn in QUARANTINE_POLICIES:
            with needing("iam:ListEntitiesForPolicy"):
                pages = self._iam.get_paginator("list_entities_for_policy").paginate(PolicyArn=arn, EntityFilter="User")
                try:
                    found += [Quarantine(user["UserName"], arn) for page in pages for user in page["PolicyUsers"]]
                except ClientError as error:
                    if code_of(error) != "NoSuchEntity":  # AWS has retired this version
                        raise
        return found
