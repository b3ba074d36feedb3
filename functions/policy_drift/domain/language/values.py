"""The typed values of conditions: numbers, instants, network blocks, truth values and binary data."""

import base64
import binascii
import ipaddress
import re
from datetime import UTC, datetime
from decimal import Decimal

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?", re.ASCII)
_YEAR_OR_MONTH = re.compile(r"([0-9]{4})(?:-([0-9]{2}))?", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_TIME = re.compile(
    r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}[Tt][0-9]{2}:?[0-9]{2}(:?[0-9]{2}([.,][0-9]+)?)?([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)",
    re.ASCII,
)
_EPOCH = re.compile(
    r"-?[0-9]{9,20}(\.[0-9]{1,20})?|-?[0-9]{1,3}(\.[0-9]{1,20})?|-?[0-9]{5,7}(\.[0-9]{1,20})?", re.ASCII
)


def number(text: str) -> Decimal | None:
    """The integer or decimal that a text spells, or None."""
    return Decimal(text).normalize() if _NUMBER.fullmatch(text) else None


def instant(text: str) -> Decimal | None:
    """Seconds since 1970 of a date, or None when the text is none or leaves the instant open.

    Taken: the forms of W3C's note on ISO 8601 (year, month, day, or a time with its zone), the same without
    separators, and Unix time. A time without a zone and eight bare digits (day or Unix time?) are not.
    """
    if match := _YEAR_OR_MONTH.fullmatch(text):
        text = f"{match[1]}-{match[2] or '01'}-01"
    if _DATE.fullmatch(text):
        text += "T00:00Z"
    if _TIME.fullmatch(text):
        try:
            moment = datetime.fromisoformat(text.upper())
        except ValueError:
            return None
        since = moment - datetime(1970, 1, 1, tzinfo=UTC)
        return (Decimal(since.days * 86_400 + since.seconds) + Decimal(since.microseconds) / 1_000_000).normalize()
    return Decimal(text).normalize() if _EPOCH.fullmatch(text) else None


def instant_text(seconds: Decimal) -> str:
    """A text that `instant` reads as these seconds since 1970."""
    if seconds == seconds.to_integral_value() and Decimal(-60000000000) < seconds < Decimal(250000000000):
        return datetime.fromtimestamp(int(seconds), UTC).isoformat().replace("+00:00", "Z")
    return format(seconds, "f")


def network(text: str) -> Network | None:
    """The block that a policy names by an address or in CIDR form, or None. Host bits that are set say nothing."""
    _, slash, prefix = text.partition("/")
    if slash and not prefix.isdecimal():
        return None
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def address(text: str) -> Address | None:
    """The address of a request, or None."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def truth(text: str) -> str | None:
    """``true`` or ``false``, however the text spells it in capitals, or None."""
    lowered = text.lower()
    return lowered if lowered in {"true", "false"} else None


def binary(text: str) -> str | None:
    """Base64 text in its one canonical spelling, or None."""
    try:
        return base64.b64encode(base64.b64decode(text, validate=True)).decode()
    except (binascii.Error, ValueError):
        return None
