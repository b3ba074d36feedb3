"""The principals that a trust policy newly opens a role to, decided by requests and not by how the policy reads.

Everyone: a stranger gets in. A stranger is a user of an account that neither policy names, outside every organization
that they name, calling from an address of nobody (192.0.2.77, RFC 5737) or through its own VPC and endpoint, and
knows no external id. Whatever else a request carries, a stranger can bring about: a second factor, tags of its own, the
name of a session or of a role, a private address. So a condition on aws:PrincipalOrgID or sts:ExternalId holds the
stranger off, unless any value will do, and one on aws:MultiFactorAuthPresent does not. The same stranger who belongs to
the organization, knows the external id and calls from the right address stands for other accounts under conditions.

A foreign account: a principal of an account that the policy names, as a principal or in a condition, gets in where it
did not; or under fewer conditions. An identity provider: a stranger whom it signs in (see `issuers`) gets in, or it was
not trusted at all.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
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
Conditions = dict[str, dict[str, Any]]
IsNew = Callable[[Document], bool]
"""Whether some of the requests of a document are allowed now and were not; ``was_allowed``: whether some were."""

_ADDRESS_OF_NOBODY = "192.0.2.77/32"
_OF_SERVICES = (
    *("aws:SourceArn", "aws:SourceAccount", "aws:SourceOrgID", "aws:SourceOrgPaths", "aws:PrincipalServiceName"),
)
"""Keys of calls that a service makes for somebody: no call of a stranger has them."""
_OF_NETWORKS = (
    *("aws:SourceVpc", "aws:SourceVpce", "aws:VpcSourceIp", "aws:SourceVpcArn"),
    *("aws:VpceAccount", "aws:VpceOrgID", "aws:VpceOrgPaths"),
)
"""Keys of calls through the endpoint of a VPC. Every VPC may have every private address."""
_LETTING_IN = "sts:Assume*"
"""Session tags and a source identity go with a session; alone they let no caller in."""
_STRANGERS = ("333333333333", "444444444444", "555555555555")
_ARN_PARTS = 6
_ACCOUNT_PART = 4
_DIGITS = 12
_OF_ACCOUNTS = frozenset({"aws:principalaccount", "aws:principalarn"})
_OPEN_NUMBER = re.compile(r"[0-9?*]*[0-9][0-9?*]*", re.ASCII)
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

    yield from _to_everyone(before or {}, now, own_account, is_new, severities)
    yield from _to_accounts(now, own_account, is_new, severities)
    yield from _to_signed_in(before or {}, now, is_new, was_allowed, severities)


def _to_everyone(
    before: Document, now: Document, own_account: str, is_new: IsNew, severities: DriftSeverities
) -> Iterator[Opening]:
    text = f"{before}{now}"
    keys = {key.casefold() for trust in (before, now) for key, _ in conditions_of(trust)}
    account = next(account for account in _STRANGERS if account != own_account and account not in text)
    accounts = [account, *(one for one in _within_open_numbers(now) if one != own_account and one not in text)]
    if any(is_new(_asked_by(_stranger(one), calls)) for one in accounts for calls in _nothing_but_itself(one, keys)):
        yield severities.trusts_anyone, "anyone in any AWS account can now assume it"
    elif is_new(_asked_by(_stranger(account), _itself(account))):
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


def _itself(account: str) -> Conditions:
    """What a principal cannot say of itself but that it is so: its account. It names itself as it likes."""
    return {
        "StringEquals": {"aws:PrincipalAccount": account},
        "ArnLike": {"aws:PrincipalArn": f"arn:*:*::{account}:*"},
        "Bool": {"aws:PrincipalIsAWSService": "false"},
    }


def _stranger(account: str) -> Mapping[str, str]:
    return {"AWS": f"arn:aws:iam::{account}:user/stranger"}


def _nothing_but_itself(account: str, keys: Collection[str]) -> Iterator[Conditions]:
    """What is true of each call of a stranger, of these keys: over the internet, and through a VPC of its own."""
    yield _asked_for(_over_the_internet(account), keys)
    if {"aws:sourceip", *map(str.casefold, _OF_NETWORKS)}.intersection(keys):
        yield _asked_for(_through_its_vpc(account), keys)


def _over_the_internet(account: str) -> Conditions:
    return _anywhere(account) | {
        "IpAddress": {"aws:SourceIp": _ADDRESS_OF_NOBODY},
        "Null": dict.fromkeys((*_OF_SERVICES, *_OF_NETWORKS), "true"),
    }


def _through_its_vpc(account: str) -> Conditions:
    anywhere = _anywhere(account)
    network = {
        "aws:SourceVpc": "vpc-0ofnobody",
        "aws:SourceVpce": "vpce-0ofnobody",
        "aws:SourceVpcArn": f"arn:aws:ec2:eu-west-1:{account}:vpc/vpc-0ofnobody",
        "aws:VpceAccount": account,
    }
    return anywhere | {
        "StringEquals": anywhere["StringEquals"] | network,
        "StringEqualsIfExists": anywhere["StringEqualsIfExists"] | {"aws:VpceOrgID": "o-ofnobody00"},
        "ForAllValues:StringLike": dict.fromkeys(("aws:PrincipalOrgPaths", "aws:VpceOrgPaths"), "o-ofnobody00/*"),
        "Null": dict.fromkeys((*_OF_SERVICES, "aws:SourceIp"), "true"),
    }


def _anywhere(account: str) -> Conditions:
    return _itself(account) | {
        "StringEqualsIfExists": {
            "aws:PrincipalOrgID": "o-ofnobody00",
            "aws:Ec2InstanceSourceVpc": "vpc-0ofnobody",
            "sts:ExternalId": "of a stranger",
        },
        "StringLikeIfExists": {
            "aws:userid": ["AIDAOFASTRANGER00000", "AROAOFASTRANGER00000:*"],
            "aws:FederatedProvider": [*WEB_PROVIDERS, f"arn:aws:iam::{account}:*"],
        },
        "ArnLikeIfExists": {
            "ec2:SourceInstanceARN": f"arn:aws:ec2:*:{account}:instance/*",
            "lambda:SourceFunctionArn": f"arn:aws:lambda:*:{account}:function:*",
            "ssm:SourceInstanceARN": f"arn:aws:ssm:*:{account}:managed-instance/*",
        },
        "ForAllValues:StringLike": {"aws:PrincipalOrgPaths": "o-ofnobody00/*"},
    }


def _asked_for(conditions: Conditions, keys: Collection[str]) -> Conditions:
    """Those of the conditions that are about these keys: nothing depends on the others."""
    found = {
        operator: {key: value for key, value in tests.items() if key.casefold() in keys}
        for operator, tests in conditions.items()
    }
    return {operator: tests for operator, tests in found.items() if tests}


def _within_open_numbers(trust: Document) -> Iterator[str]:
    """An account for each number that the conditions of a trust policy leave open in part, such as ``1111*``."""
    for key, value in conditions_of(trust):
        number = f"{value}::::".split(":")[_ACCOUNT_PART] if ":" in value else value
        if key.casefold() in _OF_ACCOUNTS and _OPEN_NUMBER.fullmatch(number) and set(number) & set("*?"):
            filled = number.replace("?", "9").replace("*", "9" * (_DIGITS - len(number.replace("*", ""))), 1)
            if _ACCOUNT_ID.fullmatch(account := filled.replace("*", "")):
                yield account


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
