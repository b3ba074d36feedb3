"""The composition root: settings, clients and adapters become use cases, once per execution environment.

One function per handler, named for the use case that it returns, comes first; the parts of several follow.
"""

import json
import os
from collections.abc import Mapping
from typing import Any

from policy_drift.adapters.baseline_document import JsonBaselineFormat
from policy_drift.adapters.cloudtrail_changes import CloudTrailChanges
from policy_drift.adapters.dynamodb_findings import DynamoDbBaselineRecords, DynamoDbFindings
from policy_drift.adapters.iam_account import IamAccount
from policy_drift.adapters.lambda_scan import LambdaScanTrigger
from policy_drift.adapters.s3_baseline import S3BaselineStore
from policy_drift.adapters.s3_reports import S3Reports
from policy_drift.domain.account import Account
from policy_drift.domain.approving import Approvals
from policy_drift.domain.changes.attribution import Attribution
from policy_drift.domain.checking import Checker
from policy_drift.domain.drift_settings import DriftSettings
from policy_drift.domain.finding import Report
from policy_drift.domain.operating import Operation
from policy_drift.domain.recording import Recorder
from policy_drift.domain.reporting.report import as_document
from policy_drift.domain.scanning import Scanner
from policy_drift.report.html import render
from steward import settings
from steward.aws.clients import client
from steward.aws.event_bus import EventBridgePublisher
from steward.clock import SystemClock

CAPABILITY = "policy_drift"
SETTINGS_FILE = "drift.yaml"


def scanner() -> Scanner:
    """Everything, by schedule."""
    wanted = _settings()
    return Scanner(
        _reader(),
        _approvals(),
        _recorder(),
        _attribution(wanted),
        _reports(),
        _rendered,
        _publisher(),
        SystemClock(),
        scope=wanted.scope,
        account=_account(),
        region=os.environ["AWS_REGION"],
    )


def checker() -> Checker:
    """What an event names."""
    wanted = _settings()
    return Checker(_reader(), _approvals(), _findings(), _recorder(), _attribution(wanted), SystemClock(), wanted.scope)


def operation() -> Operation:
    """What operators do."""
    return Operation(
        _findings(),
        _approvals(),
        JsonBaselineFormat(),
        _reader(),
        _recorder(),
        _reports(),
        LambdaScanTrigger(client("lambda"), os.environ["SCAN_FUNCTION"]),
        _publisher(),
        SystemClock(),
        scope=_settings().scope,
        account=_account(),
    )


def _settings() -> DriftSettings:
    """What the operator wrote.

    Raises
    ------
    SettingsError
        It cannot be used.
    """
    return settings.load(settings.locate(SETTINGS_FILE), DriftSettings)


def _publisher() -> EventBridgePublisher:
    """The bus."""
    return EventBridgePublisher(
        client("events"),
        bus=os.environ["STEWARD_BUS"],
        capability=CAPABILITY,
        account=_account(),
        region=os.environ["AWS_REGION"],
    )


def _reader() -> IamAccount:
    """IAM as it is."""
    return IamAccount(client("iam"), _account())


def _findings() -> DynamoDbFindings:
    """The table."""
    return DynamoDbFindings(client("dynamodb"), os.environ["DRIFT_TABLE"])


def _approvals() -> Approvals:
    """The baseline."""
    account = _account()
    store = S3BaselineStore(
        client("s3"),
        bucket=os.environ["BASELINE_BUCKET"],
        key=f"baseline/{account}.json",
        owner=os.environ["BASELINE_OWNER"],
    )
    records = DynamoDbBaselineRecords(client("dynamodb"), os.environ["DRIFT_TABLE"], account)
    return Approvals(store, records, JsonBaselineFormat(), _publisher(), SystemClock(), account)


def _recorder() -> Recorder:
    """The life of findings."""
    return Recorder(_findings(), _publisher(), SystemClock())


def _attribution(wanted: DriftSettings) -> Attribution:
    """Who did it."""
    history = CloudTrailChanges(client("cloudtrail", region=os.environ["IAM_EVENTS_REGION"]))
    return Attribution(history, wanted.expected_actors, _account())


def _reports() -> S3Reports:
    """The bucket of reports."""
    return S3Reports(client("s3"), os.environ["REPORTS_BUCKET"])


def _rendered(report: Report, approved: Account, live: Account) -> Mapping[str, str]:
    """A report as documents, by extension."""
    document: dict[str, Any] = as_document(report, approved=approved, live=live)
    return {"html": render(document), "json": json.dumps(document, indent=2, ensure_ascii=False)}


def _account() -> str:
    return os.environ["STEWARD_ACCOUNT"]
