"""All keys of the account, on IAM's credential report: two calls for an account of any size.

The report is at most four hours old, and names no key ids.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
"""

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from access_key_rotation.domain.inventory import USE_IS_RECORDED_SINCE, Report, ReportedKey, ReportedUser, Use
from steward.aws.errors import translated, unless
from steward.clock import Clock
from steward.errors import DeadlineError, UpstreamError

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

GENERATED_WITHIN = timedelta(seconds=15)
"""How long a call waits for IAM to generate a report; a large account's takes longer, and the next call finds it."""
TRIED_EVERY = 1.0
"""Seconds between two looks at it."""
NOT_READY = ("ReportNotPresent", "ReportInProgress", "ReportExpired", "CredentialReportNotReadyException",
             "CredentialReportNotPresentException", "CredentialReportExpiredException")  # fmt: skip
"""Codes of a report that is not there, not yet or not any more: those of the wire, and those of the service model."""
SLOTS = ("access_key_1", "access_key_2")
NOTHING = frozenset({"N/A", "", "no_information", "not_supported"})


class IamCredentialReport:
    """The account of the client's credentials."""

    def __init__(self, client: "IAMClient", clock: Clock) -> None:
        self._iam = client
        self._clock = clock

    def read(self) -> Report:
        """The latest report; a new one if that is older than four hours."""
        until = self._clock.now() + GENERATED_WITHIN
        while True:
            with translated(), unless(*NOT_READY):
                state = self._iam.generate_credential_report().get("State")
                if state == "COMPLETE":
                    answer = self._iam.get_credential_report()
                    return _report(answer["Content"], answer["GeneratedTime"])
            if self._clock.now() >= until:
                raise DeadlineError("IAM still generates the credential report; the same call again reads it",
                                    after_seconds=15)  # fmt: skip
            self._clock.pause(TRIED_EVERY)


def _report(content: bytes, generated: datetime) -> Report:
    """Parse a report; an entry that makes no sense is named, and hides no other."""
    try:
        rows = csv.DictReader(io.StringIO(content.decode("utf-8")), strict=True)
        if not rows.fieldnames or not {"user", "arn", *(f"{slot}_active" for slot in SLOTS)} <= {*rows.fieldnames}:
            raise UpstreamError("IAM's credential report lacks its columns; try again later")
        users, unreadable = [], []
        for number, row in enumerate(rows, start=1):
            try:
                users.append(_user(row))
            except (ValueError, KeyError, TypeError, AttributeError):
                unreadable.append(str(row.get("user") or f"entry {number}"))
    except (UnicodeDecodeError, csv.Error) as error:
        raise UpstreamError("IAM's credential report cannot be parsed; try again later") from error
    return Report(generated.astimezone(UTC), tuple(users), tuple(unreadable))


def _user(row: Mapping[str, str]) -> ReportedUser:
    if None in row or None in row.values() or not row["user"] or not row["arn"].startswith("arn:"):
        raise ValueError("the entry has other columns than the report")
    return ReportedUser(
        row["user"], row["arn"], _answer(row["password_enabled"]), _answer(row["mfa_active"]), tuple(_keys(row))
    )


def _keys(row: Mapping[str, str]) -> Iterator[ReportedKey]:
    for slot in SLOTS:
        active, created = row[f"{slot}_active"].lower() == "true", _moment(row[f"{slot}_last_rotated"])
        if not active and created is None:
            continue
        used = _moment(row[f"{slot}_last_used_date"])
        use = Use.USED if used else Use.UNKNOWN
        if row[f"{slot}_last_used_date"] == "N/A" and created and created >= USE_IS_RECORDED_SINCE:
            use = Use.NEVER
        service, region = (_text(row[f"{slot}_last_used_{what}"]) for what in ("service", "region"))
        yield ReportedKey(active, created, use, used, service, region)


def _answer(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text.lower())


def _moment(text: str) -> datetime | None:
    return None if text in NOTHING else datetime.fromisoformat(text).astimezone(UTC)


def _text(text: str) -> str:
    return "" if text in NOTHING else text
