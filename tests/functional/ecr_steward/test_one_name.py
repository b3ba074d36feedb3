"""One repository, asked for without the libraries of the other commands: the answers are those of the ordinary way."""

import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import UTC
from pathlib import Path

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.distant import certificates
from ecr_steward import one_name
from ecr_steward.app import main

PROJECT = Path(__file__).parents[3]
TEXT = st.text("abcXYZ019+/=", min_size=1, max_size=40)
AWS = "https://id.execute-api.ca-central-1.amazonaws.com/v1"
HEAVY = ("typer", "rich", "botocore", "yaml", "dataclasses", "typing", "http.client", "email", "ssl", "encodings.idna")
DONE = b'HTTP/1.1 200 OK\r\ncontent-length: 34\r\n\r\n{"name": "team-a/web", "uri": "u"}'
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
        ["ensure", "team-a web"],
        ["ensure", "team-ä/web"],
        ["ensure", "team-a/web/"],
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
        {"AWS_SESSION_TOKEN": "token\r\nx-other: header"},
        {"AWS_REGION": ""},
        {"STEWARD_API_URL": ""},
        {"STEWARD_API_URL": "http://example.com/v1"},
        {"STEWARD_API_URL": f"{AWS}//"},
        {"STEWARD_API_URL": f"{AWS}?stage=v1"},
        {"STEWARD_API_URL": AWS.replace("https://", "https://user@")},
        {"STEWARD_API_URL": AWS.replace("/v1", ":/v1")},
        {"STEWARD_API_URL": AWS.replace("id", "ïd")},
        {"STEWARD_API_URL": AWS.replace("https", "ftp")},
    ],
)
def test_what_the_environment_does_not_say_alone_takes_the_ordinary_way(stack, setting):
    environment = {**signing(stack), **setting}

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


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 301 Moved\r\nlocation: /\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"",
    ],
)
def test_an_answer_that_needs_a_whole_http_client_takes_the_ordinary_way(stack, capsys, answer):
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor() as pool:
        pool.submit(answer_once, server, answer)
        environment = signing(stack) | {"STEWARD_API_URL": f"http://127.0.0.1:{server.getsockname()[1]}"}

        assert one_name.ensure(["ensure", "team-a/web"], environment) is None

    assert capsys.readouterr() == ("", "")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl, which makes the certificates, is not installed")
@pytest.mark.parametrize(
    ("host", "trusted", "code"), [("localhost", True, 0), ("localhost", False, None), ("127.0.0.1", True, None)]
)
def test_the_certificate_and_its_host_are_verified(stack, tmp_path, monkeypatch, capsys, host, trusted, code):
    """By the authorities in OpenSSL's folder; the ordinary way says what is wrong."""
    made = certificates(tmp_path)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", str(made.authorities if trusted else tmp_path))
    (tmp_path / "00000000.0").touch()  # a folder with hashes
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor() as pool:
        asked = pool.submit(answer_once, server, DONE, context)
        environment = signing(stack) | {"STEWARD_API_URL": f"https://{host}:{server.getsockname()[1]}"}

        assert one_name.ensure(["ensure", "team-a/web"], environment) == code

    assert asked.result().startswith(b"PUT /repositories/team-a/web HTTP/1.1\r\n" if code == 0 else b"refused")
    assert ("exists" in capsys.readouterr().out) == (code == 0)


def test_without_a_folder_of_hashes_all_authorities_are_read(tmp_path, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert one_name._authorities() is None

    (tmp_path / "0a1b2c3d.0").touch()
    assert one_name._authorities() == str(tmp_path)

    monkeypatch.setenv("SSL_CERT_FILE", "/ca.pem")
    assert one_name._authorities() is None


def test_names_of_the_standard_input_are_there_for_the_ordinary_way(stack, monkeypatch, capsys):
    command = [sys.executable, "-P", "-m", "ecr_steward", "--output", "json", "ensure", "-"]
    for text, count in (("team-a/web\n", 1), ("team-a/web\nteam-a/api\n", 2)):
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, env=python_path())
        assert (done.returncode, done.stderr) == (0, "")
        assert len(json.loads(done.stdout)) == count


def test_it_imports_none_of_the_libraries_of_the_other_commands(stack):
    code = (
        "import sys; from ecr_steward.one_name import ensure; code = ensure(['ensure', 'team-a/web']); "
        f"print(code, [one for one in {HEAVY!r} if one in sys.modules])"
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
    configuration = {"XDG_CONFIG_HOME": os.environ["XDG_CONFIG_HOME"]}
    return {"STEWARD_API_URL": server.url, **configuration, **{name: os.environ[name] for name in names}}


def answer_once(server, answer, context=None):
    """Answer one connection; what was asked, or ``refused`` where the caller did not trust the server."""
    connection, _ = server.accept()
    try:
        with context.wrap_socket(connection, server_side=True) if context else nullcontext(connection) as answered:
            asked = answered.recv(65536)
            answered.sendall(answer)
            return asked
    except OSError:
        return b"refused"
    finally:
        connection.close()


def python_path():
    path = os.pathsep.join(str(PROJECT / part) for part in ("cli", "functions", "layers"))
    return os.environ | {"PYTHONPATH": path}
