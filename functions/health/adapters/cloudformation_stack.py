"""The stack, on CloudFormation, and its alarms, on CloudWatch."""

from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError

from health.adapters.rights import needing
from health.domain.facts import Stack
from steward.aws.errors import code_of
from steward.errors import NotFoundError


class CloudFormationStack:
    """Reads one stack."""

    def __init__(self, cloudformation: Any, cloudwatch: Any, name: str) -> None:
        self._cloudformation = cloudformation
        self._cloudwatch = cloudwatch
        self._name = name

    def stack(self) -> Stack:
        """One call, and one for each hundred resources."""
        with needing("cloudformation:DescribeStacks"):
            try:
                described = self._cloudformation.describe_stacks(StackName=self._name)["Stacks"][0]
            except ClientError as error:
                if code_of(error) == "ValidationError":  # how CloudFormation says that there is none
                    raise NotFoundError(f"there is no stack {self._name} in this region") from error
                raise
        with needing("cloudformation:ListStackResources"):
            pages = self._cloudformation.get_paginator("list_stack_resources").paginate(StackName=self._name)
            resources = {
                each["LogicalResourceId"]: each.get("PhysicalResourceId", "")
                for page in pages
                for each in page["StackResourceSummaries"]
                if each["ResourceStatus"] != "DELETE_COMPLETE"
            }
        parameters = {each["ParameterKey"]: each.get("ParameterValue", "") for each in described.get("Parameters", [])}
        return Stack(self._name, described["StackStatus"], parameters, resources)

    def raised_alarms(self) -> Sequence[str]:
        """Alarms of the stack are named after it."""
        with needing("cloudwatch:DescribeAlarms"):
            pages = self._cloudwatch.get_paginator("describe_alarms").paginate(
                AlarmNamePrefix=f"{self._name}-", StateValue="ALARM", AlarmTypes=["MetricAlarm"]
            )
            return [
                alarm["AlarmName"] for page in pages for alarm in page["MetricAlarms"] if alarm["StateValue"] == "ALARM"
            ]
