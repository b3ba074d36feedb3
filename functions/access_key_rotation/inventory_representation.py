"""Represents the inventory of access keys to clients of the REST API: as JSON, and as CSV for auditors."""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from access_key_rotation.domain.inventory import OLD_AFTER, InventoriedKey, Inventory, Rotator, WayOut, summary_of

COLUMNS = (
    "as_of", "user", "arn", "path", "owner", "key_id", "status", "created_at", "age_days", "last_use", "last_used_at",
    "last_used_service", "last_used_region", "rotated_by", "state", "way_out", "reason",
)  # fmt: skip
MOST_REPORTED = 500
"""Keys that a report of others gets; far below the six megabytes that a function may answer."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet takes for a formula; names of users and values of tags may.

Source: https://owasp.org/www-community/attacks/CSV_Injection
"""


def inventory_document(
    inventory: Inventory, keys: Sequence[InventoriedKey], age: timedelta | None, now: datetime
) -> dict[str, Any]:
    """The keys with their summary, and of when both are."""
    return {
        "as_of": inventory.as_of.isoformat(),
        "read_at": now.isoformat(),
        "older_than_days": None if age is None else age // timedelta(days=1),
        "summary": asdict(summary_of(keys)),
        "unreadable": list(inventory.unreadable),
        "keys": [_key(key) for key in keys],
    }


def document_for_reports(inventory: Inventory) -> dict[str, Any]:
    """All keys in numbers, and the active ones that are old, unused or without rotation, oldest first."""
    wanted = [key for key in inventory.keys if key.active and _is_for_reports(key)]
    return {
        "as_of": inventory.as_of.isoformat(),
        "old_days": OLD_AFTER // timedelta(days=1),
        "summary": asdict(summary_of(inventory.keys)),
        "keys": [_key(key) for key in wanted[:MOST_REPORTED]],
        "left_out": max(0, len(wanted) - MOST_REPORTED),
        "unreadable": list(inventory.unreadable),
    }


def _is_for_reports(key: InventoriedKey) -> bool:
    is_unused = key.way_out is WayOut.UNUSED
    return key.is_older_than(OLD_AFTER) or is_unused or key.rotated_by is not Rotator.STEWARD


def csv_of(inventory: Inventory, keys: Sequence[InventoriedKey]) -> str:
    """One line per key under a line of names; an entry that could not be read is a line of its own.

    A cell that a spreadsheet would run as a formula begins with an apostrophe.
    """
    text = io.StringIO()
    lines = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\r\n")
    lines.writeheader()
    as_of = inventory.as_of.isoformat()
    for key in keys:
        lines.writerow({name: _cell(value) for name, value in {"as_of": as_of, **_key(key)}.items()})
    for name in inventory.unreadable:
        lines.writerow({"as_of": as_of, "user": _cell(name), "reason": "IAM's report of this user cannot be read"})
    return text.getvalue()


def _key(key: InventoriedKey) -> dict[str, Any]:
    return {
        "user": key.user,
        "arn": key.arn,
        "path": key.path,
        "owner": key.owner or None,
        "key_id": key.id or None,
        "status": "Active" if key.active else "Inactive",
        "created_at": _moment(key.created),
        "age_days": None if key.age is None else key.age // timedelta(days=1),
        "last_use": key.use.value,
        "last_used_at": _moment(key.used_at),
        "last_used_service": key.used_for or None,
        "last_used_region": key.used_in or None,
        "rotated_by": key.rotated_by.value,
        "state": key.state or None,
        "way_out": key.way_out.value,
        "reason": key.reason,
    }


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
