r"""Texts that JSON can hold and UTF-8 cannot: lone surrogates, which nothing could store, publish or show.

IAM and CloudTrail send JSON, where ``"\ud800"`` is printable ASCII: anyone who writes a policy may put it there.
"""

import re
from typing import Any

_SURROGATE = re.compile("[\ud800-\udfff]")


def escaped(value: Any) -> Any:
    r"""A JSON value with each lone surrogate written out, as the six characters ``\ud800``."""
    match value:
        case str():
            return _SURROGATE.sub(lambda one: f"\\u{ord(one[0]):04x}", value)
        case dict():
            return {escaped(key): escaped(member) for key, member in value.items()}
        case list():
            return [escaped(member) for member in value]
    return value
