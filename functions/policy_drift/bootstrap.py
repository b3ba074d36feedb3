"""The composition root: settings, clients and adapters become use cases, once per execution environment.

One function per handler, named as its use case, comes first. Every port is a keyword argument whose default is its
adapter, so that tests call the same functions with doubles; the adapters and the parts of several use cases follow.
"""

import gc
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from aws_lambda_powertools.utilities.typing import LambdaContext

from policy_drift.adapters.cloudtrail_changes import CloudTrailChanges
from policy_drift.adapters.dynamodb_findings import DynamoDbBaselineRecords, DynamoDbFindings
from policy_drift.adapters.dynamodb_report_versions import DynamoDbReportVersions
from policy_drift.adapters.iam_account import IamAccount
from policy_drift.adapters.iam_credentials import IamCredentials
from policy_drift.adapters.lambda_key_inventory import LambdaKeyInventory
from policy_drift.adapters.lambda_scan import LambdaScanTrigger
from policy_drift.adapters.s3_baseline import S3BaselineStore
from policy_drift.adapters.s3_reports import S3Reports
from policy_drift.adapters.s3_uploads import S3Uploads
from policy_drift.adapters.sqs_changes import SqsChanges
from policy_drift.application.attribute_changes import AttributeChanges
from policy_drift.application.baseline_in_force import BaselineInForce
from policy_drift.application.check_changes import CheckChanges
from policy_drift.application.find_credentials import FindCredentials
from policy_drift.application.operate_drift import OperateDrift
from policy_drift.application.ports import (
    AccountReader,
    BaselineRecords,
    BaselineStore,
    BaselineUploads,
    ChangeHistory,
    CredentialReader,
    Findings,
    KeyInventory,
    ReportStore,
    ScanTrigger,
)
from policy_drift.application.record_findings import RecordFindings
from policy_drift.application.review_capture import ReviewCapture
from policy_drift.application.scan_account import ScanAccount
from policy_drift.domain.access.work import OF_A_CHECK, OF_A_SCAN
from policy_drift.domain.baseline import largest
from policy_drift.domain.scope import Scope
from policy_drift.domain.settings import SETTINGS_FILE, DriftSettings
from steward import settings as files
from steward.aws.clients import client
from steward.aws.event_bus import EventBridgePublisher
from steward.clock import Clock, SystemClock
from steward.events import EventPublisher
from steward.principals import Principal
from steward.severities import SEVERITIES_FILE, DriftSeverities, Severities
from steward.severity import Severity

CAPABILITY = "policy_drift"
# Documents are millions of objects without a cycle: a third of a scan went into the search for cycles among them.
gc.set_threshold(100_000, 20, 100)
KEY_LIST_SECONDS = 55
"""How long a scan waits for the list of access keys; its function has a minute."""


def scan_account(
    *,
    settings: DriftSettings | None = None,
    severities: DriftSeverities | None = None,
    account: str | None = None,
    region: str | None = None,
    reader: AccountReader | None = None,
    store: BaselineStore | None = None,
    records: BaselineRecords | None = None,
    findings: Findings | None = None,
    history: ChangeHistory | None = None,
    credentials: CredentialReader | None = None,
    rotation_roles: Sequence[Principal] | None = None,
    keys: KeyInventory | None = None,
    reports: ReportStore | None = None,
    publisher: EventPublisher | None = None,
    clock: Clock | None = None,
    steps: int = OF_A_SCAN,
) -> ScanAccount:
    """Compare the whole account, by schedule, in so many steps of the engine. Raises SettingsError."""
    settings, severities = settings or drift_settings(), severities or drift_severities()
    account, region = account or _account(), region or _region()
    publisher, clock = publisher or _publisher(account, region), clock or SystemClock()
    findings = findings or _findings(severities)
    found_beside = find_credentials(credentials, findings, severities, settings.scope, rotation_roles)
    return ScanAccount(
        reader or _reader(account),
        baseline_in_force(
            severities=severities, account=account, store=store, records=records, publisher=publisher, clock=clock
        ),
        RecordFindings(findings, publisher, clock),
        AttributeChanges(history or _history(), settings.expected_actors, account),
        found_beside,
        ReviewCapture(found_beside, severities, settings.scope, clock),
        keys or _keys(),
        reports or _reports(),
        publisher,
        clock,
        scope=settings.scope,
        severities=severities,
        account=account,
        region=region,
        steps=steps,
    )


def check_changes(
    *,
    settings: DriftSettings | None = None,
    severities: DriftSeverities | None = None,
    account: str | None = None,
    region: str | None = None,
    reader: AccountReader | None = None,
    store: BaselineStore | None = None,
    records: BaselineRecords | None = None,
    findings: Findings | None = None,
    history: ChangeHistory | None = None,
    credentials: CredentialReader | None = None,
    rotation_roles: Sequence[Principal] | None = None,
    publisher: EventPublisher | None = None,
    clock: Clock | None = None,
    delay: timedelta | None = None,
    steps: int = OF_A_CHECK,
) -> CheckChanges:
    """Compare what an event names, in so many steps of the engine. Raises SettingsError.

    ``delay`` is when a change that IAM does not show yet is checked again, and, three times as long, for the last time.
    """
    settings, severities = settings or drift_settings(), severities or drift_severities()
    account, region = account or _account(), region or _region()
    publisher, clock = publisher or _publisher(account, region), clock or SystemClock()
    findings = findings or _findings(severities)
    return CheckChanges(
        reader or _reader(account),
        baseline_in_force(
            severities=severities, account=account, store=store, records=records, publisher=publisher, clock=clock
        ),
        findings,
        RecordFindings(findings, publisher, clock),
        AttributeChanges(history or _history(), settings.expected_actors, account),
        find_credentials(credentials, findings, severities, settings.scope, rotation_roles),
        clock,
        settings.scope,
        severities,
        _event_delay() if delay is None else delay,
        steps,
    )


def change_queue() -> SqsChanges:
    """The queue of the check's events."""
    return SqsChanges(client("sqs"), os.environ["CHANGE_QUEUE"])


def operate_drift(
    *,
    settings: DriftSettings | None = None,
    severities: DriftSeverities | None = None,
    account: str | None = None,
    region: str | None = None,
    reader: AccountReader | None = None,
    store: BaselineStore | None = None,
    records: BaselineRecords | None = None,
    findings: Findings | None = None,
    reports: ReportStore | None = None,
    uploads: BaselineUploads | None = None,
    trigger: ScanTrigger | None = None,
    credentials: CredentialReader | None = None,
    publisher: EventPublisher | None = None,
    clock: Clock | None = None,
) -> OperateDrift:
    """Answer operators. Raises SettingsError."""
    settings, severities = settings or drift_settings(), severities or drift_severities()
    account, region = account or _account(), region or _region()
    publisher, clock = publisher or _publisher(account, region), clock or SystemClock()
    findings = findings or _findings(severities)
    found_beside = find_credentials(credentials, findings, severities, settings.scope, rotation_roles=())
    return OperateDrift(
        findings,
        baseline_in_force(
            severities=severities, account=account, store=store, records=records, publisher=publisher, clock=clock
        ),
        reader or _reader(account),
        RecordFindings(findings, publisher, clock),
        reports or _reports(),
        uploads or _uploads(),
        trigger or LambdaScanTrigger(client("lambda"), os.environ["SCAN_FUNCTION"]),
        found_beside,
        ReviewCapture(found_beside, severities, settings.scope, clock),
        publisher,
        clock,
        scope=settings.scope,
        severities=severities,
        account=account,
        largest=_largest(),
        four_eyes=settings.four_eyes,
    )


def find_credentials(
    credentials: CredentialReader | None,
    findings: Findings,
    severities: DriftSeverities,
    scope: Scope,
    rotation_roles: Sequence[Principal] | None,
) -> FindCredentials:
    """What was made beside policies."""
    exempt = _rotation_roles() if rotation_roles is None else rotation_roles
    return FindCredentials(credentials or _credentials(), findings, severities, scope, exempt)


def baseline_in_force(
    *,
    account: str,
    publisher: EventPublisher,
    clock: Clock,
    severities: DriftSeverities | None = None,
    store: BaselineStore | None = None,
    records: BaselineRecords | None = None,
) -> BaselineInForce:
    """The baseline of one account."""
    store, records = store or _store(account), records or _records(account)
    return BaselineInForce(store, records, publisher, clock, account, severities or drift_severities(), _largest())


def half_time(context: LambdaContext) -> datetime:
    """When half of what is left of the function's time is over: recording and publishing have the other half."""
    return datetime.now(UTC) + timedelta(milliseconds=context.get_remaining_time_in_millis()) / 2


def drift_severities() -> DriftSeverities:
    """The table of severities, for drift. Raises SettingsError."""
    return files.load(files.locate(SEVERITIES_FILE), Severities).drift


def drift_settings() -> DriftSettings:
    """The operator's file. Raises SettingsError."""
    return files.load(files.locate(SETTINGS_FILE), DriftSettings)


def _event_delay() -> timedelta:
    return timedelta(seconds=float(os.environ["EVENT_DELAY_SECONDS"]))


def _account() -> str:
    return os.environ["STEWARD_ACCOUNT"]


def _region() -> str:
    return os.environ["AWS_REGION"]


def _publisher(account: str, region: str) -> EventBridgePublisher:
    return EventBridgePublisher(
        client("events"), bus=os.environ["STEWARD_BUS"], capability=CAPABILITY, account=account, region=region
    )


def _reader(account: str) -> IamAccount:
    return IamAccount(client("iam"), account)


def _credentials() -> IamCredentials:
    return IamCredentials(client("iam"))


def _rotation_roles() -> list[Principal]:
    """The roles of the functions that rotate access keys: what they make is no finding."""
    return [Principal.from_arn(arn) for arn in filter(None, os.environ.get("ROTATION_ROLES", "").split(","))]


def _findings(severities: DriftSeverities) -> DynamoDbFindings:
    return DynamoDbFindings(client("dynamodb"), os.environ["DRIFT_TABLE"], Severity[severities.unreadable])


def _records(account: str) -> DynamoDbBaselineRecords:
    return DynamoDbBaselineRecords(client("dynamodb"), os.environ["DRIFT_TABLE"], account)


def _store(account: str) -> S3BaselineStore:
    return S3BaselineStore(
        client("s3"),
        bucket=os.environ["BASELINE_BUCKET"],
        key=f"baseline/{account}.json",
        owner=os.environ["BASELINE_OWNER"],
        largest=_largest(),
    )


def _history() -> CloudTrailChanges:
    return CloudTrailChanges(client("cloudtrail", region=os.environ["IAM_EVENTS_REGION"]))


def _keys() -> LambdaKeyInventory:
    """Asked once, and for long: the function reads the whole account; a second call would have it read again."""
    return LambdaKeyInventory(client("lambda", once=True, seconds=KEY_LIST_SECONDS), os.environ["ACCESS_KEYS_FUNCTION"])


def _reports() -> S3Reports:
    versions = DynamoDbReportVersions(client("dynamodb"), os.environ["DRIFT_TABLE"])
    return S3Reports(client("s3"), os.environ["REPORTS_BUCKET"], versions)


def _uploads() -> S3Uploads:
    return S3Uploads(client("s3"), os.environ["REPORTS_BUCKET"], _largest())


def _largest() -> int:
    """Bytes of a baseline. Lambda says how much memory a function has; elsewhere it is taken to be the default."""
    return largest(int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "2048")))
