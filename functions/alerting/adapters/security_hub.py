"""Findings of policy drift in AWS Security Hub, in its finding format (ASFF).

The Id is the same for as long as a finding lives, so that each import updates it: open and acknowledged ones are
ACTIVE, ended ones ARCHIVED. ``Workflow`` is left to the people who work there: BatchImportFindings must not change it.

Source: https://docs.aws.amazon.com/securityhub/latest/userguide/finding-update-batchimportfindings.html
"""

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from alerting.application.ports import FindingRefusedError
from alerting.domain.alert import Alert, Channel
from alerting.domain.foreign_text import clean
from alerting.domain.formats.mail import WITHHELD, safe_command
from alerting.domain.open_items import OpenItem, State
from alerting.domain.routing import RoutedAlert
from steward.aws.errors import translated
from steward.severity import Severity

if TYPE_CHECKING:
    from mypy_boto3_securityhub import SecurityHubClient
    from mypy_boto3_securityhub.type_defs import AwsSecurityFindingTypeDef, ResourceTypeDef

SCHEMA = "2018-10-08"
TYPE = "Software and Configuration Checks/IAM Policy Drift"
MAX_ID, MAX_TITLE, MAX_DESCRIPTION, MAX_RECOMMENDATION, MAX_FIELD = 512, 256, 1_024, 512, 2_048
"""Characters. Source: https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFinding.html"""

_LABELS: dict[Severity, Literal["INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"]] = {
    Severity.INFO: "INFORMATIONAL",
    Severity.LOW: "LOW",
    Severity.MEDIUM: "MEDIUM",
    Severity.HIGH: "HIGH",
    Severity.CRITICAL: "CRITICAL",
}
_COMPLIANCE: dict[State, Literal["FAILED", "WARNING", "PASSED"]] = {
    State.OPEN: "FAILED",
    State.ACKNOWLEDGED: "WARNING",
    State.OVER: "PASSED",
}
_RESOURCES = {"user": "AwsIamUser", "group": "AwsIamGroup", "role": "AwsIamRole", "policy": "AwsIamPolicy"}


class SecurityHubFindings:
    """Imports findings under the account's own default product; Security Hub must be on, and is not turned on here."""

    def __init__(self, client: "SecurityHubClient", *, stack: str) -> None:
        self._hub = client
        self._stack = stack

    step = "security_hub"
    grouped = False

    def accepts(self, routed: RoutedAlert) -> bool:
        """Whether it is about an open item that is routed to Security Hub."""
        return Channel.SECURITY_HUB in routed.channels and routed.item is not None

    def send(self, routed: RoutedAlert) -> None:
        """Import the finding as it is now; an older state than Security Hub has changes nothing there."""
        alert, item = routed.alert, routed.item
        if item is None:
            raise ValueError("Security Hub takes alerts about open items only")
        with translated():
            answer = self._hub.batch_import_findings(Findings=[self._finding(alert, item)])
        for failed in answer.get("FailedFindings", []):
            code = failed["ErrorCode"]
            raise FindingRefusedError(f"Security Hub refuses {item.name}: {failed['ErrorMessage']}", code=code)

    def _finding(self, alert: Alert, item: OpenItem) -> "AwsSecurityFindingTypeDef":
        partition, region, account = self._hub.meta.partition, alert.region, alert.account
        body = " ".join(sentence.plain() for sentence in alert.body)
        about = "; ".join(f"{label}: {clean(text)}" for label, text in alert.facts)
        commands = [safe_command(command) or WITHHELD for command in alert.commands]
        advice = "; ".join([*commands, *([f"or approve it: {alert.approve}"] if alert.approve else [])])
        label = _LABELS[item.severity]
        return {
            "SchemaVersion": SCHEMA,
            "Id": _stable_id(f"{self._stack}/{region}/{item.name}"),
            "ProductArn": f"arn:{partition}:securityhub:{region}:{account}:product/{account}/default",
            "ProductName": "ECR Steward",
            "CompanyName": "ECR Steward",
            "GeneratorId": f"{self._stack}/policy_drift",
            "AwsAccountId": account,
            "Types": [TYPE],
            "FirstObservedAt": _utc(item.since),
            "LastObservedAt": _utc(item.at.isoformat()),
            "CreatedAt": _utc(item.since),
            "UpdatedAt": _utc(item.at.isoformat()),
            "Severity": {"Label": label},
            "FindingProviderFields": {"Severity": {"Label": label}, "Types": [TYPE]},
            "Title": clean(item.what, MAX_TITLE),
            "Description": clean(f"{body} {about}".strip() or item.what, MAX_DESCRIPTION),
            "Remediation": {"Recommendation": {"Text": clean(advice or "See the report.", MAX_RECOMMENDATION)}},
            "ProductFields": {
                "ecr-steward/finding": clean(item.name, MAX_FIELD),
                "ecr-steward/state": item.state,
                "ecr-steward/until": clean(item.until, MAX_FIELD) or "-",
                "ecr-steward/expected": str(item.expected).lower(),
            },
            "Resources": [_resource(item, account)],
            "Compliance": {"Status": _COMPLIANCE[item.state]},
            "RecordState": "ARCHIVED" if item.state is State.OVER else "ACTIVE",
        }


def _stable_id(text: str) -> str:
    """The text, or where it is too long its beginning and its hash."""
    if len(text) <= MAX_ID:
        return text
    return f"{text[: MAX_ID - 65]}#{hashlib.sha256(text.encode()).hexdigest()}"


def _resource(item: OpenItem, account: str) -> "ResourceTypeDef":
    """What a finding ``kind:entity-kind:name`` is about; the account where the ARN is not known."""
    kind = item.name.split(":", 2)[1] if item.name.count(":") > 1 else ""
    if kind in _RESOURCES and item.arn:
        return {"Type": _RESOURCES[kind], "Id": clean(item.arn, MAX_ID)}
    return {"Type": "AwsAccount", "Id": f"AWS::::Account:{account}"}


def _utc(moment: str) -> str:
    """RFC 3339 in UTC, as Security Hub takes it."""
    return datetime.fromisoformat(moment).astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
