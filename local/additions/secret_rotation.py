"""RotateSecret in its four steps: createSecret, setSecret, testSecret, finishSecret.

MiniStack copies the current value into a new version and promotes that; the rotation function is never called. Here
the function is invoked under its own role, if its policy lets Secrets Manager do so; a failed step leaves AWSPENDING
where it is; ``RotateImmediately=false`` runs testSecret alone; and the end is told as an event.

A failed rotation is tried again by the next RotateSecret alone, and no schedule fires: on AWS both happen by
themselves. NextRotationDate is told for rules in days and for ``rate(…)``, not for ``cron(…)``.

Sources: AWS Secrets Manager user guide, "Rotation by Lambda function" and "Log AWS Secrets Manager events with AWS
CloudTrail"; API reference, RotateSecret and CancelRotateSecret.
"""

import asyncio
import json
import re
import time
import uuid
from typing import TYPE_CHECKING, Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import eventbridge, lambda_svc, secretsmanager

from local import secrets_manager
from local.scratch_account import Reply, decoded, scratch_account
from local.secrets_manager import not_found, refusal, success

if TYPE_CHECKING:
    from collections.abc import Sequence

GAP = "the four steps of RotateSecret"
RELIES_ON = (
    "core.iam_evaluator.EvalContext",
    "core.iam_evaluator.evaluate_resource_policy",
    "services.eventbridge._put_events",
    "services.lambda_svc._execute_function_with_config_scope",
    "services.lambda_svc._execution_record_for_config",
    "services.lambda_svc._get_func_record_for_ref",
    "services.secretsmanager._create_secret",
    "services.secretsmanager._delete_secret",
    "services.secretsmanager._describe_secret",
    "services.secretsmanager._find_stage_version",
    "services.secretsmanager._is_replica",
    "services.secretsmanager._remove_stage",
    "services.secretsmanager._resolve",
    "services.secretsmanager._rotate_secret",
    "services.secretsmanager._sync_replicas",
    "services.secretsmanager.handle_request",
    *secrets_manager.RELIES_ON,
)
REPLACES = ("services.secretsmanager._rotate_secret",)

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")

_SERVICE = "secretsmanager.amazonaws.com"
_SECONDS = {"hour": 3600, "hours": 3600, "day": 86400, "days": 86400}
_RATE = re.compile(r"rate\((\d+) (hours?|days?)\)")
_OK = 200

type Request = dict[str, Any]
type Secret = dict[str, Any]

_tasks: set[asyncio.Task[None]] = set()
_running: set[str] = set()


def is_still_missing() -> bool:
    """Whether a rotation without a function succeeds."""
    with scratch_account():
        secretsmanager._create_secret({"Name": "probe", "SecretString": "-"})
        reply = secretsmanager._rotate_secret({"SecretId": "probe"})
        secretsmanager._delete_secret({"SecretId": "probe", "ForceDeleteWithoutRecovery": True})
    return bool(reply[0] == _OK)


def install() -> None:
    """Replace RotateSecret, add CancelRotateSecret, and return the dates of rotation."""
    describe, handle_request = secretsmanager._describe_secret, secretsmanager.handle_request

    def describe_secret(request: Request) -> Reply:
        reply: Reply = describe(request)
        _, secret = secretsmanager._resolve(request.get("SecretId"))
        if reply[0] != _OK or not secret:
            return reply
        dates = {name: secret[name] for name in ("LastRotatedDate", "NextRotationDate") if secret.get(name)}
        return success(decoded(reply) | dates)

    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Reply:
        if headers.get("x-amz-target", "").endswith(".CancelRotateSecret"):
            return _cancel_rotate_secret(json.loads(body))
        reply: Reply = await handle_request(method, path, headers, body, query)
        return reply

    secretsmanager._rotate_secret = _rotate_secret
    secretsmanager._describe_secret = describe_secret
    secretsmanager.handle_request = handle


def _rotate_secret(request: Request) -> Reply:
    _, secret = secretsmanager._resolve(request.get("SecretId"))
    if not secret:
        return not_found()
    function = request.get("RotationLambdaARN") or secret.get("RotationLambdaARN")
    refused = _refused(secret, function)
    if refused:
        return refused
    token = request.get("ClientRequestToken") or str(uuid.uuid4())
    pending, _ = secretsmanager._find_stage_version(secret, "AWSPENDING")
    current, _ = secretsmanager._find_stage_version(secret, "AWSCURRENT")
    if pending and pending not in (token, current):
        _start(function, secret["ARN"], pending, STEPS)
        return _invalid("A previous rotation isn't complete. That rotation will be reattempted.")
    secret["RotationLambdaARN"], secret["RotationEnabled"] = function, True
    secret["RotationRules"] = request.get("RotationRules") or secret.get("RotationRules")
    secret["NextRotationDate"] = _next_rotation(secret, int(time.time()))
    if pending and pending != token:
        secretsmanager._remove_stage(secret, pending, "AWSPENDING")
    _stage_empty_version(secret, token)
    _start(function, secret["ARN"], token, STEPS if request.get("RotateImmediately", True) else STEPS[2:3])
    return success({"ARN": secret["ARN"], "Name": secret["Name"], "VersionId": token})


def _refused(secret: Secret, function: str | None) -> Reply | None:
    """Why a secret cannot be rotated by a function, as an answer."""
    if secret.get("DeletedDate"):
        return _invalid("You can't perform this operation on the secret because it was marked for deletion.")
    if secretsmanager._is_replica(secret):
        return _invalid("You can't perform this operation on a replica secret.")
    if not function:
        return _invalid("No Lambda rotation function ARN is associated with this secret.")
    if not _may_invoke(function, secret["ARN"]):
        return refusal(
            "AccessDeniedException",
            "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants "
            f"access to the principal {_SERVICE}.",
        )
    return None


def _cancel_rotate_secret(request: Request) -> Reply:
    _, secret = secretsmanager._resolve(request.get("SecretId"))
    if not secret:
        return not_found()
    secret["RotationEnabled"], secret["NextRotationDate"] = False, None
    pending, _ = secretsmanager._find_stage_version(secret, "AWSPENDING")
    return success({"ARN": secret["ARN"], "Name": secret["Name"]} | ({"VersionId": pending} if pending else {}))


def _stage_empty_version(secret: Secret, token: str) -> None:
    """Give AWSPENDING to the version of this token, which has no value yet unless it was staged before."""
    empty: Secret = {"SecretString": None, "SecretBinary": None, "CreatedDate": int(time.time()), "Stages": []}
    version = secret["Versions"].setdefault(token, empty)
    if not {"AWSPENDING", "AWSCURRENT"} & set(version["Stages"]):
        version["Stages"].append("AWSPENDING")


def _may_invoke(function: str, secret_arn: str) -> bool:
    """Whether the function exists and its policy lets Secrets Manager invoke it for this secret."""
    record, _, _ = lambda_svc._get_func_record_for_ref(function)
    if not record:
        return False
    context = iam_evaluator.EvalContext(
        principal_arn=_SERVICE,
        principal_type="Service",
        principal_account=get_account_id(),
        action="lambda:InvokeFunction",
        resource_arn=function,
        region=get_region(),
        service_context={"aws:sourceaccount": get_account_id(), "aws:sourcearn": secret_arn},
    )
    decision = iam_evaluator.evaluate_resource_policy(record["policy"], context, service=_SERVICE).decision
    return bool(decision == "Allow")


def _start(function: str, secret_arn: str, token: str, steps: "Sequence[str]") -> None:
    """Run the steps beside the server, as the answer to RotateSecret does not wait for them."""
    if secret_arn in _running:
        return
    _running.add(secret_arn)
    run = asyncio.to_thread(_rotate, get_account_id(), get_region(), function, secret_arn, token, steps)
    task = asyncio.get_running_loop().create_task(run)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


def _rotate(account: str, region: str, function: str, secret_arn: str, token: str, steps: "Sequence[str]") -> None:
    test_only, kind = len(steps) == 1, "Rotation" if len(steps) > 1 else "TestRotation"
    try:
        with request_scope(account, region):
            _tell(f"{kind}Started", secret_arn)
            failure = next(filter(None, (_run(function, secret_arn, token, step) for step in steps)), None)
            _, secret = secretsmanager._resolve(secret_arn)
            if secret is None:
                return
            if test_only:
                secretsmanager._remove_stage(secret, token, "AWSPENDING")
            elif not failure:
                failure = _conclude(secret, token)
            _tell(f"{kind}Failed" if failure else f"{kind}Succeeded", secret_arn, failure)
    finally:
        _running.discard(secret_arn)


def _run(function: str, secret_arn: str, token: str, step: str) -> str | None:
    """Invoke the function for one step; what went wrong, or ``None``."""
    record, configuration, name = lambda_svc._get_func_record_for_ref(function)
    if not record:
        return f"{step}: the function {name} does not exist"
    payload = {"Step": step, "SecretId": secret_arn, "ClientRequestToken": token}
    result = lambda_svc._execute_function_with_config_scope(
        lambda_svc._execution_record_for_config(record, configuration), payload
    )
    return f"{step}: {result.get('body')}" if result.get("error") else None


def _conclude(secret: Secret, token: str) -> str | None:
    current, _ = secretsmanager._find_stage_version(secret, "AWSCURRENT")
    if current != token:
        return "finishSecret: AWSCURRENT is not on the new version"
    secret["LastRotatedDate"] = int(time.time())
    secret["NextRotationDate"] = _next_rotation(secret, secret["LastRotatedDate"])
    secretsmanager._sync_replicas(secret)
    return None


def _next_rotation(secret: Secret, since: int) -> int | None:
    """The time of the next rotation by the rules, in seconds of the epoch; ``None`` without rules that give one."""
    rules = secret.get("RotationRules") or {}
    if days := rules.get("AutomaticallyAfterDays"):
        return since + int(days) * _SECONDS["days"]
    rate = _RATE.fullmatch(rules.get("ScheduleExpression", ""))
    return since + int(rate[1]) * _SECONDS[rate[2]] if rate else None


def _tell(name: str, secret_arn: str, failure: str | None = None) -> None:
    detail = {
        "eventVersion": "1.11",
        "eventType": "AwsServiceEvent",
        "eventSource": _SERVICE,
        "eventName": name,
        "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "eventID": str(uuid.uuid4()),
        "awsRegion": get_region(),
        "recipientAccountId": get_account_id(),
        "userIdentity": {"accountId": get_account_id(), "invokedBy": _SERVICE},
        "additionalEventData": {"SecretId": secret_arn},
    } | ({"errorMessage": failure} if failure else {})
    entry = {
        "Source": "aws.secretsmanager",
        "DetailType": "AWS Service Event via CloudTrail",
        "Detail": json.dumps(detail),
        "EventBusName": "default",
    }
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


def _invalid(message: str) -> Reply:
    return refusal("InvalidRequestException", message)
