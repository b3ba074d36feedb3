"""Identifiers as segments of a path, in characters that every client signs alike.

curl before 8.9 signs ``:``, ``@``, ``+``, ``=`` and ``,`` in a path otherwise than AWS, so that requests with them are
refused (403). A segment has unreserved characters only: any other byte is ``~`` and its two hexadecimal digits.

Source: https://www.rfc-editor.org/rfc/rfc3986#section-2.3
"""

import re
import string

from steward.errors import InvalidRequestError

_KEPT = frozenset((string.ascii_letters + string.digits + "._-").encode())
_SEGMENT = re.compile(r"(?:[A-Za-z0-9._-]|~[0-9A-Fa-f]{2})*")
_ESCAPED = re.compile(rb"~(..)")


def segment_of(identifier: str) -> str:
    """The segment that stands for an identifier: ``access~3Arole~3Adeployer`` for ``access:role:deployer``."""
    text = identifier.encode("utf-8", "surrogatepass")
    return "".join(chr(byte) if byte in _KEPT else f"~{byte:02X}" for byte in text)


def identifier_in(segment: str) -> str:
    """The identifier that a segment stands for; an identifier that was sent as it is stays as it is.

    Raises
    ------
    InvalidRequestError
        The segment is of neither form.
    """
    if not _SEGMENT.fullmatch(segment):
        return segment
    text = _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), segment.encode())
    try:
        return text.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise InvalidRequestError(f"{segment!r} does not stand for an identifier: it is not UTF-8") from error
