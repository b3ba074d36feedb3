"""The topic that people subscribe to, on Amazon SNS.

One message carries both texts (message structure ``json``): ``https`` is what Amazon Q Developer in chat applications
reads, ``default`` is the mail, for every other protocol. The attribute ``channels`` says for whom it is meant; the mail
subscription filters by it. Without chat there is no ``https``: Amazon Q gets plain text, which it does not show.
"""

import json
from typing import TYPE_CHECKING

from alerting.domain.alert import Channel, Message
from steward.aws.errors import translated

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


class SnsTopic:
    """Publishes on one topic."""

    def __init__(self, client: "SNSClient", topic_arn: str) -> None:
        self._sns = client
        self._topic_arn = topic_arn

    def publish(self, message: Message) -> None:
        """Send it."""
        texts = {"default": message.mail}
        if Channel.CHAT in message.channels:
            texts["https"] = message.chat
        with translated():
            self._sns.publish(
                TopicArn=self._topic_arn,
                Subject=message.subject,
                MessageStructure="json",
                Message=json.dumps(texts, ensure_ascii=False),
                MessageAttributes={
                    "channels": {"DataType": "String.Array", "StringValue": json.dumps(sorted(message.channels))},
                    "severity": {"DataType": "String", "StringValue": message.severity.name},
                    "capability": {"DataType": "String", "StringValue": message.capability},
                },
            )
