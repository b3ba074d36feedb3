"""GetAccountAuthorizationDetails in pages, with the permissions boundaries of users and roles.

MiniStack answers with the whole account in one page, whatever MaxItems says, and leaves the boundaries out. Here the
pages of one listing show the account as it was when the listing began.

Source: AWS Identity and Access Management API reference, GetAccountAuthorizationDetails.
"""

import base64
import binascii
import secrets
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

from ministack.services import iam

from local.scratch_account import Reply, scratch_account

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

GAP = "the pages of GetAccountAuthorizationDetails"
RELIES_ON = (
    "services.iam._IAM_HANDLERS",
    "services.iam._error",
    "services.iam._p",
    "services.iam._roles",
    "services.iam._users",
    "services.iam._xml",
)

DEFAULT_PAGE = 100

_OPERATION = "GetAccountAuthorizationDetails"
_LISTS = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
_NAMESPACE = "{https://iam.amazonaws.com/doc/2010-05-08/}"
_KEPT_SNAPSHOTS = 8

type Item = tuple[str, str]
"""The list that it belongs to, and the XML of one user, group, role or policy."""

_snapshots: dict[str, list[Item]] = {}


def is_still_missing() -> bool:
    """Whether a page of one item holds the whole account."""
    with scratch_account():
        for name in ("probe-1", "probe-2"):
            iam._IAM_HANDLERS["CreateUser"]({"UserName": name})
        _, _, body = iam._IAM_HANDLERS[_OPERATION]({"MaxItems": "1"})
        for name in ("probe-1", "probe-2"):
            iam._users.pop(name)
    return b"<IsTruncated>false" in body


def install() -> None:
    """Replace the operation."""
    whole_account = iam._IAM_HANDLERS[_OPERATION]

    def get_account_authorization_details(parameters: dict[str, Any]) -> Reply:
        size, marker = int(iam._p(parameters, "MaxItems") or DEFAULT_PAGE), iam._p(parameters, "Marker")
        if marker:
            snapshot, start = _position(marker)
            if snapshot not in _snapshots:
                return iam._error(400, "ValidationError", "Invalid Marker.", ns="iam")  # type: ignore[no-any-return]
        else:
            snapshot, start = _keep(list(_items(whole_account(parameters)[2]))), 0
        return _page(snapshot, start, size)

    iam._IAM_HANDLERS[_OPERATION] = get_account_authorization_details


def _page(snapshot: str, start: int, size: int) -> Reply:
    items, end = _snapshots[snapshot], start + size
    page = items[start:end]
    lists = "".join(f"<{kind}>{_joined(page, kind)}</{kind}>" for kind in _LISTS)
    if end < len(items):
        marker = base64.urlsafe_b64encode(f"{snapshot}:{end}".encode()).decode()
        rest = f"<IsTruncated>true</IsTruncated><Marker>{marker}</Marker>"
    else:
        rest = "<IsTruncated>false</IsTruncated>"
    result = f"<{_OPERATION}Result>{lists}{rest}</{_OPERATION}Result>"
    return iam._xml(200, f"{_OPERATION}Response", result, ns="iam")  # type: ignore[no-any-return]


def _joined(page: "Sequence[Item]", kind: str) -> str:
    return "".join(item for of_kind, item in page if of_kind == kind)


def _keep(items: list[Item]) -> str:
    """Keep a snapshot for its further pages, and forget the oldest."""
    name = secrets.token_urlsafe(9)
    _snapshots[name] = items
    while len(_snapshots) > _KEPT_SNAPSHOTS:
        _snapshots.pop(next(iter(_snapshots)))
    return name


def _position(marker: str) -> tuple[str, int]:
    """The snapshot and the first item of the page that a marker stands for; no snapshot when it is not ours."""
    try:
        snapshot, _, start = base64.urlsafe_b64decode(marker).decode().partition(":")
        return snapshot, int(start)
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return "", 0


def _items(body: bytes) -> "Iterator[Item]":
    """Every member of the four lists as XML, with what MiniStack leaves out."""
    result = ET.fromstring(body)[0]  # noqa: S314 - MiniStack's own answer
    for kind in _LISTS:
        for member in result.iterfind(f"{_NAMESPACE}{kind}/{_NAMESPACE}member"):
            _add_boundary(kind, member)
            for element in member.iter():
                element.tag = element.tag.removeprefix(_NAMESPACE)
            yield kind, ET.tostring(member, encoding="unicode")


def _add_boundary(kind: str, member: ET.Element) -> None:
    entities, name = {
        "UserDetailList": (iam._users, "UserName"),
        "RoleDetailList": (iam._roles, "RoleName"),
    }.get(kind, ({}, "Arn"))
    boundary = (entities.get(member.findtext(f"{_NAMESPACE}{name}")) or {}).get("PermissionsBoundary")
    arn = boundary.get("PermissionsBoundaryArn") if isinstance(boundary, dict) else boundary
    if arn:
        told = ET.SubElement(member, "PermissionsBoundary")
        ET.SubElement(told, "PermissionsBoundaryType").text = "Policy"
        ET.SubElement(told, "PermissionsBoundaryArn").text = arn
