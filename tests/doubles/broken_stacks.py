"""A healthy stack and ten broken ones, as docs/health.md shows them."""

from dataclasses import replace
from datetime import timedelta

from health.domain.facts import Bucket, CreationTemplate, IamEvents, Quarantine, Subscription, Table, Trail
from tests.doubles.checked_account import NOW, REGION, CheckedAccount


def healthy(account):
    """Nothing to mend."""


def one_region(account):
    """A trail of the home region alone, and nothing forwards: what a stack without the two prerequisites looks like."""
    account.answers["trails"] = [Trail("audit", REGION, multi_region=False, logging=True, writes=True)]
    account.answers["forwarding_rules"] = []


def stopped_trail(account):
    """The trail was switched off."""
    account.answers["trails"] = [Trail("management-events", REGION, multi_region=True, logging=False, writes=True)]
    account.answers["iam_events"] = IamEvents(NOW - timedelta(hours=5), NOW - timedelta(days=6))


def pushes_beside_the_rules(account):
    """ECR itself creates repositories on push."""
    account.answers["creation_templates"] = [CreationTemplate("team-a", ("CREATE_ON_PUSH", "REPLICATION"))]


def unconfirmed_mail(account):
    """No mail was confirmed."""
    account.subscribed["AlarmTopic"] = [Subscription("email", "ops@example.com", confirmed=False)]
    account.subscribed["AlertTopic"] = []


def no_security_hub(account):
    """Findings go to a Security Hub that is not enabled."""
    account.answers["security_hub_enabled"] = False


def leaked_key(account):
    """AWS quarantines a user."""
    policy = "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3"
    account.answers["quarantines"] = [Quarantine("ecr-push", policy)]


def failing_functions(account):
    """Dead letters, and the alarm that reports them."""
    account.letters["QueueDeadLetters"] = 3
    account.answers["raised_alarms"] = ["ecr-steward-QueueDeadLettersAlarm-1A2B3C"]


def lost_memory(account):
    """A table is gone, and another has no backups."""
    account.tables["DriftState"] = Table(None, None)
    account.tables["RotationState"] = Table("ACTIVE", recoverable=False)


def weakened_buckets(account):
    """A person changed the buckets."""
    account.buckets["BaselineBucket"] = Bucket(exists=True, versioned=False, private=True, notifies=False)
    account.buckets["ReportsBucket"] = Bucket(exists=True, versioned=True, private=False, notifies=False)


def failed_first_deployment(account):
    """The first deployment failed; the checks may not read alarms and trails."""
    account.answers["stack"] = replace(account.answers["stack"], status="ROLLBACK_COMPLETE", resources={})
    account.denied = {"cloudwatch:DescribeAlarms", "cloudtrail:DescribeTrails"}
    account.answers["secret_readers"] = []


BROKEN = (
    one_region,
    stopped_trail,
    pushes_beside_the_rules,
    unconfirmed_mail,
    no_security_hub,
    leaked_key,
    failing_functions,
    lost_memory,
    weakened_buckets,
    failed_first_deployment,
)


def report_of(change):
    """The report of an account after a change."""
    account = CheckedAccount()
    change(account)
    return account.check()


def transcript(change):
    """What ``make doctor`` prints."""
    return "\n".join(report_of(change).lines())


def to_mend(change):
    """What ``make doctor`` prints, without what is well."""
    return "\n".join(line for line in report_of(change).lines() if not line.startswith("  ok "))
