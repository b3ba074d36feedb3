"""All users of the account, on IAM's bulk call: the account's authorization details."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from access_key_rotation.application.ports import ListedUser
from access_key_rotation.domain.names import UserName
from steward.aws.errors import translated

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

USERS_PER_CALL = 1000


class IamDirectory:
    """Reads the account."""

    def __init__(self, client: "IAMClient") -> None:
        self._iam = client

    def users(self, path: str) -> Iterator[ListedUser]:
        """The users on the path, page by page."""
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
                        )
