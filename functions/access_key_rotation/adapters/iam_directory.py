"""All users of the account, on IAM's bulk calls: the account's authorization details and the credential report."""

import csv
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

from access_key_rotation.application.ports import ListedUser
from access_key_rotation.domain.names import UserName
from steward.aws.errors import translated, unless
from steward.clock import Clock
from steward.errors import UpstreamError

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

USERS_PER_CALL = 1000
_NOT_YET = frozenset({"ReportNotPresent", "ReportExpired", "ReportInProgress"})
_TRIES, _PAUSE = 10, 2.0


class IamDirectory:
    """Reads the account, and keeps only two columns of the credential report."""

    def __init__(self, client: "IAMClient", clock: Clock) -> None:
        self._iam = client
        self._clock = clock

    def users(self, path: str) -> Iterator[ListedUser]:
        """The users on the path, page by page."""
        people = self._people()
        pages = self._iam.get_paginator("get_account_authorization_details").paginate(
            Filter=["User"], PaginationConfig={"PageSize": USERS_PER_CALL}
        )
        with translated():
            for page in pages:
                for user in page["UserDetailList"]:
                    if user["Path"].startswith(path):
                        yield ListedUser(
                            UserName(user["UserName"]),
                            user["UserId"],
                            user["Arn"],
                            user["Path"],
                            {tag["Key"]: tag["Value"] for tag in user.get("Tags", [])},
                            people.get(user["Arn"]),
                        )

    def _people(self) -> dict[str, bool]:
        """User ARN -> whether it has a password or an MFA device, as of the credential report, at most 4 hours old.

        Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
        """
        rows = csv.DictReader(io.StringIO(self._report().decode()))
        return {row["arn"]: "true" in {row["password_enabled"].lower(), row["mfa_active"].lower()} for row in rows}

    def _report(self) -> bytes:
        for _ in range(_TRIES):
            with translated():
                state = self._iam.generate_credential_report()["State"]
            if state == "COMPLETE":
                with translated(), unless(*_NOT_YET):
                    return self._iam.get_credential_report()["Content"]
            self._clock.pause(_PAUSE)
        raise UpstreamError("IAM does not finish its credential report; the next run tries again")
