"""The stack with rotation's times in seconds, and a consumer that pushes with whatever key the secret holds."""

import base64
import json
import threading
import time

from local.oci import PushRefusedError, Registry, image_of
from tests.local.aws.launched import Key
from tests.local.stack import Stack

DAY = 86_400
SECRET = "steward/service-users/{}"


class RotationStack(Stack):
    """A deployed copy of the project whose keys live for minutes."""

    def shorten(self, **seconds):
        """Set times of ``rotation.yaml``, given in seconds."""
        path = self.folder / "layers" / "settings" / "rotation.yaml"
        lines = path.read_text().splitlines()
        for name, value in seconds.items():
            number = next(index for index, line in enumerate(lines) if line.strip().startswith(f"{name}:"))
            lines[number] = f"  {name}: {value / DAY:.7f}"
        path.write_text("\n".join([*lines, "last_use_granularity_minutes: 0"]) + "\n")

    def plan(self):
        """What the schedule does every hour."""
        name = self.function("RotationPlanner")["FunctionName"]
        answer = self.aws.client("lambda").invoke(FunctionName=name, Payload=b"{}")
        assert "FunctionError" not in answer, answer["Payload"].read()
        return json.loads(answer["Payload"].read())

    def keys(self, user):
        listed = self.aws.client("iam").list_access_keys(UserName=user)["AccessKeyMetadata"]
        return {key["AccessKeyId"]: key["Status"] for key in listed}

    def secret(self, user):
        """What a consumer reads."""
        got = self.aws.client("secretsmanager").get_secret_value(SecretId=SECRET.format(user))
        return json.loads(got["SecretString"])

    def has_key(self, user):
        """Whether the user has its first key, and consumers can read it."""
        return bool(self.keys(user)) and self.secret(user)["AccessKeyId"] is not None

    def post(self, user, route, body):
        """An operator's call."""
        return self.call("POST", f"/service-users/{user}/{route}", self.key(), json.dumps(body).encode())

    def plan_until(self, reached, seconds):
        """Plan every few seconds until something is so, and say whether it came to be."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.plan()
            if reached():
                return True
            time.sleep(3)
        return False


class Pusher(threading.Thread):
    """A consumer: reads the secret, logs in, pushes, and again; it never sleeps through a rotation."""

    def __init__(self, stack, user, repository):
        super().__init__(daemon=True)
        self._stack = stack
        self._user = user
        self._repository = repository
        self._stop = threading.Event()
        self.tried = 0
        self.refused = []
        self.keys = []

    def run(self):
        while not self._stop.wait(0.5):
            value = self._stack.secret(self._user)
            if value["AccessKeyId"] is None:
                continue
            self.tried += 1
            if value["AccessKeyId"] not in self.keys:
                self.keys.append(value["AccessKeyId"])
            try:
                self._push(Key(value["AccessKeyId"], value["SecretAccessKey"]))
            except (PushRefusedError, self._stack.aws.client("ecr").exceptions.ClientError) as error:
                self.refused.append((value["AccessKeyId"], str(error)))

    def _push(self, key):
        token = self._stack.aws.client("ecr", key).get_authorization_token()["authorizationData"][0]
        user, _, password = base64.b64decode(token["authorizationToken"]).decode().partition(":")
        registry = Registry(f"127.0.0.1:{self._stack.port}", user, password)
        registry.push(image_of(f"push {self.tried}\n"), self._repository, f"t{self.tried}")

    def stop(self):
        self._stop.set()
        self.join(timeout=20)
