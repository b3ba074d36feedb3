"""The queue of IAM's changes."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from steward.aws.clients import CONNECTIONS
from steward.aws.errors import translated, unless

_NOT_IN_FLIGHT = (
    "AWS.SimpleQueueService.MessageNotInflight",
    "InvalidParameterValue",
    "MessageNotInflight",
    "ReceiptHandleIsInvalid",
)


class SqsChanges:
    """Messages that Lambda has received from one queue."""

    def __init__(self, client: Any, url: str) -> None:
        self._sqs = client
        self._url = url

    def show_again(self, seconds: Mapping[str, int]) -> None:
        """Deliver messages again after so many seconds, by their receipt handles, if they are not deleted.

        One that is not in flight any more comes again anyway. One call each, some at a time.

        Raises
        ------
        UpstreamError
            SQS does not answer, or does not permit it.
        """
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            list(pool.map(self._show_again, seconds.keys(), seconds.values()))

    def _show_again(self, handle: str, seconds: int) -> None:
        with translated(), unless(*_NOT_IN_FLIGHT):
            self._sqs.change_message_visibility(QueueUrl=self._url, ReceiptHandle=handle, VisibilityTimeout=seconds)
