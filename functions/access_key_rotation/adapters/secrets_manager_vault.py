"""Service users' secrets, on Secrets Manager."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from access_key_rotation.application.ports import LabelMovedError, VersionTakenError
from access_key_rotation.domain.credential import Credential
from access_key_rotation.domain.names import UserName
from access_key_rotation.domain.state import Content, Label, Restriction, Secret
from steward.aws.errors import code_of, translated, unless, upstream
from steward.errors import ConflictError, StewardError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_secretsmanager.type_defs import DescribeSecretResponseTypeDef, ReplicaRegionTypeTypeDef

OWNER_TAG = "steward:stack"
FORM = 1
"""``Version`` of what ``credential_process`` prints."""
NOT_FOUND = "ResourceNotFoundException"
VERSION_EXISTS = "ResourceExistsException"
LABEL_IS_ELSEWHERE = "InvalidParameterException"
IN_WRONG_STATE = "InvalidRequestException"
READING = "OnlyTheseRead", ("secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue")
EDITING = "OnlyTheseChangeThisPolicy", ("secretsmanager:DeleteResourcePolicy", "secretsmanager:PutResourcePolicy")
"""Sid and actions of the two statements of a secret's resource policy."""


class SecretsManagerVault:
    """The secrets ``steward/service-users/*`` of one stack.

    Parameters
    ----------
    stack
        Name of the stack, which becomes the tag of its secrets.
    kms_key
        ARN of the customer's key; empty for the account's own. Secrets that are replicated take a multi-Region key: its
        replica, of the same id, encrypts there.
    """

    def __init__(
        self,
        client: "SecretsManagerClient",
        *,
        stack: str,
        kms_key: str = "",
    ) -> None:
        self._secrets = client
        self._stack = stack
        self._kms_key = kms_key

    def find(self, user: UserName) -> Secret | None:
        """The secret's labels, tags and replicas."""
        with translated(), unless(NOT_FOUND):
            return _secret(self._secrets.describe_secret(SecretId=user.secret_name))
        return None

    def read(self, user: UserName, version: str) -> Credential | Content:
        """The value of a version; AWS answers for an empty one that it does not exist."""
        with translated(_in_wrong_state()), unless(NOT_FOUND):
            got = self._secrets.get_secret_value(SecretId=user.secret_name, VersionId=version)
            return _content(user, got.get("SecretString"))
        return Content.NOTHING

    def create(self, user: UserName) -> Secret:
        """Create the secret with its tags and its KMS key."""
        optional: dict[str, Any] = {}
        if self._kms_key:
            optional["KmsKeyId"] = self._kms_key
        with translated(_in_wrong_state()), unless(VERSION_EXISTS):
            self._secrets.create_secret(
                Name=user.secret_name,
                Description=f"Access key of the service user {user}, rotated by {self._stack}",
                SecretString=json.dumps({"Version": FORM, "UserName": user, "AccessKeyId": None}),
                Tags=[{"Key": OWNER_TAG, "Value": self._stack}],
                **optional,
            )
        found = self.find(user)
        if found is None or found.owner != self._stack:
            raise ConflictError(f"the secret of {user} belongs to somebody else, or cannot be seen yet")
        return found

    def restriction(self, user: UserName) -> Restriction:
        """The live resource policy, taken apart; a statement that differs in anything from ours is not ours."""
        with translated(), unless(NOT_FOUND):
            return _restriction(self._secrets.get_resource_policy(SecretId=user.secret_name).get("ResourcePolicy"))
        return Restriction()

    def restrict_readers(self, user: UserName, wanted: Restriction) -> None:
        """Deny all others: an Allow alone restricts no principal of the account."""
        name = user.secret_name
        with translated():
            if not wanted.readers:
                self._secrets.delete_resource_policy(SecretId=name)
                return
            statements = [_denied_to_others(*READING, wanted.readers)]
            if wanted.editors:
                statements.append(_denied_to_others(*EDITING, wanted.editors))
            policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
            self._secrets.put_resource_policy(SecretId=name, ResourcePolicy=policy, BlockPublicPolicy=True)

    def replicate(self, user: UserName, regions: Sequence[str]) -> None:
        """Add the regions, each with the replica of the customer's key there, if there is a customer's key.

        Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ReplicateSecretToRegions.html
        """
        with translated():
            self._secrets.replicate_secret_to_regions(
                SecretId=user.secret_name, AddReplicaRegions=[self._replica(region) for region in regions]
            )

    def _replica(self, region: str) -> "ReplicaRegionTypeTypeDef":
        if not self._kms_key:
            return {"Region": region}
        partition, service, _, account, key = self._kms_key.split(":")[1:]
        return {"Region": region, "KmsKeyId": f"arn:{partition}:{service}:{region}:{account}:{key}"}

    def register(self, user: UserName, function: str, days: int) -> None:
        """Configure rotation; Secrets Manager calls only testSecret now."""
        with translated(_in_wrong_state()):
            self._secrets.rotate_secret(
                SecretId=user.secret_name,
                RotationLambdaARN=function,
                RotationRules={"AutomaticallyAfterDays": days},
                RotateImmediately=False,
            )

    def give_up(self, user: UserName) -> None:
        """Leave the secret to its readers; one that is gone needs nothing."""
        name = user.secret_name
        with translated(_in_wrong_state()), unless(NOT_FOUND):
            with unless(IN_WRONG_STATE):
                self._secrets.cancel_rotate_secret(SecretId=name)
            self._secrets.untag_resource(SecretId=name, TagKeys=[OWNER_TAG])

    def stage(self, version: str, credential: Credential) -> None:
        """Store the credential; the same value under the same version is stored once."""
        value = {
            "Version": FORM,
            "AccessKeyId": credential.access_key_id,
            "SecretAccessKey": credential.secret_access_key,
            "UserName": credential.user,
            "CreatedAt": credential.created.isoformat(),
        }
        try:
            self._secrets.put_secret_value(
                SecretId=credential.user.secret_name,
                ClientRequestToken=version,
                SecretString=json.dumps(value),
                VersionStages=[Label.PENDING],
            )
        except ClientError as error:
            taken = VersionTakenError(f"the version {version} has another value", code=VERSION_EXISTS)
            expected = {VERSION_EXISTS: taken, **_in_wrong_state()}
            # without a cause: the chain would lead to the parameters of the call
            raise expected.get(code_of(error), upstream(error)) from None
        except (BotoCoreError, ResponseParserError) as error:
            raise upstream(error) from None

    def promote(self, user: UserName, version: str, *, expected: str | None) -> None:
        """Compare and swap AWSCURRENT."""
        previous: dict[str, str] = {"RemoveFromVersionId": expected} if expected else {}
        self._move(user, Label.CURRENT, {"MoveToVersionId": version, **previous})

    def drop_pending(self, user: UserName, version: str) -> None:
        """Remove AWSPENDING from the version."""
        self._move(user, Label.PENDING, {"RemoveFromVersionId": version})

    def _move(self, user: UserName, label: Label, versions: dict[str, str]) -> None:
        moved = LabelMovedError(f"{label} of {user} is elsewhere", code=LABEL_IS_ELSEWHERE)
        with translated({LABEL_IS_ELSEWHERE: moved, **_in_wrong_state()}):
            self._secrets.update_secret_version_stage(SecretId=user.secret_name, VersionStage=label, **versions)


def _denied_to_others(sid: str, actions: Sequence[str], principals: Sequence[str]) -> dict[str, Any]:
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": list(actions),
        "Resource": "*",
        "Condition": {"ArnNotEquals": {"aws:PrincipalArn": list(principals)}},
    }


def _restriction(text: str | None) -> Restriction:
    if not text:
        return Restriction()
    found, other = dict[str, tuple[str, ...]](), list[Any]()
    try:
        statements = json.loads(text)["Statement"]
        for statement in statements if isinstance(statements, list) else [statements]:
            principals = _principals(statement)
            if principals and statement["Sid"] not in found:
                found[statement["Sid"]] = principals
            else:
                other.append(statement)
    except (ValueError, KeyError, TypeError):
        return Restriction(other=text)
    rest = json.dumps(other, sort_keys=True) if other else ""
    return Restriction(found.get(READING[0], ()), found.get(EDITING[0], ()), rest)


def _principals(statement: Any) -> tuple[str, ...]:
    """The principals that a statement of ours excepts; empty for a statement that is not exactly ours."""
    try:
        condition = statement["Condition"]
        listed = condition["ArnNotEquals"]["aws:PrincipalArn"]
        principals = (listed,) if isinstance(listed, str) else tuple(sorted(listed))
        operator = {**condition["ArnNotEquals"], "aws:PrincipalArn": list(principals)}
        normal = {**statement, "Condition": {**condition, "ArnNotEquals": operator}}
    except (KeyError, TypeError):
        return ()
    ours = [_denied_to_others(*kind, principals) for kind in (READING, EDITING)]
    return principals if normal in ours else ()


def _in_wrong_state() -> dict[str, StewardError]:
    text = "Secrets Manager refuses: the secret is scheduled for deletion, or a rotation of it is not complete"
    return {IN_WRONG_STATE: ConflictError(text, code=IN_WRONG_STATE)}


def _secret(shown: "DescribeSecretResponseTypeDef") -> Secret:
    known = {label.value for label in Label}
    return Secret(
        arn=shown["ARN"],
        owner=next((tag.get("Value") for tag in shown.get("Tags", []) if tag.get("Key") == OWNER_TAG), None),
        deleted=shown.get("DeletedDate") is not None,
        labels={
            Label(label): version
            for version, labels in shown.get("VersionIdsToStages", {}).items()
            for label in labels
            if label in known
        },
        replicas={
            replica["Region"]: replica.get("Status") == "InSync" for replica in shown.get("ReplicationStatus", [])
        },
        rotation_function=shown.get("RotationLambdaARN") if shown.get("RotationEnabled") else None,
        rotates_by=shown.get("NextRotationDate"),
    )


def _content(user: UserName, text: str | None) -> Credential | Content:
    """Parse a value; no error ever quotes it."""
    try:
        value = json.loads(text or "")
        if value.get("AccessKeyId") is None and value["UserName"] == user:
            return Content.PLACEHOLDER
        key_id, material = value["AccessKeyId"], value["SecretAccessKey"]
        created = datetime.fromisoformat(value["CreatedAt"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return Content.UNREADABLE
    if value.get("UserName") != user or not isinstance(key_id, str) or not isinstance(material, str):
        return Content.UNREADABLE
    return Credential(user, key_id, material, created)
