"""A made-up account, served as IAM serves it: pages of XML, which botocore reads."""

import json
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from botocore.awsrequest import AWSResponse

from policy_drift.domain.account import Account, Document, Group, ManagedPolicy, Role, User

PAGE = 1000
_ANSWER = (
    '<GetAccountAuthorizationDetailsResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">'
    "<GetAccountAuthorizationDetailsResult>{lists}<IsTruncated>{more}</IsTruncated>{marker}"
    "</GetAccountAuthorizationDetailsResult></GetAccountAuthorizationDetailsResponse>"
)
_LISTS = {User: "UserDetailList", Group: "GroupDetailList", Role: "RoleDetailList", ManagedPolicy: "Policies"}


class ServedIam:
    """Answers GetAccountAuthorizationDetails in place of the network; counts the calls.

    Register it: ``client.meta.events.register("before-send.iam", served.answer)``.
    """

    def __init__(self, account: Account) -> None:
        entities = [*account.users.values(), *account.groups.values(), *account.roles.values()]
        items = [*entities, *account.policies.values()]
        starts = range(0, len(items), PAGE)
        self._pages = [_page(items[start : start + PAGE], start, start + PAGE < len(items)) for start in starts]
        self.calls = 0

    def answer(self, request: Any, **_: Any) -> Any:
        """The next page."""
        page = self._pages[self.calls % len(self._pages)]
        self.calls += 1
        return AWSResponse(request.url, 200, {"content-type": "text/xml"}, _Raw(page))  # type: ignore[arg-type]


class _Raw:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> Iterator[bytes]:
        yield self._content


def _page(items: list[Any], start: int, more: bool) -> bytes:  # noqa: FBT001 - as IsTruncated says
    lists = "".join(
        f"<{name}>{''.join(_member(item) for item in items if isinstance(item, kind))}</{name}>"
        for kind, name in _LISTS.items()
    )
    marker = f"<Marker>{start + PAGE}</Marker>" if more else ""
    return _ANSWER.format(lists=lists, more=str(more).lower(), marker=marker).encode()


def _member(item: Any) -> str:
    if isinstance(item, ManagedPolicy):
        version = _tags(VersionId=item.version, IsDefaultVersion="true", Document=_document(item.document))
        inside = _tags(Arn=item.arn, PolicyId=item.unique_id, DefaultVersionId=item.version)
        return f"<member>{inside}<PolicyVersionList><member>{version}</member></PolicyVersionList></member>"
    kind = type(item).__name__
    inside = _tags(**{"Path": item.path, f"{kind}Name": item.name, f"{kind}Id": item.unique_id})
    inline = "".join(
        f"<member>{_tags(PolicyName=name, PolicyDocument=_document(said))}</member>"
        for name, said in item.inline.items()
    )
    attached = "".join(f"<member>{_tags(PolicyName='p', PolicyArn=arn)}</member>" for arn in item.attached)
    inside += (
        f"<{kind}PolicyList>{inline}</{kind}PolicyList><AttachedManagedPolicies>{attached}</AttachedManagedPolicies>"
    )
    if isinstance(item, User):
        inside += _list("GroupList", map(escape, item.groups))
    if isinstance(item, Role):
        inside += _tags(AssumeRolePolicyDocument=_document(item.trust))
    boundary = None if isinstance(item, Group) else getattr(item, "boundary", None)
    if boundary:
        arn = _tags(PermissionsBoundaryType="Policy", PermissionsBoundaryArn=boundary)
        inside += f"<PermissionsBoundary>{arn}</PermissionsBoundary>"
    return f"<member>{inside}</member>"


def _list(name: str, members: Iterable[str]) -> str:
    return f"<{name}>{''.join(f'<member>{member}</member>' for member in members)}</{name}>"


def _document(said: Document) -> str:
    return quote(json.dumps(said))


def _tags(**texts: str) -> str:
    return "".join(f"<{name}>{escape(text)}</{name}>" for name, text in texts.items())
