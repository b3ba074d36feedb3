"""The stack that is attacked, and what attackers and legitimate users do with it."""

import json
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.local.aws.launched import ACCOUNT, REGION, allow, policy
from tests.local.policy_drift_stack import DriftStack
from tests.published_events import store_at_its_source
from tests.queues import drained

SETTINGS = Path(__file__).parent / "settings"
"""An operator's folder: two teams, two persons for a decision, and keys that are verified within a moment."""
OPERATOR = "operator-of-the-channels"
BREAK_GLASS = "break-glass"
"""The role that the settings name as the one that may lift who reads a secret."""
OWNER = f"arn:aws:iam::{ACCOUNT}:root"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
CAPTURED = "administrator-before-the-first-scan"
"""A role that the first scan approves with all others."""
SYNCED = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/ci/*"
"""Where secret sync may write."""
REFUSALS = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException"}


class AttackedStack(DriftStack):
    """A deployed copy of the project."""

    refusals: list = []  # noqa: RUF012 - of the whole run, for its summary

    def start(self):
        """Deploy it, forward IAM's events, and let the first scan capture a baseline."""
        operators = f"arn:aws:iam::{ACCOUNT}:role/{OPERATOR},{OWNER}"
        parameters = f'"Platform=local", "ChannelOperators={operators}", "SyncParameterArns={SYNCED}"'
        self.edit('"Platform=local"', parameters, file="samconfig.toml")
        self.take_build(SETTINGS)
        started = self.run("start", "--settings", str(SETTINGS))
        assert started.returncode == 0, started.stdout + started.stderr
        self.aws.session(allow("*"), role_name=CAPTURED)
        self.forward_iam_events()
        self.scan()

    @contextmanager
    def refused(self, attack):
        """The call in the block is refused by IAM; what AWS answers is kept for the summary."""
        with pytest.raises(ClientError) as answer:
            yield
        self.refusals.append((attack, str(answer.value)))
        assert answer.value.response["Error"]["Code"] in REFUSALS, str(answer.value)

    def listener(self):
        """A queue of everything that the steward publishes from now on."""
        return Listener(self.aws)

    def invoke(self, function, event, key=None):
        """Invoke a function directly; what it answers."""
        answer = self.aws.client("lambda", key).invoke(
            FunctionName=self.function(function)["FunctionName"], Payload=json.dumps(event).encode()
        )
        return json.loads(answer["Payload"].read())

    def let_topic_send(self, queue, url, topic):
        """Let a topic send to a queue of the tests."""
        sends = allow("sqs:SendMessage", resource=queue, condition={"ArnEquals": {"aws:SourceArn": topic}})
        sends["Principal"] = {"Service": "sns.amazonaws.com"}
        self.aws.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy(sends)})

    def enrol(self, name):
        """A service user without a key."""
        iam = self.aws.client("iam")
        iam.create_user(UserName=name, Path="/service/", Tags=[{"Key": "steward:rotate", "Value": "true"}])
        iam.add_user_to_group(GroupName="ecr-write", UserName=name)

    def give_key(self, name):
        """A key of the user that is in no secret, as on the day of the first deployment."""
        return self.aws.client("iam").create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]

    def current_key(self, name):
        """The id of the key that consumers read; None before the first."""
        secrets = self.aws.client("secretsmanager")
        try:
            value = secrets.get_secret_value(SecretId=f"steward/service-users/{name}")["SecretString"]
        except secrets.exceptions.ResourceNotFoundException:
            return None
        return json.loads(value)["AccessKeyId"]

    def report_leaks(self, *key_ids):
        """What AWS Health publishes about keys that it finds in public."""
        for key_id in key_ids:
            detail = {
                "service": "RISK",
                "eventTypeCode": "AWS_RISK_CREDENTIALS_EXPOSED",
                "eventTypeCategory": "issue",
                "affectedEntities": [{"entityValue": key_id}],
            }
            entry = {"EventBusName": "steward", "Source": "aws.health", "DetailType": "AWS Health Event"}
            sent = self.aws.client("events").put_events(Entries=[entry | {"Detail": json.dumps(detail)}])
            assert sent["FailedEntryCount"] == 0, sent

    def recorded(self, name):
        """What the steward remembers of a user; None for nothing."""
        key = {"id": {"S": f"user#{name}"}}
        found = self.aws.client("dynamodb").get_item(TableName=self.physical_id("RotationState"), Key=key)
        return json.loads(found["Item"]["record"]["S"]) if "record" in found.get("Item", {}) else None

    def change_record(self, name, **changes):
        """Change what the steward remembers of a user."""
        tables, table, key = (
            self.aws.client("dynamodb"),
            self.physical_id("RotationState"),
            {"id": {"S": f"user#{name}"}},
        )
        item = tables.get_item(TableName=table, Key=key)["Item"]
        record = json.loads(item["record"]["S"]) | changes
        tables.put_item(TableName=table, Item=item | {"record": {"S": json.dumps(record)}})

    def die_with_the_lock(self, name):
        """A run that died holds the user's lock for as long as a lock lasts."""
        self.aws.client("dynamodb").update_item(
            TableName=self.physical_id("RotationState"),
            Key={"id": {"S": f"user#{name}"}},
            UpdateExpression="SET lease_until = :until, holder = :dead",
            ExpressionAttributeValues={":until": {"N": str(time.time() + 360)}, ":dead": {"S": "a run that died"}},
        )

    def store_at_its_source(self, event):
        """Write what the publisher of an event stores of it before it publishes it."""
        tables = {"drift_table": self.physical_id("DriftState"), "rotation_table": self.physical_id("RotationState")}
        store_at_its_source(self.aws.client("dynamodb"), event, **tables)

    def keys(self, user):
        """The user's keys and whether they are active."""
        listed = self.aws.client("iam").list_access_keys(UserName=user)["AccessKeyMetadata"]
        return {key["AccessKeyId"]: key["Status"] for key in listed}

    def plan(self):
        """What the schedule does every hour."""
        self.invoke("RotationPlanner", {})


class Listener:
    """Hears every event of the steward."""

    def __init__(self, aws):
        self._sqs = aws.client("sqs")
        self._url = aws.queue_of({"source": [{"prefix": "steward."}]}, bus="steward")
        self._heard = []

    def about(self, text, seconds=30):
        """The events in which a text stands, as soon as there are any."""
        deadline = time.monotonic() + seconds
        while not (found := self._of(text)) and time.monotonic() < deadline:
            time.sleep(0.2)
        return found

    def _of(self, text):
        self._heard += drained(self._sqs, self._url)
        return [event for event in self._heard if text in json.dumps(event)]
