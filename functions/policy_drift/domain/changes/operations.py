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

    EVERYTHING = frozenset(Kind)
    """The entity itself: it is created, deleted or renamed."""
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
    NOT_COMPARED = frozenset[Kind]()
    """Nothing that is compared with the baseline; ``docs/policy-drift.md`` says what, and why."""


_OF_PARTS = frozenset({Kind.ACCESS, Kind.TRUST, Kind.DANGLING, Kind.BOUNDARY, Kind.MEMBERSHIP})
"""Kinds about one part of a principal; the others are about an entity as a whole, and any call may explain them."""

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
    Part.NOT_COMPARED: """
        AcceptDelegationRequest AddClientIDToOpenIDConnectProvider AddRoleToInstanceProfile AssociateDelegationRequest
        ChangePassword CreateAccessKey CreateAccountAlias CreateDelegationRequest CreateInstanceProfile
        CreateLoginProfile CreateOpenIDConnectProvider CreateSAMLProvider CreateServiceSpecificCredential
        CreateVirtualMFADevice DeactivateMFADevice DeleteAccessKey DeleteAccountAlias DeleteAccountPasswordPolicy
        DeleteInstanceProfile DeleteLoginProfile DeleteOpenIDConnectProvider DeleteSAMLProvider DeleteSSHPublicKey
        DeleteServerCertificate DeleteServiceSpecificCredential DeleteSigningCertificate DeleteVirtualMFADevice
        DisableOrganizationsRootCredentialsManagement DisableOrganizationsRootSessions
        DisableOutboundWebIdentityFederation EnableMFADevice EnableOrganizationsRootCredentialsManagement
        EnableOrganizationsRootSessions EnableOutboundWebIdentityFederation PutAccountProperties
        RejectDelegationRequest RemoveClientIDFromOpenIDConnectProvider RemoveRoleFromInstanceProfile
        ResetServiceSpecificCredential ResyncMFADevice SendDelegationToken SetSecurityTokenServicePreferences
        TagInstanceProfile TagMFADevice TagOpenIDConnectProvider TagPolicy TagRole TagSAMLProvider
        TagServerCertificate TagUser UntagInstanceProfile UntagMFADevice UntagOpenIDConnectProvider UntagPolicy
        UntagRole UntagSAMLProvider UntagServerCertificate UntagUser UpdateAccessKey UpdateAccountPasswordPolicy
        UpdateDelegationRequest UpdateLoginProfile UpdateOpenIDConnectProviderThumbprint UpdateRole
        UpdateRoleDescription UpdateSAMLProvider UpdateSSHPublicKey UpdateServerCertificate
        UpdateServiceSpecificCredential UpdateSigningCertificate UploadSSHPublicKey UploadServerCertificate
        UploadSigningCertificate""",
}
OPERATIONS: Mapping[str, Part] = MappingProxyType(
    {name: part for part, names in _BY_PART.items() for name in names.split()}
)
"""Every operation of IAM that changes something."""


def may_explain(event_name: str, kind: Kind) -> bool:
    """Whether a call of this name may be the cause of a finding of this kind, about an entity that it changed."""
    return kind not in _OF_PARTS or kind in OPERATIONS.get(event_name, Part.EVERYTHING).value


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
