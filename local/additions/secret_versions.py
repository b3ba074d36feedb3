"""Versions of secrets: named by the caller's token, never overwritten, and empty until they have a value.

MiniStack ignores the ClientRequestToken and the replica regions of CreateSecret, overwrites a version that has the
token of a new value, lets two versions carry AWSPENDING, and answers for a version without a value.

Sources: AWS Secrets Manager API reference, CreateSecret, PutSecretValue and GetSecretValue.
"""

from typing import Any

from ministack.services import secretsmanager

from local import secrets_manager
from local.scratch_account import Reply, decoded, scratch_account
from local.secrets_manager import refusal, success

GAP = "versions of secrets that the caller's token names"
RELIES_ON = (
    "services.secretsmanager._create_secret",
    "services.secretsmanager._delete_secret",
    "services.secretsmanager._find_stage_version",
    "services.secretsmanager._get_secret_value",
    "services.secretsmanager._put_secret_value",
    "services.secretsmanager._remove_stage_everywhere",
    "services.secretsmanager._replicate_secret_to_regions",
    "services.secretsmanager._resolve",
    "services.secretsmanager._secrets",
    *secrets_manager.RELIES_ON,
)

_MOVED_BY_PROMOTION = frozenset({"AWSCURRENT", "AWSPREVIOUS"})
_OK = 200

type Request = dict[str, Any]
type Secret = dict[str, Any]
type Version = dict[str, Any]


def is_still_missing() -> bool:
    """Whether CreateSecret names the version by itself."""
    with scratch_account():
        reply = secretsmanager._create_secret({"Name": "probe", "SecretString": "-", "ClientRequestToken": "token"})
        secretsmanager._delete_secret({"SecretId": "probe", "ForceDeleteWithoutRecovery": True})
    return bool(decoded(reply)["VersionId"] != "token")


def install() -> None:
    """Replace the three calls that make and read versions."""
    _name_what_is_created()
    _keep_what_is_put()
    _answer_for_values_alone()


def _name_what_is_created() -> None:
    create = secretsmanager._create_secret

    def create_secret(request: Request) -> Reply:
        known, token = secretsmanager._secrets.get(request.get("Name")), request.get("ClientRequestToken")
        if known:
            return _created_before(known, token, request)
        reply: Reply = create(request)
        return _named_by_the_caller(request, token) if reply[0] == _OK else reply

    secretsmanager._create_secret = create_secret


def _keep_what_is_put() -> None:
    put = secretsmanager._put_secret_value

    def put_secret_value(request: Request) -> Reply:
        _, secret = secretsmanager._resolve(request.get("SecretId"))
        token = request.get("ClientRequestToken")
        if secret and not secret.get("DeletedDate"):
            known = secret["Versions"].get(token)
            if known and _has_value(known):
                return _put_before(secret, str(token), known, request)
            for label in request.get("VersionStages") or []:
                if label not in _MOVED_BY_PROMOTION:
                    secretsmanager._remove_stage_everywhere(secret, label)
        reply: Reply = put(request)
        return reply

    secretsmanager._put_secret_value = put_secret_value


def _answer_for_values_alone() -> None:
    get = secretsmanager._get_secret_value

    def get_secret_value(request: Request) -> Reply:
        reply: Reply = get(request)
        if reply[0] != _OK:
            return reply
        answer, stage = decoded(reply), request.get("VersionStage")
        if stage and stage not in answer["VersionStages"]:
            return _no_value(f"VersionId: {answer['VersionId']} and staging label: {stage}")
        if not answer.keys() & {"SecretString", "SecretBinary"}:
            named = request.get("VersionId")
            return _no_value(f"VersionId: {named}" if named else f"staging label: {stage or 'AWSCURRENT'}")
        return reply

    secretsmanager._get_secret_value = get_secret_value


def _named_by_the_caller(request: Request, token: str | None) -> Reply:
    """The answer for a secret that was just made: its version has the caller's name, or there is none yet."""
    secret = secretsmanager._secrets[request["Name"]]
    (made,) = secret["Versions"]
    version = secret["Versions"].pop(made)
    answer = {"ARN": secret["ARN"], "Name": secret["Name"]}
    if _has_value(version):
        answer["VersionId"] = token or made
        secret["Versions"][answer["VersionId"]] = version
    if regions := request.get("AddReplicaRegions"):
        replication = {"SecretId": secret["ARN"], "AddReplicaRegions": regions}
        reply: Reply = secretsmanager._replicate_secret_to_regions(replication)
        if reply[0] != _OK:
            secretsmanager._delete_secret({"SecretId": secret["ARN"], "ForceDeleteWithoutRecovery": True})
            return reply
        answer["ReplicationStatus"] = decoded(reply)["ReplicationStatus"]
    return success(answer)


def _created_before(secret: Secret, token: str | None, request: Request) -> Reply:
    """The answer to CreateSecret for a name that is taken: the same call again, or a refusal."""
    if secret.get("DeletedDate"):
        return refusal(
            "InvalidRequestException",
            "You can't create this secret because a secret with this name is already scheduled for deletion.",
        )
    known = secret["Versions"].get(token)
    if known and _same_value(known, request):
        answer = {"ARN": secret["ARN"], "Name": secret["Name"], "VersionId": token}
        return success(answer)
    return refusal(
        "ResourceExistsException", f"The operation failed because the secret {secret['Name']} already exists."
    )


def _put_before(secret: Secret, token: str, known: Version, request: Request) -> Reply:
    """The answer to PutSecretValue for a version that has a value: the same call again, or a refusal."""
    if not _same_value(known, request):
        return refusal(
            "ResourceExistsException",
            f"You can't use ClientRequestToken {token} because that value is already in use for a version of "
            f"secret {secret['ARN']}.",
        )
    answer = {"ARN": secret["ARN"], "Name": secret["Name"], "VersionId": token, "VersionStages": known["Stages"]}
    return success(answer)


def _has_value(version: Version) -> bool:
    return version["SecretString"] is not None or version["SecretBinary"] is not None


def _same_value(version: Version, request: Request) -> bool:
    return bool(
        version["SecretString"] == request.get("SecretString")
        and version["SecretBinary"] == request.get("SecretBinary")
    )


def _no_value(which: str) -> Reply:
    return refusal("ResourceNotFoundException", f"Secrets Manager can't find the specified secret value for {which}")
