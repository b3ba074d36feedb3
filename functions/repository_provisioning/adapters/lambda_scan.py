"""The scan's own function, asked without waiting."""

import json
from typing import TYPE_CHECKING

from steward.aws.errors import translated

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class LambdaScanTrigger:
    """Invokes one function."""

    def __init__(self, client: "LambdaClient", function: str) -> None:
        self._lambda = client
        self._function = function

    def request(self, scan_id: str, by: str) -> None:
        """Start one; Lambda keeps the request until it is done."""
        with translated():
            self._lambda.invoke(
                FunctionName=self._function,
                InvocationType="Event",
                Payload=json.dumps({"id": scan_id, "requested_by": by}).encode(),
            )
