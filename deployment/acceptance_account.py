"""The account that acceptance asks: what its steps need of AWS, and AWS."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError

PREFIX = "steward-acceptance"
"""Of every name that a run makes."""
NOT_ENABLED = frozenset({"InvalidAccessException", "ResourceNotFoundException"})
"""How Security Hub says that it is not enabled: what ``GET /health`` expects, too."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the API: status, media type, and the JSON of its body."""

    status: int
    media_type: str
    body: Any


class Account(Protocol):
    """The account, as far as the steps need it; ``calls`` counts what was asked of AWS."""

    calls: int

    def use(self, stack: str) -> None:
        """Call the API of this stack from now on."""
        ...

    def api(self, method: str, path: str, body: object = None, *, signed: bool = True) -> Answer:
        """One call of the stack's API. Raises OSError where no stack is in use."""
        ...

    def exists(self, kind: str, name: str) -> bool:
        """Whether there is a repository, user, secret, bucket or stack of this name."""
        ...

    def create(self, kind: str, name: str, path: str = "/") -> None:
        """Make a user without any right (on an IAM path), a bucket, or a secret. Raises FileExistsError."""
        ...

    def delete(self, kind: str, name: str) -> None:
        """Delete it with what belongs to it; what is gone already is no error. A repository must be empty."""
        ...

    def retained(self, stack: str) -> Sequence[tuple[str, str]]:
        """Kind and name of the stack's tables and buckets, which its deletion keeps; none where there is no stack."""
        ...

    def grant(self, name: str) -> None:
        """Give the user an inline policy that lets it read one object that does not exist."""
        ...

    def enrol(self, name: str) -> None:
        """Tag the user, so that its keys rotate, and let it log in to the registry."""
        ...

    def key_in(self, secret: str) -> str:
        """The id of the access key in a secret; empty where there is none."""
        ...

    def restrict(self, secret: str) -> str:
        """What AWS answers to a policy that names ``BatchGetSecretValue``: "accepted", or its error code."""
        ...

    def oldest_event(self) -> str:
        """What LookupEvents answers for a time beyond 90 days: "nothing", or AWS's error code."""
        ...

    def simulated(self, resources: Sequence[str]) -> int:
        """How many resources the simulation of one action on these resources answers for."""
        ...

    def unread_trails(self) -> Sequence[str]:
        """The trails, also an organization's, whose state AWS does not let this account read."""
        ...

    def security_hub(self) -> str:
        """Whether it is "enabled" or "not enabled"; for any other answer its error code."""
        ...

    def wait(self, seconds: float) -> None:
        """Pause."""
        ...


class Aws:
    """The account of the credentials at hand."""

    def __init__(self, region: str, api_url: str = "") -> None:
        self.calls = 0
        self._session = boto3.Session(region_name=region)
        self._region = region
        self._url = api_url
        self._clients: dict[str, Any] = {}

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            client = self._session.client(service)  # type: ignore[call-overload]
            client.meta.events.register("before-send", self._count)
            self._clients[service] = client
        return self._clients[service]

    def _count(self, **_: Any) -> None:
        self.calls += 1

    def use(self, stack: str) -> None:
        """By its output; on the local AWS, whose APIs have other addresses, by its resources."""
        cloudformation = self._client("cloudformation")
        endpoint = cloudformation.meta.endpoint_url
        if endpoint.endswith(".amazonaws.com"):
            outputs = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["Outputs"]
            self._url = next(each["OutputValue"] for each in outputs if each["OutputKey"] == "ApiUrl")
        else:
            found = cloudformation.describe_stack_resource(StackName=stack, LogicalResourceId="Api")
            api = found["StackResourceDetail"]["PhysicalResourceId"]
            self._url = f"{endpoint}/_aws/execute-api/{api}/v1"

    def api(self, method: str, path: str, body: object = None, *, signed: bool = True) -> Answer:
        """Signed with the credentials at hand."""
        if not self._url:
            raise OSError("there is no API to call: the stack was not deployed")
        self.calls += 1
        content = json.dumps(body).encode() if body is not None else None
        headers = {"Content-Type": "application/json"} if content else {}
        request = AWSRequest(method, self._url + path, headers=headers, data=content)
        if signed:
            credentials = self._session.get_credentials()
            if credentials is None:
                raise OSError("there are no credentials of AWS")
            SigV4Auth(credentials, "execute-api", self._region).add_auth(request)
        sent = urllib.request.Request(self._url + path, content, dict(request.headers), method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(sent, timeout=35) as answer:  # noqa: S310 - the address of the stack's API
                return Answer(answer.status, answer.headers.get_content_type(), json.load(answer))
        except urllib.error.HTTPError as error:
            text = error.read()
            return Answer(error.code, error.headers.get_content_type(), json.loads(text or b"null"))

    def exists(self, kind: str, name: str) -> bool:
        """One call."""
        with _unless_gone() as gone:
            match kind:
                case "repository":
                    self._client("ecr").describe_repositories(repositoryNames=[name])
                case "user":
                    self._client("iam").get_user(UserName=name)
                case "secret":
                    self._client("secretsmanager").describe_secret(SecretId=name)
                case "bucket":
                    self._client("s3").head_bucket(Bucket=name)
                case _:
                    self._client("cloudformation").describe_stacks(StackName=name)
        return not gone

    def create(self, kind: str, name: str, path: str = "/") -> None:
        """A user is in no group; a bucket is in the home region."""
        try:
            match kind:
                case "user":
                    self._client("iam").create_user(UserName=name, Path=path)
                case "secret":
                    self._client("secretsmanager").create_secret(Name=name, SecretString="{}")
                case _:
                    home = {"CreateBucketConfiguration": {"LocationConstraint": self._region}}
                    self._client("s3").create_bucket(Bucket=name, **({} if self._region == "us-east-1" else home))
        except ClientError as error:
            if _code(error) in _TAKEN:
                raise FileExistsError(f"the {kind} {name} exists already, and this run has not made it") from error
            raise

    def delete(self, kind: str, name: str) -> None:
        """At once: a secret without its days of recovery, a bucket with all versions, a stack until it is gone."""
        with _unless_gone():
            match kind:
                case "repository":  # without force: one with images is not this run's
                    self._client("ecr").delete_repository(repositoryName=name)
                case "user":
                    self._delete_user(name)
                case "secret":
                    self._client("secretsmanager").delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
                case "table":
                    self._client("dynamodb").delete_table(TableName=name)
                case "bucket":
                    self._empty(name)
                    self._client("s3").delete_bucket(Bucket=name)
                case "stack":
                    self._client("cloudformation").delete_stack(StackName=name)
                    pause = {"Delay": 5 if self._on_aws else 1, "MaxAttempts": 360}
                    waiter = self._client("cloudformation").get_waiter("stack_delete_complete")
                    waiter.wait(StackName=name, WaiterConfig=pause)
                case _:
                    raise ValueError(f"the journal has a {kind}, which this version does not delete")

    def _delete_user(self, name: str) -> None:
        iam = self._client("iam")
        for policy in iam.list_user_policies(UserName=name)["PolicyNames"]:
            iam.delete_user_policy(UserName=name, PolicyName=policy)
        for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
            iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        iam.delete_user(UserName=name)

    def _empty(self, bucket: str) -> None:
        s3 = self._client("s3")
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for each in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                s3.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])

    @property
    def _on_aws(self) -> bool:
        return str(self._client("cloudformation").meta.endpoint_url).endswith(".amazonaws.com")

    def retained(self, stack: str) -> Sequence[tuple[str, str]]:
        """One call for each hundred resources."""
        kinds = {"AWS::DynamoDB::Table": "table", "AWS::S3::Bucket": "bucket"}
        found: list[tuple[str, str]] = []
        with _unless_gone():
            pages = self._client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
            found += [
                (kinds[each["ResourceType"]], each["PhysicalResourceId"])
                for page in pages
                for each in page["StackResourceSummaries"]
                if each["ResourceType"] in kinds and each.get("PhysicalResourceId")
            ]
        return found

    def grant(self, name: str) -> None:
        """A right on nothing that exists."""
        self._put_policy(name, "grant", "s3:GetObject", f"arn:aws:s3:::{PREFIX}-none/none")

    def enrol(self, name: str) -> None:
        """The tag comes last: from then on the steward may make a key."""
        self._put_policy(name, "log-in", "ecr:GetAuthorizationToken", "*")
        self._client("iam").tag_user(UserName=name, Tags=[{"Key": "steward:rotate", "Value": "true"}])

    def _put_policy(self, user: str, policy: str, action: str, resource: str) -> None:
        statement = {"Effect": "Allow", "Action": action, "Resource": resource}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._client("iam").put_user_policy(UserName=user, PolicyName=f"{PREFIX}-{policy}", PolicyDocument=document)

    def key_in(self, secret: str) -> str:
        """Its secret half is not looked at."""
        value = "{}"
        with _unless_gone():
            value = self._client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
        return str(json.loads(value).get("AccessKeyId", ""))

    def restrict(self, secret: str) -> str:
        """A Deny for nobody who exists."""
        actions = ["secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue"]
        tagged = {"StringEquals": {"aws:PrincipalTag/steward-acceptance": "nobody"}}
        statement = {"Effect": "Deny", "Principal": "*", "Action": actions, "Resource": "*", "Condition": tagged}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        try:
            self._client("secretsmanager").put_resource_policy(SecretId=secret, ResourcePolicy=document)
        except ClientError as error:
            return _code(error)
        return "accepted"

    def oldest_event(self) -> str:
        """A window of a day, 100 days ago."""
        then = datetime.now(UTC) - timedelta(days=100)
        try:
            found = self._client("cloudtrail").lookup_events(
                StartTime=then, EndTime=then + timedelta(days=1), MaxResults=1
            )
        except ClientError as error:
            return _code(error)
        return f"{len(found['Events'])} events" if found["Events"] else "nothing"

    def simulated(self, resources: Sequence[str]) -> int:
        """Of a policy that no principal has."""
        document = (
            '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}'
        )
        answer = self._client("iam").simulate_custom_policy(
            PolicyInputList=[document], ActionNames=["s3:GetObject"], ResourceArns=list(resources)
        )
        return len(
            {
                name
                for result in answer["EvaluationResults"]
                for name in (
                    [each["EvalResourceName"] for each in result.get("ResourceSpecificResults", [])]
                    or [result["EvalResourceName"]]
                )
            }
        )

    def unread_trails(self) -> Sequence[str]:
        """One call, and one for each trail."""
        unread = []
        for trail in self._client("cloudtrail").describe_trails()["trailList"]:
            try:
                self._client("cloudtrail").get_trail_status(Name=trail["TrailARN"])
            except ClientError as error:
                unread.append(f"{trail['Name']} ({_code(error)})")
        return unread

    def security_hub(self) -> str:
        """One call."""
        try:
            self._client("securityhub").describe_hub()
        except ClientError as error:
            return "not enabled" if _code(error) in NOT_ENABLED else _code(error)
        return "enabled"

    def wait(self, seconds: float) -> None:
        """For real."""
        time.sleep(seconds)


_GONE = frozenset(
    {
        "404",
        "NoSuchBucket",
        "NoSuchEntity",
        "RepositoryNotFoundException",
        "ResourceNotFoundException",
    }
)
_TAKEN = frozenset({"BucketAlreadyExists", "BucketAlreadyOwnedByYou", "EntityAlreadyExists", "ResourceExistsException"})


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])


@contextmanager
def _unless_gone() -> Iterator[list[str]]:
    """Leave the block where AWS says that the thing does not exist; what is yielded then has its code."""
    gone: list[str] = []
    try:
        yield gone
    except ClientError as error:
        missing_stack = _code(error) == "ValidationError" and "does not exist" in str(error)
        if _code(error) not in _GONE and not missing_stack:
            raise
        gone.append(_code(error))
