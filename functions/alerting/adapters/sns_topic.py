"""The topic that people subscribe to, on Amazon SNS.

One message carries both texts (message structure ``json``): ``https`` is what Amazon Q Developer in chat applications
reads, ``default`` is the mail, for every other protocol. The attribute ``channels`` says for which of them it is meant;
the mail subscription filters by it. Without chat there is no ``https``: Amazon Q does not show the plain text it gets.
"""

import json
from typing import TYPE_CHECKING

from alerting.domain.alert import PEOPLE, Channel
from alerting.domain.formats.chat import notification
from alerting.domain.formats.mail import body_of, subject_of
from alerting.domain.routing import RoutedAlert
from steward.aws.errors import translated

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


class SnsTopic:
    """Publishes on one topic, for mail and chat; ``documentation`` is the base URL of ``docs/``, or empty."""

    step = "sent"
    grouped = True

    def __init__(self, client: "SNSClient", topic_arn: str, *, documentation: str = "") -> None:
        self._sns = client
        self._topic_arn = topic_arn
        self._documentation = documentation

    def accepts(self, routed: RoutedAlert) -> bool:
        """Whether it is for mail or chat."""
        return bool(routed.channels & PEOPLE)

    def send(self, routed: RoutedAlert) -> None:
        """Publish it."""
        alert = routed.alert
        texts = {"default": body_of(alert, self._documentation)}
        if Channel.CHAT in routed.channels:
            texts["https"] = json.dumps(notification(alert, self._documentation), ensure_ascii=False)
        with translated():
            self._sns.publish(
                TopicArn=self._topic_arn,
                Subject=subject_of(alert),
                MessageStructure="json",
                Message=json.dumps(texts, ensure_ascii=False),
                MessageAttributes={
                    "channels": {
                        "DataType": "String.Array",
                        "StringValue": json.dumps(sorted(routed.channels & PEOPLE)),
                    },
                    "severity": {"DataType": "String", "StringValue": alert.severity.name},
                    "capability": {"DataType": "String", "StringValue": alert.capability},
                },
            )
