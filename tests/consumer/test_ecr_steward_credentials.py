"""The consumers' helper: it prints the current key, and never anything that it should not."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.consumer.aws_cli import CannedCli

HELPER = Path(__file__).parents[2] / "consumer" / "ecr_steward_credentials.py"
MATERIAL = "the/secret+material"
SECRET = {"Version": 1, "UserName": "pusher", "AccessKeyId": "AKIANEW", "SecretAccessKey": MATERIAL, "CreatedAt": "…"}


class Host:
    """A machine with the helper, a stand-in for the AWS CLI, and a cache."""

    def __init__(self, folder):
        self.cli = CannedCli(folder / "bin")
        self.cache = folder / "cache"
        self._environment = {"PATH": str(folder / "bin"), "HOME": str(folder), "USER": "builder"}

    def run(self, *arguments, user="pusher", text="", **environment):
        return subprocess.run(
            [sys.executable, HELPER, user, "--cache", self.cache, *arguments],
            env=self._environment | environment,
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )

    def cached(self, user="pusher"):
        return json.loads((self.cache / f"{user}.json").read_text())

    def was_read(self, ago, **changes):
        """Put a key into the cache that was read some time ago."""
        self.cache.mkdir(mode=0o700, exist_ok=True)
        file = self.cache / "pusher.json"
        file.touch(mode=0o600)
        read_at = (datetime.now(UTC) - ago).isoformat()
        file.write_text(json.dumps(SECRET | {"AccessKeyId": "AKIAOLD", "ReadAt": read_at} | changes))
        return file


@pytest.fixture
def host(tmp_path):
    host = Host(tmp_path)
    host.cli.answers(json.dumps(SECRET))
    return host


def test_the_key_is_printed_as_clients_expect_it(host):
    done = host.run()

    printed = json.loads(done.stdout)
    expiration = datetime.fromisoformat(printed.pop("Expiration"))
    assert printed == {"Version": 1, "AccessKeyId": "AKIANEW", "SecretAccessKey": MATERIAL}
    assert timedelta(minutes=29) < expiration - datetime.now(UTC) <= timedelta(minutes=30)
    assert done.returncode == 0
    assert done.stderr == ""


def test_the_profile_that_the_helper_serves_is_not_the_one_that_reads(host):
    host.run("--profile", "reader", AWS_PROFILE="pusher", AWS_DEFAULT_PROFILE="pusher", AWS_REGION="eu-central-1")

    (call,) = host.cli.calls
    assert not {"AWS_PROFILE", "AWS_DEFAULT_PROFILE"} & call["environment"].keys()
    assert call["environment"]["AWS_REGION"] == "eu-central-1"
    assert call["arguments"][-2:] == ["--profile", "reader"]


@pytest.mark.parametrize(
    ("user", "secret"),
    [("pusher", "pusher"), ("ci@team.example", "ci@team.example"), ("a,b=c", "a=2Cb=3Dc"), ("a+b_c-d", "a+b_c-d")],
)
def test_the_name_of_the_secret_follows_from_the_name_of_the_user(host, user, secret):
    host.cli.answers(json.dumps(SECRET | {"UserName": user}))

    assert host.run(user=user).returncode == 0

    assert f"steward/service-users/{secret}" in host.cli.calls[0]["arguments"]


def test_the_secret_and_its_region_can_be_named(host):
    host.run("--secret", "arn:aws:secretsmanager:eu-west-1:1:secret:x", "--region", "eu-west-1")

    arguments = host.cli.calls[0]["arguments"]
    assert arguments[arguments.index("--secret-id") + 1] == "arn:aws:secretsmanager:eu-west-1:1:secret:x"
    assert arguments[arguments.index("--region") + 1] == "eu-west-1"


def test_the_key_is_kept_where_its_owner_alone_can_read_it(host):
    host.run()

    file = host.cache / "pusher.json"
    assert host.cached()["AccessKeyId"] == "AKIANEW"
    assert oct(file.stat().st_mode & 0o777) == "0o600"
    assert oct(host.cache.stat().st_mode & 0o777) == "0o700"
    assert list(host.cache.iterdir()) == [file]


def test_the_last_key_bridges_an_outage(host):
    host.was_read(timedelta(hours=23))
    host.cli.answers(status=255, error="Could not connect to the endpoint URL")

    done = host.run()

    assert json.loads(done.stdout)["AccessKeyId"] == "AKIAOLD"
    assert "Could not connect to the endpoint URL" in done.stderr
    assert "Using the key that was read on" in done.stderr
    assert host.cached()["AccessKeyId"] == "AKIAOLD"


@pytest.mark.parametrize("ago", [timedelta(hours=25), timedelta(hours=-2)])
def test_a_key_that_was_read_too_long_ago_or_in_the_future_is_not_printed(host, ago):
    host.was_read(ago)
    host.cli.answers(status=254, error="An error occurred (AccessDeniedException)")

    done = host.run()

    assert done.returncode == 1
    assert done.stdout == ""
    assert "AccessDeniedException" in done.stderr
    assert "No key was read within the last day" in done.stderr


def test_without_a_last_key_the_reason_is_printed(host):
    host.cli.answers(status=254, error="An error occurred (ResourceNotFoundException) when calling GetSecretValue")

    done = host.run()

    assert done.returncode == 1
    assert done.stdout == ""
    assert "steward/service-users/pusher cannot be read" in done.stderr
    assert "ResourceNotFoundException" in done.stderr


def test_the_users_own_last_key_reads_the_next_one(host):
    host.was_read(timedelta(days=6))

    done = host.run("--own-key", AWS_PROFILE="pusher", AWS_SESSION_TOKEN="of somebody else")

    environment = host.cli.calls[0]["environment"]
    assert environment["AWS_ACCESS_KEY_ID"] == "AKIAOLD"
    assert environment["AWS_SECRET_ACCESS_KEY"] == MATERIAL
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN"} & environment.keys()
    assert json.loads(done.stdout)["AccessKeyId"] == "AKIANEW"
    assert host.cached()["AccessKeyId"] == "AKIANEW"


def test_no_key_is_ever_an_argument(host):
    host.was_read(timedelta(days=6))

    host.run("--own-key")

    assert MATERIAL not in json.dumps(host.cli.calls[0]["arguments"])


def test_a_host_without_a_key_of_its_own_prints_how_to_get_one(host):
    done = host.run("--own-key")

    assert done.returncode == 1
    assert "--seed" in done.stderr
    assert host.cli.calls == []


def test_the_first_key_is_put_in_place_by_hand(host):
    assert host.run("--seed", text=json.dumps(SECRET)).returncode == 0

    assert host.cached()["AccessKeyId"] == "AKIANEW"
    assert host.cli.calls == []


def test_a_key_that_was_put_in_place_by_hand_does_not_hide_a_wrong_setting(host):
    host.run("--seed", text=json.dumps(SECRET))
    host.cli.answers(status=253, error="You must specify a region")

    done = host.run("--own-key")

    assert done.returncode == 1
    assert "You must specify a region" in done.stderr


@pytest.mark.parametrize(
    "content",
    [
        MATERIAL,
        json.dumps([MATERIAL]),
        json.dumps({"password": MATERIAL}),
        json.dumps(SECRET | {"Version": 2}),
        json.dumps(SECRET | {"AccessKeyId": ""}),
        json.dumps(SECRET | {"UserName": "somebody-else"}),
    ],
)
def test_a_secret_that_holds_no_key_of_the_user_is_named_and_not_shown(host, content):
    host.cli.answers(content)

    done = host.run()

    assert done.returncode == 1
    assert done.stdout == ""
    assert "steward/service-users/pusher" in done.stderr
    assert MATERIAL not in done.stderr


def test_a_cache_that_others_can_read_reads_no_secret(host):
    host.was_read(timedelta(hours=1)).chmod(0o640)

    done = host.run("--own-key")

    assert done.returncode == 1
    assert "can be read by others than builder" in done.stderr
    assert host.cli.calls == []


def test_a_cache_that_others_can_read_is_pointed_out_by_who_needs_none(host):
    host.was_read(timedelta(hours=1)).chmod(0o640)

    done = host.run()

    assert json.loads(done.stdout)["AccessKeyId"] == "AKIANEW"
    assert "can be read by others than builder" in done.stderr
    assert "`compromised`" in done.stderr


def test_a_cache_that_others_can_read_bridges_no_outage(host):
    host.was_read(timedelta(hours=1)).chmod(0o640)
    host.cli.answers(status=255, error="Could not connect to the endpoint URL")

    done = host.run()

    assert (done.returncode, done.stdout) == (1, "")
    assert "can be read by others than builder" in done.stderr
    assert "Could not connect to the endpoint URL" in done.stderr


@pytest.mark.parametrize(("arguments", "status"), [((), 0), (("--own-key",), 1)])
def test_a_damaged_cache_is_named_and_not_shown(host, arguments, status):
    host.was_read(timedelta(hours=1)).write_text(MATERIAL)

    done = host.run(*arguments)

    assert done.returncode == status
    assert "pusher.json" in done.stderr
    assert MATERIAL not in done.stderr


@pytest.fixture(params=["a file in its place", "a file instead of the folder", "a disk that is full"])
def unwritable(host, request):
    """A cache to which nothing can be written, even by root."""
    match request.param:
        case "a file in its place":
            (host.cache / "pusher.json").mkdir(parents=True)
        case "a file instead of the folder":
            host.cache.touch()
        case _:
            host.cache = Path("/proc/ecr-steward")
    return host


def test_the_key_is_printed_though_it_cannot_be_kept(unwritable):
    """As on a file system that is read only."""
    done = unwritable.run()

    assert done.returncode == 0
    assert json.loads(done.stdout)["AccessKeyId"] == "AKIANEW"
    assert "warning" in done.stderr
    assert "the key is not kept for an outage" in done.stderr
    assert MATERIAL not in done.stderr


def test_who_reads_with_its_own_key_cannot_do_without_a_cache(unwritable):
    """The next key would be read with one that is long deleted."""
    done = unwritable.run("--own-key")

    assert (done.returncode, done.stdout) == (1, "")
    assert unwritable.cli.calls == []


def test_a_profile_that_leads_back_to_the_helper_is_named(host):
    done = host.run(ECR_STEWARD_CREDENTIALS_FOR="pusher")

    assert done.returncode == 1
    assert "--profile" in done.stderr
    assert host.cli.calls == []


def test_a_missing_cli_is_named(host):
    (host.cli.folder / "aws").unlink()

    done = host.run()

    assert done.returncode == 1
    assert "AWS CLI" in done.stderr


@pytest.mark.parametrize("status", [0, 254, 255])
def test_nothing_but_the_standard_output_holds_the_material(host, status):
    host.was_read(timedelta(minutes=1))
    host.cli.answers(json.dumps(SECRET), status=status, error="refused")

    done = host.run("--own-key")

    assert MATERIAL in done.stdout
    assert MATERIAL not in done.stderr
