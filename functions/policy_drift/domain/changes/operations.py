"""What each operation of IAM changes, and so which findings its event may explain.

A test holds the table to botocore's model of IAM: a new operation must get its line. One that is not here yet may have
changed anything.
"""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any

from policy_drift.domain.finding import Kind


class Part(Enum):
    """What an operation changes; the values are the kinds of findings about a principal's parts that it may explain."""

    EVERYTHING = frozenset({Kind.ACCESS, Kind.TRUST, Kind.DANGLING, Kind.BOUNDARY, Kind.MEMBERSHIP})
    """The entity itself: it is created, deleted or renamed. A credential is made by a call of its own."""
    POLICIES = frozenset({Kind.ACCESS})
    """Which policies a user or a role has of its own."""
    SHARED_POLICIES = frozenset({Kind.ACCESS, Kind.MEMBERSHIP, Kind.BOUNDARY})
    """Policies that several may have: a group's, or a managed policy's document."""
    TRUST = frozenset({Kind.TRUST, Kind.DANGLING})
    """The trust policy."""
    BOUNDARY = frozenset({Kind.BOUNDARY})
    """The permissions boundary."""
    GROUPS = frozenset({Kind.MEMBERSHIP})
    """Which groups a user is in."""
    CREDENTIALS = frozenset({Kind.CREDENTIAL})
    """What a user signs in with."""
    PROVIDERS = frozenset({Kind.PROVIDER})
    """Identity providers."""
    FEDERATION = frozenset({Kind.FEDERATION})
    """Settings of the account that let credentials in or out."""
    PROFILES = frozenset({Kind.PROFILE})
    """Which roles instances get."""
    TAGS = frozenset({Kind.TAG})
    """Tags of principals, by which policies may decide."""
    NOT_COMPARED = frozenset[Kind]()
    """Nothing that is compared with the baseline; ``docs/policy-drift.md`` says what, and why."""


_AS_A_WHOLE = frozenset({Kind.UNMANAGED, Kind.MISSING, Kind.RECREATED, Kind.POLICY, Kind.UPSTREAM, Kind.NOTE})
"""Kinds about an entity as a whole: any call about it may explain them."""

_REPORTED = frozenset({Kind.TRANSIENT, Kind.UNREADABLE})
"""Kinds that any call may lead to."""
_OF_MANAGED_POLICIES = frozenset(
    {"CreatePolicy", "CreatePolicyVersion", "DeletePolicy", "DeletePolicyVersion", "SetDefaultPolicyVersion"}
)
_BY_PART = {
    Part.EVERYTHING: """
        AcquireRole CreateGroup CreatePolicy CreateRole CreateServiceLinkedRole CreateUser DeleteGroup DeletePolicy
        DeleteRole DeleteServiceLinkedRole DeleteUser UpdateGroup UpdateUser""",
    Part.POLICIES: """
        AttachRolePolicy AttachUserPolicy DeleteRolePolicy DeleteUserPolicy DetachRolePolicy DetachUserPolicy
        PutRolePolicy PutUserPolicy""",
    Part.SHARED_POLICIES: """
        AttachGroupPolicy CreatePolicyVersion DeleteGroupPolicy DeletePolicyVersion DetachGroupPolicy PutGroupPolicy
        SetDefaultPolicyVersion""",
    Part.TRUST: "UpdateAssumeRolePolicy",
    Part.BOUNDARY: """
        DeleteRolePermissionsBoundary DeleteUserPermissionsBoundary PutRolePermissionsBoundary
        PutUserPermissionsBoundary""",
    Part.GROUPS: "AddUserToGroup RemoveUserFromGroup",
    Part.CREDENTIALS: """
        CreateAccessKey CreateLoginProfile CreateServiceSpecificCredential DeactivateMFADevice DeleteAccessKey
        DeleteLoginProfile DeleteSSHPublicKey DeleteServiceSpecificCredential DeleteSigningCertificate
        EnableMFADevice ResetServiceSpecificCredential UpdateAccessKey UpdateLoginProfile UpdateSSHPublicKey
        UpdateServiceSpecificCredential UpdateSigningCertificate UploadSSHPublicKey UploadSigningCertificate""",
    Part.PROVIDERS: """
        AddClientIDToOpenIDConnectProvider CreateOpenIDConnectProvider CreateSAMLProvider
        DeleteOpenIDConnectProvider DeleteSAMLProvider RemoveClientIDFromOpenIDConnectProvider
        UpdateOpenIDConnectProviderThumbprint UpdateSAMLProvider""",
    Part.FEDERATION: """
        DisableOrganizationsRootCredentialsManagement DisableOrganizationsRootSessions
        DisableOutboundWebIdentityFederation EnableOrganizationsRootCredentialsManagement
        EnableOrganizationsRootSessions EnableOutboundWebIdentityFederation""",
    Part.PROFILES: """
        AddRoleToInstanceProfile RemoveRoleFromInstanceProfile""",
    Part.TAGS: """
        TagRole TagUser UntagRole UntagUser""",
    Part.NOT_COMPARED: """
        AcceptDelegationRequest AssociateDelegationRequest ChangePassword CreateAccountAlias
        CreateDelegationRequest CreateInstanceProfile CreateVirtualMFADevice DeleteAccountAlias
        DeleteAccountPasswordPolicy DeleteInstanceProfile DeleteServerCertificate DeleteVirtualMFADevice
        PutAccountProperties RejectDelegationRequest ResyncMFADevice SendDelegationToken
        SetSecurityTokenServicePreferences TagInstanceProfile TagMFADevice TagOpenIDConnectProvider TagPolicy
        TagSAMLProvider TagServerCertificate UntagInstanceProfile UntagMFADevice UntagOpenIDConnectProvider
        UntagPolicy UntagSAMLProvider UntagServerCertificate UpdateAccountPasswordPolicy
        UpdateDelegationRequest UpdateRole UpdateRoleDescription UpdateServerCertificate
        UploadServerCertificate""",
}
OPERATIONS: Mapping[str, Part] = MappingProxyType(
    {name: part for part, names in _BY_PART.items() for name in names.split()}
)
"""Every operation of IAM that changes something."""


def may_explain(event_name: str, kind: Kind) -> bool:
    """Whether a call of this name may be the cause of a finding of this kind, about an entity that it changed."""
    part = OPERATIONS.get(event_name)
    return part is None or kind in _AS_A_WHOLE | _REPORTED or kind in part.value


def changes_a_managed_policy(event_name: str) -> bool:
    """Whether a call that names a managed policy changes it, and so all of its holders; others give it or take it."""
    return event_name in _OF_MANAGED_POLICIES or event_name not in OPERATIONS


def named_part(event_name: str, asked: Mapping[str, Any]) -> str:
    """The part that a call changes, in words, such as ``inline policy own``; empty where its name says all."""
    if OPERATIONS.get(event_name) is Part.TRUST:
        return "trust policy"
    if event_name.endswith("PermissionsBoundary"):
        return " ".join(("permissions boundary", *_texts(asked, "permissionsBoundary")))
    for key, what in (("policyArn", "managed policy"), ("policyName", "inline policy"), ("groupName", "group")):
        for text in _texts(asked, key):
            if OPERATIONS.get(event_name) is not Part.EVERYTHING:
                return f"{what} {text}"
    return ""


def _texts(asked: Mapping[str, Any], key: str) -> list[str]:
    value = asked.get(key)
    return [value] if isinstance(value, str) and value else []
