"""The stack with rotation's times in seconds, and a consumer that pushes with whatever key the secret holds."""

import base64
import json
import threading
import time

from local.oci import image_of
from tests.local.aws.launched import Key
from tests.local.skopeo import copy, layout_of
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
        text = "\n".join(lines) + "\n"
        path.write_text(text.replace("last_use_granularity_minutes: 15", "last_use_granularity_minutes: 0"))

    def add_user(self, name):
        """Another service user that pushes."""
        iam = self.aws.client("iam")
        iam.create_user(UserName=name, Path="/service/", Tags=[{"Key": "steward:rotate", "Value": "true"}])
        iam.add_user_to_group(GroupName="ecr-write", UserName=name)

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
    """A consumer: reads the secret, logs in, pushes with skopeo, and again; it never sleeps through a rotation.

    Who reads a key in the instant before it is taken away is refused, and reads again, as every AWS client does that
    has a ``credential_process``; such a push is ``late``. One that fails with what was read then is ``refused``.
    """

    def __init__(self, stack, user, repository, folder):
        super().__init__(daemon=True)
        self._stack = stack
        self._user = user
        self._target = f"docker://127.0.0.1:{stack.port}/{repository}"
        self._layout = layout_of(image_of(f"Pushed by {user}.\n"), folder)
        self._stop = threading.Event()
        self.tried = 0
        self.late = []
        self.refused = []
        self.keys = []

    def run(self):
        while not self._stop.wait(0.2):
            self.tried += 1
            for refusals in (self.late, self.refused):
                key, refusal = self._push()
                if refusal is None:
                    break
                refusals.append((key, refusal))

    def _push(self):
        value = self._stack.secret(self._user)
        key = Key(value["AccessKeyId"], value["SecretAccessKey"])
        if key.access_key_id not in self.keys:
            self.keys.append(key.access_key_id)
        ecr = self._stack.aws.client("ecr", key)
        try:
            token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        except ecr.exceptions.ClientError as error:
            return key.access_key_id, str(error)
        done = copy(self._layout, f"{self._target}:t{self.tried}", base64.b64decode(token).decode())
        return key.access_key_id, done.stderr if done.returncode else None

    def stop(self):
        """Stop after the push that is under way."""
        self._stop.set()
        self.join(timeout=30)

    def report(self, of):
        """Stop, and say what came of it."""
        self.stop()
        print(  # noqa: T201 - the figures
            f"\n{of}: pushes tried {self.tried}, late {len(self.late)}, refused {len(self.refused)}, "
            f"with {len(self.keys)} keys"
        )
