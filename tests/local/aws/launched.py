"""A local AWS as users start it, and ways to talk to it.

It is a process of its own, on a free port, with a short environment.
"""

import base64
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass
from pathlib import Path

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

REPOSITORY = Path(__file__).parents[3]
PYTHON = REPOSITORY / ".local" / "venv" / "bin" / "python"
REGION = "ca-central-1"
ACCOUNT = "123456789012"


@dataclass(frozen=True)
class Key:
    """An access key, of a user or of a session."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None


ROOT = Key("AKIAROOTROOTROOTROOT", "root-secret-of-the-tests")


@dataclass(frozen=True)
class Reply:
    """An answer over plain HTTP."""

    status: int
    headers: dict
    body: bytes

    @property
    def document(self):
        return json.loads(self.body)


class LocalAws:
    """The running local AWS, and ways to talk to it."""

    def __init__(self, port, process, root=ROOT):
        self.port = port
        self.process = process
        self.root = root
        self.endpoint = f"http://127.0.0.1:{port}"

    def client(self, service, key=None, region=REGION):
        key = key or self.root
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=region,
            aws_access_key_id=key.access_key_id,
            aws_secret_access_key=key.secret_access_key,
            aws_session_token=key.session_token,
            config=Config(retries={"total_max_attempts": 1}, parameter_validation=False),
        )

    def user(self, *statements, managed=()):
        """The key of a new user with these policy statements and managed policies."""
        iam, name = self.client("iam"), f"user-{uuid.uuid4().hex[:8]}"
        iam.create_user(UserName=name)
        if statements:
            iam.put_user_policy(UserName=name, PolicyName="rights", PolicyDocument=policy(*statements))
        for arn in managed:
            iam.attach_user_policy(UserName=name, PolicyArn=arn)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return Key(key["AccessKeyId"], key["SecretAccessKey"])

    def session(self, *statements, role_name=None, seconds=3600):
        """The key of a session of a new role with these policy statements; it may end sooner than AWS would let it."""
        iam, name = self.client("iam"), role_name or f"role-{uuid.uuid4().hex[:8]}"
        trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="rights", PolicyDocument=policy(*statements))
        assumed = self.client("sts").assume_role(RoleArn=role, RoleSessionName="test", DurationSeconds=seconds)
        got = assumed["Credentials"]
        return Key(got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"])

    def http(self, method, url, body=None, headers=None):
        request = urllib.request.Request(
            url if url.startswith("http") else self.endpoint + url, data=body, headers=headers or {}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                return Reply(reply.status, dict(reply.headers), reply.read())
        except urllib.error.HTTPError as refused:
            with refused:
                return Reply(refused.status, dict(refused.headers), refused.read())

    def signed(self, method, path, key, body=None, region=REGION, service="execute-api"):
        """A call that is signed as AWS clients sign; ``path`` may be a whole URL."""
        url = path if path.startswith("http") else self.endpoint + path
        request = AWSRequest(method, url, data=body, headers={"Content-Type": "application/json"})
        credentials = Credentials(key.access_key_id, key.secret_access_key, key.session_token)
        SigV4Auth(credentials, service, region).add_auth(request)
        return self.http(method, url, body, dict(request.headers))

    def login(self, key):
        """The header of somebody who has logged in to the registry."""
        token = self.client("ecr", key).get_authorization_token()["authorizationData"][0]["authorizationToken"]
        return {"Authorization": f"Basic {token}"}

    def push(self, login, name, tag, content=b"{}"):
        """Push a manifest without layers; its content decides its digest."""
        manifest = json.dumps({"schemaVersion": 2, "content": base64.b64encode(content).decode()}).encode()
        headers = login | {"Content-Type": "application/vnd.oci.image.manifest.v1+json"}
        return self.http("PUT", f"/v2/{name}/manifests/{tag}", manifest, headers)

    def queue_of(self, event_pattern, bus="default", region=REGION):
        """The URL of a new queue that receives the events of a bus which match."""
        name = f"seen-{uuid.uuid4().hex[:8]}"
        sqs, events = self.client("sqs", region=region), self.client("events", region=region)
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps(event_pattern))
        arn = f"arn:aws:sqs:{region}:{ACCOUNT}:{name}"
        events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
        return url

    def receive(self, queue_url, region=REGION, seconds=10):
        """The next message of a queue; ``None`` when none comes in time."""
        got = self.client("sqs", region=region).receive_message(QueueUrl=queue_url, WaitTimeSeconds=seconds)
        messages = got.get("Messages", [])
        return json.loads(messages[0]["Body"]) if messages else None


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions, resource="*", condition=None):
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return statement | ({"Condition": condition} if condition else {})


def repository_arn(name):
    return f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{name}"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(temporary):
    return {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "TMPDIR": str(temporary),
        "PYTHONPATH": str(REPOSITORY / "functions"),
        "AWS_ACCESS_KEY_ID": ROOT.access_key_id,
        "AWS_SECRET_ACCESS_KEY": ROOT.secret_access_key,
    }


def launch(temporary, *arguments, python=PYTHON):
    """Start the launcher and wait until it answers."""
    assert python.exists(), f"{python} is missing: `make install` makes it"
    port, log = free_port(), temporary / "launcher.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [python, "-m", "local.launcher", "--port", str(port), "--end-with", str(os.getpid()), *arguments],
            cwd=REPOSITORY,
            env=environment(temporary),
            stdout=output,
            stderr=output,
        )
    running, deadline = LocalAws(port, process), time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        try:
            running.http("GET", "/_ministack/ready")
        except urllib.error.URLError:
            time.sleep(0.05)
        else:
            return running
    stop(running, signal.SIGKILL)
    raise AssertionError(log.read_text())


def stop(running, signal_number=signal.SIGTERM):
    running.process.send_signal(signal_number)
    running.process.wait(timeout=20)
