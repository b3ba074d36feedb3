"""What bad input gets: one line that says what is wrong and where, and never a traceback."""

import json
import shutil
import subprocess
import threading
from contextlib import suppress

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from ecr_steward import api
from ecr_steward.app import main
from ecr_steward.gate.errors import UnusableInputError
from ecr_steward.gate.inputs import Text, checked

REGISTRY = "123456789012.dkr.ecr.ca-central-1.amazonaws.com"


def one_line(capsys):
    error = capsys.readouterr().err
    assert error.startswith("steward: ")
    assert error.count("\n") == 1
    assert "Traceback" not in error
    return error


@pytest.fixture
def nobody(monkeypatch, tmp_path):
    """A machine without any configuration of AWS."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "STEWARD_API_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path


def test_without_a_region_it_says_how_to_name_one(nobody, capsys):
    assert main(["whoami"]) == 2
    assert one_line(capsys) == "steward: the region is not known. Use --region, or set AWS_REGION\n"


def test_without_credentials_it_says_how_to_log_in(nobody, capsys):
    assert main(["--region", "eu-central-1", "whoami"]) == 2
    assert "there are no AWS credentials. Log in (aws sso login)" in one_line(capsys)


def test_a_session_that_has_ended_says_how_to_log_in_again(nobody, serve, monkeypatch, capsys):
    serve(lambda *_: (200, {}, {}))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    (nobody / "config").write_text(
        "[profile ended]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = r\n"
        "[sso-session s]\nsso_region = eu-central-1\nsso_start_url = https://example.com/start\n"
    )

    assert main(["--profile", "ended", "whoami"]) == 2
    assert "Log in again, such as with aws sso login" in one_line(capsys)


class AnotherAccount:
    """Clients of an account without the stack."""

    class meta:  # noqa: N801 - as in botocore
        region_name = "eu-central-1"

    def describe_stacks(self, StackName):  # noqa: N803
        raise ClientError({"Error": {"Code": "ValidationError", "Message": f"{StackName} does not exist"}}, "Describe")

    def get_caller_identity(self):
        return {"Account": "123456789012"}


def test_a_stack_that_is_not_in_this_account_says_which_account_was_asked(nobody, monkeypatch, capsys):
    monkeypatch.setattr("botocore.session.Session.create_client", lambda *_, **__: AnotherAccount())

    assert main(["--stack", "stewards", "whoami"]) == 2
    assert "there is no stack stewards in account 123456789012, eu-central-1. Use --stack" in one_line(capsys)


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("expired-token", "Log in again, such as with aws sso login"),
        ("invalid-signature", "Check the credentials and the clock of this machine"),
        ("access-denied", "Attach the stack's PipelinePolicyArn or OperatorPolicyArn to your identity"),
        ("settings-unusable", "The operators have to correct the settings"),
    ],
)
@pytest.mark.parametrize("command", [["whoami"], ["ensure", "a"], ["keys", "list"]])
def test_what_the_gateway_refuses_says_what_to_do(serve, capsys, kind, says, command):
    serve(lambda *_: (403, {}, {"type": f"urn:ecr-steward:problem:{kind}", "title": "Refused"}))

    assert main(command) in {1, 2}
    answer = capsys.readouterr()
    assert says in answer.out + answer.err
    assert answer.err.count("\n") == 1


def test_an_api_that_does_not_answer_in_time_is_one_line(serve, monkeypatch, capsys):
    released = threading.Event()

    def slow(*_):
        released.wait(30)
        return 200, {}, {}

    serve(slow)
    monkeypatch.setattr(api, "SECONDS", 0.05)

    assert main(["whoami"]) == 2
    released.set()
    assert "cannot be reached: Read timeout" in one_line(capsys)


@pytest.mark.parametrize("status", [200, 502])
def test_a_page_of_a_proxy_instead_of_the_api_is_one_line(serve, capsys, status):
    serve(lambda *_: (status, {"Content-Type": "text/html"}, b"<html>\n<h1>Gateway</h1>\n</html>"))

    assert main(["ensure", "a", "b"]) == 2
    said = one_line(capsys)
    assert f"the API answered {status} with what is no JSON" in said
    assert "Check STEWARD_API_URL: a proxy may answer" in said


def test_a_newer_stack_may_answer_more_than_the_command_knows(serve, capsys):
    found = {"name": "a", "created": True, "rule": "r", "uri": "u/a", "scanned_by": {"new": [1]}}
    serve(lambda *_: (201, {}, found))

    assert main(["ensure", "a"]) == 0
    assert capsys.readouterr().out.split()[5:8] == ["a", "created", "r"]


def test_an_older_stack_without_the_route_says_so(serve, capsys):
    serve(lambda *_: (404, {}, {"type": "urn:ecr-steward:problem:no-such-route", "title": "There is no such route"}))

    assert main(["keys", "inventory"]) == 2
    assert "The stack may be older than this command: compare the versions" in one_line(capsys)


@pytest.mark.parametrize("revision", ["no/such-branch", "0000000000000000000000000000000000000000", "-x"])
def test_a_revision_that_does_not_exist_is_named(tmp_path, monkeypatch, capsys, revision):
    for command in (
        ["init", "--quiet"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a", "--allow-empty"],
    ):
        subprocess.run([shutil.which("git"), *command], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)

    assert main(["policy", "check", f"--base={revision}"]) == 2
    assert revision in one_line(capsys)


@pytest.mark.parametrize(
    ("option", "text", "says"),
    [
        ("--compose", "services: {a: {image: 'x${TAG:?unset}'}}", "service a: the image x${TAG:?unset} has a variable"),
        ("--compose", "services: {a: {image: 'postgres:17'}}", "has no image in ECR; those of other registries"),
        ("--compose", "services: {a: {build: .}}", "has no image in ECR"),
        ("--compose", "a: [", "it is neither JSON nor YAML"),
        ("--bake", '{"target": {"a": {"tags": null}, "b": {"tags": "x"}, "c": 3}}', "has no image in ECR"),
        ("--bake", 'group "default" {}', "it is no object"),
        ("--file", "", "no repository is named"),
        ("--file", "\udcff", "it is no UTF-8 text"),
    ],
)
def test_a_file_of_names_that_cannot_be_used_is_named(nobody, tmp_path, capsys, option, text, says):
    file = tmp_path / "names"
    file.write_bytes(text.encode(errors="surrogateescape"))

    assert main(["ensure", option, str(file)]) == 2
    assert says in one_line(capsys)


def test_the_targets_of_a_matrix_are_all_ensured(stack, tmp_path, capsys):
    targets = {f"app-{one}": {"tags": [f"{REGISTRY}/team-a/app-{one}:1"]} for one in ("a", "b")}
    file = tmp_path / "bake.json"
    file.write_text(json.dumps({"group": {"default": {"targets": list(targets)}}, "target": targets}))

    assert main(["--output", "tsv", "--query", "[].name", "ensure", "--bake", str(file)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {"team-a/app-a", "team-a/app-b"} <= set(lines)


def test_a_mistake_of_the_command_is_one_line_and_can_be_debugged(serve, monkeypatch, capsys):
    serve(lambda *_: (200, {}, {"unexpected": "answer"}))

    assert main(["doctor"]) == 2
    assert "STEWARD_DEBUG=1 shows" in one_line(capsys)
    monkeypatch.setenv("STEWARD_DEBUG", "1")
    with pytest.raises(KeyError):
        main(["doctor"])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 3) | st.sampled_from(["", "Allow", "aws_iam_role", "*", "a"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Type", "Properties", "Statement", "after", "change", "type", "a"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(JSON, JSON, JSON)
def test_a_plan_of_any_shape_is_judged_or_refused(changes, configuration, state):
    plan = {
        "format_version": "1.2",
        "resource_changes": [{"address": "aws_iam_role.a", "type": "aws_iam_role", "change": changes}, changes],
        "configuration": configuration,
        "prior_state": state,
    }
    with suppress(UnusableInputError):
        checked(None, Text("plan.json", json.dumps(plan)))


@given(JSON, JSON)
def test_a_template_of_any_shape_is_judged_or_refused(resource, properties):
    resources = {"A": resource, "B": {"Type": "AWS::IAM::Role", "Properties": properties}}
    template = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}
    with suppress(UnusableInputError):
        checked(None, Text("template.json", json.dumps(template)))
