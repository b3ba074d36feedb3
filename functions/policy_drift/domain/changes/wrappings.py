"""CloudTrail's records, out of what carries them: trails' files, EventBridge, queues, topics, streams, log groups."""

import base64
import binascii
import json
import zlib
from collections.abc import Iterator
from typing import Any

_WRAPPINGS = (
    *("Records", "records", "Messages", "Events", "logEvents"),
    *("detail", "event", "_source", "result", "Sns", "kinesis", "awslogs"),
    *("body", "Body", "Message", "message", "CloudTrailEvent", "_raw", "data", "Data"),
)
"""Where trails, EventBridge, SQS, SNS, Kinesis, Firehose, CloudWatch Logs, LookupEvents and search engines have a
record, several, or the text of one.
"""
_ENCODED = frozenset({"data", "Data"})
"""Where streams have bytes, in base64; CloudWatch Logs compresses them."""
_DEEPEST = 12
_LARGEST = 64 * 1024 * 1024


def records_in(value: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """CloudTrail's records in a message or file; none where it holds none."""
    value = _read(value)
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for member in value:
            yield from records_in(member, depth + 1)
    elif isinstance(value, dict) and "eventName" in value:
        yield value
    elif isinstance(value, dict):
        for wrapping in _WRAPPINGS:
            inner = _decoded(value.get(wrapping)) if wrapping in _ENCODED else _read(value.get(wrapping))
            if isinstance(inner, list | dict):
                yield from records_in(inner, depth + 1)
                return


def _read(value: Any) -> Any:
    """The value of a JSON text, also of one within one; anything else as it is."""
    for _ in range(_DEEPEST):
        if not isinstance(value, str):
            break
        try:
            value = json.loads(value)
        except ValueError:
            break
    return value


def _decoded(value: Any) -> Any:
    if not isinstance(value, str) or isinstance(read := _read(value), list | dict):
        return _read(value)
    try:
        text = base64.b64decode(value, validate=True)
        if text.startswith(b"\x1f\x8b"):
            text = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(text, _LARGEST)
        return _read(text.decode())
    except (binascii.Error, zlib.error, ValueError):
        return read
