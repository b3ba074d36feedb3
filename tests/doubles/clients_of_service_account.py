"""boto3's clients of the account in memory: what the adapters of rotation call, answered in AWS's own shapes.

With them the adapters live through thousands of lives in seconds. ``Wire`` stands before every call, so that a test can
count it, fail it or do something else first. The contract tests of the adapters hold these clients to moto.
"""

import json
from collections.abc import Callable
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from botocore.exceptions import ClientError

from access_key_rotation.application.ports import KeySlotsFullError, LabelMovedError, NotAuthenticatedError
from access_key_rotation.domain.credential import Credential
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.state import Content, Label
from steward.errors import AccessDeniedError, ConflictError
from tests.doubles.in_memory_service_account import (
    OUR_ROLE,
    InMemoryAuthenticator,
    InMemoryServiceAccount,
    InMemoryUsers,
    InMemoryVault,
)

PREFIX = "steward/service-users/"
type Wire = Callable[[str, dict[str, Any], Callable[[], Any]], Any]
"""Gets the operation and its parameters, as boto3 names them, and the call; makes the call, or does not."""
NO_CALL = frozenset({"get_paginator", "lose"})


def no_weather(_name: str, _parameters: dict[str, Any], call: Callable[[], Any]) -> Any:
    """The wire on which nothing happens to a call."""
    return call()


def client_error(code: str, operation: str, status: int = 400) -> ClientError:
    """The error that botocore raises for an answer of AWS with this code."""
    answer: Any = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, operation)


class _Client:
    """Sends every operation over the wire."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def __getattribute__(self, name: str) -> Any:
        reached = object.__getattribute__(self, name)
        if name.startswith("_") or name in NO_CALL:
            return reached
        wire: Wire = object.__getattribute__(self, "_wire")
        return lambda **parameters: wire(name, parameters, lambda: reached(**parameters))

    def get_paginator(self, name: str) -> Any:
        """Pages of an operation that has one page here."""
        return _OnePage(getattr(self, name))


class _OnePage:
    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def paginate(self, **parameters: Any) -> Any:
        yield self._call(**parameters)


class IamClient(_Client):
    """IAM."""

    def __init__(self, account: InMemoryServiceAccount, wire: Wire) -> None:
        super().__init__(wire)
        self._account = account
        self._users = InMemoryUsers(account)

    def get_user(self, *, UserName: str) -> Any:  # noqa: N803 - as boto3 names it, here and below
        user = self._stored(UserName, "GetUser").user
        tags = [{"Key": key, "Value": value} for key, value in user.tags.items()]
        return {"User": {"UserId": user.user_id, "Arn": user.arn, "Path": user.path, "Tags": tags}}

    def list_access_keys(self, *, UserName: str) -> Any:  # noqa: N803
        self._stored(UserName, "ListAccessKeys")
        keys = [
            {"AccessKeyId": key.id, "Status": "Active" if key.active else "Inactive", "CreateDate": key.created}
            for key in self._users.keys(_name(UserName))
        ]
        return {"AccessKeyMetadata": keys}

    def get_access_key_last_used(self, *, AccessKeyId: str) -> Any:  # noqa: N803
        owner = next((name for name, stored in self._account.users.items() if AccessKeyId in stored.keys), None)
        if owner is None:
            raise client_error("AccessDenied", "GetAccessKeyLastUsed", 403)
        use = self._users.last_use(AccessKeyId)
        at = {"LastUsedDate": use.at} if use.at else {}
        return {"UserName": owner, "AccessKeyLastUsed": {"ServiceName": use.service or "N/A", **at}}

    def list_attached_user_policies(self, *, UserName: str) -> Any:  # noqa: N803
        self._stored(UserName, "ListAttachedUserPolicies")
        arn = self._users.quarantine(_name(UserName))
        attached = [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn}] if arn else []
        return {"AttachedPolicies": attached}

    def get_login_profile(self, *, UserName: str) -> Any:  # noqa: N803
        if not self._stored(UserName, "GetLoginProfile").standing.has_password:
            raise client_error("NoSuchEntity", "GetLoginProfile", 404)
        return {"LoginProfile": {"UserName": UserName}}

    def list_mfa_devices(self, *, UserName: str) -> Any:  # noqa: N803
        has_one = self._stored(UserName, "ListMFADevices").standing.has_mfa
        return {"MFADevices": [{"SerialNumber": "device"}] if has_one else []}

    def create_access_key(self, *, UserName: str) -> Any:  # noqa: N803
        self._stored(UserName, "CreateAccessKey")
        try:
            made = self._users.create_key(_name(UserName))
        except KeySlotsFullError as error:
            raise client_error("LimitExceeded", "CreateAccessKey", 409) from error
        except AccessDeniedError as error:
            raise client_error("AccessDenied", "CreateAccessKey", 403) from error
        key = {"AccessKeyId": made.access_key_id, "SecretAccessKey": made.secret_access_key, "CreateDate": made.created}
        return {"AccessKey": {"UserName": UserName, "Status": "Active", **key}}

    def update_access_key(self, *, UserName: str, AccessKeyId: str, Status: str) -> None:  # noqa: N803
        self._change(UserName, AccessKeyId, "UpdateAccessKey", needs_tag=Status == "Active")
        act = self._users.reactivate_key if Status == "Active" else self._users.deactivate_key
        act(_name(UserName), AccessKeyId)

    def delete_access_key(self, *, UserName: str, AccessKeyId: str) -> None:  # noqa: N803
        self._change(UserName, AccessKeyId, "DeleteAccessKey")
        self._users.delete_key(_name(UserName), AccessKeyId)

    def _change(self, user: str, key_id: str, operation: str, *, needs_tag: bool = True) -> None:
        stored = self._stored(user, operation)
        try:
            self._users._authorize(_name(user), needs_tag=needs_tag)
        except AccessDeniedError as error:
            raise client_error("AccessDenied", operation, 403) from error
        if key_id not in stored.keys:
            raise client_error("NoSuchEntity", operation, 404)

    def _stored(self, user: str, operation: str) -> Any:
        if user not in self._account.users:
            raise client_error("NoSuchEntity", operation, 404)
        return self._account.users[_name(user)]


class SecretsManagerClient(_Client):
    """Secrets Manager."""

    def __init__(self, account: InMemoryServiceAccount, wire: Wire) -> None:
        super().__init__(wire)
        self._account = account
        self._vault = InMemoryVault(account)

    def describe_secret(self, *, SecretId: str) -> Any:  # noqa: N803
        secret = self._stored(SecretId, "DescribeSecret", even_deleted=True)
        stages: dict[str, list[str]] = {}
        for label, version in secret.labels.items():
            stages.setdefault(version, []).append(label.value)
        status = [{"Region": r, "Status": "InSync" if ok else "InProgress"} for r, ok in secret.replicas.items()]
        shown = {
            "ARN": secret.arn,
            "Tags": [{"Key": "steward:stack", "Value": secret.owner}] if secret.owner else [],
            "VersionIdsToStages": stages,
            "ReplicationStatus": status,
        }
        if secret.deleted:
            shown["DeletedDate"] = self._account.clock.now()
        if secret.rotation:
            shown |= {"RotationEnabled": True, "RotationLambdaARN": secret.rotation[0]}
            shown["NextRotationDate"] = secret.rotates_by
        return shown

    def get_secret_value(self, *, SecretId: str, VersionId: str | None = None) -> Any:  # noqa: N803
        secret = self._stored(SecretId, "GetSecretValue")
        if secret.readers and not any(fnmatchcase(OUR_ROLE, reader) for reader in secret.readers):
            raise client_error("AccessDeniedException", "GetSecretValue")
        version = VersionId or secret.labels[Label.CURRENT]
        content = secret.versions.get(version, Content.NOTHING)
        if content is Content.NOTHING:
            raise client_error("ResourceNotFoundException", "GetSecretValue")
        return {"SecretString": _text(_user(SecretId), content), "VersionId": version}

    def create_secret(self, *, Name: str, **_: Any) -> Any:  # noqa: N803
        secret = self._account.secrets.get(_user(Name))
        if secret is not None:
            code = "InvalidRequestException" if secret.deleted else "ResourceExistsException"
            raise client_error(code, "CreateSecret")
        return {"ARN": self._vault.create(_user(Name)).arn}

    def put_secret_value(self, *, SecretId: str, ClientRequestToken: str, SecretString: str, **_: Any) -> None:  # noqa: N803
        secret = self._stored(SecretId, "PutSecretValue")
        value = json.loads(SecretString)
        created = datetime.fromisoformat(value["CreatedAt"])
        credential = Credential(_user(SecretId), value["AccessKeyId"], value["SecretAccessKey"], created)
        if secret.versions.get(ClientRequestToken, Content.NOTHING) not in {Content.NOTHING, credential}:
            raise client_error("ResourceExistsException", "PutSecretValue")
        secret.versions[ClientRequestToken] = credential
        secret.labels[Label.PENDING] = ClientRequestToken

    def update_secret_version_stage(
        self,
        *,
        SecretId: str,  # noqa: N803
        VersionStage: str,  # noqa: N803
        MoveToVersionId: str | None = None,  # noqa: N803
        RemoveFromVersionId: str | None = None,  # noqa: N803
    ) -> None:
        self._stored(SecretId, "UpdateSecretVersionStage")
        try:
            if MoveToVersionId is None:
                self._vault.drop_pending(_user(SecretId), RemoveFromVersionId)
            else:
                assert VersionStage == Label.CURRENT
                self._vault.promote(_user(SecretId), MoveToVersionId, expected=RemoveFromVersionId)
        except LabelMovedError as error:
            raise client_error("InvalidParameterException", "UpdateSecretVersionStage") from error

    def rotate_secret(
        self,
        *,
        SecretId: str,  # noqa: N803
        RotationLambdaARN: str,  # noqa: N803
        RotationRules: dict[str, int],  # noqa: N803
        **_: Any,
    ) -> None:
        self._stored(SecretId, "RotateSecret")
        try:
            self._vault.register(_user(SecretId), RotationLambdaARN, RotationRules["AutomaticallyAfterDays"])
        except ConflictError as error:
            raise client_error("InvalidRequestException", "RotateSecret") from error

    def replicate_secret_to_regions(self, *, SecretId: str, AddReplicaRegions: list[dict[str, str]]) -> None:  # noqa: N803
        self._stored(SecretId, "ReplicateSecretToRegions")
        self._vault.replicate(_user(SecretId), [region["Region"] for region in AddReplicaRegions])

    def get_resource_policy(self, *, SecretId: str) -> Any:  # noqa: N803
        secret = self._stored(SecretId, "GetResourcePolicy", even_deleted=True)
        return {"ResourcePolicy": _policy_of(secret.readers, secret.editors)} if secret.readers else {}

    def put_resource_policy(self, *, SecretId: str, ResourcePolicy: str, **_: Any) -> None:  # noqa: N803
        secret = self._stored(SecretId, "PutResourcePolicy")
        secret.readers = _denied_to_others(ResourcePolicy, _READING)
        secret.editors = _denied_to_others(ResourcePolicy, _EDITING)

    def delete_resource_policy(self, *, SecretId: str) -> None:  # noqa: N803
        secret = self._stored(SecretId, "DeleteResourcePolicy")
        secret.readers = secret.editors = ()

    def _stored(self, secret_id: str, operation: str, *, even_deleted: bool = False) -> Any:
        secret = self._account.secrets.get(_user(secret_id))
        if secret is None:
            raise client_error("ResourceNotFoundException", operation)
        if secret.deleted and not even_deleted:
            raise client_error("InvalidRequestException", operation)
        return secret


class SignedClient(_Client):
    """STS and ECR, signed with a service user's key."""

    def __init__(self, account: InMemoryServiceAccount, wire: Wire, region: str, credential: Credential) -> None:
        super().__init__(wire)
        self._account = account
        self._authenticator = InMemoryAuthenticator(account)
        self._region = region
        self._credential = credential

    def get_caller_identity(self) -> Any:
        if self._credential.user not in self._account.users:
            raise client_error("InvalidClientTokenId", "GetCallerIdentity", 403)
        try:
            found = self._authenticator.identify(self._credential, self._region)
        except NotAuthenticatedError as error:
            raise client_error("InvalidClientTokenId", "GetCallerIdentity", 403) from error
        return {"UserId": found.user_id, "Arn": found.arn}

    def get_authorization_token(self) -> Any:
        try:
            self._authenticator.log_in_to_ecr(self._credential, self._region)
        except NotAuthenticatedError as error:
            raise client_error(str(error.code), "GetAuthorizationToken") from error
        return {"authorizationData": []}


class CloudTrailClient(_Client):
    """CloudTrail, which knows at once."""

    def __init__(self, account: InMemoryServiceAccount, wire: Wire) -> None:
        super().__init__(wire)
        self._account = account

    def lookup_events(self, **_: Any) -> Any:
        made = [
            {
                "responseElements": {"accessKey": {"accessKeyId": key_id}},
                "userIdentity": {"sessionContext": {"sessionIssuer": {"arn": OUR_ROLE}}},
            }
            for key_id in sorted(self._account.made_by_us)
        ]
        return {"Events": [{"CloudTrailEvent": json.dumps(record)} for record in made]}


class DynamoDbClient(_Client):
    """One table whose key is ``id``: the expressions that rotation's records use, and no others."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(wire)
        self._items: dict[str, dict[str, Any]] = {}

    def get_item(self, *, Key: Any, **_: Any) -> Any:  # noqa: N803
        item = self._items.get(Key["id"]["S"])
        return {"Item": dict(item)} if item else {}

    def scan(self, **_: Any) -> Any:
        return {"Items": [dict(item) for item in self._items.values()]}

    def update_item(
        self,
        *,
        Key: Any,  # noqa: N803
        UpdateExpression: str,  # noqa: N803
        ConditionExpression: str = "",  # noqa: N803
        ExpressionAttributeNames: Any = None,  # noqa: N803
        ExpressionAttributeValues: Any,  # noqa: N803
        **_: Any,
    ) -> Any:
        item = dict(self._items.get(Key["id"]["S"], {}))
        self._require(item, ConditionExpression, ExpressionAttributeValues, "UpdateItem")
        item |= Key
        _update(item, UpdateExpression, ExpressionAttributeNames or {}, ExpressionAttributeValues)
        self._items[Key["id"]["S"]] = item
        return {"Attributes": dict(item)}

    def delete_item(self, *, Key: Any, ConditionExpression: str = "", ExpressionAttributeValues: Any = None, **_: Any):  # noqa: N803
        item = self._items.get(Key["id"]["S"], {})
        self._require(item, ConditionExpression, ExpressionAttributeValues or {}, "DeleteItem")
        self._items.pop(Key["id"]["S"], None)

    def lose(self) -> None:
        """The table is gone."""
        self._items.clear()

    @staticmethod
    def _require(item: Any, condition: str, values: Any, operation: str) -> None:
        if condition and not _holds(item, condition, values):
            raise client_error("ConditionalCheckFailedException", operation)


class EventsClient(_Client):
    """EventBridge: hands each event to a publisher of the tests."""

    def __init__(self, wire: Wire, hear: Callable[[str, Any], None]) -> None:
        super().__init__(wire)
        self._hear = hear

    def put_events(self, *, Entries: list[Any]) -> Any:  # noqa: N803
        for entry in Entries:
            self._hear(entry["DetailType"], json.loads(entry["Detail"])["data"])
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"} for _ in Entries]}


def _holds(item: Any, condition: str, values: Any) -> bool:
    """OR of ANDs of comparisons and of the two functions about a name, without brackets."""
    return any(
        all(_comparison(item, part.strip(), values) for part in alternative.split(" AND "))
        for alternative in condition.split(" OR ")
    )


def _comparison(item: Any, text: str, values: Any) -> bool:
    if text.startswith("attribute_not_exists("):
        return text[21:-1] not in item
    if text.startswith("attribute_exists("):
        return text[17:-1] in item
    name, operator, value = text.split(" ")
    if name not in item:
        return False
    (kind, held), (_, wanted) = next(iter(item[name].items())), next(iter(values[value].items()))
    if kind == "N":
        held, wanted = float(held), float(wanted)
    return bool({"=": held == wanted, "<=": held <= wanted}[operator])


def _update(item: Any, expression: str, names: Any, values: Any) -> None:
    """SET, ADD of a number and REMOVE, in this order; or ADD to a set, and DELETE from some at the end."""
    expression, _, deleted = expression.partition(" DELETE ")
    for name, value in (part.split() for part in deleted.split(", ") if part):
        left = [text for text in item.pop(name, {"SS": []})["SS"] if text not in values[value]["SS"]]
        item |= {name: {"SS": left}} if left else {}
    if expression.startswith("ADD "):
        name, value = expression.removeprefix("ADD ").split()
        item[name] = {"SS": sorted({*item.get(name, {"SS": []})["SS"], *values[value]["SS"]})}
        return
    before, _, removed = expression.partition(" REMOVE ")
    assigned, _, added = before.removeprefix("SET ").partition(" ADD ")
    for assignment in assigned.replace(", :", ",:").split(", "):
        name, _, value = assignment.partition(" = ")
        name = names.get(name, name)
        if value.startswith("if_not_exists("):
            value = value[len("if_not_exists(") : -1].split(",")[1]
            item.setdefault(name, values[value])
        else:
            item[name] = values[value]
    if added:
        name, value = added.split(" ")
        held = int(item.get(name, {"N": "0"})["N"])
        item[name] = {"N": str(held + int(values[value]["N"]))}
    for name in filter(None, removed.split(", ")):
        item.pop(name, None)


def _name(text: str) -> UserName:
    return UserName(text)


def _user(secret_id: str) -> UserName:
    return UserName(secret_id.removeprefix(PREFIX))


def _text(user: UserName, content: Credential | Content) -> str:
    if isinstance(content, Credential):
        value = {
            "Version": 1,
            "AccessKeyId": content.access_key_id,
            "SecretAccessKey": content.secret_access_key,
            "UserName": content.user,
            "CreatedAt": content.created.isoformat(),
        }
        return json.dumps(value)
    return json.dumps({"Version": 1, "UserName": user, "AccessKeyId": None}) if content is Content.PLACEHOLDER else "?"


_READING = ["secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue"]
_EDITING = ["secretsmanager:DeleteResourcePolicy", "secretsmanager:PutResourcePolicy"]


def _policy_of(readers: tuple[str, ...], editors: tuple[str, ...]) -> str:
    statements = [
        {
            "Sid": sid,
            "Effect": "Deny",
            "Principal": "*",
            "Action": actions,
            "Resource": "*",
            "Condition": {"ArnNotEquals": {"aws:PrincipalArn": list(named)}},
        }
        for sid, actions, named in (
            ("OnlyTheseRead", _READING, readers),
            ("OnlyTheseChangeThisPolicy", _EDITING, editors),
        )
        if named
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _denied_to_others(text: str, actions: list[str]) -> tuple[str, ...]:
    """Whom a Deny of these actions leaves out; nobody where there is none."""
    for statement in json.loads(text)["Statement"]:
        if actions[0] in statement["Action"] and statement["Effect"] == "Deny":
            (named,) = (block["aws:PrincipalArn"] for block in statement["Condition"].values())
            return tuple([named] if isinstance(named, str) else named)
    return ()
