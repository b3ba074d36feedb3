"""CloudTrail's event of a change in IAM: who changed what. It says where to look, never what is there."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from policy_drift.domain.account import Account, Document, EntityId, EntityKind, policy_id
from policy_drift.domain.changes.claims import CLAIMING, Claim, claims_of, claims_of_root
from policy_drift.domain.changes.operations import named_part
from policy_drift.domain.finding import Change, Kind
from policy_drift.domain.surrogates import escaped

WITHOUT_EFFECT = ("Get", "List", "Simulate", "Generate")
"""Calls that change nothing. Everything else may: a list of what does would lose one some day."""
_TAGGING = ("Tag", "Untag")
"""Calls that change nothing but tags: they matter where they claim a tag of a principal."""
_NAMED = {"userName": EntityKind.USER, "groupName": EntityKind.GROUP, "roleName": EntityKind.ROLE}
_RENAMED = {"newUserName": EntityKind.USER, "newGroupName": EntityKind.GROUP}
_LONGEST_TEXT = 512


@dataclass(frozen=True, slots=True)
class ChangeEvent:
    """One successful change.

    Attributes
    ----------
    change : Change
        Who, when, from where.
    principals : frozenset of EntityId
        Users, groups and roles that it names.
    policies : frozenset of str
        ARNs of managed policies that it names.
    document : Document, optional
        A policy document that it carries, where it came whole.
    parameters : mapping
        What was asked for, as CloudTrail wrote it.
    claims : frozenset of Claim
        What it says that it made beside policies.
    """

    change: Change
    principals: frozenset[EntityId]
    policies: frozenset[str]
    document: Document | None
    parameters: Mapping[str, Any]
    claims: frozenset[Claim] = frozenset()

    @property
    def altered(self) -> frozenset[EntityId]:
        """The entities that it changes; their dependents change with them.

        A group or policy that is named beside a principal is given to it or taken from it, and does not change itself:
        its other holders are not affected, and must not be reported under the name of this actor.
        """
        groups = frozenset(entity for entity in self.principals if entity.kind is EntityKind.GROUP)
        return self.principals - groups or groups or frozenset(map(policy_id, self.policies))

    @property
    def handed(self) -> frozenset[EntityId]:
        """Customers' policies that it gives or takes: whether any principal has them may have changed."""
        named = frozenset(map(policy_id, self.policies)) - self.altered
        return frozenset(policy for policy in named if not policy.name.startswith("aws:"))

    @property
    def touches(self) -> frozenset[EntityId]:
        """Everything that may differ by it, but for those who have or are in what it changes."""
        return self.altered | self.handed

    def respelled(self, accounts: Iterable[Account]) -> "ChangeEvent":
        """The event with names as these accounts write them: IAM does not distinguish names by capitals.

        Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
        """
        names = {name.casefold(): name for account in accounts for name in _names(account)}
        parameters = dict(self.parameters)
        for key, kind in _NAMED.items():
            if isinstance(asked := parameters.get(key), str) and (known := names.get(f"{kind}/{asked}".casefold())):
                parameters[key] = known.partition("/")[2]
        return replace(
            self,
            principals=frozenset(EntityId(names.get(one.casefold(), one)) for one in self.principals),
            policies=frozenset(names.get(arn.casefold(), arn) for arn in self.policies),
            parameters=parameters,
            claims=frozenset(
                replace(one, entity=EntityId(names.get(one.entity.casefold(), one.entity))) if one.entity else one
                for one in self.claims
            ),
        )


def change_event(record: Mapping[str, Any]) -> ChangeEvent | None:
    """What a CloudTrail record announces; None where nothing was changed, or nothing that we compare is named."""
    record = escaped(record)
    name = str(record.get("eventName", ""))
    if record.get("errorCode") or record.get("eventSource") != "iam.amazonaws.com":
        return None
    if record.get("readOnly") is True or name.startswith(WITHOUT_EFFECT):
        return None
    asked, answered = _object(record.get("requestParameters")), _object(record.get("responseElements"))
    identity = _object(record.get("userIdentity"))
    principals = frozenset(_principals(asked, answered)) or _caller_itself(name, identity)
    policies = frozenset(_policies(asked, answered))
    try:
        at = _in_utc(datetime.fromisoformat(str(record["eventTime"])))
        event_id = str(record["eventID"])
    except (KeyError, ValueError, OverflowError):
        return None
    claims = claims_of(name, asked, answered, principals, at)
    if identity.get("type") == "Root" and not principals:
        claims |= claims_of_root(name, at)
    if not (claims or ((principals or policies) and not name.startswith(_TAGGING))):
        return None
    change = Change(
        event_id=_short(event_id),
        event_name=_short(name),
        actor=_short(_actor(identity)),
        at=at,
        source_ip=_short(str(record.get("sourceIPAddress") or "")),
        user_agent=_short(str(record.get("userAgent") or "")),
        part=_short(named_part(name, asked)),
    )
    return ChangeEvent(change, principals, policies, _document(asked), asked, claims)


def _names(account: Account) -> Iterator[str]:
    """Ids of principals and ARNs of managed policies."""
    for kind, names in (("user", account.users), ("group", account.groups), ("role", account.roles)):
        yield from (f"{kind}/{name}" for name in names)
    yield from account.policies


def _principals(asked: Mapping[str, Any], answered: Mapping[str, Any]) -> Iterator[EntityId]:
    """Users, groups and roles: named by the call, or made by it (CreateServiceLinkedRole returns the name)."""
    made = _object(answered.get("role")).get("roleName")
    if isinstance(made, str) and made:
        yield EntityId(f"{EntityKind.ROLE}/{made}")
    for part in answered.values():
        if isinstance(user := _object(part).get("userName"), str) and user:
            yield EntityId(f"{EntityKind.USER}/{user}")
    for key, kind in {**_NAMED, **_RENAMED}.items():
        if isinstance(asked.get(key), str) and asked[key]:
            yield EntityId(f"{kind}/{asked[key]}")


def _actor(identity: Mapping[str, Any]) -> str:
    """Who made a call: its ARN, or that of the session of the role that issued it, or what else is said of it.

    Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
    """
    if arn := identity.get("arn"):
        return str(arn)
    issuer = str(_object(_object(identity.get("sessionContext")).get("sessionIssuer")).get("arn") or "")
    _, _, session = str(identity.get("principalId") or "").partition(":")
    if ":role/" in issuer and session:
        partition, account = issuer.split(":")[1], issuer.split(":")[4]
        return f"arn:{partition}:sts::{account}:assumed-role/{issuer.rpartition('/')[2]}/{session}"
    if issuer or identity.get("invokedBy"):
        return issuer or str(identity["invokedBy"])
    said = (identity.get(key) for key in ("type", "accountId", "principalId"))
    return " ".join(one for one in said if isinstance(one, str) and one) or "unknown"


def _caller_itself(name: str, identity: Mapping[str, Any]) -> frozenset[EntityId]:
    """The user that makes a credential for itself, and so names no user."""
    user = identity.get("userName")
    is_own = CLAIMING.get(name) is Kind.CREDENTIAL and identity.get("type") == "IAMUser"
    return (
        frozenset({EntityId(f"{EntityKind.USER}/{user}")}) if is_own and isinstance(user, str) and user else frozenset()
    )


def _policies(asked: Mapping[str, Any], answered: Mapping[str, Any]) -> Iterator[str]:
    """Managed policies: named by the call, or made by it (CreatePolicy returns the ARN)."""
    made = _object(answered.get("policy")).get("arn")
    for arn in (asked.get("policyArn"), asked.get("permissionsBoundary"), made):
        if isinstance(arn, str):
            try:
                policy_id(arn)
            except ValueError:
                continue
            yield arn


def _document(asked: Mapping[str, Any]) -> Document | None:
    """The document of the call. CloudTrail leaves out, or cuts off, what is too long: then there is none."""
    text = asked.get("policyDocument") or asked.get("assumeRolePolicyDocument")
    if not isinstance(text, str):
        return None
    for written in (text, unquote(text)):
        try:
            document = json.loads(written)
        except ValueError:
            continue
        return escaped(document) if isinstance(document, dict) else None
    return None


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _in_utc(time: datetime) -> datetime:
    """The time in UTC, which CloudTrail means where it names no zone.

    Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
    """
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def _short(text: str) -> str:
    return text[:_LONGEST_TEXT]
