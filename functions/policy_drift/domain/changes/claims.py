"""What events say was made beside policies: credentials, identity providers, and settings that grant access.

An event is a claim: it names what to look for. Only what IAM confirms becomes a finding.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from policy_drift.domain.account import EntityId
from policy_drift.domain.beside_policies import SINCE, SPECIFIC
from policy_drift.domain.finding import Kind

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that an event says was made.

    Attributes
    ----------
    kind : Kind
        What kind of finding it leads to.
    item : str
        What it is, such as ``access key AKIA…``, or the beginning of that where the event does not name it whole.
    is_new : bool
        Whether the event made it: if it is gone, it was there for a while.
    entity : EntityId, optional
        The user or role that has it; None for the account.
    """

    kind: Kind
    item: str
    is_new: bool
    entity: EntityId | None = None

    def confirmed_by(self, present: Iterable[str]) -> frozenset[str]:
        """Those of the present items that it is about; of one with a time, itself if what it names is there."""
        named, since, _ = self.item.partition(SINCE)
        found = frozenset(item for item in present if item == named or item.startswith(f"{named} "))
        return frozenset({self.item}) if since and found else found


def _text(fields: Fields, *path: str) -> str:
    value: Any = fields
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else ""


def _named(what: str, *path: str) -> Callable[[Fields, Fields], list[str]]:
    """An item with its id from the request, or from the answer if the path has several steps."""
    return lambda asked, answered: [f"{what} {_text(answered if len(path) > 1 else asked, *path)}".strip()]


def _provider(answer: str) -> Callable[[Fields, Fields], list[str]]:
    return lambda _, answered: [f"identity provider {_text(answered, answer)}".strip()]


def _of_provider(arn: str, part: str, key: str = "") -> Callable[[Fields, Fields], list[str]]:
    return lambda asked, _: [f"identity provider {_text(asked, arn)} {part} {_text(asked, key)}".strip()]


def _always(item: str) -> Callable[[Fields, Fields], list[str]]:
    return lambda *_: [item]


def _tags(asked: Fields, _: Fields) -> list[str]:
    tags = asked.get("tags")
    return [f"tag {_text(tag, 'key')}={_text(tag, 'value')}" for tag in (tags if isinstance(tags, list) else ()) if tag]


def _removed_tags(asked: Fields, _: Fields) -> list[str]:
    keys = asked.get("tagKeys")
    return [f"no tag {key}" for key in (keys if isinstance(keys, list) else ()) if isinstance(key, str)]


_OIDC, _SAML = "openIDConnectProviderArn", "sAMLProviderArn"
_CLAIMS: Mapping[str, tuple[Kind, bool, Callable[[Fields, Fields], list[str]]]] = MappingProxyType(
    {
        "CreateAccessKey": (Kind.CREDENTIAL, True, _named("access key", "accessKey", "accessKeyId")),
        "UpdateAccessKey": (Kind.CREDENTIAL, False, _named("access key", "accessKeyId")),
        "CreateLoginProfile": (Kind.CREDENTIAL, True, _always("console password")),
        "UpdateLoginProfile": (Kind.CREDENTIAL, False, _always("console password")),
        "UploadSSHPublicKey": (Kind.CREDENTIAL, True, _named("SSH key", "sSHPublicKey", "sSHPublicKeyId")),
        "UpdateSSHPublicKey": (Kind.CREDENTIAL, False, _named("SSH key", "sSHPublicKeyId")),
        "CreateServiceSpecificCredential": (
            Kind.CREDENTIAL,
            True,
            _named(SPECIFIC, "serviceSpecificCredential", "serviceSpecificCredentialId"),
        ),
        "ResetServiceSpecificCredential": (Kind.CREDENTIAL, False, _named(SPECIFIC, "serviceSpecificCredentialId")),
        "UpdateServiceSpecificCredential": (Kind.CREDENTIAL, False, _named(SPECIFIC, "serviceSpecificCredentialId")),
        "UploadSigningCertificate": (
            Kind.CREDENTIAL,
            True,
            _named("signing certificate", "certificate", "certificateId"),
        ),
        "UpdateSigningCertificate": (Kind.CREDENTIAL, False, _named("signing certificate", "certificateId")),
        "EnableMFADevice": (Kind.CREDENTIAL, True, _named("MFA device", "serialNumber")),
        "DeactivateMFADevice": (Kind.CREDENTIAL, False, _always("no MFA device")),
        "CreateOpenIDConnectProvider": (Kind.PROVIDER, True, _provider(_OIDC)),
        "CreateSAMLProvider": (Kind.PROVIDER, True, _provider(_SAML)),
        "AddClientIDToOpenIDConnectProvider": (Kind.PROVIDER, True, _of_provider(_OIDC, "audience", "clientID")),
        "UpdateOpenIDConnectProviderThumbprint": (Kind.PROVIDER, False, _of_provider(_OIDC, "thumbprint")),
        "UpdateSAMLProvider": (Kind.PROVIDER, False, _of_provider(_SAML, "metadata")),
        "EnableOrganizationsRootSessions": (Kind.FEDERATION, True, _always("root sessions")),
        "EnableOrganizationsRootCredentialsManagement": (Kind.FEDERATION, True, _always("root credentials management")),
        "EnableOutboundWebIdentityFederation": (Kind.FEDERATION, True, _always("outbound web identity federation")),
        "AddRoleToInstanceProfile": (Kind.PROFILE, True, _named("instance profile", "instanceProfileName")),
        "TagRole": (Kind.TAG, False, _tags),
        "TagUser": (Kind.TAG, False, _tags),
        "UntagRole": (Kind.TAG, False, _removed_tags),
        "UntagUser": (Kind.TAG, False, _removed_tags),
    }
)
"""By operation: the kind of finding, whether it makes the item, and what it makes."""
_REPLACING = frozenset(
    {
        "CreateLoginProfile",
        "UpdateLoginProfile",
        "ResetServiceSpecificCredential",
        "EnableMFADevice",
        "DeactivateMFADevice",
        "CreateOpenIDConnectProvider",
        "CreateSAMLProvider",
    }
)
"""Calls that make another one under a name that may have been approved before."""
CLAIMING: Mapping[str, Kind] = MappingProxyType({name: kind for name, (kind, _, _) in _CLAIMS.items()})
"""The operations after which IAM is searched for something beside policies."""


_OF_ROOT: Mapping[str, tuple[str, bool]] = MappingProxyType(
    {
        "CreateAccessKey": ("root access key", True),
        "UpdateAccessKey": ("root access key", False),
        "UploadSigningCertificate": ("root signing certificate", True),
        "UpdateSigningCertificate": ("root signing certificate", False),
        "EnableMFADevice": ("root MFA device", True),
        "DeactivateMFADevice": ("no root MFA device", False),
    }
)
"""By operation: what the root user makes for itself, and whether the call makes it. IAM shows no ids of it."""


def claims_of_root(event_name: str, at: datetime) -> frozenset[Claim]:
    """What a call of the root user, which names no user, says that it made at a time."""
    if event_name not in _OF_ROOT:
        return frozenset()
    item, is_new = _OF_ROOT[event_name]
    return frozenset({Claim(Kind.CREDENTIAL, f"{item}{SINCE}{at.isoformat(timespec='seconds')}", is_new)})


def claims_of(
    event_name: str, asked: Fields, answered: Fields, principals: Collection[EntityId], at: datetime
) -> frozenset[Claim]:
    """What a call says that it made at a time, for each user or role that it names."""
    if event_name not in _CLAIMS:
        return frozenset()
    kind, is_new, items = _CLAIMS[event_name]
    of_account = kind in {Kind.PROVIDER, Kind.FEDERATION}
    holders: Collection[EntityId | None] = [None] if of_account else [*principals]
    since = f"{SINCE}{at.isoformat(timespec='seconds')}" if event_name in _REPLACING else ""
    found = items(asked, answered)
    return frozenset(Claim(kind, f"{item}{since}", is_new, holder) for holder in holders for item in found)
