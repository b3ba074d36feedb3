"""What `sam build` made imports and answers, with nothing on the path but itself."""

import json
import re
import subprocess
from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash
from pathlib import Path

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.published_events import golden_event

ENVIRONMENT = {
    "AWS_REGION": "ca-central-1",
    "AWS_DEFAULT_REGION": "ca-central-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_LAMBDA_FUNCTION_NAME": "packaged",
}
IN_USE = {
    "STEWARD_ACCOUNT": "123456789012",
    "POWERTOOLS_LOG_LEVEL": "INFO",
    "PUSH_SAFETY_NET": "report",
    "IAM_EVENTS_REGION": "us-east-1",
    "EVENT_DELAY_SECONDS": "30",
    "ROTATION_ROLES": "arn:aws:iam::123456789012:role/rotation",
    "ROTATION_FUNCTION": "arn:aws:lambda:ca-central-1:123456789012:function:rotation",
}
"""What the variables of the template hold where a handler looks at them; the others hold their own names."""
LAYERS = ("DependenciesLayer", "StewardLayer", "IamPolicyLayer", "SettingsLayer")
CLIENT = re.compile(r"""(?:(?:\b|_)client(?:_of)?\(|service: Literal\[)"([a-z0-9-]+)\"""")
"""How the code names the service of a client."""
HASH_BASED_AND_UNCHECKED = 0b01
"""Source: https://docs.python.org/3/reference/import.html#pyc-invalidation"""
ANSWER = """
import importlib, json, sys
sys.path[:0] = json.loads(sys.argv[1])
event = json.load(open(sys.argv[3]))
class Context:
    function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = "packaged"
    def get_remaining_time_in_millis(self): return 29_000
module, _, handler = sys.argv[2].rpartition(".")
print(json.dumps(getattr(importlib.import_module(module), handler)(event, Context())))
"""


@pytest.fixture(scope="session")
def variables(request):
    """The environment that the template gives to functions."""
    template = yaml_parse((request.config.rootpath / "template.yaml").read_text())
    functions = [r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::Serverless::Function"]
    scopes = [template["Globals"]["Function"], *functions]
    names = {name for scope in scopes for name in scope.get("Environment", {}).get("Variables", {})}
    return ENVIRONMENT | {name: IN_USE.get(name, name) for name in names}


@pytest.fixture(scope="session")
def run(built, interpreter, variables):
    """Run Python code with one function's artefact and the layers, and nothing else, on the path."""

    def run(function, code, *arguments, settings=None):
        layers = [built / layer / "python" for layer in LAYERS]
        paths = [str(path) for path in (built / function, *filter(None, [settings]), *layers)]
        return subprocess.run(
            [interpreter, "-I", "-S", "-B", "-c", code, json.dumps(paths), *arguments],
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def handlers(request):
    """Logical id of each function -> its handler, as the template says."""
    template = yaml_parse((request.config.rootpath / "template.yaml").read_text())
    functions = {n: r for n, r in template["Resources"].items() if r["Type"] == "AWS::Serverless::Function"}
    return {name: function["Properties"]["Handler"] for name, function in functions.items()}


def test_every_handler_imports_from_its_artefact_alone(run, handlers):
    code = "import importlib, json, sys; sys.path[:0] = json.loads(sys.argv[1]); importlib.import_module(sys.argv[2])"

    for function, handler in handlers.items():
        done = run(function, code, handler.rpartition(".")[0])
        assert done.returncode == 0, (function, done.stderr)


@pytest.fixture
def who_am_i(tmp_path):
    """A file with the event of GET /whoami."""
    event = tmp_path / "event.json"
    identity = {"userArn": "arn:aws:sts::123456789012:assumed-role/ci/session", "accountId": "123456789012"}
    request = {
        "resource": "/whoami",
        "path": "/whoami",
        "httpMethod": "GET",
        "headers": {},
        "requestContext": {"identity": identity, "requestId": "r", "stage": "v1", "accountId": "123456789012"},
    }
    event.write_text(json.dumps(request))
    return str(event)


def test_the_api_answers_from_its_artefact_alone(run, handlers, who_am_i):
    done = run("RepositoryApi", ANSWER, handlers["RepositoryApi"], who_am_i)

    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"]) == {"caller": "123456789012:role/ci", "allowed": ["**"]}


def test_alerts_are_made_by_their_artefact_alone(run, handlers, tmp_path):
    """An event that the shipped routes tell nobody: the whole way, but for AWS."""
    event = tmp_path / "event.json"
    event.write_text(
        json.dumps({"Records": [{"messageId": "1", "body": json.dumps(golden_event("RepositoryCreated"))}]})
    )

    done = run("Alerts", ANSWER, handlers["Alerts"], str(event))

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {"batchItemFailures": []}


def test_unusable_house_rules_are_answered_and_counted(run, handlers, who_am_i, tmp_path):
    """A bad file that got through every check takes no request down with it: 503, and a metric."""
    (tmp_path / "settings").mkdir()
    (tmp_path / "settings" / "__init__.py").touch()
    (tmp_path / "settings" / "house_rules.yaml").write_text("callers: []\nrepositories: []\n")

    done = run("RepositoryApi", ANSWER, handlers["RepositoryApi"], who_am_i, settings=tmp_path)

    *logged, answer = [json.loads(line) for line in done.stdout.splitlines()]
    problem = json.loads(answer["body"])
    assert (answer["statusCode"], problem["type"]) == (503, "urn:ecr-steward:problem:settings-unusable")
    assert "house_rules.yaml:1" in problem["detail"]
    (metrics,) = [line for line in logged if "SettingsUnusable" in line]
    assert metrics["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "EcrSteward"
    assert metrics["service"] == "repository_provisioning"


def test_artefacts_hold_no_tests_or_documents_of_the_project(built):
    ours = [path for path in built.rglob("*") if "DependenciesLayer" not in path.parts]

    assert {path.name for path in ours}.isdisjoint({"tests", "Makefile"})
    # The engine's distribution is built from the same folder.
    assert {path.parent.name for path in ours if path.name in {"README.md", "pyproject.toml"}} <= {"iam_policy"}


def test_every_module_has_the_bytecode_of_its_source_and_python_takes_it_unasked(built):
    """Lambda's folders are read-only, and archives of SAM have no times to compare."""
    modules = [path for path in built.rglob("*.py") if path.is_file()]

    assert len(modules) > 500
    for module in modules:
        compiled = Path(cache_from_source(str(module))).read_bytes()
        assert compiled[:4] == MAGIC_NUMBER, module
        assert int.from_bytes(compiled[4:8], "little") == HASH_BASED_AND_UNCHECKED, module
        assert compiled[8:16] == source_hash(module.read_bytes()), f"the bytecode of {module} is stale"
    assert sum(1 for _ in built.rglob("*.pyc")) == len(modules)


def test_the_models_of_all_services_that_are_called_are_there_and_no_others(run, request):
    """Clients are made of what the code names: a new one needs its model in the layer."""
    root = request.config.rootpath
    sources = [path for folder in ("functions", "layers/steward") for path in (root / folder).rglob("*.py")]
    named = {name for path in sources for name in CLIENT.findall(path.read_text())}
    code = """
import json, sys
sys.path[:0] = json.loads(sys.argv[1])
from botocore.loaders import create_loader
from steward.aws.clients import client_with_key
for service in sys.argv[2:]:
    client_with_key(service, "ca-central-1", "none", "none")
print(json.dumps(create_loader().list_available_services("service-2")))
"""

    done = run("RepositoryApi", code, *sorted(named))

    assert done.returncode == 0, done.stderr
    assert named >= {"ecr", "iam", "sts"}
    assert json.loads(done.stdout) == sorted(named)


def test_the_code_fits_in_a_function_with_room_to_spare(built):
    """Lambda takes 250 MB unzipped, layers included; half of that is a warning sign.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    """
    size = sum(path.stat().st_size for path in built.rglob("*") if path.is_file())

    assert size < 125 * 1024 * 1024
