"""The protocol of docker's credential helpers, as far as it needs no registry; tests/local has a real client."""

import io
import json
import sys

import boto3
import pytest

from ecr_steward import credential_helper
from ecr_steward.credential_helper import NOT_FOUND, main
from tests.mocked_aws import mocked_aws

REGISTRY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"


@pytest.fixture
def configured(tmp_path, monkeypatch):
    """Writes the configuration file."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "steward").mkdir()

    def write(text):
        (tmp_path / "steward" / "config.toml").write_text(text)

    write(f'[registries]\n"{REGISTRY}" = "ecr-push"\n"ghcr.io" = {{ user = "x", profile = "y" }}\n')
    return write


@pytest.mark.parametrize("asked", [REGISTRY, f"https://{REGISTRY}", f"https://{REGISTRY}/v2/\n"])
def test_a_login_is_answered_for_the_registry_as_clients_write_it(configured, monkeypatch, capsys, asked):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mocked_aws():
        secrets = boto3.client("secretsmanager", region_name="eu-central-1")
        key = {"AccessKeyId": "AKIAEXAMPLE000000001", "SecretAccessKey": "s", "UserName": "ecr-push"}
        secrets.create_secret(Name="steward/service-users/ecr-push", SecretString=json.dumps(key))

        assert main(["get"], asked) == 0

    said = json.loads(capsys.readouterr().out)
    assert (said["ServerURL"], said["Username"]) == (asked.strip(), "AWS")
    assert said["Secret"]


@pytest.mark.parametrize(
    "value",
    [{"SecretString": text} for text in ("null", "[]", '"text"', "{}", '{"AccessKeyId": 1}')]
    + [{"SecretBinary": b"x"}],
)
def test_a_secret_without_a_key_is_one_line_that_quotes_nothing_of_it(configured, monkeypatch, capsys, value):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mocked_aws():
        boto3.client("secretsmanager", region_name="eu-central-1").create_secret(
            Name="steward/service-users/ecr-push", **value
        )

        assert main(["get"], REGISTRY) == 1

    out, errors = capsys.readouterr()
    assert out.startswith("the secret steward/service-users/ecr-push has no key")
    assert (out.count("\n"), errors) == (1, "")


def test_a_registry_that_is_not_configured_is_answered_as_the_protocol_says(configured, capsys):
    assert main(["get"], "docker.io") == 1
    assert capsys.readouterr().out == f"{NOT_FOUND}\n"


def test_the_registries_are_listed(configured, capsys):
    assert main(["list"], "") == 0
    assert json.loads(capsys.readouterr().out) == {REGISTRY: "AWS", "ghcr.io": "AWS"}


def test_a_logout_changes_nothing_and_a_login_is_refused(configured, capsys):
    assert main(["erase"], REGISTRY) == 0
    assert capsys.readouterr().out == ""
    assert main(["store"], "{}") == 1
    assert "logins come from the keys of service users" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[registries]\n"a" = 3\n', "a: 3 is no user"),
        ('[registries]\n"a" = { name = "x" }\n', "is no user"),
        ("registries = 3\n", "registries is no table"),
        ("[registries\n", "Correct the file"),
    ],
)
def test_a_wrong_configuration_is_one_line(configured, capsys, text, says):
    configured(text)

    assert main(["get"], "a") == 1
    out = capsys.readouterr().out
    assert says in out
    assert out.count("\n") == 1


def test_it_reads_the_standard_input_except_for_a_list(configured, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["docker-credential-steward", "list"])
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    sys.stdin.close()

    with pytest.raises(SystemExit) as ended:
        credential_helper.run()
    assert ended.value.code == 0
