"""Where a login is kept: the files of docker, podman, buildah and skopeo, and docker's credential stores."""

import base64
import json
import stat

import pytest

from ecr_steward.errors import CommandError
from ecr_steward.registries import log_in, region_of

REGISTRY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"


@pytest.fixture
def home(tmp_path):
    return {"HOME": str(tmp_path)}


def kept(path, registry=REGISTRY):
    return base64.b64decode(json.loads(path.read_text())["auths"][registry]["auth"]).decode()


@pytest.mark.parametrize(
    ("host", "region"),
    [
        (REGISTRY, "eu-central-1"),
        ("123456789012.dkr-ecr.eu-central-1.on.aws", "eu-central-1"),
        ("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("ghcr.io", ""),
        (f"{REGISTRY}.evil.example", ""),
    ],
)
def test_the_region_is_in_the_name_of_the_registry(host, region):
    assert region_of(host) == region


def test_a_login_is_kept_for_docker_and_for_containers_and_only_its_owner_reads_it(tmp_path, home):
    files = log_in(REGISTRY, "secret", home)

    assert files == [tmp_path / ".docker" / "config.json", tmp_path / ".config" / "containers" / "auth.json"]
    assert [kept(path) for path in files] == ["AWS:secret", "AWS:secret"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_the_variables_of_the_clients_name_other_files(tmp_path, home):
    named = {"DOCKER_CONFIG": str(tmp_path / "d"), "XDG_RUNTIME_DIR": str(tmp_path / "run")}

    assert log_in(REGISTRY, "s", home | named) == [
        tmp_path / "d" / "config.json",
        tmp_path / "run" / "containers" / "auth.json",
    ]
    assert log_in(REGISTRY, "s", home | named | {"REGISTRY_AUTH_FILE": str(tmp_path / "a.json")})[1] == (
        tmp_path / "a.json"
    )


def test_other_logins_and_settings_stay(tmp_path, home):
    file = tmp_path / ".docker" / "config.json"
    file.parent.mkdir()
    file.write_text(json.dumps({"auths": {"ghcr.io": {"auth": "x"}}, "proxies": {"default": {}}}))

    log_in(REGISTRY, "first", home)
    log_in(REGISTRY, "second", home)

    content = json.loads(file.read_text())
    assert content["auths"]["ghcr.io"] == {"auth": "x"}
    assert content["proxies"] == {"default": {}}
    assert kept(file) == "AWS:second"


def test_a_link_to_the_file_stays_a_link(tmp_path, home):
    (tmp_path / ".docker").mkdir()
    (tmp_path / "shared.json").write_text("{}")
    (tmp_path / ".docker" / "config.json").symlink_to(tmp_path / "shared.json")

    log_in(REGISTRY, "secret", home)

    assert (tmp_path / ".docker" / "config.json").is_symlink()
    assert kept(tmp_path / "shared.json") == "AWS:secret"


def test_a_registry_with_a_credential_helper_is_left_alone(tmp_path, home):
    file = tmp_path / ".docker" / "config.json"
    file.parent.mkdir()
    before = json.dumps({"credHelpers": {REGISTRY: "ecr-login"}})
    file.write_text(before)

    assert log_in(REGISTRY, "secret", home) == [tmp_path / ".config" / "containers" / "auth.json"]
    assert file.read_text() == before


def test_a_credential_store_keeps_the_login_and_the_file_does_not(tmp_path, home, monkeypatch):
    store = tmp_path / "bin" / "docker-credential-safe"
    store.parent.mkdir()
    store.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/action; cat > {tmp_path}/login\n')
    store.chmod(0o755)
    monkeypatch.setenv("PATH", str(store.parent), prepend=":")
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text('{"credsStore": "safe"}')

    log_in(REGISTRY, "secret", home)

    assert (tmp_path / "action").read_text() == "store\n"
    assert json.loads((tmp_path / "login").read_text()) == {
        "ServerURL": REGISTRY,
        "Username": "AWS",
        "Secret": "secret",
    }
    assert "secret" not in (tmp_path / ".docker" / "config.json").read_text()


@pytest.mark.parametrize("content", ["{", "[]", '{"auths": []}'.replace("[]", '["x"]')])
def test_a_file_that_is_none_of_logins_is_named_and_stays(tmp_path, home, content):
    file = tmp_path / ".docker" / "config.json"
    file.parent.mkdir()
    file.write_text(content)

    with pytest.raises(CommandError, match=r"config\.json.*Correct the file, or remove it"):
        log_in(REGISTRY, "secret", home)
    assert file.read_text() == content


def test_a_store_that_is_not_installed_is_named(tmp_path, home):
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text('{"credsStore": "nowhere"}')

    with pytest.raises(CommandError, match="docker-credential-nowhere cannot be run"):
        log_in(REGISTRY, "secret", home)
