"""What each check means: pure functions from facts to a result, each with the command that mends what is broken."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from health.domain.facts import (
    Bucket,
    CreationTemplate,
    IamEvents,
    Quarantine,
    Rule,
    Stack,
    Subscription,
    Table,
    Trail,
)
from health.domain.report import Result, State

GLOBAL_REGION = "us-east-1"
"""Where IAM's events occur: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html"""
SETTLED = timedelta(hours=2)
"""CloudTrail delivers within minutes, best effort, and SQS's metric has one point for each hour."""
TABLES = {
    "ProvisioningState": False,
    "RotationState": True,
    "SyncState": True,
    "DriftState": True,
    "AlertingState": False,
}
"""Logical ids -> whether point-in-time recovery belongs to it."""
KEYS = {"AlertingState": ("id", "member")}
"""Key attributes of the tables that have more than ``id``."""
QUEUES = ("DeadLetters", "QueueDeadLetters")


def stack_is_complete(stack: Stack) -> Result:
    """The last deployment ended well."""
    if stack.status in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}:
        return Result("stack", State.OK, f"its status is {stack.status}")
    if stack.status.endswith("_IN_PROGRESS"):
        return Result("stack", State.WARNING, f"it is being changed: {stack.status}")
    if stack.status == "UPDATE_ROLLBACK_COMPLETE":
        return Result("stack", State.WARNING, "the last deployment failed and was rolled back", (_events_of(stack),))
    if stack.status == "UPDATE_ROLLBACK_FAILED":
        go_on = f"aws cloudformation continue-update-rollback --stack-name {stack.name}"
        return Result("stack", State.BROKEN, "a rollback did not end", (_events_of(stack), go_on))
    delete = f"aws cloudformation delete-stack --stack-name {stack.name}"
    detail = f"it cannot be used: {stack.status}"
    return Result("stack", State.BROKEN, detail, (_events_of(stack), delete, "make deploy"))


def _events_of(stack: Stack) -> str:
    return f"aws cloudformation describe-stack-events --stack-name {stack.name} --max-items 20"


def trail_records(trails: Sequence[Trail], region: str) -> Result:
    """Write management events are recorded, and so delivered, in the home region and in us-east-1."""
    needed = sorted({region, GLOBAL_REGION})
    lacking = [each for each in needed if not any(trail.records(each) for trail in trails)]
    if not lacking:
        names = sorted({trail.name for trail in trails if any(trail.records(each) for each in needed)})
        what = f"{', '.join(names)} records write management events in {' and '.join(needed)}"
        return Result("trail", State.OK, what)
    where = " and ".join(lacking)
    if unclear := [trail.name for trail in trails if any(trail.records(each) is None for each in lacking)]:
        detail = f"{', '.join(unclear)} may record {where}; its state is readable only in its own account"
        return Result("trail", State.UNKNOWN, detail)
    detail = f"no trail records write management events in {where}"
    for trail in trails:
        in_reach = trail.multi_region or trail.home_region in lacking
        at_home = f"--region {trail.home_region}"
        if in_reach and trail.logging is False:
            mend = f"aws cloudtrail start-logging {at_home} --name {trail.name}"
            return Result("trail", State.BROKEN, f"{detail}: {trail.name} is switched off", (mend,))
        if in_reach and trail.writes is False:
            selector = '\'[{"ReadWriteType": "All", "IncludeManagementEvents": true}]\''
            mend = (
                f"aws cloudtrail put-event-selectors {at_home} --trail-name {trail.name} --event-selectors {selector}"
            )
            return Result("trail", State.BROKEN, f"{detail}: {trail.name} leaves them out", (mend,))
        if trail.multi_region is False:
            mend = f"aws cloudtrail update-trail {at_home} --name {trail.name} --is-multi-region-trail"
            return Result("trail", State.BROKEN, f"{detail}: {trail.name} records {trail.home_region} alone", (mend,))
    create = "aws cloudtrail create-trail --name management-events --is-multi-region-trail --s3-bucket-name BUCKET"
    start = "aws cloudtrail start-logging --name management-events"
    return Result("trail", State.BROKEN, detail, (create, start))


def events_are_forwarded(rules: Sequence[Rule], region: str) -> Result:
    """The stack of us-east-1 forwards to the bus."""
    if region == GLOBAL_REGION:
        return Result("forwarding", State.OK, f"the home region is {GLOBAL_REGION}, where IAM's events occur")
    if not rules:
        detail = f"no rule in {GLOBAL_REGION} forwards IAM's events to the bus: changes are found by scans alone"
        return Result("forwarding", State.BROKEN, detail, ("make deploy-global-events",))
    if off := [rule.name for rule in rules if not rule.enabled]:
        mend = tuple(f"aws events enable-rule --region {GLOBAL_REGION} --name {name}" for name in off)
        return Result("forwarding", State.BROKEN, f"a rule in {GLOBAL_REGION} is disabled: {', '.join(off)}", mend)
    return Result("forwarding", State.OK, f"{len(rules)} rules in {GLOBAL_REGION} forward to the bus")


def iam_events_arrive(events: IamEvents, now: datetime, region: str) -> Result:
    """The last change of IAM was followed by its event."""
    name, change, arrival = "IAM events", events.last_change, events.last_arrival
    seen = f"the last event arrived in the hour from {arrival:%Y-%m-%d %H:%M} UTC" if arrival else "no event arrived"
    if change is None or now - change < SETTLED:
        if arrival:
            return Result(name, State.OK, seen)
        return Result(name, State.WARNING, "no event arrived within 14 days, and no older change of IAM is known")
    if arrival and arrival >= change - SETTLED:
        return Result(name, State.OK, seen)
    detail = f"IAM changed at {change:%Y-%m-%d %H:%M} UTC, but {seen} (runbook drift-events-stopped)"
    mend = ("make deploy-global-events",) if region != GLOBAL_REGION else ()
    return Result(name, State.BROKEN, detail, mend or ("make deploy",))


def mended_at_the_cause(results: Sequence[Result]) -> Sequence[Result]:
    """The same results; events of IAM that do not arrive are mended as the trail, else as what forwards them."""
    broken = {result.check: result for result in results if result.state is State.BROKEN}
    cause = broken.get("trail") or broken.get("forwarding")
    if cause is None:
        return results
    return [replace(one, mend=cause.mend) if one is broken.get("IAM events") else one for one in results]


def pushes_create_nothing_by_themselves(templates: Sequence[CreationTemplate]) -> Result:
    """No creation template of ECR creates repositories on push beside the house rules."""
    prefixes = [each.prefix for each in templates if "CREATE_ON_PUSH" in each.applied_for]
    if not prefixes:
        return Result("house rules", State.OK, "no creation template of ECR creates repositories on push")
    where = ", ".join("any name" if prefix == "ROOT" else f"{prefix}/…" for prefix in prefixes)
    mend = tuple(
        f"aws ecr update-repository-creation-template --prefix {prefix} --applied-for PULL_THROUGH_CACHE REPLICATION"
        for prefix in prefixes
    )
    return Result("house rules", State.WARNING, f"a push to {where} creates a repository beside the house rules", mend)


def people_are_subscribed(topic: str, arn: str, subscriptions: Sequence[Subscription]) -> Result:
    """Somewhere messages of a topic arrive."""
    name, pending = f"{topic} topic", [each for each in subscriptions if not each.confirmed]
    if pending:
        waiting = ", ".join(f"{each.protocol} {each.endpoint}" for each in pending)
        mend = tuple(
            f"aws sns subscribe --topic-arn {arn} --protocol {each.protocol} --notification-endpoint {each.endpoint}"
            for each in pending
        )
        state = State.WARNING if len(pending) < len(subscriptions) else State.BROKEN
        return Result(name, state, f"not confirmed: {waiting}; the command sends the mail again", mend)
    if not subscriptions:
        command = f"aws sns subscribe --topic-arn {arn} --protocol email --notification-endpoint ADDRESS"
        return Result(name, State.BROKEN, f"no one is subscribed: {topic}s reach no person", (command,))
    return Result(name, State.OK, f"{len(subscriptions)} confirmed")


def security_hub_is_there(asked: bool, enabled: bool | None) -> Result:  # noqa: FBT001 - two facts of one kind
    """Security Hub is enabled if findings are sent to it."""
    if not asked:
        return Result("Security Hub", State.OK, "findings are not sent to it")
    if enabled:
        return Result("Security Hub", State.OK, "it is enabled")
    detail = "findings are sent to it, and it is not enabled in this region"
    return Result("Security Hub", State.BROKEN, detail, ("aws securityhub enable-security-hub",))


def no_user_is_quarantined(quarantines: Sequence[Quarantine]) -> Result:
    """AWS has quarantined no user after a leak."""
    if not quarantines:
        return Result("quarantine", State.OK, "AWS quarantines no user")
    users = ", ".join(sorted({each.user for each in quarantines}))
    mend = tuple(
        f"aws iam detach-user-policy --user-name {each.user} --policy-arn {each.policy_arn}" for each in quarantines
    )
    detail = f"AWS quarantines {users} after a leak: replace the key first (runbook key-leaked), then detach"
    return Result("quarantine", State.BROKEN, detail, mend)


def secrets_have_readers(readers: Sequence[str]) -> Result:
    """The settings say who may read the secrets."""
    if readers:
        return Result("secret readers", State.OK, "they are named")
    detail = "secret_readers is empty: every principal that IAM lets read secrets may read those of service users"
    return Result("secret readers", State.WARNING, detail, ("$EDITOR $SETTINGS/rotation.yaml", "make deploy"))


def settings_are_sound(warnings: Sequence[str]) -> Result:
    """The settings check warns of nothing."""
    if not warnings:
        return Result("settings", State.OK, "no warnings")
    return Result("settings", State.WARNING, "; ".join(warnings), ("make check-settings",))


def no_dead_letters(counts: Mapping[str, int], resources: Mapping[str, str]) -> Result:
    """Both queues of dead letters are empty."""
    filled = {name: count for name, count in counts.items() if count}
    if not filled:
        return Result("dead letters", State.OK, "none")
    what = ", ".join(f"{count} in {name}" for name, count in filled.items())
    mend = tuple(
        f"aws sqs receive-message --queue-url {resources[name]} --max-number-of-messages 10 --visibility-timeout 0"
        for name in filled
    )
    return Result("dead letters", State.BROKEN, f"{what} (runbook dead-letters)", mend)


def no_alarm_is_raised(raised: Sequence[str]) -> Result:
    """No alarm of the stack is in the state ALARM."""
    if not raised:
        return Result("alarms", State.OK, "none is raised")
    read = "--query 'MetricAlarms[].AlarmDescription' --output text"
    mend = f"aws cloudwatch describe-alarms --alarm-names {' '.join(raised)} {read}"
    return Result("alarms", State.BROKEN, f"raised: {', '.join(raised)}", (mend,))


def tables_are_safe(tables: Mapping[str, Table], resources: Mapping[str, str]) -> Result:
    """Every table exists, and those with a memory can be restored."""
    gone = [name for name, table in tables.items() if table.status is None]
    exposed = [name for name, table in tables.items() if TABLES[name] and table.status and not table.recoverable]
    busy = [f"{name} is {table.status}" for name, table in tables.items() if table.status not in {None, "ACTIVE"}]
    found = [
        *([f"gone: {', '.join(gone)} (runbooks restore-the-table, drift-table-lost)"] if gone else []),
        *([f"without point-in-time recovery: {', '.join(exposed)}"] if exposed else []),
        *busy,
    ]
    if not found:
        return Result("tables", State.OK, f"{len(tables)} are active")
    mend = (
        *(command for name in gone for command in _table_again(name, resources[name])),
        *(
            f"aws dynamodb update-continuous-backups --table-name {resources[name]} "
            "--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true"
            for name in exposed
        ),
    )
    return Result("tables", State.BROKEN if gone or exposed else State.WARNING, "; ".join(found), mend)


def _table_again(name: str, table: str) -> tuple[str, ...]:
    """How a table comes back under its name: CloudFormation, which knows the name, makes no table again."""
    if TABLES[name]:
        backup = (
            f"aws dynamodb list-backups --table-name {table} --backup-type SYSTEM "
            "--query 'BackupSummaries[-1].BackupArn' --output text"
        )
        return (f'aws dynamodb restore-table-from-backup --target-table-name {table} --backup-arn "$({backup})"',)
    keys = KEYS.get(name, ("id",))
    attributes = " ".join(f"AttributeName={key},AttributeType=S" for key in keys)
    schema = " ".join(f"AttributeName={key},KeyType={kind}" for key, kind in zip(keys, ("HASH", "RANGE"), strict=False))
    layout = f"--attribute-definitions {attributes} --key-schema {schema}"
    expires = "--time-to-live-specification Enabled=true,AttributeName=expiration"
    return (
        f"aws dynamodb create-table --table-name {table} --billing-mode PAY_PER_REQUEST {layout}",
        f"aws dynamodb wait table-exists --table-name {table}",
        f"aws dynamodb update-time-to-live --table-name {table} {expires}",
    )


def buckets_are_safe(buckets: Mapping[str, Bucket], baseline: str, region: str, owner: str = "") -> Result:
    """Baseline and reports are versioned and private, and uploads of the baseline are announced.

    ``owner`` is the account of the baseline's bucket, if it is another one: no command may take its name here.
    """
    place = "" if region == GLOBAL_REGION else f" --create-bucket-configuration LocationConstraint={region}"
    found: list[str] = []
    mend: list[str] = []
    for name, bucket in buckets.items():
        if not bucket.exists:
            gone = f"{name} is gone, with its policy (page baseline-bucket)"
            if owner and name == baseline:
                found.append(f"{gone}: the account {owner} must make it again")
            else:
                found.append(gone)
                mend.append(f"aws s3api create-bucket --bucket {name}{place}")
            continue
        if not bucket.versioned:
            found.append(f"{name} is not versioned")
            mend.append(f"aws s3api put-bucket-versioning --bucket {name} --versioning-configuration Status=Enabled")
        if not bucket.private:
            found.append(f"{name} may be made public")
            mend.append(
                f"aws s3api put-public-access-block --bucket {name} --public-access-block-configuration "
                "BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true"
            )
        if name == baseline and not bucket.notifies:
            found.append(f"{name} announces no uploads")
            mend.append(
                f"aws s3api put-bucket-notification-configuration --bucket {name} "
                "--notification-configuration '{\"EventBridgeConfiguration\": {}}'"
            )
    if found:
        return Result("buckets", State.BROKEN, "; ".join(found), tuple(mend))
    return Result("buckets", State.OK, f"{len(buckets)} are versioned and private")
