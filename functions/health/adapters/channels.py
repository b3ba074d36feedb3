"""Who hears of what: SNS, SQS and Security Hub."""

from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError

from health.adapters.rights import needing
from health.domain.facts import Subscription
from steward.aws.errors import code_of

_NOT_ENABLED = frozenset({"InvalidAccessException", "ResourceNotFoundException"})
"""https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_DescribeHub.html"""


class Channels:
    """Reads topics and queues of the home region."""

    def __init__(self, sns: Any, sqs: Any, security_hub: Any) -> None:
        self._sns = sns
        self._sqs = sqs
        self._security_hub = security_hub

    def subscriptions(self, topic_arn: str) -> Sequence[Subscription]:
        """One call for each hundred."""
        with needing("sns:ListSubscriptionsByTopic"):
            pages = self._sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic_arn)
            return [
                Subscription(each["Protocol"], each["Endpoint"], each["SubscriptionArn"].startswith("arn:"))
                for page in pages
                for each in page["Subscriptions"]
                if each["SubscriptionArn"] != "Deleted"
            ]

    def messages(self, queue_url: str) -> int:
        """One call."""
        with needing("sqs:GetQueueAttributes"):
            name = "ApproximateNumberOfMessages"
            answer = self._sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=[name])
            return int(answer["Attributes"][name])

    def security_hub_enabled(self) -> bool:
        """One call."""
        with needing("securityhub:DescribeHub"):
            try:
                self._security_hub.describe_hub()
            except ClientError as error:
                if code_of(error) in _NOT_ENABLED:
                    return False
                raise
            return True
