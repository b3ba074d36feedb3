"""To whom a trust policy opens a role that it was closed to, decided by requests and not by how the policy reads.

Everyone: a stranger gets in. A stranger is a user of an account that neither policy names, outside every organization
that they name, calling from an address of nobody (192.0.2.77, RFC 5737) and through no VPC, who knows no external id.
Whatever else a request carries, a stranger can bring about: a second factor, tags of its own, the name of a session.
So a condition on aws:PrincipalOrgID or sts:ExternalId holds the stranger off, and one on aws:MultiFactorAuthPresent
does not. The same stranger who belongs to the organization, knows the external id and calls from the right address
stands for other accounts under conditions.

A foreign account: a principal that the policy names, of another account, gets in where it did not; or under fewer
conditions. An identity provider that signs in anybody: whoever has a token gets in, whatever its subject.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from policy_drift.domain.access.reading import NOTHING, read
from policy_drift.domain.access.trust import principals_of
from policy_drift.domain.access.verdicts import MAY_BE_MORE
from policy_drift.domain.account import Document
from policy_drift.domain.finding import Severity
from policy_drift.domain.language import Access, compare

type Opening = tuple[Severity, str]

_ADDRESS_OF_NOBODY = "192.0.2.77/32"
_HELD_BY_FEW = (
    *("sts:ExternalId", "aws:SourceVpc", "aws:SourceVpce", "aws:VpcSourceIp", "aws:PrincipalOrgPaths"),
    *("aws:SourceArn", "aws:SourceAccount", "aws:SourceOrgID", "aws:SourceOrgPaths", "aws:PrincipalServiceName"),
)
#: Anybody may have tokens of these signed, for any audience.
_ISSUERS_TO_ALL = ("token.actions.githubusercontent.com", "gitlab.com", "app.terraform.io")
_STRANGERS = ("333333333333", "444444444444", "555555555555")
_ARN_PARTS = 6


def openings(before: Document | None, now: Document, own_account: str) -> Iterator[Opening]:
    """What a trust policy newly opens, and how bad that is.

    Raises
    ------
    PolicyDocumentError
        A document is malformed.
    """
    approved, live = NOTHING if before is None else read(before), read(now)
    named = sorted(principals_of(now))

    def is_new(asking: Document) -> bool:
        return _may_do_more(approved, live, asking)

    stranger = _stranger(f"{before}{now}", own_account)
    if is_new(_asked_by({"AWS": stranger}, _nothing_but_itself(stranger))):
        yield Severity.CRITICAL, "anybody in any AWS account may assume it now"
    elif is_new(_asked_by({"AWS": stranger}, _itself(stranger))):
        yield Severity.HIGH, "other AWS accounts may assume it now, under conditions"
    for account in sorted({_account(value) for kind, value in named if kind == "AWS"} - {own_account, ""}):
        principals = [value for kind, value in named if kind == "AWS" and _account(value) == account]
        if any(is_new(_asked_by({"AWS": value}, {})) for value in principals):
            yield Severity.CRITICAL, f"the foreign account {account} may assume it now"
    for provider in [value for kind, value in named if kind == "Federated" and value != "*"]:
        issuer = provider.partition(":oidc-provider/")[2]
        subject = {"StringEquals": {f"{issuer}:sub": "somebody:else"}}
        if issuer and is_new(_asked_by({"Federated": provider}, subject)):
            to_all = issuer.startswith(_ISSUERS_TO_ALL)
            yield Severity.CRITICAL if to_all else Severity.HIGH, f"whoever {issuer} signs in may assume it now"


def _may_do_more(approved: Access, live: Access, asking: Document) -> bool:
    asked = read(asking).layers
    return compare(Access((*approved.layers, *asked)), Access((*live.layers, *asked))).verdict in MAY_BE_MORE


def _asked_by(principal: Mapping[str, str], condition: Mapping[str, Any]) -> Document:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:*"}
    return {"Statement": [{**statement, "Condition": condition} if condition else statement]}


def _stranger(text: str, own_account: str) -> str:
    account = next(account for account in _STRANGERS if account != own_account and account not in text)
    return f"arn:aws:iam::{account}:user/stranger"


def _itself(arn: str) -> dict[str, dict[str, str]]:
    """What nobody can say of itself but that it is so."""
    return {"StringEquals": {"aws:PrincipalAccount": _account(arn), "aws:PrincipalArn": arn}}


def _nothing_but_itself(arn: str) -> dict[str, dict[str, str]]:
    return {
        **_itself(arn),
        "StringEqualsIfExists": {"aws:PrincipalOrgID": "o-ofnobody00"},
        "IpAddress": {"aws:SourceIp": _ADDRESS_OF_NOBODY},
        "Null": dict.fromkeys(_HELD_BY_FEW, "true"),
    }


def _account(principal: str) -> str:
    """The account of an AWS principal; empty where it shows none."""
    if principal.isdecimal():
        return principal
    parts = principal.split(":", _ARN_PARTS - 1)
    return parts[4] if len(parts) == _ARN_PARTS else ""
