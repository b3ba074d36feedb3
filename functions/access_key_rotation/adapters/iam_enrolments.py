"""The tag that enrols service users, on IAM."""

from typing import TYPE_CHECKING

from access_key_rotation.domain.names import ROTATE_TAG, UserName
from steward.aws.errors import translated
from steward.errors import NotFoundError

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient


class IamEnrolments:
    """Tags users; the role permits it on the service path, and for this tag alone."""

    def __init__(self, client: "IAMClient") -> None:
        self._iam = client

    def enrol(self, name: UserName) -> None:
        """Add the tag."""
        with translated(_absent(name)):
            self._iam.tag_user(UserName=name, Tags=[{"Key": ROTATE_TAG, "Value": "true"}])

    def withdraw(self, name: UserName) -> None:
        """Remove the tag."""
        with translated(_absent(name)):
            self._iam.untag_user(UserName=name, TagKeys=[ROTATE_TAG])


def _absent(name: UserName) -> dict[str, Exception]:
    return {"NoSuchEntity": NotFoundError(f"there is no user {name}", code="NoSuchEntity")}
