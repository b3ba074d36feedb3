"""A reader of the alerts' topic."""

import json
import uuid

from tests.local.aws.launched import allow, policy
from tests.local.stack import eventually
from tests.queues import drained


class Subscriber:
    """A queue that subscribes to the topic, as a mail address or a chat does."""

    def __init__(self, stack, filter_policy=None):
        self._sqs = stack.aws.client("sqs")
        name = f"reader-{uuid.uuid4().hex[:8]}"
        self._url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        topic = stack.physical_id("AlertTopic")
        lets_in = allow("sqs:SendMessage", resource=arn, condition={"ArnEquals": {"aws:SourceArn": topic}})
        lets_in["Principal"] = {"Service": "sns.amazonaws.com"}
        self._sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": policy(lets_in)})
        stack.aws.client("sns").subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=arn,
            Attributes={"FilterPolicy": json.dumps(filter_policy)} if filter_policy else {},
        )
        self.messages = []

    def read(self):
        """All messages so far."""
        self.messages += drained(self._sqs, self._url)
        return self.messages

    def about(self, text, seconds=90):
        """The messages in which a text stands, as soon as there are any."""
        return eventually(lambda: [m for m in self.read() if text in m["Message"] or text in m["Subject"]], seconds)
