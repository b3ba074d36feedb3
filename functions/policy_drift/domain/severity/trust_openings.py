"""The principals that a trust policy newly opens a role to, decided by requests and not by how the policy reads.

Everyone: a stranger gets in. A stranger is a user of an account that neither policy names, outside every organization
that they name, calling from an address of nobody (192.0.2.77, RFC 5737) and through no VPC, who knows no external id.
Whatever else a request carries, a stranger can bring about: a second factor, tags of its own, the name of a session or
of a role. So a condition on aws:PrincipalOrgID or sts:ExternalId holds the stranger off, and one on
aws:MultiFactorAuthPresent does not. The same stranger who belongs to the organization, knows the external id and calls
from the right address stands for other accounts under conditions.

A foreign account: a principal of an account that the policy names, as a principal or in a condition, gets in where it
did not; or under fewer conditions. An identity provider: a stranger whom it signs in (see `issuers`) gets in, or it was
not trusted at all.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from iam_policy import Access
from policy_drift.domain.access.reading import NOTHING, read
from policy_drift.domain.access.trust import conditions_of, principals_of
from policy_drift.domain.access.verdicts import MAY_BE_MORE
from policy_drift.domain.access.work import Questions
from policy_drift.domain.account import Document
from policy_drift.domain.severity.issuers import WEB_PROVIDERS, guests, is_open_to_all, issuer_of, strangers
from steward.severities import DriftSeverities
from steward.severity import SeverityName

Opening = tuple[SeverityName, str]
IsNew = Callable[[Document], bool]
"""Whether some of the requests of a document are allowed now and were not; ``was_allowed``: whether some were."""

_ADDRESS_OF_NOBODY = "192.0.2.77/32"
_HELD_BY_FEW = (
    *("sts:ExternalId", "aws:SourceVpc", "aws:SourceVpce", "aws:VpcSourceIp", "aws:PrincipalOrgPaths"),
    *("aws:SourceVpcArn", "aws:VpceAccount", "aws:VpceOrgID", "aws:VpceOrgPaths"),
    *("aws:Ec2InstanceSourceVpc", "aws:Ec2InstanceSourcePrivateIPv4", "ec2:SourceInstanceARN"),
    *("aws:SourceArn", "aws:SourceAccount", "aws:SourceOrgID", "aws:SourceOrgPaths", "aws:PrincipalServiceName"),
)
_LETTING_IN = "sts:Assume*"
"""Session tags and a source identity go with a session; alone they let no caller in."""
_STRANGERS = ("333333333333", "444444444444", "555555555555")
_ARN_PARTS = 6
_ACCOUNT_ID = re.compile(r"(?<!\d)\d{12}(?!\d)", re.ASCII)


def openings(
    before: Document | None, now: Document, own_account: str, severities: DriftSeverities, questions: Questions
) -> Iterator[Opening]:
    """What a trust policy newly opens, and how bad that is.

    Raises
    ------
    PolicyDocumentError
        A document is malformed.
    """
    approved, live = NOTHING if before is None else read(before), read(now)

    def is_new(asking: Document) -> bool:
        return _may_do_more(approved, live, asking, questions)

    def was_allowed(asking: Document) -> bool:
        return _may_do_more(NOTHING, approved, asking, questions)

    yield from _to_everyone(f"{before}{now}", own_account, is_new, severities)
    yield from _to_accounts(now, own_account, is_new, severities)
    yield from _to_signed_in(before or {}, now, is_new, was_allowed, severities)


def _to_everyone(text: str, own_account: str, is_new: IsNew, severities: DriftSeverities) -> Iterator[Opening]:
    account = next(account for account in _STRANGERS if account != own_account and account not in text)
    stranger = {"AWS": f"arn:aws:iam::{account}:user/stranger"}
    if is_new(_asked_by(stranger, _nothing_but_itself(account))):
        yield severities.trusts_anyone, "anyone in any AWS account can now assume it"
    elif is_new(_asked_by(stranger, _itself(account))):
        yield severities.trusts_anyone_under_conditions, "other AWS accounts can now assume it, under conditions"


def _to_accounts(now: Document, own_account: str, is_new: IsNew, severities: DriftSeverities) -> Iterator[Opening]:
    named = sorted(value for kind, value in principals_of(now) if kind == "AWS")
    for account in sorted({_account(value) for value in named} | _in_conditions(now) - {""}):
        if account in {own_account, ""}:
            continue
        asking = [_asked_by({"AWS": value}) for value in named if _account(value) == account]
        if any(is_new(one) for one in (*asking, _asked_by({"AWS": account}, _itself(account)))):
            yield severities.trusts_foreign_account, f"the foreign account {account} can now assume it"


def _to_signed_in(
    before: Document, now: Document, is_new: IsNew, was_allowed: IsNew, severities: DriftSeverities
) -> Iterator[Opening]:
    def was_trusted(provider: str) -> bool:
        return was_allowed(_asked_by({"Federated": provider}))

    named = sorted({value for kind, value in principals_of(now) if kind == "Federated"})
    for provider in named:
        open_to_all = WEB_PROVIDERS if provider == "*" else (provider,)
        issuer = "any identity provider" if provider == "*" else issuer_of(provider)
        is_open = provider == "*" or is_open_to_all(provider)
        asking = (
            _asked_by({"Federated": one}, token)
            for one in open_to_all
            for token in strangers(one, before if was_trusted(one) else now, now)
        )
        unknown = (
            _asked_by({"Federated": one}, token) for one in open_to_all if was_trusted(one) for token in guests(one)
        )
        if any(is_new(one) for one in unknown):
            yield (
                severities.trusts_strangers_of_open_provider,
                f"guests of {issuer}, without a sign-in, can now assume it",
            )
        elif any(is_new(one) and (is_open or not was_allowed(one)) for one in asking):
            of_open, of_own = severities.trusts_strangers_of_open_provider, severities.trusts_strangers_of_own_provider
            yield of_open if is_open else of_own, f"anyone whom {issuer} signs in can now assume it"
        elif is_new(_asked_by({"Federated": open_to_all[0]})) and not was_trusted(open_to_all[0]):
            yield severities.trusts_new_provider, f"the identity provider {issuer} is newly trusted"


def _may_do_more(approved: Access, live: Access, asking: Document, questions: Questions) -> bool:
    asked = read(asking).layers
    before, now = Access((*approved.layers, *asked)), Access((*live.layers, *asked))
    return questions.compare(before, now).verdict in MAY_BE_MORE


def _asked_by(principal: Mapping[str, str], condition: Mapping[str, Any] | None = None) -> Document:
    statement = {"Effect": "Allow", "Principal": principal, "Action": _LETTING_IN}
    return {"Statement": [{**statement, "Condition": condition} if condition else statement]}


def _itself(account: str) -> dict[str, dict[str, str]]:
    """What a principal cannot say of itself but that it is so: its account. It names itself as it likes."""
    return {
        "StringEquals": {"aws:PrincipalAccount": account},
        "ArnLike": {"aws:PrincipalArn": f"arn:*:*::{account}:*"},
        "Bool": {"aws:PrincipalIsAWSService": "false"},
    }


def _nothing_but_itself(account: str) -> Mapping[str, Mapping[str, Any]]:
    return {
        **_itself(account),
        "StringEqualsIfExists": {"aws:PrincipalOrgID": "o-ofnobody00"},
        "StringLikeIfExists": {"aws:userid": ["AIDAOFASTRANGER00000", "AROAOFASTRANGER00000:*"]},
        "IpAddress": {"aws:SourceIp": _ADDRESS_OF_NOBODY},
        "Null": dict.fromkeys(_HELD_BY_FEW, "true"),
    }


def _in_conditions(trust: Document) -> set[str]:
    """The accounts of the principals that the conditions of a trust policy name."""
    values = [value for key, value in conditions_of(trust) if key.casefold().startswith("aws:principal")]
    return {account for value in values for account in _ACCOUNT_ID.findall(value)}


def _account(principal: str) -> str:
    """The account of an AWS principal; empty where it shows none."""
    if principal.isdecimal():
        return principal
    parts = principal.split(":", _ARN_PARTS - 1)
    return parts[4] if len(parts) == _ARN_PARTS else ""
