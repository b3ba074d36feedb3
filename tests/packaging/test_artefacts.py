"""What `sam build` made imports and answers, with nothing on the path but itself."""

import json
import subprocess

import pytest

ENVIRONMENT = {
    "AWS_REGION": "ca-central-1",
    "AWS_DEFAULT_REGION": "ca-central-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_LAMBDA_FUNCTION_NAME": "packaged",
    "STEWARD_STACK": "packaged",
    "STEWARD_ACCOUNT": "123456789012",
    "STEWARD_BUS": "steward",
    "STATE_TABLE": "state",
}
LAYERS = ("DependenciesLayer", "StewardLayer", "SettingsLayer")
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
def run(built, interpreter):
    """Run Python code with one function's artefact and the layers, and nothing else, on the path."""

    def run(function, code, *arguments):
        paths = [str(built / function), *(str(built / layer / "python") for layer in LAYERS)]
        return subprocess.run(
            [interpreter, "-I", "-S", "-B", "-c", code, json.dumps(paths), *arguments],
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def handlers(request):
    """Logical id of each function -> its handler, as the template says."""
    from samtranslator.yaml_helper import yaml_parse  # noqa: PLC0415 - only this fixture reads the template

    template = yaml_parse((request.config.rootpath / "template.yaml").read_text())
    functions = {n: r for n, r in template["Resources"].items() if r["Type"] == "AWS::Serverless::Function"}
    return {name: function["Properties"]["Handler"] for name, function in functions.items()}


def test_every_handler_imports_from_its_artefact_alone(run, handlers):
    code = "import importlib, json, sys; sys.path[:0] = json.loads(sys.argv[1]); importlib.import_module(sys.argv[2])"

    for function, handler in handlers.items():
        done = run(function, code, handler.rpartition(".")[0])
        assert done.returncode == 0, (function, done.stderr)


def test_the_api_answers_from_its_artefact_alone(run, handlers, tmp_path):
    event = tmp_path / "event.json"
    identity = {"userArn": "arn:aws:sts::123456789012:assumed-role/ci/session", "accountId": "123456789012"}
    request = {
        "resource": "/whoami",
        "path": "/whoami",
        "httpMethod": "GET",
        "headers": {},
        "requestContext": {"identity": identity, "requestId": "r", "stage": "v1"},
    }
    event.write_text(json.dumps(request))

    done = run("RepositoryApi", ANSWER, handlers["RepositoryApi"], str(event))

    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"]) == {"caller": "123456789012:role/ci", "allowed": ["**"]}


def test_artefacts_hold_no_tests_caches_or_documents_of_the_project(built):
    names = {path.name for path in built.rglob("*") if "DependenciesLayer" not in path.parts}

    assert names.isdisjoint({"tests", "__pycache__", "README.md", "Makefile"})


def test_the_code_fits_in_a_function_with_room_to_spare(built):
    """Lambda takes 250 MB unzipped, layers included; half of that is a warning sign.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    """
    size = sum(path.stat().st_size for path in built.rglob("*") if path.is_file())

    assert size < 125 * 1024 * 1024
