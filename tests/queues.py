"""What a queue holds, read as a consumer reads it."""

import json


def drained(sqs, url):
    """The bodies, read as JSON, of all messages that are there; the queue is empty afterwards."""
    found = []
    while batch := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += [json.loads(message["Body"]) for message in batch]
        for message in batch:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found
