"""The account's access keys, as the function that lists them for people answers."""

import json
from typing import TYPE_CHECKING

import msgspec

from policy_drift.domain.access_keys import AccessKeys
from steward.aws.errors import translated
from steward.errors import UpstreamError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

REQUEST = {"detail-type": "Access Keys Requested"}


class LambdaKeyInventory:
    """Invokes one function, and waits for its answer."""

    def __init__(self, client: "LambdaClient", function: str) -> None:
        self._lambda = client
        self._function = function

    def read(self) -> AccessKeys:
        """The keys that are old, unused or without rotation."""
        with translated():
            answer = self._lambda.invoke(FunctionName=self._function, Payload=json.dumps(REQUEST).encode())
            content = answer["Payload"].read()
        if code := answer.get("FunctionError"):
            raise UpstreamError(f"{self._function} failed; its log says why", code=code)
        try:
            return msgspec.json.decode(content, type=AccessKeys)
        except msgspec.DecodeError as error:
            raise UpstreamError(f"{self._function} answered no list of keys") from error
