"""The composition root: settings, clients and adapters become use cases, once per execution environment.

One function per handler, named for the use case that it returns, comes first; the parts of several follow.
"""

import os
import uuid
from collections.abc import Sequence
from typing import Any

from access_key_rotation.adapters.aws_authenticator import AwsAuthenticator
from access_key_rotation.adapters.cloudtrail_history import CloudTrailHistory
from access_key_rotation.adapters.dynamodb_records import DynamoDbRotationRecords
from access_key_rotation.adapters.iam_directory import IamDirectory
from access_key_rotation.adapters.iam_users import IamUsers
from access_key_rotation.adapters.secrets_manager_vault import SecretsManagerVault
from access_key_rotation.application.operate_service_users import ServiceUserOperations
from access_key_rotation.application.plan_rotations import RotationPlanner
from access_key_rotation.application.prove_secrets import SecretProof
from access_key_rotation.application.replace_exposed_keys import ExposedKeys
from access_key_rotation.application.rotate_secret import SecretRotation
from access_key_rotation.application.rotate_user import Rotator
from access_key_rotation.application.verify_key import KeyVerifier
from access_key_rotation.domain.credential import Credential
from access_key_rotation.domain.rules.situation import Enrolment
from access_key_rotation.domain.settings import RotationSettings
from steward import settings
from steward.aws.clients import client, client_with_key
from steward.aws.event_bus import EventBridgePublisher
from steward.aws.wire_logs import redact_wire_logs
from steward.clock import SystemClock
from steward.errors import SettingsError

CAPABILITY = "access_key_rotation"
SETTINGS_FILE = "rotation.yaml"


def operation() -> ServiceUserOperations:
    """What operators do."""
    history = CloudTrailHistory(client("cloudtrail", region=os.environ["AWS_REGION"]), [])
    wanted, path = rotation_settings(), os.environ["SERVICE_PATH"]
    return ServiceUserOperations(_users(), _records(), history, _publisher(), SystemClock(), wanted, path)


def planner() -> RotationPlanner:
    """Who is due."""
    clock = SystemClock()
    directory = IamDirectory(client("iam"), _users(), clock)
    return RotationPlanner(directory, _records(), _publisher(), clock, rotation_settings(), os.environ["SERVICE_PATH"])


def rotator() -> Rotator:
    """One user's next steps, the registration with Secrets Manager among them."""
    return _rotator(registers_with=os.environ["ROTATION_FUNCTION"])


def secret_rotation() -> SecretRotation:
    """Secrets Manager's four steps."""
    wanted = rotation_settings()
    return SecretRotation(
        _rotator(),
        _users(),
        vault(wanted),
        _verifier(),
        wanted,
        SystemClock(),
        follows_schedule=os.environ["ACCESS_KEY_ROTATION"] == "on",
    )


def exposed_keys() -> ExposedKeys:
    """What AWS found in public."""
    return ExposedKeys(_users(), _publisher())


def secret_proof() -> SecretProof:
    """The hourly proof."""
    redact_wire_logs()
    wanted = rotation_settings()
    region = os.environ["AWS_REGION"]
    authenticator = AwsAuthenticator(_client_of)
    path, clock = os.environ["SERVICE_PATH"], SystemClock()
    return SecretProof(
        _records(), vault(wanted), authenticator, _publisher(), clock, wanted.verify, path, home_region=region
    )


def rotation_settings() -> RotationSettings:
    """What the operator wrote, with this function's region as home.

    Raises
    ------
    SettingsError
        It cannot be used.
    """
    return settings.load(settings.locate(SETTINGS_FILE), RotationSettings).at_home_in(os.environ["AWS_REGION"])


def vault(wanted: RotationSettings) -> SecretsManagerVault:
    """The users' secrets.

    Raises
    ------
    SettingsError
        They are to be replicated, under a key that is of one region alone.
    """
    kms_key = os.environ.get("SECRETS_KEY", "")
    if kms_key and wanted.replica_regions and ":key/mrk-" not in kms_key:
        raise SettingsError(
            f"{SETTINGS_FILE}: replica_regions takes a multi-Region key (its id begins with mrk-) as SecretsKeyArn, "
            f"with a replica in each of these regions; {kms_key} is of one region alone"
        )
    return SecretsManagerVault(client("secretsmanager"), stack=os.environ["STEWARD_STACK"], kms_key=kms_key)


def patterns_of(roles: Sequence[str]) -> tuple[str, ...]:
    """The roles, whatever CloudFormation appends to their names, so that a stack deployed again reads its secrets.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
    (ArnNotEquals takes wildcards)
    """
    return tuple(f"{arn.rpartition('-')[0]}-*" for arn in roles)


def _rotator(*, registers_with: str = "") -> Rotator:
    """One user's next steps; ``registers_with`` is the function that secrets are registered with, where they are."""
    redact_wire_logs()
    wanted = rotation_settings()
    trail = CloudTrailHistory(client("cloudtrail", region=os.environ["IAM_EVENTS_REGION"]), _own_roles())
    return Rotator(
        _users(),
        vault(wanted),
        _records(),
        trail,
        _verifier(),
        _publisher(),
        SystemClock(),
        wanted,
        Enrolment(os.environ["SERVICE_PATH"], os.environ["STEWARD_STACK"], registers_with, patterns_of(_own_roles())),
        lambda: str(uuid.uuid4()),
    )


def _publisher() -> EventBridgePublisher:
    """The bus."""
    return EventBridgePublisher(
        client("events"),
        bus=os.environ["STEWARD_BUS"],
        capability=CAPABILITY,
        account=os.environ["STEWARD_ACCOUNT"],
        region=os.environ["AWS_REGION"],
    )


def _users() -> IamUsers:
    """IAM's users."""
    return IamUsers(client("iam"), client("iam", once=True))


def _records() -> DynamoDbRotationRecords:
    """The table."""
    return DynamoDbRotationRecords(client("dynamodb"), os.environ["ROTATION_TABLE"], SystemClock())


def _verifier() -> KeyVerifier:
    """Proof that a key works."""
    return KeyVerifier(AwsAuthenticator(_client_of), SystemClock(), home_region=os.environ["AWS_REGION"])


def _own_roles() -> list[str]:
    """The roles that make keys and read secrets."""
    return [arn for arn in os.environ.get("ROTATION_ROLES", "").split(",") if arn]


def _client_of(service: str, region: str, credential: Credential) -> Any:
    return client_with_key(service, region, credential.access_key_id, credential.secret_access_key)
