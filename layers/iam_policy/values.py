"""The typed values of conditions: numbers, instants, network blocks, truth values and binary data."""

import base64
import binascii
import ipaddress
import math
import re
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: Decimal arithmetic that never rounds what a policy or request may spell, whatever the caller's context is.
EXACT = Context(prec=300)

# Requests take more digits than policies: there is a number between any two that policies name.
_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?", re.ASCII)
_ASKED_NUMBER = re.compile(r"[+-]?[0-9]{1,100}(\.[0-9]{1,100})?", re.ASCII)
_TOO_LARGE = 10**400
_YEAR_OR_MONTH = re.compile(r"([0-9]{4})(?:-([0-9]{2}))?", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_TIME = re.compile(
    r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}[Tt][0-9]{2}:?[0-9]{2}(:?[0-9]{2}([.,][0-9]+)?)?([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)",
    re.ASCII,
)
_EPOCH = re.compile(r"-?([0-9]{9,20}|[0-9]{1,3}|[0-9]{5,7})(\.[0-9]{1,20})?", re.ASCII)
_ASKED_EPOCH = re.compile(r"-?([0-9]{9,60}|[0-9]{1,3}|[0-9]{5,7})(\.[0-9]{1,60})?", re.ASCII)
_START = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LAST_YEAR = 9999
#: Seconds since 1970 of the first day that a date can name, and of the day after the last.
_FIRST_INSTANT, _END_OF_INSTANTS = -62_135_596_800, 253_402_300_800


def number(text: str, *, asked: bool = False) -> Decimal | None:
    """The integer or decimal that a text of a policy spells, or of a request (`asked`), or None."""
    return Decimal(text).normalize(EXACT) if (_ASKED_NUMBER if asked else _NUMBER).fullmatch(text) else None


def plain_text(number: float) -> str | None:
    """A number as `number` reads it, without an exponent; None for one that is not finite or very long."""
    if isinstance(number, int):
        return str(number) if abs(number) < _TOO_LARGE else None
    return format(Decimal(repr(number)), "f") if math.isfinite(number) else None


def instant(text: str, *, asked: bool = False) -> Decimal | None:
    """Seconds since 1970 of a policy's or a request's date, or None when the text is none or leaves it open.

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
        return Decimal((moment - _START) // _MICROSECOND).scaleb(-6, EXACT).normalize(EXACT)
    return Decimal(text).normalize(EXACT) if (_ASKED_EPOCH if asked else _EPOCH).fullmatch(text) else None


def number_text(value: Decimal) -> str:
    """A text that a request's `number` reads as this."""
    return format(value, "f")


def number_and_no_instant_text(value: Decimal) -> str:
    """A text that a request's `number` reads as this, and `instant` as nothing."""
    return f"+{value:f}" if value >= 0 else _padded(value, 70)  # more digits than Unix time has


def instant_text(seconds: Decimal) -> str:
    """A text that a request's `instant` reads as these seconds since 1970: a date where possible, else Unix time."""
    microseconds = seconds.scaleb(6, EXACT)
    if not _FIRST_INSTANT <= seconds < _END_OF_INSTANTS or microseconds != microseconds.to_integral_value():
        return unix_time_text(seconds)
    return (_START + int(microseconds) * _MICROSECOND).isoformat().replace("+00:00", "Z")


def unix_time_text(seconds: Decimal) -> str:
    """A text that a request's `number` and `instant` both read as these seconds since 1970."""
    return _padded(seconds, 9)  # fewer digits may be a year


def _padded(value: Decimal, digits: int) -> str:
    """The decimal with zeros before it, up to so many digits before the point."""
    whole, point, fraction = format(value, "f").partition(".")
    return whole.zfill(digits + whole.startswith("-")) + point + fraction


def years_about(numbers: "Iterable[Decimal]", instants: "Iterable[Decimal]") -> list[str]:
    """Years, each a number and an instant too: those around these numbers and these instants."""
    named = [int(value) for value in numbers if -1 <= value <= _LAST_YEAR + 1]
    for seconds in instants:
        text = instant_text(seconds)
        named += [int(text[:4])] if _TIME.fullmatch(text) else []
    near = {1, _LAST_YEAR, *(year + shift for year in named for shift in (-1, 0, 1))}
    return [f"{year:04}" for year in sorted(near) if 1 <= year <= _LAST_YEAR]


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
