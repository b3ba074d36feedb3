"""Count the calls of our own code, and the files they are in, for one PUT, one rotation and one change of IAM.

``PYTHONPATH=functions:layers python scripts/call_trace.py`` in a working tree, of any version: the functions are found
by their logical ids in ``template.yaml``, and invoked with ``events/`` on moto's AWS. A call is the start of a function
or generator in ``functions/``, ``layers/steward`` or ``layers/iam_policy``, on any thread; imports do not count. A
descent is a call from one file into another.

The size of the code is counted as well: lines that are neither blank nor a comment or docstring, files, and public
names of modules and classes.
"""

import ast
import importlib
import io
import json
import os
import sys
import tokenize
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Any

import boto3
from botocore.client import BaseClient
from moto import mock_aws
from samtranslator.yaml_helper import yaml_parse

if TYPE_CHECKING:
    from mypy_boto3_iam.type_defs import TagTypeDef
    from mypy_boto3_s3.literals import BucketLocationConstraintType

PROJECT = Path.cwd()
OURS = ("functions", "layers/steward", "layers/iam_policy")
ACCOUNT = "123456789012"
REGION: "BucketLocationConstraintType" = "ca-central-1"
FUNCTIONS = {"PUT": "RepositoryApi", "rotation": "RotationWorker", "IAM change": "DriftCheck", "scan": "DriftScan"}
"""What is measured -> the function's logical id; the scan captures the baseline that a change is compared with."""
USER = "ecr-push"
TABLE, BUCKET = "state", "bucket"
ENVIRONMENT = {
    "ACCESS_KEY_ROTATION": "on",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
    "AWS_LAMBDA_FUNCTION_NAME": "steward",
    "BASELINE_BUCKET": BUCKET,
    "BASELINE_OWNER": ACCOUNT,
    "DRIFT_TABLE": TABLE,
    "IAM_EVENTS_REGION": "us-east-1",
    "POWERTOOLS_LOG_LEVEL": "CRITICAL",
    "POWERTOOLS_METRICS_DISABLED": "true",
    "POWERTOOLS_TRACE_DISABLED": "true",
    "PROVISIONING_TABLE": TABLE,
    "REPORTS_BUCKET": BUCKET,
    "ROTATION_FUNCTION": "",
    "ROTATION_ROLES": "",
    "ROTATION_TABLE": TABLE,
    "SYNC_TABLE": TABLE,
    "SCAN_FUNCTION": "scan",
    "SERVICE_PATH": "/service/",
    "STEWARD_ACCOUNT": ACCOUNT,
    "STEWARD_BUS": "steward",
    "STEWARD_STACK": "steward",
}
"""The variables of the functions in ``template.yaml``."""


class _Context:
    function_name = "steward"
    memory_limit_in_mb = 512
    invoked_function_arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:steward"
    aws_request_id = "11111111-2222-3333-4444-555555555555"

    def get_remaining_time_in_millis(self) -> int:
        return 300_000


class Trace:
    """The calls while :meth:`of` lasts."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.descents = 0
        self._folders = tuple(f"{PROJECT / folder}{os.sep}" for folder in OURS)

    @contextmanager
    def of(self) -> Iterator["Trace"]:
        """Count what is called meanwhile."""
        monitoring = sys.monitoring
        monitoring.use_tool_id(monitoring.PROFILER_ID, "call trace")
        monitoring.register_callback(monitoring.PROFILER_ID, monitoring.events.PY_START, self._started)
        monitoring.set_events(monitoring.PROFILER_ID, monitoring.events.PY_START)
        try:
            yield self
        finally:
            monitoring.set_events(monitoring.PROFILER_ID, 0)
            monitoring.free_tool_id(monitoring.PROFILER_ID)

    def _started(self, code: CodeType, _offset: int) -> Any:
        if not code.co_filename.startswith(self._folders):
            return sys.monitoring.DISABLE
        if code.co_name != "<module>":
            self.calls.append(code.co_filename)
            caller = sys._getframe(1).f_back  # noqa: SLF001 - the documented way to the calling frame
            self.descents += int(caller is not None and caller.f_code.co_filename != code.co_filename)
        return None

    def __str__(self) -> str:
        return (
            f"{len(self.calls):,} calls in {len(set(self.calls))} files, {self.descents:,} from one file into another"
        )


ANSWERS: dict[str, dict[str, Any]] = {
    "LookupEvents": {"Events": []},
}
"""Operations that moto lacks -> what they answer here: CloudTrail knows no event."""


def _answer_what_moto_lacks() -> None:
    reached = BaseClient._make_api_call  # type: ignore[attr-defined]  # noqa: SLF001 - the wire, as in the tests

    def call(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        return ANSWERS.get(operation) or reached(client, operation, parameters)

    BaseClient._make_api_call = call  # type: ignore[attr-defined]  # noqa: SLF001


def handler(measured: str) -> Callable[[dict[str, Any], _Context], Any]:
    """The function as Lambda imports it."""
    resources = yaml_parse((PROJECT / "template.yaml").read_text())["Resources"]
    module, _, name = resources[FUNCTIONS[measured]]["Properties"]["Handler"].rpartition(".")
    found: Callable[[dict[str, Any], _Context], Any] = getattr(importlib.import_module(module), name)
    return found


def sample(name: str) -> dict[str, Any]:
    """An input of ``events/``."""
    (path,) = (PROJECT / "events").glob(f"*/{name}.json")
    event: dict[str, Any] = json.loads(path.read_text())
    return event


def queued(name: str, **changed: Any) -> dict[str, Any]:
    """An input of a queue, with other values in its event's data or request."""
    event = sample(name)
    body = json.loads(event["Records"][0]["body"])
    (body["detail"].get("data") or body["detail"]["requestParameters"]).update(changed)
    event["Records"][0]["body"] = json.dumps(body)
    return event


def invoke(measured: str, event: dict[str, Any]) -> Trace:
    """Invoke a function once, and count; the first time, with the composition of its use cases.

    Raises
    ------
    RuntimeError
        It did not do its work.
    """
    with Trace().of() as trace:
        answer = handler(measured)(event, _Context())
    failed = answer.get("batchItemFailures") or answer.get("failed") or answer.get("statusCode", 200) >= 400  # noqa: PLR2004 - an error of HTTP
    if failed:
        raise RuntimeError(f"{measured}: {answer}")
    return trace


def one_put() -> Trace:
    """A PUT of a repository that does not exist."""
    return invoke("PUT", put_of("team-a/web"))


def another_put() -> Trace:
    """A PUT of another one, in the same environment."""
    return invoke("PUT", put_of("team-a/other"))


def put_of(name: str) -> dict[str, Any]:
    """A request without overrides: the shipped rules permit none."""
    event: dict[str, Any] = json.loads(json.dumps(sample("put_by_role")).replace("team-a/web", name))
    return event | {"body": None}


def first_key() -> Trace:
    """A key for a user without one."""
    tags: list[TagTypeDef] = [{"Key": "steward:rotate", "Value": "true"}]
    boto3.client("iam").create_user(UserName=USER, Path="/service/", Tags=tags)
    return invoke("rotation", queued("queued_rotation", user_name=USER, reason="scheduled", key_id=None))


def one_rotation() -> Trace:
    """Another key for that user."""
    secret = boto3.client("secretsmanager").get_secret_value(SecretId=f"steward/service-users/{USER}")
    current = json.loads(secret["SecretString"])["AccessKeyId"]
    return invoke("rotation", queued("queued_rotation", user_name=USER, reason="routine", key_id=current))


def first_iam_change() -> Trace:
    """A role gets another inline policy."""
    iam = boto3.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName="ci", AssumeRolePolicyDocument=_policy(trust))
    iam.put_role_policy(RoleName="ci", PolicyName="rights", PolicyDocument=_policy(_allow("s3:GetObject")))
    invoke("scan", {"id": "scan-1"})
    iam.put_role_policy(RoleName="ci", PolicyName="more", PolicyDocument=_policy(_allow("s3:DeleteObject")))
    return invoke("IAM change", queued("queued_change"))


def another_iam_change() -> Trace:
    """The role gets one more."""
    iam = boto3.client("iam")
    iam.put_role_policy(RoleName="ci", PolicyName="most", PolicyDocument=_policy(_allow("s3:PutObject")))
    return invoke("IAM change", queued("queued_change"))


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _allow(action: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": "*"}


def size_of_the_code() -> str:
    """Lines, files and public names of what the functions run."""
    lines, files, names = 0, 0, 0
    for folder in OURS:
        for path in sorted((PROJECT / folder).rglob("*.py")):
            text = path.read_text()
            files += 1
            lines += len(_code_lines(text))
            names += sum(1 for _ in _public_names(ast.parse(text)))
    return f"{lines:,} lines of code in {files} files, {names:,} public names"


def _code_lines(text: str) -> set[int]:
    """The numbers of the lines with code: not of blank ones, comments and docstrings."""
    found: set[int] = set()
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    starts_statement = True
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in skipped:
            starts_statement |= token.type != tokenize.COMMENT
        elif not (starts_statement and token.type == tokenize.STRING):
            found.update(range(token.start[0], token.end[0] + 1))
            starts_statement = False
    return found


def _public_names(body: ast.AST) -> Iterator[str]:
    """Functions, classes, methods and assigned names of a module, without a leading underscore."""
    for node in ast.iter_child_nodes(body):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.TypeAlias(name=ast.Name(id=name)):
                yield from () if name.startswith("_") else (name,)
            case ast.ClassDef(name=name):
                yield from () if name.startswith("_") else (name, *_public_names(node))
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield from () if name.startswith("_") else (name,)


MEASURED: dict[str, Callable[[], Trace]] = {
    "one PUT, with the composition": one_put,
    "another PUT": another_put,
    "a first key, with the composition": first_key,
    "one rotation": one_rotation,
    "one change of IAM, with the composition": first_iam_change,
    "another change of IAM": another_iam_change,
}


def main() -> None:
    """Print the figures."""
    os.environ.update(ENVIRONMENT)
    warnings.simplefilter("ignore")
    _answer_what_moto_lacks()
    with mock_aws():
        boto3.client("dynamodb").create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
        boto3.client("events").create_event_bus(Name="steward")
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        for what, measure in MEASURED.items():
            print(f"{what}: {measure()}")
    print(size_of_the_code())


if __name__ == "__main__":
    main()
