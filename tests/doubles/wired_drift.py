"""The use cases of policy drift, wired as bootstrap does it, over doubles."""

from dataclasses import replace

from policy_drift.adapters.baseline_document import JsonBaselineFormat
from policy_drift.domain.account import Account, Role
from policy_drift.domain.approving import Approvals
from policy_drift.domain.changes.announcement import announcement
from policy_drift.domain.changes.attribution import Attribution
from policy_drift.domain.checking import Checker
from policy_drift.domain.recording import Recorder
from policy_drift.domain.scanning import Scanner
from policy_drift.domain.scope import Scope
from tests.doubles.frozen_clock import FrozenClock
from tests.doubles.in_memory_drift import (
    InMemoryAccount,
    InMemoryBaselineRecords,
    InMemoryBaselineStore,
    InMemoryFindings,
    NoHistory,
    NoReports,
)
from tests.doubles.recording_publisher import RecordingPublisher

ACCOUNT = "123456789012"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def allowing(*actions, resource="*"):
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": resource}]}


GET = allowing("s3:GetObject")
WIDER = allowing("s3:GetObject", "s3:PutObject")
WIDEST = allowing("s3:GetObject", "s3:PutObject", "s3:DeleteObject")
APP = Role("app", "/", "AROAAPP", inline={"own": GET}, trust=TRUST)
QUIET = Account(ACCOUNT, roles={"app": APP})


class WiredDrift:
    """One deployment over one account."""

    def __init__(self, account=QUIET, publisher=None, expected=(), scope=Scope(), history=None):  # noqa: B008 - frozen
        self.clock = FrozenClock()
        self.scope = scope
        self.iam = InMemoryAccount(account)
        self.findings = InMemoryFindings()
        self.records = InMemoryBaselineRecords()
        self.store = InMemoryBaselineStore()
        self.publisher = publisher or RecordingPublisher()
        self.format = JsonBaselineFormat()
        self.history = history or NoHistory()
        self.attribution = Attribution(self.history, expected, ACCOUNT)
        self._event = 0
        self._scan = 0

    @property
    def approvals(self):
        return Approvals(self.store, self.records, self.format, self.publisher, self.clock, ACCOUNT)

    def scan(self, writers=None):
        self._scan += 1
        recorder = Recorder(self.findings, self.publisher, self.clock)
        scanner = Scanner(
            self.iam, self.approvals, recorder, self.attribution, NoReports(), lambda *_: {}, self.publisher,
            self.clock, scope=self.scope, account=ACCOUNT, region="ca-central-1",
        )  # fmt: skip
        return scanner.scan(f"scan-{self._scan}", writers or {})

    def check(self, *announcements):
        recorder = Recorder(self.findings, self.publisher, self.clock)
        checker = Checker(self.iam, self.approvals, self.findings, recorder, self.attribution, self.clock, self.scope)
        return checker.check(announcements, "run")

    def role(self, **changed):
        """Change the role app."""
        role = replace(self.iam.account.roles["app"], **changed)
        self.iam.account = replace(self.iam.account, roles={**self.iam.account.roles, "app": role})

    def event(self, name="PutRolePolicy", actor="arn:aws:iam::123456789012:user/mallory", **parameters):
        """An event about the role app, at this moment."""
        self._event += 1
        return announcement(
            {
                "eventID": f"event-{self._event}",
                "eventName": name,
                "eventSource": "iam.amazonaws.com",
                "eventTime": self.clock.now().isoformat(),
                "userIdentity": {"type": "IAMUser", "arn": actor},
                "requestParameters": {"roleName": "app", **parameters},
            }
        )

    def told(self, kind):
        return self.publisher.of(kind)
