"""An account as the checks of health read it: a healthy one, until a test changes what it needs."""

from datetime import UTC, datetime

from health.bootstrap import check_health
from health.domain.facts import Bucket, IamEvents, Rule, Stack, Subscription, Table, Trail
from steward.errors import AccessDeniedError
from tests.doubles.frozen_clock import FrozenClock

REGION = "eu-central-1"
ACCOUNT = "111122223333"
NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
RESOURCES = {
    "AlarmTopic": f"arn:aws:sns:{REGION}:{ACCOUNT}:ecr-steward-AlarmTopic",
    "AlertTopic": f"arn:aws:sns:{REGION}:{ACCOUNT}:ecr-steward-AlertTopic",
    "AlertingState": "ecr-steward-AlertingState",
    "BaselineBucket": "ecr-steward-baselinebucket",
    "Bus": "steward",
    "DeadLetters": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/ecr-steward-DeadLetters",
    "DriftQueue": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/ecr-steward-DriftQueue",
    "DriftState": "ecr-steward-DriftState",
    "ProvisioningState": "ecr-steward-ProvisioningState",
    "QueueDeadLetters": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/ecr-steward-QueueDeadLetters",
    "ReportsBucket": "ecr-steward-reportsbucket",
    "RotationState": "ecr-steward-RotationState",
    "SyncState": "ecr-steward-SyncState",
}
READERS = {
    "cloudformation:DescribeStacks": "stack",
    "cloudwatch:DescribeAlarms": "raised_alarms",
    "cloudtrail:DescribeTrails": "trails",
    "events:ListRuleNamesByTarget": "forwarding_rules",
    "cloudtrail:LookupEvents": "iam_events",
    "sns:ListSubscriptionsByTopic": "subscriptions",
    "sqs:GetQueueAttributes": "messages",
    "securityhub:DescribeHub": "security_hub_enabled",
    "dynamodb:DescribeTable": "table",
    "s3:GetBucketVersioning": "bucket",
    "ecr:DescribeRepositoryCreationTemplates": "creation_templates",
    "iam:ListEntitiesForPolicy": "quarantines",
}
"""A right -> the reading that needs it."""


class CheckedAccount:
    """All readers in one; each answer is an attribute, and ``denied`` rights raise."""

    def __init__(self, region=REGION):
        self.region = region
        self.clock = FrozenClock(NOW)
        self.denied = set()
        self.failing = {}
        self.answers = {
            "stack": Stack("ecr-steward", "UPDATE_COMPLETE", {"PolicyDrift": "on", "SecurityHub": "on"}, RESOURCES),
            "raised_alarms": [],
            "trails": [Trail("management-events", REGION, multi_region=True, logging=True, writes=True)],
            "forwarding_rules": [Rule("global-IamChanges", enabled=True), Rule("global-ExposedKeys", enabled=True)],
            "iam_events": IamEvents(NOW.replace(hour=8), NOW.replace(hour=8)),
            "security_hub_enabled": True,
            "creation_templates": [],
            "quarantines": [],
            "secret_readers": [f"arn:aws:iam::{ACCOUNT}:role/build"],
            "warnings": [],
        }
        self.subscribed = {"AlarmTopic": [Subscription("email", "ops@example.com", confirmed=True)]}
        self.subscribed["AlertTopic"] = [Subscription("email", "security@example.com", confirmed=True)]
        self.letters = {"DeadLetters": 0, "QueueDeadLetters": 0}
        self.tables = {}
        self.buckets = {}
        self.owners = {}

    def subscriptions(self, topic_arn):
        return self._answer("subscriptions", self.subscribed[_logical(topic_arn)])

    def messages(self, queue_url):
        return self._answer("messages", self.letters[_logical(queue_url)])

    def table(self, name):
        return self._answer("table", self.tables.get(_logical(name), Table("ACTIVE", recoverable=True)))

    def bucket(self, name, owner):
        assert owner == self.owners.get(_logical(name), ACCOUNT)
        sound = Bucket(exists=True, versioned=True, private=True, notifies=True)
        return self._answer("bucket", self.buckets.get(_logical(name), sound))

    def __getattr__(self, name):
        if name not in self.answers:
            raise AttributeError(name)
        return lambda *_: self._answer(name, self.answers[name])

    def _answer(self, name, answer):
        for right in self.denied:
            if READERS.get(right) == name:
                raise AccessDeniedError(f"{right} is denied", code=right)
        if name in self.failing:
            raise self.failing[name]
        return answer

    def check(self):
        """The report of all checks."""
        return check_health(
            name="ecr-steward",
            account=ACCOUNT,
            region=self.region,
            stack=self,
            trails=self,
            channels=self,
            storage=self,
            registry=self,
            settings=self,
            clock=self.clock,
        ).check()


def _logical(physical):
    return next(logical for logical, each in RESOURCES.items() if each == physical)
