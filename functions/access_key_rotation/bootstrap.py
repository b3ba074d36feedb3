"""The composition root: settings, clients and adapters become use cases, once per execution environment.

One function per handler, of the same name, comes first; the parts of several follow. Every port is a keyword argument,
and so is every value of the environment: what is None gets its adapter, or what the environment says.
"""

import os
import uuid
from collections.abc import Callable
from typing import Any

from access_key_rotation.adapters.aws_authenticator import AwsAuthenticator
from access_key_rotation.adapters.cloudtrail_history import CloudTrailHistory
from access_key_rotation.adapters.dynamodb_records import DynamoDbRotationRecords
from access_key_rotation.adapters.dynamodb_sync import DynamoDbSyncRecords
from access_key_rotation.adapters.iam_credential_report import IamCredentialReport
from access_key_rotation.adapters.iam_directory import IamDirectory
from access_key_rotation.adapters.iam_enrolments import IamEnrolments
from access_key_rotation.adapters.iam_users import IamUsers
from access_key_rotation.adapters.secrets_manager_vault import SecretsManagerVault
from access_key_rotation.adapters.sync_targets import AwsAndCiTargets
from access_key_rotation.application.enrol_user import UserEnrolment
from access_key_rotation.application.list_access_keys import KeyInventory
from access_key_rotation.application.operate_service_users import ServiceUserOperations
from access_key_rotation.application.plan_rotations import RotationPlanner
from access_key_rotation.application.ports import (
    Authenticator,
    CredentialReport,
    CredentialVault,
    Directory,
    Enrolments,
    KeyOwners,
    KeyUses,
    LeakReports,
    RotationMemory,
    RotationRecords,
    SecretOwnership,
    SyncMemory,
    SyncRecords,
    SyncTargets,
    Trail,
    Users,
)
from access_key_rotation.application.prove_secrets import SecretProof
from access_key_rotation.application.replace_exposed_keys import ExposedKeys
from access_key_rotation.application.rotate_secret import SecretRotation
from access_key_rotation.application.rotate_user import Decide, Rotator
from access_key_rotation.application.sync_secrets import SecretSync
from access_key_rotation.application.verify_key import KeyVerifier
from access_key_rotation.domain.credential import Credential
from access_key_rotation.domain.rules.order import decide as rules_in_order
from access_key_rotation.domain.rules.situation import Enrolment
from access_key_rotation.domain.settings import SETTINGS_FILE, RotationSettings
from steward.aws.clients import client, client_under_role, client_with_key
from steward.aws.event_bus import EventBridgePublisher
from steward.aws.wire_logs import redact_wire_logs
from steward.clock import Clock, SystemClock
from steward.errors import SettingsError
from steward.events import EventPublisher
from steward.settings import load, locate

CAPABILITY = "access_key_rotation"


def plan_rotations(
    *,
    directory: Directory | None = None,
    memory: RotationMemory | None = None,
    publisher: EventPublisher | None = None,
    clock: Clock | None = None,
    settings: RotationSettings | None = None,
    service_path: str | None = None,
) -> RotationPlanner:
    """Compose the schedule's use case."""
    clock = clock or SystemClock()
    return RotationPlanner(
        directory or IamDirectory(client("iam")),
        memory or _records(clock),
        publisher or _publisher(),
        clock,
        settings or rotation_settings(),
        service_path or os.environ["SERVICE_PATH"],
    )


def rotate_user(
    *,
    users: Users | None = None,
    vault: CredentialVault | None = None,
    records: RotationRecords | None = None,
    trail: Trail | None = None,
    sync: SyncMemory | None = None,
    authenticator: Authenticator | None = None,
    publisher: EventPublisher | None = None,
    clock: Clock | None = None,
    settings: RotationSettings | None = None,
    enrolment: Enrolment | None = None,
    home_region: str | None = None,
    new_token: Callable[[], str] = lambda: str(uuid.uuid4()),
    decide: Decide = rules_in_order,
) -> Rotator:
    """Compose the queue's use case, which registers secrets with Secrets Manager, too."""
    clock, settings = clock or SystemClock(), settings or rotation_settings()
    return Rotator(
        users or _judged_users(clock),
        vault or secrets_manager_vault(settings),
        records or _records(clock),
        trail or _trail(),
        sync or _sync_records(clock),
        _verifier(authenticator, clock, home_region),
        publisher or _publisher(),
        clock,
        settings,
        enrolment or _enrolment(registers_with=os.environ["ROTATION_FUNCTION"]),
        new_token,
        decide,
    )


def rotate_secret(
    *,
    users: Users | None = None,
    vault: CredentialVault | None = None,
    records: RotationRecords | None = None,
    trail: Trail | None = None,
    sync: SyncMemory | None = None,
    authenticator: Authenticator | None = None,
    publisher: EventPublisher | None = None,
    clock: Clock | None = None,
    settings: RotationSettings | None = None,
    enrolment: Enrolment | None = None,
    home_region: str | None = None,
    decide: Decide = rules_in_order,
    follows_schedule: bool | None = None,
) -> SecretRotation:
    """Compose the use case of Secrets Manager's four steps."""
    clock, settings = clock or SystemClock(), settings or rotation_settings()
    users, vault = users or _judged_users(clock), vault or secrets_manager_vault(settings)
    rotator = rotate_user(
        users=users,
        vault=vault,
        records=records,
        trail=trail,
        sync=sync,
        authenticator=authenticator,
        publisher=publisher,
        clock=clock,
        settings=settings,
        enrolment=enrolment or _enrolment(),
        home_region=home_region,
        decide=decide,
    )
    if follows_schedule is None:
        follows_schedule = os.environ["ACCESS_KEY_ROTATION"] == "on"
    verifier = _verifier(authenticator, clock, home_region)
    return SecretRotation(rotator, users, vault, verifier, settings, clock, follows_schedule=follows_schedule)


def replace_exposed_keys(
    *, owners: KeyOwners | None = None, reports: LeakReports | None = None, publisher: EventPublisher | None = None
) -> ExposedKeys:
    """Compose the use case of AWS Health's findings."""
    return ExposedKeys(owners or _users(), reports or _records(SystemClock()), publisher or _publisher())


def prove_secrets(
    *,
    users: Users | None = None,
    memory: RotationMemory | None = None,
    vault: CredentialVault | None = None,
    authenticator: Authenticator | None = None,
    publisher: EventPublisher | None = None,
    clock: Clock | None = None,
    settings: RotationSettings | None = None,
    service_path: str | None = None,
    home_region: str | None = None,
) -> SecretProof:
    """Compose the use case of the hourly check of current secrets."""
    clock, settings = clock or SystemClock(), settings or rotation_settings()
    return SecretProof(
        users or _users(),
        memory or _records(clock),
        vault or secrets_manager_vault(settings),
        authenticator or _authenticator(),
        publisher or _publisher(),
        clock,
        settings.verify,
        service_path or os.environ["SERVICE_PATH"],
        home_region=home_region or os.environ["AWS_REGION"],
    )


def operate_service_users(
    *,
    users: Users | None = None,
    records: RotationRecords | None = None,
    uses: KeyUses | None = None,
    sync: SyncMemory | None = None,
    publisher: EventPublisher | None = None,
    clock: Clock | None = None,
    settings: RotationSettings | None = None,
    service_path: str | None = None,
) -> ServiceUserOperations:
    """Compose the operators' use cases."""
    clock = clock or SystemClock()
    return ServiceUserOperations(
        users or _users(),
        records or _records(clock),
        uses or CloudTrailHistory(client("cloudtrail", region=os.environ["AWS_REGION"]), []),
        sync or _sync_records(clock),
        publisher or _publisher(),
        clock,
        settings or rotation_settings(),
        service_path or os.environ["SERVICE_PATH"],
    )


def list_access_keys(
    *,
    report: CredentialReport | None = None,
    directory: Directory | None = None,
    memory: RotationMemory | None = None,
    publisher: EventPublisher | None = None,
    clock: Clock | None = None,
    service_path: str | None = None,
) -> KeyInventory:
    """Compose the use case of the account's inventory."""
    clock = clock or SystemClock()
    return KeyInventory(
        report or IamCredentialReport(client("iam"), clock),
        directory or IamDirectory(client("iam")),
        memory or _records(clock),
        publisher or _publisher(),
        clock,
        service_path or os.environ["SERVICE_PATH"],
    )


def enrol_user(
    *,
    users: Users | None = None,
    enrolments: Enrolments | None = None,
    secrets: SecretOwnership | None = None,
    records: RotationRecords | None = None,
    publisher: EventPublisher | None = None,
    clock: Clock | None = None,
    settings: RotationSettings | None = None,
    service_path: str | None = None,
    stack: str | None = None,
) -> UserEnrolment:
    """Compose the use case that enrols users that exist already, and lets them leave."""
    clock, settings = clock or SystemClock(), settings or rotation_settings()
    return UserEnrolment(
        users or _judged_users(clock),
        enrolments or IamEnrolments(client("iam")),
        secrets or secrets_manager_vault(settings),
        records or _records(clock),
        publisher or _publisher(),
        clock,
        settings,
        service_path or os.environ["SERVICE_PATH"],
        stack or os.environ["STEWARD_STACK"],
    )


def sync_secrets(
    *,
    vault: CredentialVault | None = None,
    memory: RotationMemory | None = None,
    records: SyncRecords | None = None,
    targets: SyncTargets | None = None,
    publisher: EventPublisher | None = None,
    clock: Clock | None = None,
    settings: RotationSettings | None = None,
    stack: str | None = None,
    new_token: Callable[[], str] = lambda: str(uuid.uuid4()),
) -> SecretSync:
    """Compose the use case that writes current keys where systems read that cannot read Secrets Manager."""
    clock, settings = clock or SystemClock(), settings or rotation_settings()
    return SecretSync(
        vault or secrets_manager_vault(settings),
        memory or _records(clock),
        records or _sync_records(clock),
        targets or AwsAndCiTargets(_client_in, client("secretsmanager")),
        publisher or _publisher(),
        clock,
        settings,
        stack or os.environ["STEWARD_STACK"],
        new_token,
    )


def rotation_settings() -> RotationSettings:
    """Load the operator's settings, with this function's region as home.

    Raises
    ------
    SettingsError
        They cannot be used.
    """
    return load(locate(SETTINGS_FILE), RotationSettings).at_home_in(os.environ["AWS_REGION"])


def secrets_manager_vault(
    settings: RotationSettings, *, stack: str | None = None, kms_key: str | None = None
) -> SecretsManagerVault:
    """Compose the vault of the users' secrets; from here on, the SDK's log lines that would show a value are withheld.

    Raises
    ------
    SettingsError
        The settings ask for replicas, and the KMS key exists in one region only.
    """
    redact_wire_logs()
    kms_key = os.environ.get("SECRETS_KEY", "") if kms_key is None else kms_key
    if kms_key and settings.replica_regions and ":key/mrk-" not in kms_key:
        raise SettingsError(
            f"{SETTINGS_FILE}: replica_regions takes a multi-Region key (its id begins with mrk-) as SecretsKeyArn, "
            f"with a replica in each of these regions; {kms_key} is of one region alone"
        )
    return SecretsManagerVault(client("secretsmanager"), stack=stack or os.environ["STEWARD_STACK"], kms_key=kms_key)


def _enrolment(*, registers_with: str = "") -> Enrolment:
    """``registers_with`` is the function that every secret is registered with."""
    path, stack = os.environ["SERVICE_PATH"], os.environ["STEWARD_STACK"]
    return Enrolment(path, stack, registers_with, tuple(_own_roles()))


def _users() -> IamUsers:
    return IamUsers(client("iam"), client("iam", once=True))


def _judged_users(clock: Clock) -> IamUsers:
    """The users, for the functions that create keys: only these have the policy engine."""
    from access_key_rotation.adapters.iam_privileges import IamPrivileges  # noqa: PLC0415 - as above

    return IamUsers(client("iam"), client("iam", once=True), IamPrivileges(client("iam"), clock))


def _records(clock: Clock) -> DynamoDbRotationRecords:
    return DynamoDbRotationRecords(client("dynamodb"), os.environ["ROTATION_TABLE"], clock)


def _sync_records(clock: Clock) -> DynamoDbSyncRecords:
    return DynamoDbSyncRecords(client("dynamodb"), os.environ["SYNC_TABLE"], clock)


def _client_in(service: str, region: str, role: str) -> Any:
    """A client of a target: in its region, and under its role, if it has one."""
    return client_under_role(service, region or os.environ["AWS_REGION"], role, session_name="ecr-steward-sync")


def _trail() -> CloudTrailHistory:
    return CloudTrailHistory(client("cloudtrail", region=os.environ["IAM_EVENTS_REGION"]), _own_roles())


def _verifier(authenticator: Authenticator | None, clock: Clock, home_region: str | None) -> KeyVerifier:
    home = home_region or os.environ["AWS_REGION"]
    return KeyVerifier(authenticator or _authenticator(), clock, home_region=home)


def _authenticator() -> AwsAuthenticator:
    return AwsAuthenticator(_client_of)


def _publisher() -> EventBridgePublisher:
    return EventBridgePublisher(
        client("events"),
        bus=os.environ["STEWARD_BUS"],
        capability=CAPABILITY,
        account=os.environ["STEWARD_ACCOUNT"],
        region=os.environ["AWS_REGION"],
    )


def _own_roles() -> list[str]:
    """The roles that make keys and read secrets."""
    return [arn for arn in os.environ.get("ROTATION_ROLES", "").split(",") if arn]


def _client_of(service: str, region: str, credential: Credential) -> Any:
    return client_with_key(service, region, credential.access_key_id, credential.secret_access_key)
