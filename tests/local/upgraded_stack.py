"""A stack of an earlier commit, filled with state by its own functions, and then upgraded in place."""

import io
import json
import re
import shutil
import subprocess
import tarfile
import uuid

from samtranslator.yaml_helper import yaml_parse

from tests.builds import PARTS
from tests.local.aws.deployed import Project
from tests.local.aws.launched import ACCOUNT, REPOSITORY, allow, policy
from tests.local.policy_drift_stack import DriftStack
from tests.local.role_rights import RoleRights
from tests.local.rotation_probes import queued, request_of
from tests.local.service_users import secret_of
from tests.local.stack import eventually
from tests.queues import drained

EARLIER = "8647751d597a0e6a592b3ac5f836cfd3ba7c78a2"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
TRUST = policy({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"})
INPUTS = (
    ("RepositoryApi", "put_by_role"),
    ("RepositoryApi", "get_by_role"),
    ("RepositoryApi", "post_by_role"),
    ("RepositoryApi", "put_by_user"),
    ("RepositoryApi", "whoami_by_role"),
    ("FailedPush", "failed_push_by_role_session"),
    ("FailedPush", "failed_push_by_user"),
    ("FailedPush", "failed_push_to_another_registry"),
    ("RotationWorker", "queued_rotation"),
    ("ExposedKey", "exposed_key"),
    ("DriftCheck", "queued_change"),
)
"""Function, and an input of ``events/`` that it is invoked with."""
NAMED_REPOSITORIES = ("team-a/web", "team-a/api")
NAMED_USER, NAMED_KEY, NAMED_ROLE = "ecr-push", "AKIAEXAMPLE000000001", r"\"ci\""
"""What the inputs name."""
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
OF_ONE_RUN = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?"  # a time
    rf"|{UUID.pattern}"  # an id of an event or a run
    r"|(AKIA|AIDA|AROA)[0-9A-Z]{8,}"  # an id of IAM
    r"|[0-9a-f]{40,64}"  # a digest
    r"|(?<=<name>-)\w{6}\b"  # the end of a secret's ARN
)


def earlier_sources(folder):
    """The template, functions and layers of the earlier commit; None where the history does not reach it."""
    if _git("cat-file", "-e", f"{EARLIER}^{{commit}}").returncode:
        return None
    archived = _git("archive", EARLIER, *PARTS)
    archived.check_returncode()
    with tarfile.open(fileobj=io.BytesIO(archived.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def _git(*arguments):
    return subprocess.run(["git", "-C", str(REPOSITORY), *arguments], capture_output=True, check=False)  # noqa: S607 - on the PATH


class UpgradedStack(DriftStack):
    """A stack that is deployed from earlier sources, and again from the working tree."""

    def __init__(self, folder, sources, settings):
        Project.__init__(self, folder, source=sources, parts=PARTS)
        self._settings = settings
        self._write_settings()

    def deploy(self):
        done = self.run("start")
        assert done.returncode == 0, done.stdout + done.stderr
        self._rights = RoleRights(self.aws)
        self.physical_ids = self._rights.physical

    def upgrade(self):
        """What ``git pull`` and another deployment do; the operator's settings stay as they were."""
        for part in PARTS:
            (shutil.rmtree if (self.folder / part).is_dir() else type(self.folder).unlink)(self.folder / part)
        Project.__init__(self, self.folder, port=self.port, source=REPOSITORY, parts=PARTS)
        self._write_settings()
        self.deploy()

    def _write_settings(self):
        for name, text in self._settings.items():
            (self.folder / "layers" / "settings" / name).write_text(text)

    def invoke(self, function, event):
        answer = self.aws.client("lambda").invoke(
            FunctionName=self.physical_ids[function], Payload=json.dumps(event).encode()
        )
        body = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, (function, body)
        return body

    # State

    def create_repositories(self, writer, *names):
        for name in names:
            assert self.put(name, writer, {"tags": {"owner": "team-a"}}).status == 201

    def enrol(self, name):
        """A service user without a key."""
        self.aws.client("iam").create_user(
            UserName=name, Path="/service/", Tags=[{"Key": "steward:rotate", "Value": "true"}]
        )
        rights = policy(allow("ecr:GetAuthorizationToken"))
        self.aws.client("iam").put_user_policy(UserName=name, PolicyName="log-in", PolicyDocument=rights)

    def advance(self, name):
        """One run of the worker, as the planner asks for it; whether it went without an error."""
        return self.invoke("RotationWorker", queued(name)) == {"batchItemFailures": []}

    def rotate(self, name):
        """One run of the worker, as an operator asks for another key; whether it went without an error."""
        key = self.current_key(name)
        asked = queued(name, "routine", key)
        self._store_request_of(asked)
        return self.invoke("RotationWorker", asked) == {"batchItemFailures": []}

    def _store_request_of(self, queued_rotation):
        """Store what the API stores before it publishes this request; versions before that do not look."""
        (message,) = queued_rotation["Records"]
        detail = json.loads(message["body"])["detail"]
        asked = detail["data"]
        stored = request_of(asked["key_id"], detail["metadata"]["correlation_id"], asked["requested_by"])
        self.aws.client("dynamodb").update_item(
            TableName=self.physical_ids["RotationState"],
            Key={"id": {"S": f"user#{asked['user_name']}"}},
            UpdateExpression="ADD requested :stored",
            ExpressionAttributeValues={":stored": {"SS": [stored]}},
        )

    def stop_half_way(self, name):
        """A rotation that made and staged a key, and was not allowed to promote it."""
        with self._rights.without("RotationWorkerRole", "secretsmanager:UpdateSecretVersionStage"):
            assert not self.rotate(name)

    def drift(self, *roles):
        """Roles that exist get the rights of administrators, and a scan finds it."""
        iam = self.aws.client("iam")
        for role in roles:
            iam.attach_role_policy(RoleName=role, PolicyArn=ADMINISTRATOR)
        self.scan()

    def finding(self, role):
        """The whole finding of a role's access."""
        return self.ask("GET", f"/drift/findings/access:role:{role}").document

    def acknowledge(self, role, expires):
        finding = self.finding(role)
        given = {"fingerprint": finding["fingerprint"], "reason": "a migration", "owner": "team-a", "expires": expires}
        assert self.ask("POST", f"/drift/findings/{finding['id']}/acknowledgement", given).status == 200

    def is_quiet(self):
        """Whether every queue of the stack is worked off, after a while."""
        sqs = self.aws.client("sqs")
        queues = [self.physical_ids[name] for name in ("AlertQueue", "RotationQueue", "DriftQueue")]
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        return eventually(
            lambda: all(
                {*sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"].values()} == {"0"}
                for queue in queues
            )
        )

    # What is there

    def repositories(self):
        """Every repository with its tags, policies and images."""
        ecr, found = self.aws.client("ecr"), {}
        for repository in ecr.describe_repositories()["repositories"]:
            name = repository["repositoryName"]
            found[name] = {
                "settings": repository,
                "tags": ecr.list_tags_for_resource(resourceArn=repository["repositoryArn"])["tags"],
                "policy": _text_of(ecr, "get_repository_policy", "policyText", repositoryName=name),
                "lifecycle": _text_of(ecr, "get_lifecycle_policy", "lifecyclePolicyText", repositoryName=name),
                "images": sorted(image["imageDigest"] for image in ecr.list_images(repositoryName=name)["imageIds"]),
            }
        return found

    def current_key(self, name):
        """The id of the key that consumers read."""
        got = self.aws.client("secretsmanager").get_secret_value(SecretId=secret_of(name))
        return json.loads(got["SecretString"])["AccessKeyId"]

    def keys(self):
        """Service user -> its keys and whether they are active."""
        iam = self.aws.client("iam")
        users = iam.list_users(PathPrefix="/service/")["Users"]
        return {
            user["UserName"]: {
                key["AccessKeyId"]: key["Status"]
                for key in iam.list_access_keys(UserName=user["UserName"])["AccessKeyMetadata"]
            }
            for user in users
        }

    def secrets(self):
        """Every secret of a service user: all versions with stages and values, policy, tags, rotation, copies."""
        client, found = self.aws.client("secretsmanager"), {}
        for listed in client.list_secrets()["SecretList"]:
            name = listed["Name"]
            if not name.startswith(secret_of("")):
                continue
            described = client.describe_secret(SecretId=name)
            versions = {
                version: (sorted(stages), client.get_secret_value(SecretId=name, VersionId=version)["SecretString"])
                for version, stages in described["VersionIdsToStages"].items()
            }
            found[name] = {
                "versions": versions,
                "policy": client.get_resource_policy(SecretId=name).get("ResourcePolicy"),
                **{k: described.get(k) for k in ("Tags", "KmsKeyId", "RotationEnabled", "RotationLambdaARN")},
                **{k: described.get(k) for k in ("RotationRules", "ReplicationStatus")},
            }
        return found

    def items(self, table):
        """Every item of a table, by its key."""
        pages = self.aws.client("dynamodb").get_paginator("scan").paginate(TableName=self.physical_ids[table])
        found = [item for page in pages for item in page["Items"]]
        return {tuple(item[key]["S"] for key in ("id", "sort") if key in item): item for item in found}

    def baseline(self):
        """Every version of the baseline, and its text."""
        s3, bucket = self.aws.client("s3"), self.physical_ids["BaselineBucket"]
        versions = s3.list_object_versions(Bucket=bucket, Prefix=f"baseline/{ACCOUNT}.json")["Versions"]
        return {
            version["VersionId"]: s3.get_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])[
                "Body"
            ].read()
            for version in versions
        }

    def resources(self):
        """Logical id -> type and physical id of everything in the stack."""
        pages = (
            self.aws.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName="ecr-steward")
        )
        return {
            resource["LogicalResourceId"]: (resource["ResourceType"], resource["PhysicalResourceId"])
            for page in pages
            for resource in page["StackResourceSummaries"]
        }

    def template(self):
        """The resources of the template, as its text has them, by logical id."""
        return yaml_parse((self.folder / "template.yaml").read_text())["Resources"]

    # Events

    def queue_of_events(self):
        """A queue of all events that the stack publishes from now on."""
        return self.aws.queue_of({"source": [{"prefix": "steward."}]}, bus="steward")

    def events_in(self, queue):
        return drained(self.aws.client("sqs"), queue)

    def deliver_again(self, event):
        """What a queue does that delivers at least once."""
        delivered = {"Records": [{"messageId": str(uuid.uuid4()), "body": json.dumps(event)}]}
        assert self.invoke("Alerts", delivered) == {"batchItemFailures": []}

    def published_for_inputs(self, name):
        """Invoke the functions with inputs of ``events/``; the answer and the events of each, without ids and times.

        The repositories, the user and the role in the inputs get ``name``, which the steward has not seen before.
        """
        heard, published = self.queue_of_events(), {}
        self._make_role_and_user(name)
        self.events_in(heard)
        key = self.current_key(name)
        for function, event_name in INPUTS:
            event = _input(event_name, name, key)
            if event_name == "queued_rotation":
                self._store_request_of(event)
            answer = self.invoke(function, event)
            assert self.is_quiet()
            events = [[event["source"], event["detail-type"], event["detail"]] for event in self.events_in(heard)]
            published[f"{function} {event_name}"] = _comparable([answer, *events], name)
        return published

    def _make_role_and_user(self, name):
        iam = self.aws.client("iam")
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
        iam.put_role_policy(RoleName=name, PolicyName="more", PolicyDocument=policy(allow("s3:DeleteObject")))
        self.enrol(name)
        assert self.advance(name)


def _input(event_name, name, key):
    """An event of ``events/`` with other names and ids, because an event is handled once."""
    (path,) = (REPOSITORY / "events").glob(f"*/{event_name}.json")
    text = path.read_text().replace(NAMED_USER, name).replace(NAMED_KEY, key).replace(NAMED_ROLE, rf"\"{name}\"")
    for repository in NAMED_REPOSITORIES:
        text = text.replace(repository, f"{repository}-{name}")
    return json.loads(UUID.sub(lambda _: str(uuid.uuid4()), text))


def _text_of(client, operation, member, **parameters):
    """A document of a repository; None where it has none."""
    try:
        return getattr(client, operation)(**parameters)[member]
    except client.exceptions.ClientError as error:
        if "NotFound" not in error.response["Error"]["Code"]:
            raise
        return None


def _comparable(value, name):
    """The JSON text, with marks in place of ids, times and the name."""
    return OF_ONE_RUN.sub("…", json.dumps(value, ensure_ascii=False).replace(name, "<name>"))
