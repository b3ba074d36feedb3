"""One repository, asked for without the libraries of the other commands: the answers are those of the ordinary way."""

import json
import os
import subprocess
import sys
from datetime import UTC
from pathlib import Path

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from ecr_steward import one_name
from ecr_steward.app import main

PROJECT = Path(__file__).parents[3]
TEXT = st.text("abcXYZ019+/=", min_size=1, max_size=40)
AWS = "https://id.execute-api.ca-central-1.amazonaws.com/v1"
IMAGE = "123456789012.dkr.ecr.ca-central-1.amazonaws.com/team-a/web:1"


def both(arguments, capsys):
    """Exit code, output and error stream: at once, and by the ordinary way."""
    answers = []
    for run in (one_name.ensure, main):
        code = run(arguments)
        answers.append((code, *capsys.readouterr()))
    return answers


@pytest.mark.parametrize(
    "arguments", [["ensure", "team-a/web"], ["--output", "json", "ensure", IMAGE], ["--output", "tsv", "ensure", IMAGE]]
)
def test_a_repository_is_ensured_as_by_the_ordinary_way(serve, capsys, arguments):
    uri = IMAGE.removesuffix(":1")
    server = serve(lambda *_: (200, {}, {"name": "team-a/web", "created": False, "rule": "default", "uri": uri}))

    at_once, ordinary = both(arguments, capsys)

    assert at_once == ordinary
    assert at_once[0] == 0
    assert uri in at_once[1]
    assert [asked[:2] for asked in server.asked] == [("PUT", "/repositories/team-a/web")] * 2


def test_a_refused_name_is_asked_for_once_and_answered_as_by_the_ordinary_way(serve, capsys):
    problem = {"type": "urn:ecr-steward:problem:not-allowed", "detail": "no rule allows it", "allowed": ["team-a/**"]}
    server = serve(lambda *_: (403, {}, problem))

    code = one_name.ensure(["ensure", "secret/x"])
    asked = len(server.asked)
    at_once = (code, *capsys.readouterr())
    ordinary = (main(["ensure", "secret/x"]), *capsys.readouterr())

    assert (asked, at_once) == (1, ordinary)
    assert "no rule allows it (allowed: team-a/**)" in at_once[1]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--help"],
        ["ensure"],
        ["ensure", "--help"],
        ["ensure", "Not/AName"],
        ["ensure", "team-a/../web"],
        ["ensure", "team-a/web", "team-a/api"],
        ["--output", "yaml", "ensure", "team-a/web"],
        ["whoami", "team-a/web"],
    ],
)
def test_other_commands_take_the_ordinary_way(stack, capsys, arguments):
    assert one_name.ensure(arguments) is None
    assert (stack.asked, capsys.readouterr().out) == ([], "")


@pytest.mark.parametrize(
    "setting",
    [
        {"AWS_PROFILE": "p"},
        {"STEWARD_API_URL": AWS, "https_proxy": "http://proxy:3128"},
        {"STEWARD_API_URL": AWS, "AWS_CA_BUNDLE": "/ca.pem"},
        {"AWS_ACCESS_KEY_ID": ""},
        {"AWS_REGION": ""},
        {"STEWARD_API_URL": ""},
        {"STEWARD_API_URL": "http://example.com/v1"},
    ],
)
def test_what_the_environment_does_not_say_alone_takes_the_ordinary_way(stack, setting):
    environment = {"XDG_CONFIG_HOME": os.environ["XDG_CONFIG_HOME"], **signing(stack), **setting}

    assert one_name.ensure(["ensure", "team-a/web"], environment) is None
    assert stack.asked == []


def test_a_configuration_file_takes_the_ordinary_way(stack):
    folder = Path(os.environ["XDG_CONFIG_HOME"]) / "steward"
    folder.mkdir()
    (folder / "config.toml").write_text('profile = "p"\n', encoding="utf-8")

    assert one_name.ensure(["ensure", "team-a/web"]) is None
    assert stack.asked == []


@pytest.mark.parametrize("status", [429, 503, 504])
def test_what_a_repetition_may_change_takes_the_ordinary_way(serve, capsys, status):
    serve(lambda *_: (status, {}, {"type": "urn:ecr-steward:problem:throttled"}))

    assert one_name.ensure(["ensure", "team-a/web"]) is None
    assert capsys.readouterr() == ("", "")


def test_an_answer_that_is_no_json_or_none_at_all_takes_the_ordinary_way(serve, capsys):
    server = serve(lambda *_: (200, {}, b"<html>"))
    assert one_name.ensure(["ensure", "team-a/web"]) is None
    server.close()
    assert one_name.ensure(["ensure", "team-a/web"]) is None
    assert capsys.readouterr() == ("", "")


def test_names_of_the_standard_input_are_there_for_the_ordinary_way(stack, monkeypatch, capsys):
    command = [sys.executable, "-P", "-m", "ecr_steward", "--output", "json", "ensure", "-"]
    for text, count in (("team-a/web\n", 1), ("team-a/web\nteam-a/api\n", 2)):
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, env=python_path())
        assert (done.returncode, done.stderr) == (0, "")
        assert len(json.loads(done.stdout)) == count


def test_it_imports_none_of_the_libraries_of_the_other_commands(stack):
    code = (
        "import sys; from ecr_steward.one_name import ensure; code = ensure(['ensure', 'team-a/web']); "
        "print(code, [one for one in ('typer', 'rich', 'botocore', 'yaml', 'dataclasses') if one in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=python_path())

    assert done.stdout.splitlines()[-1] == "0 []"


@given(
    TEXT,
    TEXT,
    st.none() | TEXT,
    st.sampled_from(["/v1/repositories/a/b", "/repositories/a-1_2.c"]),
    st.sampled_from(["127.0.0.1:4566", "id.execute-api.eu-central-1.amazonaws.com"]),
    st.datetimes(),
)
def test_the_signature_is_that_of_botocore(key, secret, token, path, host, moment):
    environment = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": token or ""}
    now = moment.replace(year=2000 + moment.year % 100, day=min(moment.day, 28), tzinfo=UTC)

    ours = one_name.signed(host, path, "eu-central-1", environment, now.timestamp())

    request = AWSRequest("PUT", f"https://{host}{path}")
    signer = SigV4Auth(Credentials(key, secret, token or None), "execute-api", "eu-central-1")
    request.context["timestamp"] = now.strftime("%Y%m%dT%H%M%SZ")
    signer._modify_request_before_signing(request)  # type: ignore[attr-defined]
    expected = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    assert ours["authorization"].endswith(f"Signature={expected}")


def signing(server):
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION")
    return {"STEWARD_API_URL": server.url, **{name: os.environ[name] for name in names}}


def python_path():
    path = os.pathsep.join(str(PROJECT / part) for part in ("cli", "functions", "layers"))
    return os.environ | {"PYTHONPATH": path}
