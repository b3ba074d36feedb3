"""Service users of the deployed stack, put into any state of their lives."""

import json
import uuid
from datetime import UTC, datetime, timedelta

from tests.local.aws.launched import allow, policy

LONG_AGO = (datetime.now(UTC) - timedelta(days=30)).isoformat()


class ServiceUsers:
    """What IAM, Secrets Manager and the steward's table hold of service users, written as if it had come about."""

    def __init__(self, stack, table, kms_key=""):
        self._stack = stack
        self._iam = stack.aws.client("iam")
        self._secrets = stack.aws.client("secretsmanager")
        self._dynamodb = stack.aws.client("dynamodb")
        self._table = table
        self._kms_key = kms_key

    def without_key(self, prefix="probe"):
        """A new user, which may log in to the registry."""
        name = f"{prefix}-{uuid.uuid4().hex[:8]}"
        self._iam.create_user(UserName=name, Path="/service/", Tags=[{"Key": "steward:rotate", "Value": "true"}])
        rights = policy(allow("ecr:GetAuthorizationToken"))
        self._iam.put_user_policy(UserName=name, PolicyName="log-in", PolicyDocument=rights)
        return name

    def elsewhere(self):
        """A user on the service path that has a key and is not enrolled."""
        name = self.without_key()
        self._iam.untag_user(UserName=name, TagKeys=["steward:rotate"])
        self.add_key(name)
        return name

    def with_key(self, prefix="probe", **history):
        """A user whose key is in its secret, and the key's id; ``history`` is what the steward remembers of the key."""
        name = self.without_key(prefix)
        key = self.add_key(name)
        value = {
            "Version": 1,
            "AccessKeyId": key["AccessKeyId"],
            "SecretAccessKey": key["SecretAccessKey"],
            "UserName": name,
            "CreatedAt": LONG_AGO,
        }
        self._secrets.create_secret(
            Name=secret_of(name),
            SecretString=json.dumps(value),
            Tags=[{"Key": "steward:stack", "Value": "ecr-steward"}],
            **({"KmsKeyId": self._kms_key} if self._kms_key else {}),
        )
        if history:
            self.remember(name, keys={key["AccessKeyId"]: history})
        return name, key["AccessKeyId"]

    def not_enrolled_any_more(self):
        """A user that the steward remembers, without a secret and without the tag."""
        name = self.without_key()
        self.remember(name)
        self._iam.untag_user(UserName=name, TagKeys=["steward:rotate"])
        return name

    def with_superseded_key(self, *, active=True, prefix="probe", **history):
        """A user with a current key and an older one, which is returned, too."""
        name, current = self.with_key(prefix)
        older = self.add_key(name)["AccessKeyId"]
        if not active:
            self._iam.update_access_key(UserName=name, AccessKeyId=older, Status="Inactive")
        keys = {current: {"promoted_at": LONG_AGO}, older: {"superseded_at": LONG_AGO, **history}}
        self.remember(name, keys=keys)
        return name, older

    def add_key(self, name):
        return self._iam.create_access_key(UserName=name)["AccessKey"]

    def quarantine(self, name):
        """What AWS does to the user of a key that it found exposed."""
        arn = "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3"
        self._iam.attach_user_policy(UserName=name, PolicyArn=arn)

    def notice(self, name):
        """What the steward reported of a user last; empty for nothing."""
        return (self.recorded(name).get("notice") or {"text": ""})["text"]

    def status(self, name, key_id):
        """Active, Inactive, or None where there is no such key."""
        listed = self._iam.list_access_keys(UserName=name)["AccessKeyMetadata"]
        return next((key["Status"] for key in listed if key["AccessKeyId"] == key_id), None)

    def version(self, name):
        """The version that consumers read; any other text where there is no secret."""
        try:
            return self.current(name)[0]
        except self._secrets.exceptions.ResourceNotFoundException:
            return str(uuid.uuid4())

    def current(self, name):
        """The version that consumers read, and the id of its key."""
        got = self._secrets.get_secret_value(SecretId=secret_of(name))
        return got["VersionId"], json.loads(got["SecretString"])["AccessKeyId"]

    def remember(self, name, **changes):
        """Change what the steward remembers of a user."""
        key = {"id": {"S": f"user#{name}"}}
        item = self._dynamodb.get_item(TableName=self._table, Key=key).get("Item", key)
        user_id = self._iam.get_user(UserName=name)["User"]["UserId"]
        record = {"user_id": user_id, **json.loads(item.get("record", {"S": "{}"})["S"]), **changes}
        self._dynamodb.put_item(TableName=self._table, Item={**item, "record": {"S": json.dumps(record)}})

    def recorded(self, name):
        """What the steward remembers of a user."""
        item = self._dynamodb.get_item(TableName=self._table, Key={"id": {"S": f"user#{name}"}})["Item"]
        return json.loads(item["record"]["S"])

    def is_remembered(self, name):
        """Whether the steward remembers anything of a user."""
        return "Item" in self._dynamodb.get_item(TableName=self._table, Key={"id": {"S": f"user#{name}"}})

    def intend(self, name, at):
        """An intent that a run wrote ahead, before it died."""
        text = json.dumps({"token": str(uuid.uuid4()), "at": at})
        item = self._dynamodb.get_item(TableName=self._table, Key={"id": {"S": f"user#{name}"}})["Item"]
        self._dynamodb.put_item(TableName=self._table, Item={**item, "intent": {"S": text}})

    def spoil_lock(self, name):
        """Make every attempt to take the user's lock fail at once."""
        item = self._dynamodb.get_item(TableName=self._table, Key={"id": {"S": f"user#{name}"}})["Item"]
        self._dynamodb.put_item(TableName=self._table, Item={**item, "fence": {"S": "no number"}})

    def forget(self, name):
        self._dynamodb.delete_item(TableName=self._table, Key={"id": {"S": f"user#{name}"}})


def secret_of(name):
    return f"steward/service-users/{name}"
