"""Trying the work of the functions that rotate access keys, on users in every state that needs one of their rights."""

import json
import uuid
from contextlib import suppress

from tests.local.aws.functions import deploy_function
from tests.local.aws.launched import ACCOUNT, REGION
from tests.local.conftest import TARGETS_KEY
from tests.local.service_users import LONG_AGO, ServiceUsers, secret_of

FUNCTIONS = {
    "RotationPlannerRole": "RotationPlanner",
    "RotationWorkerRole": "RotationWorker",
    "SecretRotationRole": "SecretRotation",
    "AccessKeysRole": "AccessKeys",
    "ExposedKeyRole": "ExposedKey",
    "SecretProofRole": "SecretProof",
    "SecretSyncRole": "SecretSync",
}
FAILED = "failed"
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")


class RotationProbes:
    """Probes of the deployed functions, by the user that they meet."""

    def __init__(self, stack, rights, kms_key):
        self._stack = stack
        self._physical = rights.physical
        self._lambda = stack.aws.client("lambda")
        self._secrets = stack.aws.client("secretsmanager")
        self._users = ServiceUsers(stack, rights.physical["RotationState"], kms_key)
        self._idle = self._function_that_does_nothing()
        self._told = stack.aws.queue_of({"detail-type": ["AccessKeyRotationDue"]}, bus="steward")

    def prepare(self, probe):
        """Nothing: a probe makes what it meets."""

    def run(self, role, probe):  # noqa: C901, PLR0911, PLR0912 - a table, in the form of a match
        """Whether the function that has the role does its work."""
        match probe:
            case "a user that is due":
                self._users.without_key()
                return self._invoke(role, {}) != FAILED
            case "a user without a key":
                return self._is_worked_on(role, self._users.without_key())
            case "a rotation by Secrets Manager":
                return self._rotates_by_steps(role)
            case "a key whose use is not known":
                return self._is_worked_on(role, self._users.with_key()[0])
            case "a leaked key":
                name, leaked = self._users.with_superseded_key(compromised=True)
                return self._is_worked_on(role, name) and self._users.status(name, leaked) == "Inactive"
            case "a leaked key of a user that AWS quarantines":
                return self._names_the_quarantine(role)
            case "a leaked key of a user whose lock cannot be had":
                return self._stops_without_lock(role)
            case "a key whose quarantine is over":
                name, old = self._users.with_superseded_key(active=False, deactivated_at=LONG_AGO, announced=True)
                return self._is_worked_on(role, name) and self._users.status(name, old) is None
            case "a key that may be an orphan":
                return self._is_worked_on(role, self._lost_a_key())
            case "a secret without its replica":
                return self._is_worked_on(role, self._users.with_key()[0])
            case "a secret for certain readers":
                return self._is_worked_on(role, self._users.with_key("closed")[0])
            case "a secret that is open again":
                name, _ = self._users.with_key()
                self._restrict(name)
                return self._is_worked_on(role, name)
            case "a user that is not enrolled any more":
                name = self._users.not_enrolled_any_more()
                self._is_worked_on(role, name)
                return not self._users.is_remembered(name)
            case "targets without the current key":
                return self._synced(role)
            case "targets in CI systems and under a role":
                return self._relayed(role)
            case "a key that drains, with targets of secret sync":
                name, older = self._users.with_superseded_key(prefix="synced")
                current = {"promoted_at": LONG_AGO, "adopted_at": LONG_AGO}
                keys = {self._users.current(name)[1]: current, older: {"superseded_at": LONG_AGO}}
                self._users.remember(name, keys=keys)
                self._is_worked_on(role, name)  # makes the replica, which comes first
                return self._is_worked_on(role, name)
            case "an enrolment":
                return self._call("POST", f"/{self._users.elsewhere()}/enrolment").status == 202
            case "a departure":
                name, _ = self._users.with_key(promoted_at=LONG_AGO)
                return self._call("DELETE", f"/{name}/enrolment").status == 200
            case "the keys of the account":
                return self._stack.call("GET", "/access-keys", self._stack.key()).status == 200
            case "the count of keys":
                return self._invoke(role, {"detail-type": "Scheduled Event"}) != FAILED
            case "all users":
                return self._call("GET", "").status == 200
            case "a user with targets of secret sync":
                return self._shows_targets()
            case "a user with a superseded key":
                name, _ = self._users.with_superseded_key()
                return self._call("GET", f"/{name}").status == 200
            case "a rotation on demand":
                name, key = self._users.with_key(promoted_at=LONG_AGO)
                return self._call("POST", f"/{name}/rotation", {"reason": "routine", "key_id": key}).status == 202
            case "a reactivation":
                name, _ = self._users.with_superseded_key(active=False, deactivated_at=LONG_AGO)
                return self._call("POST", f"/{name}/reactivation", {"reason": "a consumer broke"}).status == 200
            case "a service user's key":
                return self._exposure_is_told(role, *self._users.with_key())
            case "a secret that authenticates":
                return self._proves(role, works=True)
            case "a restricted secret that authenticates":
                return self._proves(role, works=True, readers="a fingerprint")
            case "a secret that does not authenticate":
                return self._proves(role, works=False)
            case "a secret with a key that no consumer has used":
                return self._proves(role, works=True, adopted_at=None)
        raise AssertionError(f"no such probe: {probe}")

    def _is_worked_on(self, role, name):
        """Whether the queue's entry, or the last step of Secrets Manager, advances the user without an error."""
        if role == "SecretRotationRole":
            return self._step(role, "finishSecret", name, self._users.version(name))
        return self._invoke(role, queued(name)) == {"batchItemFailures": []}

    def _stops_without_lock(self, role):
        """Whether a key dies whose leak is on record, of a user whose lock is refused at once."""
        name, leaked = self._users.with_superseded_key(compromised=True)
        self._users.spoil_lock(name)
        self._invoke(role, queued(name, "compromised", leaked))
        return self._users.status(name, leaked) == "Inactive"

    def _names_the_quarantine(self, role):
        """Whether the notice of a leak names the policy by which AWS quarantines the user."""
        name, _ = self._users.with_superseded_key(compromised=True)
        self._users.quarantine(name)
        return self._is_worked_on(role, name) and "AWSCompromisedKeyQuarantineV3" in self._users.notice(name)

    def _rotates_by_steps(self, role):
        """The four steps, for an empty version that RotateSecret made for a function that leaves it alone."""
        name, before = self._users.with_key()
        token = self._secrets.rotate_secret(SecretId=secret_of(name), RotationLambdaARN=self._idle)["VersionId"]
        done = all(self._step(role, step, name, token) for step in STEPS)
        version, key = self._users.current(name)
        return done and version == token and key != before

    def _step(self, role, step, name, token):
        arn = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{secret_of(name)}-AbCdEf"
        event = {"Step": step, "SecretId": arn, "ClientRequestToken": token}
        return self._invoke(role, event) is None

    def _lost_a_key(self):
        """A user with a key that appeared after an attempt of ours that died, was listed long ago, and is unused."""
        name, current = self._users.with_key()
        lost = self._users.add_key(name)["AccessKeyId"]
        self._users.remember(name, keys={current: {"promoted_at": LONG_AGO}, lost: {"suspected_at": LONG_AGO}})
        self._users.intend(name, LONG_AGO)
        return name

    def _exposure_is_told(self, role, name, key):
        """Whether the rotation of the key that AWS Health names is asked for on the bus."""
        event = {"id": str(uuid.uuid4()), "detail": {"affectedEntities": [{"entityValue": key}]}}
        return self._invoke(role, event) != FAILED and any(self._asked_for(name))

    def _asked_for(self, name):
        """The rotations of a user that were asked for on the bus since the last look."""
        while told := self._stack.aws.receive(self._told, seconds=1):
            if told["detail"]["data"]["user_name"] == name:
                yield told["detail"]["data"]

    def _restrict(self, name):
        """A restriction that the settings do not have any more."""
        denied = {
            "Sid": "OnlyTheseRead",
            "Effect": "Deny",
            "Principal": "*",
            "Action": ["secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue"],
            "Resource": "*",
            "Condition": {"ArnNotEquals": {"aws:PrincipalArn": [f"arn:aws:iam::{ACCOUNT}:role/former"]}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [denied]})
        self._secrets.put_resource_policy(SecretId=secret_of(name), ResourcePolicy=policy)
        self._users.remember(name, readers="a fingerprint")

    def _proves(self, role, *, works, adopted_at=LONG_AGO, readers=""):
        """Whether the hourly proof finds out about one more user what is so."""
        before = self._invoke(role, {})
        name, key = self._users.with_key(promoted_at=LONG_AGO, adopted_at=adopted_at)
        self._users.remember(name, readers=readers)
        if not works:
            self._stack.aws.client("iam").update_access_key(UserName=name, AccessKeyId=key, Status="Inactive")
        found = self._invoke(role, {})
        self._users.forget(name)
        if FAILED in {before if isinstance(before, str) else "", found if isinstance(found, str) else ""}:
            return False
        if works:  # the worker may give further users their keys meanwhile
            return found["good"] > before["good"] and found["unclear"] == before["unclear"]
        return name in found["bad"]

    def _synced(self, role):
        """Whether a parameter and another secret get the current key of one more user."""
        name, key = self._users.with_key("synced", promoted_at=LONG_AGO)
        self._secrets.create_secret(Name=f"legacy/{name}", SecretString="{}", KmsKeyId=TARGETS_KEY)
        answer = self._invoke(role, {})
        self._users.forget(name)
        ssm = self._stack.aws.client("ssm")
        with suppress(ssm.exceptions.ParameterNotFound):
            held = ssm.get_parameter(Name=f"/legacy/{name}", WithDecryption=True)["Parameter"]["Value"]
            other = self._secrets.get_secret_value(SecretId=f"legacy/{name}")["SecretString"]
            mine = [one for one in answer["failed"] if name in one] if answer != FAILED else [name]
            return not mine and {json.loads(text).get("AccessKeyId") for text in (held, other)} == {key}
        return False

    def _relayed(self, role):
        """Whether GitHub, GitLab, a parameter and a secret under a role get the current key of one more user."""
        name, _ = self._users.with_key("relayed", promoted_at=LONG_AGO)
        self._secrets.create_secret(Name=f"elsewhere/{name}", SecretString="{}")
        answer = self._invoke(role, {})
        shown = self._call("GET", f"/{name}").document["sync"]
        self._users.forget(name)
        return answer != FAILED and [one["state"] for one in shown] == ["confirmed"] * 4

    def _shows_targets(self):
        """Whether the targets of a user are shown with what they confirmed, as far as it is known."""
        name, _ = self._users.with_key("synced", promoted_at=LONG_AGO)
        shown = self._call("GET", f"/{name}").document["sync"]
        self._users.forget(name)
        return bool(shown) and "unknown" not in {one["state"] for one in shown}

    def _call(self, method, path, body=None):
        body = json.dumps(body).encode() if body else None
        return self._stack.call(method, f"/service-users{path}", self._stack.key(), body)

    def _invoke(self, role, event):
        """What the function answers; ``FAILED`` when it does not."""
        function = self._physical[FUNCTIONS[role]]
        answer = self._lambda.invoke(FunctionName=function, Payload=json.dumps(event))
        return FAILED if "FunctionError" in answer else json.loads(answer["Payload"].read())

    def _function_that_does_nothing(self):
        arn = deploy_function(self._stack.aws, "does-nothing", "def handler(event, context):\n    pass\n")
        self._lambda.add_permission(
            FunctionName=arn,
            StatementId="secrets-manager",
            Action="lambda:InvokeFunction",
            Principal="secretsmanager.amazonaws.com",
        )
        return arn


def request_of(key_id, number, by):
    """A routine rotation as the API stores it before it publishes the event."""
    return json.dumps(
        {"key_id": key_id, "reason": "routine", "id": number, "by": by, "session": ""}, separators=(",", ":")
    )


def queued(name, reason="scheduled", key_id=None):
    """The event by which the queue asks for a user's next steps."""
    data = {"user_name": name, "reason": reason, "key_id": key_id, "requested_by": "test"}
    body = {"detail": {"metadata": {"correlation_id": "test"}, "data": data}}
    message = {"messageId": str(uuid.uuid4()), "attributes": {"ApproximateReceiveCount": "1"}, "body": json.dumps(body)}
    return {"Records": [message]}
