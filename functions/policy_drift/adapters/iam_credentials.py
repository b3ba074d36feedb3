"""What users, roles and the account have beside policies, on IAM; secrets are never returned by these calls."""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from policy_drift.domain.account import EntityId, EntityKind
from policy_drift.domain.finding import Kind
from steward.aws.errors import translated, unless

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

_GONE = "NoSuchEntity"
_ACTIVE = "Active"


class IamCredentials:
    """The account of the client's credentials."""

    def __init__(self, client: "IAMClient") -> None:
        self._iam = client

    def present(self, entity: EntityId, kind: Kind, items: Collection[str]) -> frozenset[str]:
        """The items of the same sorts as ``items`` that are in force now; empty where the entity does not exist.

        Raises UpstreamError.
        """
        read: Mapping[Kind, Callable[[], Iterator[str]]] = {
            Kind.CREDENTIAL: lambda: self._credentials(entity.name, items),
            Kind.PROVIDER: self._providers,
            Kind.FEDERATION: lambda: self._federation(items),
            Kind.PROFILE: lambda: self._profiles(entity.name),
            Kind.TAG: lambda: self._tags(entity),
        }
        with translated(), unless(_GONE):
            return frozenset(read[kind]())
        return frozenset()

    def _credentials(self, user: str, items: Collection[str]) -> Iterator[str]:
        readers: Mapping[str, Callable[[str], Iterator[str]]] = {
            "access key": self._access_keys,
            "console password": self._password,
            "SSH key": self._ssh_keys,
            "service-specific credential": self._specific_credentials,
            "signing certificate": self._certificates,
            "MFA device": self._mfa_devices,
        }
        for sort, read in readers.items():
            if any(sort in item for item in items):
                yield from read(user)

    def _access_keys(self, user: str) -> Iterator[str]:
        keys = self._listed("list_access_keys", "AccessKeyMetadata", UserName=user)
        yield from (f"access key {key['AccessKeyId']}" for key in keys if key["Status"] == _ACTIVE)

    def _password(self, user: str) -> Iterator[str]:
        with unless(_GONE):
            self._iam.get_login_profile(UserName=user)
            yield "console password"

    def _ssh_keys(self, user: str) -> Iterator[str]:
        keys = self._listed("list_ssh_public_keys", "SSHPublicKeys", UserName=user)
        yield from (f"SSH key {key['SSHPublicKeyId']}" for key in keys if key["Status"] == _ACTIVE)

    def _specific_credentials(self, user: str) -> Iterator[str]:
        listed = self._iam.list_service_specific_credentials(UserName=user).get("ServiceSpecificCredentials", [])
        for credential in listed:
            if credential["Status"] == _ACTIVE:
                yield f"service-specific credential {credential['ServiceSpecificCredentialId']}"

    def _certificates(self, user: str) -> Iterator[str]:
        listed = self._listed("list_signing_certificates", "Certificates", UserName=user)
        yield from (f"signing certificate {one['CertificateId']}" for one in listed if one["Status"] == _ACTIVE)

    def _mfa_devices(self, user: str) -> Iterator[str]:
        devices = self._listed("list_mfa_devices", "MFADevices", UserName=user)
        yield from (f"MFA device {device['SerialNumber']}" for device in devices)
        if not devices:
            yield "no MFA device"

    def _providers(self) -> Iterator[str]:
        for listed in self._iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]:
            arn = listed["Arn"]
            provider = self._iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
            yield f"identity provider {arn}"
            yield from (f"identity provider {arn} audience {one}" for one in provider.get("ClientIDList", []))
            yield from (f"identity provider {arn} thumbprint {one}" for one in provider.get("ThumbprintList", []))
        for saml in self._iam.list_saml_providers()["SAMLProviderList"]:
            metadata = self._iam.get_saml_provider(SAMLProviderArn=saml["Arn"])["SAMLMetadataDocument"]
            digest = hashlib.sha256(metadata.encode()).hexdigest()[:16]
            yield f"identity provider {saml['Arn']}"
            yield f"identity provider {saml['Arn']} metadata {digest}"

    def _federation(self, items: Collection[str]) -> Iterator[str]:
        if not _FEATURES.keys().isdisjoint(items):
            with unless(*_NO_ORGANIZATION):
                enabled = self._iam.list_organizations_features().get("EnabledFeatures", [])
                yield from (item for item, feature in _FEATURES.items() if feature in enabled)
        if _OUTBOUND in items:
            with unless("FeatureDisabled"):
                if self._iam.get_outbound_web_identity_federation_info().get("JwtVendingEnabled"):
                    yield _OUTBOUND

    def _profiles(self, role: str) -> Iterator[str]:
        for profile in self._listed("list_instance_profiles_for_role", "InstanceProfiles", RoleName=role):
            yield f"instance profile {profile['InstanceProfileName']}"

    def _tags(self, entity: EntityId) -> Iterator[str]:
        if entity.kind is EntityKind.USER:
            tags = self._listed("list_user_tags", "Tags", UserName=entity.name)
        else:
            tags = self._listed("list_role_tags", "Tags", RoleName=entity.name)
        yield from (f"tag {tag['Key']}={tag['Value']}" for tag in tags)

    def _listed(self, operation: str, member: str, **arguments: Any) -> list[Any]:
        pages = self._iam.get_paginator(operation).paginate(**arguments)  # type: ignore[call-overload]
        return [item for page in pages for item in page[member]]


_FEATURES = {"root sessions": "RootSessions", "root credentials management": "RootCredentialsManagement"}
_OUTBOUND = "outbound web identity federation"
_NO_ORGANIZATION = {
    "AccountNotManagementOrDelegatedAdministrator",
    "AccountNotManagementOrDelegatedAdministratorException",
    "OrganizationNotFoundException",
    "OrganizationNotInAllFeaturesModeException",
    "ServiceAccessNotEnabledException",
}
"""Answers of accounts that cannot enable the organization's features: only its management account can.
https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListOrganizationsFeatures.html"""
