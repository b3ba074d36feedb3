"""The project's own stack on a local AWS, and ways to use it as its users do."""

import base64
import json
import shutil
import time

from local.oci import Registry
from tests import builds
from tests.builds import PARTS
from tests.local.aws.deployed import Project
from tests.local.aws.launched import ACCOUNT, REGION, REPOSITORY, Key, allow

MAY_PUSH = (
    "ecr:GetAuthorizationToken",
    "ecr:BatchCheckLayerAvailability",
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
    "ecr:PutImage",
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
)


class Stack(Project):
    """A deployed copy of the project."""

    def __init__(self, folder, parts=PARTS):
        super().__init__(folder, source=REPOSITORY, parts=parts)
        shutil.copytree(
            REPOSITORY / "tests" / "layers" / "settings", folder / "layers" / "settings", dirs_exist_ok=True
        )

    def take_build(self, settings=None):
        """Begin with the build that other stacks of the run have made, or make it for them."""
        builds.take(builds.built(self.folder, self.folder.parent), self.folder, settings)

    @property
    def api_id(self):
        return self.variables["STEWARD_API_URL"].split("/execute-api/")[1].split("/")[0]

    def pipeline(self, role_name, *routes):
        """The key of a session of a role that may push, and may call these routes (METHOD/path) of the API."""
        routes = [f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{self.api_id}/v1/{route}" for route in routes]  # type: ignore[assignment]
        rights = [allow(*MAY_PUSH)]
        if routes:
            rights.append(allow("execute-api:Invoke", resource=routes))
        return self.aws.session(*rights, role_name=role_name)

    def expiring_session(self, role_name, seconds):
        """The key of a session of an existing role that ends soon; STS on AWS allows no less than 15 minutes."""
        sts = self.aws.client("sts")
        role = f"arn:aws:iam::{ACCOUNT}:role/{role_name}"
        got = sts.assume_role(RoleArn=role, RoleSessionName="short", DurationSeconds=seconds)["Credentials"]
        return Key(got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"])

    def put(self, name, key, body=None):
        return self.call("PUT", f"/repositories/{name}", key, json.dumps(body).encode() if body is not None else None)

    def registry(self, key: Key):
        """The registry, logged in to as the holder of the key."""
        token = self.aws.client("ecr", key).get_authorization_token()["authorizationData"][0]["authorizationToken"]
        user, _, password = base64.b64decode(token).decode().partition(":")
        return Registry(f"127.0.0.1:{self.port}", user, password)

    def exists(self, name):
        ecr = self.aws.client("ecr")
        try:
            ecr.describe_repositories(repositoryNames=[name])
        except ecr.exceptions.RepositoryNotFoundException:
            return False
        return True

    def subscribe(self, **pattern):
        """A queue of the events that the stack publishes from now on and that match."""
        return self.aws.queue_of({"source": ["steward.repository_provisioning"]} | pattern, bus="steward")

    def physical_id(self, logical_id):
        """What a resource of the template became."""
        described = self.aws.client("cloudformation").describe_stack_resource(
            StackName=self.variables["STEWARD_STACK"], LogicalResourceId=logical_id
        )
        return described["StackResourceDetail"]["PhysicalResourceId"]

    def function(self, logical_id):
        """The deployed function's name and its configuration."""
        functions = self.aws.client("lambda").list_functions()["Functions"]
        return next(
            f for f in functions if f["FunctionName"].startswith(f"{self.variables['STEWARD_STACK']}-{logical_id}")
        )


def eventually(look, seconds=20):
    """What ``look`` returns as soon as it is true; what it returns last if it never is."""
    deadline = time.monotonic() + seconds
    while not (seen := look()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return seen
