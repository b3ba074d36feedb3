"""One deployment of policy drift, as bootstrap composes it, over doubles."""

from dataclasses import replace
from datetime import timedelta

from policy_drift import bootstrap
from policy_drift.domain.access.work import OF_A_CHECK
from policy_drift.domain.account import Account, Role
from policy_drift.domain.changes.change_event import change_event
from policy_drift.domain.scope import Scope
from policy_drift.domain.settings import DriftSettings
from steward.errors import UpstreamError
from steward.principals import Principal
from tests.doubles.frozen_clock import FrozenClock
from tests.doubles.in_memory_drift import (
    InMemoryAccount,
    InMemoryBaselineRecords,
    InMemoryBaselineStore,
    InMemoryCredentials,
    InMemoryFindings,
    InMemoryUploads,
    NoHistory,
    NoReports,
)
from tests.doubles.recording_publisher import RecordingPublisher
from tests.doubles.shipped_severities import SEVERITIES

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


_OF_RUNS = {"history", "rotation_roles"}


class NoKeys:
    """Knows of no list of access keys."""

    def read(self):
        raise UpstreamError("nobody lists keys here")


class NoTrigger:
    """Starts no scan."""

    def request(self, scan_id, by):
        pass


class DriftUnderTest:
    """One deployment over one account. Its parts may be replaced before each call."""

    def __init__(self, account=QUIET, publisher=None, expected=(), scope=Scope(), history=None, steps=OF_A_CHECK):  # noqa: B008 - frozen
        self.clock = FrozenClock()
        self.settings = DriftSettings(scope=scope, expected_actors=tuple(expected))
        self.iam = InMemoryAccount(account)
        self.findings = InMemoryFindings()
        self.records = InMemoryBaselineRecords()
        self.store = InMemoryBaselineStore(self.clock)
        self.publisher = publisher or RecordingPublisher()
        self.history = history or NoHistory()
        self.steps = steps
        self.credentials = InMemoryCredentials()
        self.delay = timedelta()
        self.keys = NoKeys()
        self.reports = NoReports()
        self.uploads = InMemoryUploads()
        self._event = 0
        self._scan = 0

    @property
    def baseline(self):
        return bootstrap.baseline_in_force(
            severities=SEVERITIES,
            account=ACCOUNT,
            store=self.store,
            records=self.records,
            publisher=self.publisher,
            clock=self.clock,
        )

    def scan(self, writers=None, until=None):
        self._scan += 1
        use_case = bootstrap.scan_account(
            region="ca-central-1", keys=self.keys, reports=self.reports, steps=self.steps, **self._ports()
        )
        return use_case.scan(f"scan-{self._scan}", writers or {}, until)

    def check(self, *announcements, until=None):
        use_case = bootstrap.check_changes(region="ca-central-1", steps=self.steps, delay=self.delay, **self._ports())
        return use_case.check(announcements, "run", until)

    @property
    def operate(self):
        """What answers operators."""
        ports = {name: port for name, port in self._ports().items() if name not in _OF_RUNS}
        return bootstrap.operate_drift(
            region="ca-central-1", reports=self.reports, uploads=self.uploads, trigger=NoTrigger(), **ports
        )

    def _ports(self):
        return {
            "settings": self.settings,
            "severities": SEVERITIES,
            "account": ACCOUNT,
            "reader": self.iam,
            "store": self.store,
            "records": self.records,
            "findings": self.findings,
            "history": self.history,
            "credentials": self.credentials,
            "rotation_roles": [Principal(ACCOUNT, "role", "steward-rotation")],
            "publisher": self.publisher,
            "clock": self.clock,
        }

    def role(self, **changed):
        """Change the role app."""
        role = replace(self.iam.account.roles["app"], **changed)
        self.iam.account = replace(self.iam.account, roles={**self.iam.account.roles, "app": role})

    def event(self, name="PutRolePolicy", actor="arn:aws:iam::123456789012:user/mallory", **parameters):
        """An event about the role app, at this moment."""
        self._event += 1
        return change_event(
            {
                "eventID": f"event-{self._event}",
                "eventName": name,
                "eventSource": "iam.amazonaws.com",
                "eventTime": self.clock.now().isoformat(),
                "userIdentity": {"type": "IAMUser", "arn": actor},
                "requestParameters": {"roleName": "app", **parameters},
            }
        )

    def published(self, kind):
        return self.publisher.of(kind)
