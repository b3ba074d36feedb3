"""The other two headlines, shown on the deployed stack: a key that rotates under a client, and drift that is reverted.

The steward's own schedules and queues do the work; nothing here is a shortcut but the first run of two schedules.
A tag of the demonstration's role records that all was shown, so that the next start changes nothing; a demonstration
that was interrupted is shown again.
"""

import contextlib
import json
import re
import shlex
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
import botocore.exceptions
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

from local.errors import LocalAwsError
from local.stack import Stack, session

if TYPE_CHECKING:
    from local.server import Server

USER, ROLE = "ecr-push", "demo-deployer"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
PLANNER, TOPIC = "RotationPlanner", "AlertTopic"
_QUEUE, _SHOWN = "demo-alerts", "demonstrated"
_TITLE = re.compile(r"(CRITICAL|HIGH|MEDIUM|LOW): ")
_PRINTED = ("Added", "For example", "Reason", "Who")
_SECONDS = 90
_POLL_SECONDS = 0.3

type Say = Callable[[str], None]


def has_headlines(stack: Stack) -> bool:
    """Whether the stack has what the headlines need: service users, drift and alerts."""
    return {PLANNER, TOPIC, "DriftScan"} <= stack.physical_ids.keys()


@dataclass
class Client(threading.Thread):
    """A consumer: reads the secret before each use, and authenticates with the key that it holds."""

    server: "Server"
    uses: int = 0
    refused: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        """Prepare the thread."""
        super().__init__(daemon=True)

    __hash__ = threading.Thread.__hash__

    def run(self) -> None:
        """Use the key a few times a second."""
        secrets = session(self.server).client("secretsmanager", endpoint_url=self.server.endpoint)
        while not self.ended.wait(0.2):
            value = json.loads(secrets.get_secret_value(SecretId=f"steward/service-users/{USER}")["SecretString"])
            self._use(value["AccessKeyId"], value["SecretAccessKey"])

    def _use(self, access_key_id: str, secret_access_key: str) -> None:
        self.uses += 1
        if access_key_id not in self.keys:
            self.keys.append(access_key_id)
        ecr = boto3.client(
            "ecr",
            endpoint_url=self.server.endpoint,
            region_name=self.server.region,
            aws_access_key_id=access_key_id,
            aws_secret_access_key=secret_access_key,
        )
        try:
            ecr.get_authorization_token()
        except botocore.exceptions.ClientError as error:
            self.refused.append(f"{access_key_id}: {error}")


class Headlines:
    """What is shown, in the order of the methods: from :meth:`were_shown` to :meth:`finish`."""

    def __init__(self, server: "Server", stack: Stack, say: Say) -> None:
        self._server = server
        self._stack = stack
        self._say = say
        self._alerts = self._subscription = ""
        self._client = Client(server)

    def were_shown(self) -> bool:
        """Whether an earlier start has shown all of it on this stack."""
        iam = self._of("iam")
        try:
            role = iam.get_role(RoleName=ROLE)["Role"]
        except iam.exceptions.NoSuchEntityException:
            return False
        return any(tag["Key"] == _SHOWN for tag in role.get("Tags", []))

    def prepare(self) -> None:
        """Make the demonstration's role, subscribe to the alerts, and start what the schedules start on AWS."""
        iam = self._of("iam")
        trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
            iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=document)
        with contextlib.suppress(iam.exceptions.NoSuchEntityException):
            iam.detach_role_policy(RoleName=ROLE, PolicyArn=ADMINISTRATOR)
        self._alerts, self._subscription = self._subscribe()
        self._call("POST", "/drift/scans")
        answer = self._of("lambda").invoke(FunctionName=self._stack.physical_ids[PLANNER], Payload=b"{}")
        _expect("FunctionError" not in answer, "the planner of rotations failed; see make logs")

    def start_rotation(self) -> str:
        """Wait for the first key, start a client that uses it, and request a rotation; the key that it replaces."""
        self._until("the first keys", self._has_key)
        user = self._call("GET", f"/service-users/{USER}")[1]
        current = self._current()
        self._say(f"the steward made the first keys: {USER} has {current}, and its secret holds it")
        if len(user["keys"]) > 1:
            return ""
        self._client.start()
        status, answer = self._call("POST", f"/service-users/{USER}/rotation", {"reason": "routine"})
        _expect(status == 202, f"POST /service-users/{USER}/rotation was answered {status}: {json.dumps(answer)}")  # noqa: PLR2004 - accepted
        self._say(f"POST /service-users/{USER}/rotation, while a client uses the key: accepted (202)")
        return current

    def show_drift(self) -> None:
        """Grant an administrator policy, print the alert that comes, run the commands that it names."""
        self._until("the first baseline", lambda: self._call("GET", "/drift/baseline")[0] == 200)  # noqa: PLR2004 - OK
        self._of("sqs").purge_queue(QueueUrl=self._alerts)  # of a demonstration that was interrupted
        began = time.monotonic()
        self._of("iam").attach_role_policy(RoleName=ROLE, PolicyArn=ADMINISTRATOR)
        alert = self._alert("Policy drift", "To revert:")
        self._say(f"AdministratorAccess attached to the role {ROLE}: this alert came after {_since(began)}")
        for line in alert.partition("To revert:")[0].splitlines():
            if line.startswith(_PRINTED) or _TITLE.match(line):
                self._say(f"    {line}")
        self._say("    To revert:")
        commands = [line.strip() for line in alert.partition("To revert:\n")[2].splitlines()]
        began = time.monotonic()
        for command in commands[: commands.index("")]:
            self._run(command)
            self._say(f"    $ {command}")
        self._alert("esolved", ROLE)
        self._say(f"the command of the alert took it back; the steward reported it resolved after {_since(began)}")

    def show_rotation(self, replaced: str) -> None:
        """Wait until the new key is current, and say what the client saw of it."""
        if not replaced:
            self._say(f"{USER} has rotated before, and its old key is kept until nobody uses it")
            return
        self._until("the rotation", lambda: self._current() != replaced)
        new = self._current()
        self._until("the client's use of the new key", lambda: new in self._client.keys)
        self._client.ended.set()
        self._client.join(timeout=10)
        refused = self._client.refused
        _expect(not refused, f"the client was refused {len(refused)} times during the rotation: {refused[:1]}")
        self._say(f"rotated to {new}: the client used {self._client.uses} times a key of the secret, refused 0")

    def finish(self) -> None:
        """Remove the subscription with its queue, and record that all was shown."""
        self._of("sns").unsubscribe(SubscriptionArn=self._subscription)
        self._of("sqs").delete_queue(QueueUrl=self._alerts)
        self._of("iam").tag_role(RoleName=ROLE, Tags=[{"Key": _SHOWN, "Value": "true"}])

    def _subscribe(self) -> tuple[str, str]:
        """The URL of a queue that receives every alert as text, and the ARN of its subscription."""
        sqs, topic = self._of("sqs"), self._stack.physical_ids[TOPIC]
        url = str(sqs.create_queue(QueueName=_QUEUE)["QueueUrl"])
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        subscribed = self._of("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        return url, str(subscribed["SubscriptionArn"])

    def _alert(self, *texts: str) -> str:
        """The text of the next mail in which all of these stand."""
        sqs, deadline = self._of("sqs"), time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            for message in sqs.receive_message(QueueUrl=self._alerts, WaitTimeSeconds=1).get("Messages", []):
                sqs.delete_message(QueueUrl=self._alerts, ReceiptHandle=message["ReceiptHandle"])
                text = str(json.loads(message["Body"])["Message"])
                if ROLE in text and "\n" in text and all(part in text for part in texts):
                    return text
        raise LocalAwsError(
            f"The demonstration failed: no alert with {texts[0]!r} came in {_SECONDS} s; see make logs."
        )

    def _run(self, command: str) -> None:
        """Run a command of the AWS CLI without it, so that the demonstration does not depend on an installed one."""
        program, service, operation, *options = shlex.split(command)
        _expect(program == "aws", f"the alert names another program than the AWS CLI: {command}")
        names = ["".join(map(str.capitalize, option.removeprefix("--").split("-"))) for option in options[::2]]
        getattr(self._of(service), operation.replace("-", "_"))(**dict(zip(names, options[1::2], strict=True)))

    def _has_key(self) -> bool:
        status, user = self._call("GET", f"/service-users/{USER}")
        return status == 200 and any(key["promoted_at"] for key in user["keys"])  # noqa: PLR2004 - OK

    def _current(self) -> str:
        secrets = self._of("secretsmanager")
        value = secrets.get_secret_value(SecretId=f"steward/service-users/{USER}")["SecretString"]
        return str(json.loads(value)["AccessKeyId"])

    def _until(self, what: str, reached: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _SECONDS
        while not reached():
            if time.monotonic() > deadline:
                raise LocalAwsError(f"The demonstration failed: {what} did not come in {_SECONDS} s; see make logs.")
            time.sleep(_POLL_SECONDS)

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """The status and the document of the API's answer to the operator."""
        data = json.dumps(body).encode() if body is not None else b""
        headers = {"Content-Type": "application/json"} if body is not None else {}
        request = AWSRequest(method, f"{self._stack.api_url}{path}", data=data, headers=headers)
        credentials = Credentials(self._server.access_key_id, self._server.secret_access_key)
        SigV4Auth(credentials, "execute-api", self._server.region).add_auth(request)
        reply = URLLib3Session().send(request.prepare())
        return reply.status_code, json.loads(reply.content)

    def _of(self, service: str) -> Any:
        return session(self._server).client(service, endpoint_url=self._server.endpoint)  # type: ignore[call-overload]


def _since(began: float) -> str:
    return f"{time.monotonic() - began:.1f} s"


def _expect(is_so: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not is_so:
        raise LocalAwsError(f"The demonstration failed: {otherwise}.")
