"""AWS CLI commands that end what was made beside policies; reversible ones where IAM has them."""

from collections.abc import Iterator

from policy_drift.domain.account import EntityId, EntityKind
from policy_drift.domain.beside_policies import SINCE
from policy_drift.domain.finding import Drift, Kind
from policy_drift.report.iam_commands import command

KINDS = frozenset({Kind.CREDENTIAL, Kind.PROVIDER, Kind.FEDERATION, Kind.PROFILE, Kind.TAG})
_INACTIVE = {
    "access key": ("update-access-key", "access_key_id"),
    "SSH key": ("update-ssh-public-key", "ssh_public_key_id"),
    "service-specific credential": ("update-service-specific-credential", "service_specific_credential_id"),
    "signing certificate": ("update-signing-certificate", "certificate_id"),
}
"""Credentials that can be deactivated: the operation, and its option for the id."""
_OF_ACCOUNT = {
    "root sessions": "disable-organizations-root-sessions",
    "root credentials management": "disable-organizations-root-credentials-management",
    "outbound web identity federation": "disable-outbound-web-identity-federation",
}
OF_TAGS = "If a tag had another value before, set that again: it is not known here."
NO_COMMAND = {
    "no root MFA device": "The root user enrolls an MFA device again: only its holder can.",
    "root ": "Find out who signed in as the root user; sign in as the root user, delete this and change the password.",
    "no MFA device": "The user enrolls its MFA device again: only its holder can.",
    "thumbprint": "Set the approved thumbprints: aws iam update-open-id-connect-provider-thumbprint.",
    "metadata": "Upload the approved metadata: aws iam update-saml-provider.",
    "no tag": "Set the approved tag again: its value is not known here. If there was none, adopt this.",
}


def commands(drift: Drift) -> tuple[list[str], list[str]]:
    """What ends a finding: commands to run, and sentences about what a person must do.

    Raises
    ------
    UnsafeTextError
        A name must not stand in a command.
    """
    run: list[str] = []
    left: list[str] = []
    for item in drift.live or ():
        steps = list(_of_item(item, drift.entity))
        run += steps
        left += [] if steps else [_sentence(item)]
    return list(dict.fromkeys(run)), list(dict.fromkeys(left))


def _of_item(item: str, entity: EntityId) -> Iterator[str]:
    name = entity.name
    item = item.partition(SINCE)[0]
    for what, (operation, option) in _INACTIVE.items():
        if item.startswith(f"{what} "):
            yield command(operation, user_name=name, status="Inactive", **{option: item.removeprefix(f"{what} ")})
    match item.split(" ", 2):
        case ["console", "password"]:
            yield command("delete-login-profile", user_name=name)
        case ["MFA", "device", serial]:
            yield command("deactivate-mfa-device", user_name=name, serial_number=serial)
        case ["instance", "profile", profile]:
            yield command("remove-role-from-instance-profile", instance_profile_name=profile, role_name=name)
        case ["tag", *rest]:
            key, kind = " ".join(rest).partition("=")[0], entity.kind
            names = {"user_name": name} if kind is EntityKind.USER else {"role_name": name}
            yield command(f"untag-{kind}", **names, tag_keys=key)
        case ["identity", "provider", provider]:
            yield from _of_provider(provider)
    if item in _OF_ACCOUNT:
        yield command(_OF_ACCOUNT[item])


def _of_provider(provider: str) -> Iterator[str]:
    arn, _, part = provider.partition(" ")
    if part.startswith("audience "):
        audience = part.removeprefix("audience ")
        yield command(
            "remove-client-id-from-open-id-connect-provider", open_id_connect_provider_arn=arn, client_id=audience
        )
    elif not part and ":saml-provider/" in arn:
        yield command("delete-saml-provider", saml_provider_arn=arn)
    elif not part:
        yield command("delete-open-id-connect-provider", open_id_connect_provider_arn=arn)


def _sentence(item: str) -> str:
    return next((text for part, text in NO_COMMAND.items() if part in item), f"End it by hand: {item}.")
