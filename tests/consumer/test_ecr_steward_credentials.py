"""The consumers' helper: it prints the current key, and never anything that it should not."""

import json
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.consumer.aws_cli import CannedCli

HELPER = Path(__file__).parents[2] / "consumer" / "ecr_steward_credentials.py"
MATERIAL = "the/secret+material"
SECRET = {"Version": 1, "UserName": "pusher", "AccessKeyId": "AKIANEW", "SecretAccessKey": MATERIAL, "CreatedAt": "…"}
DEV, PROD = "111122223333", "444455556666"
DOWN = {"status": 255, "error": "Could not connect to the endpoint URL"}
DENIED = {
    "status": 254,
    "error": "\nAn error occurred (AccessDeniedException) when calling GetSecretValue: no",
}


def arn(account=DEV, region="eu-central-1", suffix="AbCdEf"):
    return f"arn:aws:secretsmanager:{region}:{account}:secret:steward/service-users/pusher-{suffix}"


def printed(key_id="AKIANEW", account=DEV, user="pusher"):
    """What the AWS CLI prints for the secret."""
    return f"{arn(account)}\t{json.dumps(SECRET | {'AccessKeyId': key_id, 'UserName': user})}"


class Host:
    """A machine with the helper, a stand-in for the AWS CLI, and a cache."""

    def __init__(self, folder):
        self.cli = CannedCli(folder / "bin")
        self.home = folder
        self.cache = folder / "cache"
        self.environment = {"PATH": str(folder / "bin"), "HOME": str(folder), "USER": "builder"}

    def run(self, *arguments, user="pusher", text="", program=(HELPER,), cache=True, **environment):
        """Run the helper; a variable of the environment that is ``None`` is not there."""
        variables = {name: value for name, value in (self.environment | environment).items() if value is not None}
        arguments = (*(("--cache", self.cache) if cache else ()), *arguments)
        done = subprocess.run(
            [sys.executable, *program, user, *arguments],
            env=variables,
            cwd=self.home,
            input=text if isinstance(text, bytes) else text.encode(),
            capture_output=True,
            check=False,
        )
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    def files(self):
        return sorted(self.cache.iterdir())

    def cached(self):
        (file,) = self.files()
        return json.loads(file.read_text())

    def was_read(self, ago, *arguments, **changes):
        """Have the helper keep a key, as if it had been some time ago."""
        existing = set(self.files()) if self.cache.exists() else set()
        if "--own-key" in arguments:
            others = [argument for argument in arguments if argument != "--own-key"]
            assert self.run("--seed", *others, text=json.dumps(SECRET | {"AccessKeyId": "AKIAOLD"})).returncode == 0
        else:
            self.cli.answers(printed("AKIAOLD"))
            assert self.run(*arguments).returncode == 0
        (file,) = set(self.files()) - existing
        read_at = (datetime.now(UTC) - ago).isoformat()
        file.write_text(json.dumps(json.loads(file.read_text()) | {"ReadAt": read_at} | changes))
        self.cli.answers(printed())
        self.cli.forget_calls()
        return file

    def was_read_by_an_earlier_version(self, ago):
        """Put a key into the cache as it was kept when one file was for all accounts."""
        self.cache.mkdir(mode=0o700, exist_ok=True)
        file = self.cache / "pusher.json"
        file.touch(mode=0o600)
        read_at = (datetime.now(UTC) - ago).isoformat()
        file.write_text(json.dumps(SECRET | {"AccessKeyId": "AKIAOLD", "ReadAt": read_at}))
        return file


def key_of(done):
    """The key that was printed, ``None`` for none."""
    return json.loads(done.stdout)["AccessKeyId"] if done.stdout else None


def one_line(done):
    """What was said on the standard error stream, which is one line."""
    (line,) = done.stderr.splitlines()
    assert line.startswith("ecr-steward-credentials: ")
    return line


@pytest.fixture
def host(tmp_path):
    host = Host(tmp_path)
    host.cli.answers(printed())
    return host


def test_the_key_is_printed_as_clients_expect_it(host):
    done = host.run()

    document = json.loads(done.stdout)
    expiration = datetime.fromisoformat(document.pop("Expiration"))
    assert document == {"Version": 1, "AccessKeyId": "AKIANEW", "SecretAccessKey": MATERIAL}
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
    host.cli.answers(printed(user=user))

    assert host.run(user=user).returncode == 0

    assert f"steward/service-users/{secret}" in host.cli.calls[0]["arguments"]


def test_the_secret_and_its_region_can_be_named(host):
    host.run("--secret", "arn:aws:secretsmanager:eu-west-1:1:secret:x", "--region", "eu-west-1")

    arguments = host.cli.calls[0]["arguments"]
    assert arguments[arguments.index("--secret-id") + 1] == "arn:aws:secretsmanager:eu-west-1:1:secret:x"
    assert arguments[arguments.index("--region") + 1] == "eu-west-1"


def test_the_key_is_kept_where_its_owner_alone_can_read_it(host):
    host.run()

    (file,) = host.files()
    assert host.cached()["AccessKeyId"] == "AKIANEW"
    assert oct(file.stat().st_mode & 0o777) == "0o600"
    assert oct(host.cache.stat().st_mode & 0o777) == "0o700"


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
    host.was_read(timedelta(days=6), "--own-key")

    done = host.run(
        "--own-key",
        AWS_PROFILE="pusher",
        AWS_SESSION_TOKEN="of another",
        AWS_CREDENTIAL_EXPIRATION="2020-01-01T00:00Z",
    )

    environment = host.cli.calls[0]["environment"]
    assert environment["AWS_ACCESS_KEY_ID"] == "AKIAOLD"
    assert environment["AWS_SECRET_ACCESS_KEY"] == MATERIAL
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CREDENTIAL_EXPIRATION"} & environment.keys()
    assert json.loads(done.stdout)["AccessKeyId"] == "AKIANEW"
    assert host.cached()["AccessKeyId"] == "AKIANEW"


def test_no_key_is_ever_an_argument(host):
    host.was_read(timedelta(days=6), "--own-key")

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
    host.was_read(timedelta(hours=1), "--own-key").chmod(0o640)

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
    file = host.was_read(timedelta(hours=1), *arguments)
    file.write_text(MATERIAL)

    done = host.run(*arguments)

    assert done.returncode == status
    assert file.name in done.stderr
    assert MATERIAL not in done.stderr


@pytest.fixture(params=["a folder in its place", "a file instead of the folder", "a disk that is full"])
def unwritable(host, request):
    """A cache to which nothing can be written, even by root."""
    match request.param:
        case "a folder in its place":
            for arguments in ((), ("--own-key",)):
                file = host.was_read(timedelta(hours=1), *arguments)
                file.unlink()
                file.mkdir()
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


def served(host, user, *arguments):
    """The helper, as a profile's ``credential_process``."""
    return [sys.executable, HELPER, user, "--cache", host.cache, *arguments]


def test_a_profile_that_leads_back_to_the_helper_is_named(host):
    host.cli.answers(printed(), profile="pusher", served_by=served(host, "pusher", "--profile", "pusher"))

    done = host.run("--profile", "pusher")

    assert done.returncode == 1
    assert "Name another with --profile" in one_line(done)
    assert len(host.cli.calls) == 1


def test_two_profiles_that_read_through_each_other_are_refused_at_the_second_call(host):
    host.cli.answers(printed(), profile="pull", served_by=served(host, "puller", "--profile", "push"))
    host.cli.answers(printed(user="puller"), profile="push", served_by=served(host, "pusher", "--profile", "pull"))

    done = host.run("--profile", "pull")

    assert done.returncode == 1
    assert "Name another with --profile" in one_line(done)
    assert len(host.cli.calls) == 2


def test_one_service_user_can_read_the_secret_of_another(host):
    host.cli.answers(printed(), profile="reader", served_by=served(host, "reader", "--profile", "role"))
    host.cli.answers(printed(user="reader"), profile="role")

    assert key_of(host.run("--profile", "reader")) == "AKIANEW"


def test_a_user_can_read_the_secret_of_the_user_of_the_same_name_in_another_account(host):
    host.cli.answers(printed(account=PROD), profile="dev", served_by=served(host, "pusher", "--profile", "role"))
    host.cli.answers(printed(), profile="role")

    assert key_of(host.run("--secret", arn(PROD), "--profile", "dev")) == "AKIANEW"


def test_a_missing_cli_is_named(host):
    (host.cli.folder / "aws").unlink()

    done = host.run()

    assert done.returncode == 1
    assert "AWS CLI" in done.stderr


@pytest.mark.parametrize("status", [0, 254, 255])
def test_nothing_but_the_standard_output_holds_the_material(host, status):
    host.was_read(timedelta(minutes=1), "--own-key")
    host.cli.answers(printed(), status=status, error="refused")

    done = host.run("--own-key")

    assert MATERIAL in done.stdout
    assert MATERIAL not in done.stderr


def of_two_accounts(host):
    """Profiles of two accounts on one host, whose users are called the same."""
    host.cli.answers(printed("AKIADEV", DEV), account=DEV, profile="dev")
    host.cli.answers(printed("AKIAPROD", PROD), account=PROD, profile="prod")


@pytest.mark.parametrize("failure", [DOWN, DENIED], ids=["down", "denied"])
def test_the_key_of_another_account_bridges_no_outage(host, failure):
    of_two_accounts(host)
    host.run("--profile", "dev")
    host.cli.answers(**failure, profile="prod")

    done = host.run("--profile", "prod")

    assert (done.returncode, key_of(done)) == (1, None)


def test_each_of_two_accounts_has_a_last_key_of_its_own(host):
    of_two_accounts(host)
    host.run("--profile", "prod")
    host.run("--profile", "dev")
    host.cli.answers(**DOWN, profile="prod")
    host.cli.answers(**DOWN, profile="dev")

    assert key_of(host.run("--profile", "prod")) == "AKIAPROD"
    assert key_of(host.run("--profile", "dev")) == "AKIADEV"


def test_each_of_two_regions_has_a_last_key_of_its_own(host):
    host.run("--region", "eu-central-1")
    host.cli.answers(printed("AKIAUS"))
    host.run("--region", "us-east-1")
    host.cli.answers(**DOWN)

    assert key_of(host.run("--region", "eu-central-1")) == "AKIANEW"
    assert key_of(host.run("--region", "us-east-1")) == "AKIAUS"
    assert key_of(host.run("--region", "eu-west-1")) is None


def test_a_profile_that_now_is_of_another_account_is_not_served_the_last_key(host):
    """The profile is called the same, and STS says whose it is."""
    host.run("--profile", "work")
    host.cli.answers(**DENIED, account=PROD, profile="work")

    done = host.run("--profile", "work")

    assert (done.returncode, key_of(done)) == (1, None)
    assert "nothing shows that it is of the account that was asked now" in one_line(done)


@pytest.mark.parametrize(
    "change",
    [
        {"AWS_ACCESS_KEY_ID": "AKIAOTHER"},
        {"AWS_ROLE_ARN": f"arn:aws:iam::{PROD}:role/ci"},
        {"AWS_CONFIG_FILE": "/dev/null"},
        {"AWS_REGION": "us-east-1"},
    ],
    ids=str,
)
def test_while_aws_does_not_answer_the_last_key_is_for_the_same_settings_alone(host, change):
    (host.home / ".aws").mkdir()
    (host.home / ".aws" / "config").write_text("[default]\nregion = eu-central-1\n")
    host.run()
    host.cli.answers(**DOWN)

    assert key_of(host.run()) == "AKIANEW"
    assert key_of(host.run(**change)) is None


def test_a_changed_profile_is_served_no_key_while_aws_does_not_answer(host):
    config = host.home / ".aws" / "config"
    config.parent.mkdir()
    config.write_text("[profile work]\nrole_arn = arn:aws:iam::111122223333:role/reader\n")
    host.run("--profile", "work")
    config.write_text("[profile work]\nrole_arn = arn:aws:iam::444455556666:role/reader\n")
    host.cli.answers(**DOWN)

    assert key_of(host.run("--profile", "work")) is None


def test_a_role_with_new_credentials_is_served_the_last_key_of_its_account(host):
    """A role's credentials change every hour; its account does not."""
    host.run(AWS_ACCESS_KEY_ID="ASIAFIRST")
    host.cli.answers(**DENIED, account=DEV)

    assert key_of(host.run(AWS_ACCESS_KEY_ID="ASIASECOND")) == "AKIANEW"


def test_a_secret_named_by_its_arn_needs_no_proof_of_the_account(host):
    host.run("--secret", arn(), AWS_ACCESS_KEY_ID="ASIAFIRST")
    host.cli.answers(**DOWN)

    assert key_of(host.run("--secret", arn(), AWS_ACCESS_KEY_ID="ASIASECOND")) == "AKIANEW"
    assert key_of(host.run("--secret", arn(PROD), AWS_ACCESS_KEY_ID="ASIASECOND")) is None


def test_a_file_in_the_place_of_another_is_not_used(host):
    """As when one that is of another account was copied or renamed."""
    of_two_accounts(host)
    host.run("--profile", "dev")
    (dev,) = host.files()
    host.run("--profile", "prod")
    (prod,) = set(host.files()) - {dev}
    prod.write_text(dev.read_text())
    host.cli.answers(**DOWN, profile="prod")

    done = host.run("--profile", "prod")

    assert key_of(done) is None
    assert "another secret, region or reader" in done.stderr


def test_a_second_account_does_not_replace_the_users_own_key(host):
    host.run("--seed", text=json.dumps(SECRET | {"AccessKeyId": "AKIADEV"}))

    done = host.run("--seed", text=json.dumps(SECRET | {"AccessKeyId": "AKIAPROD"}))

    assert done.returncode == 1
    assert "nothing shows that AKIAPROD is of the same account" in one_line(done)
    assert host.cached()["AccessKeyId"] == "AKIADEV"


@pytest.mark.parametrize("option", ["--region", "--secret"])
def test_two_accounts_have_own_keys_side_by_side(host, option):
    values = {"--region": ("eu-central-1", "us-east-1"), "--secret": (arn(DEV), arn(PROD))}[option]
    for value, key_id in zip(values, ("AKIADEV", "AKIAPROD"), strict=True):
        host.run("--seed", option, value, text=json.dumps(SECRET | {"AccessKeyId": key_id}))

    for value in values:
        host.run("--own-key", option, value)

    assert [call["environment"]["AWS_ACCESS_KEY_ID"] for call in host.cli.calls] == ["AKIADEV", "AKIAPROD"]


def test_the_own_key_of_one_region_is_not_used_in_another(host):
    host.run("--seed", "--region", "eu-central-1", text=json.dumps(SECRET))

    done = host.run("--own-key", "--region", "us-east-1")

    assert done.returncode == 1
    assert "--seed --region us-east-1" in done.stderr
    assert host.cli.calls == []


def test_a_successor_of_the_same_account_replaces_the_users_own_key(host):
    """As on a host that was offline for longer than its key lived."""
    host.run("--seed", text=json.dumps(SECRET | {"AccessKeyId": "AKIAOLD"}))
    host.run("--own-key")
    host.cli.answers(account=DEV)

    done = host.run("--seed", text=json.dumps(SECRET | {"AccessKeyId": "AKIANEXT"}))

    assert done.returncode == 0
    assert host.cached()["AccessKeyId"] == "AKIANEXT"
    assert host.cli.calls[-1]["environment"]["AWS_ACCESS_KEY_ID"] == "AKIANEXT"


def test_a_damaged_own_key_can_be_put_in_place_again(host):
    host.was_read(timedelta(hours=1), "--own-key").write_text("")

    assert host.run("--seed", text=json.dumps(SECRET)).returncode == 0

    assert key_of(host.run("--own-key")) == "AKIANEW"


def test_a_key_put_in_place_for_no_certain_region_is_for_the_first_that_it_serves(host):
    host.run("--seed", text=json.dumps(SECRET | {"AccessKeyId": "AKIAOLD"}))

    first = host.run("--own-key", "--region", "eu-central-1")
    second = host.run("--own-key", "--region", "us-east-1")

    assert (key_of(first), key_of(second)) == ("AKIANEW", None)
    assert [call["environment"]["AWS_ACCESS_KEY_ID"] for call in host.cli.calls] == ["AKIAOLD"]
    assert key_of(host.run("--own-key", "--region", "eu-central-1")) == "AKIANEW"


def test_an_own_key_that_is_in_use_is_not_taken_for_a_region(host):
    host.run("--seed", text=json.dumps(SECRET))
    host.run("--own-key")

    assert host.run("--own-key", "--region", "us-east-1").returncode == 1
    assert key_of(host.run("--own-key")) == "AKIANEW"


def test_an_own_key_that_was_not_read_with_stays_for_the_next_try(host):
    host.run("--seed", text=json.dumps(SECRET | {"AccessKeyId": "AKIAOLD"}))
    host.cli.answers(**DOWN)
    assert host.run("--own-key", "--region", "eu-central-1").returncode == 1

    host.cli.answers(printed())

    assert key_of(host.run("--own-key", "--region", "eu-central-1")) == "AKIANEW"


@pytest.mark.parametrize("arguments", [(), ("--region", "eu-central-1"), ("--secret", arn())], ids=str)
def test_the_own_key_of_an_earlier_version_reads_the_next_one(host, arguments):
    host.was_read_by_an_earlier_version(timedelta(days=6))

    done = host.run("--own-key", *arguments)

    assert key_of(done) == "AKIANEW"
    assert host.cli.calls[0]["environment"]["AWS_ACCESS_KEY_ID"] == "AKIAOLD"
    assert key_of(host.run("--own-key", *arguments)) == "AKIANEW"
    assert host.cached()["AccessKeyId"] == "AKIANEW"


def test_the_file_of_an_earlier_version_bridges_no_outage(host):
    """It was one file for every account."""
    file = host.was_read_by_an_earlier_version(timedelta(hours=1))
    host.cli.answers(**DOWN)

    done = host.run()

    assert (done.returncode, key_of(done)) == (1, None)
    assert f"{file} is not used: an earlier version wrote it" in one_line(done)


def test_the_file_of_an_earlier_version_is_no_own_key_where_another_reader_may_have_written_it(host):
    host.run("--profile", "dev")
    file = host.was_read_by_an_earlier_version(timedelta(hours=1))
    host.cli.forget_calls()

    done = host.run("--own-key", "--region", "us-east-1")

    assert done.returncode == 1
    assert str(file) in one_line(done)
    assert host.cli.calls == []


def test_a_secret_that_was_deleted_and_made_again_is_read_on(host):
    host.was_read(timedelta(hours=1), "--own-key")
    host.run("--own-key")
    host.cli.answers(f"{arn(suffix='ZyXwVu')}\t{json.dumps(SECRET | {'AccessKeyId': 'AKIALATER'})}")

    assert key_of(host.run("--own-key")) == "AKIALATER"


@pytest.mark.parametrize("arguments", [(), ("--own-key",)], ids=str)
def test_a_placeholder_is_no_key_yet(host, arguments):
    if arguments:
        host.was_read(timedelta(hours=1), *arguments)
    host.cli.answers(f'{arn()}\t{{"Version": 1, "UserName": "pusher", "AccessKeyId": null}}')

    done = host.run(*arguments)

    assert done.returncode == 1
    assert "holds no key yet" in one_line(done)


def test_a_placeholder_is_not_put_in_place(host):
    done = host.run("--seed", text='{"Version": 1, "UserName": "pusher", "AccessKeyId": null}')

    assert done.returncode == 1
    assert "holds no key yet" in one_line(done)


def test_a_cli_that_prints_the_secret_alone_is_fine(host):
    """As a wrapper may do."""
    host.cli.answers(json.dumps(SECRET))

    assert key_of(host.run()) == "AKIANEW"
    host.cli.answers(**DOWN)
    assert key_of(host.run()) == "AKIANEW"


NO_HOME = """
import pwd
def unknown(uid):
    raise KeyError(f"getpwuid(): uid not found: {uid}")
pwd.getpwuid = unknown
"""
WINDOWS = """
import os
del os.getuid, os.geteuid, os.O_NOFOLLOW, os.O_NONBLOCK
"""
FULL_DISK = """
import errno, os
def full(handle):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
os.fsync = full
"""
FOREIGN = """
import os
os.geteuid = os.getuid = lambda: 54321
"""


def on(host, system, *arguments, **environment):
    """Run the helper on a system that differs from this one in what the standard library says of it."""
    program = host.home / "system.py"
    program.write_text(f"import runpy\n{system}\nrunpy.run_path({str(HELPER)!r}, run_name='__main__')")
    return host.run(*arguments, program=(program,), **environment)


def test_a_user_without_a_home_folder_gets_the_key_and_a_warning(host):
    done = on(host, NO_HOME, cache=None, HOME=None, USER=None)

    assert key_of(done) == "AKIANEW"
    assert "--cache" in one_line(done)


def test_a_user_without_a_home_folder_needs_one_for_its_own_key(host):
    done = on(host, NO_HOME, "--own-key", cache=None, HOME=None, USER=None)

    assert (done.returncode, done.stdout) == (1, "")
    assert "--cache" in one_line(done)
    assert host.cli.calls == []


def test_keys_are_kept_in_the_cache_folder_of_the_home_folder(host):
    host.run(cache=None)
    host.run(cache=None, XDG_CACHE_HOME=str(host.home / "xdg"))
    host.run(cache=None, XDG_CACHE_HOME="relative")

    assert len(list((host.home / ".cache" / "ecr-steward").iterdir())) == 1
    assert len(list((host.home / "xdg" / "ecr-steward").iterdir())) == 1


def icacls(host, status=0):
    """A stand-in for the program of Windows that restricts a folder."""
    program = host.cli.folder / "icacls"
    program.write_text(f'#!/bin/sh\nprintf %s "$*" > {host.home}/icacls.txt\nexit {status}\n')
    program.chmod(0o755)


def test_on_windows_the_folder_is_restricted_to_its_owner_and_a_key_kept_in_it(host):
    icacls(host)
    windows = {"LOCALAPPDATA": str(host.home), "USERDOMAIN": "BUILD", "USERNAME": "ci"}

    assert key_of(on(host, WINDOWS, cache=None, **windows)) == "AKIANEW"
    host.cli.answers(**DOWN)
    done = on(host, WINDOWS, cache=None, **windows)

    assert key_of(done) == "AKIANEW"
    folder = host.home / "ecr-steward"
    restricted = (host.home / "icacls.txt").read_text()
    assert restricted == f"{folder} /inheritance:r /grant:r BUILD\\ci:(OI)(CI)F"


@pytest.mark.parametrize("has_icacls", [False, True])
def test_on_windows_nothing_is_kept_in_a_folder_that_cannot_be_restricted(host, has_icacls):
    if has_icacls:
        icacls(host, status=5)

    done = on(host, WINDOWS, cache=None, LOCALAPPDATA=str(host.home), USERNAME="ci")

    assert key_of(done) == "AKIANEW"
    assert "cannot be restricted to ci with icacls" in one_line(done)
    assert not (host.home / "ecr-steward").exists()


def test_the_file_of_another_user_is_neither_used_nor_replaced(host):
    """As with sudo, where the home folder is that of another user."""
    host.run()
    before = host.cached()
    host.cli.answers(printed("AKIALATER"))

    done = on(host, FOREIGN)

    assert key_of(done) == "AKIALATER"
    assert f"belongs to user {os.getuid()}, not to user 54321" in one_line(done)
    assert host.cached() == before


def test_what_the_cli_says_may_be_no_utf_8(host):
    host.cli.answers(status=254, error="Zugriff verweigert für pusher")

    done = host.run()

    assert done.returncode == 1
    assert "verweigert f\\xfcr pusher" in one_line(done)


def test_a_secret_that_is_no_utf_8_is_named_and_not_shown(host):
    host.cli.answers(f"{arn()}\t" + json.dumps(SECRET)[:-1] + ', "Note": "für"}')

    done = host.run()

    assert done.returncode == 1
    assert "is not a key as the steward writes it" in one_line(done)
    assert MATERIAL not in done.stderr


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_first_key_may_come_through_a_pipe_of_powershell(host, encoding):
    assert host.run("--seed", text=json.dumps(SECRET).encode(encoding)).returncode == 0

    assert key_of(host.run("--own-key")) == "AKIANEW"


def test_a_first_key_that_is_no_text_is_refused(host):
    done = host.run("--seed", text=b"\xff\xfe\xfd")

    assert done.returncode == 1
    assert "The standard input is not a key" in one_line(done)


def test_the_cli_asks_and_pages_nothing(host):
    host.run(AWS_CLI_AUTO_PROMPT="on", AWS_PAGER="less")

    (call,) = host.cli.calls
    assert call["environment"]["AWS_CLI_AUTO_PROMPT"] == "off"
    assert call["environment"]["AWS_PAGER"] == ""


DAMAGES = {
    "empty": "",
    "cut": '{"Version": 1, "UserNa',
    "a number": "7",
    "a list": "[]",
    "null": "null",
    "deep": "[" * 50_000,
    "no time": json.dumps(SECRET),
    "a time that is none": json.dumps(SECRET | {"ReadAt": "yesterday"}),
    "a time before all": json.dumps(SECRET | {"ReadAt": "0001-01-01T00:00:00"}),
    "a key with a line break": json.dumps(SECRET | {"SecretAccessKey": "a\nb", "ReadAt": "2026-01-01T00:00:00+00:00"}),
    "a key with a zero": json.dumps(SECRET | {"AccessKeyId": "a\0b", "ReadAt": "2026-01-01T00:00:00+00:00"}),
    "half a character": '{"Version": 1, "UserName": "pusher", "AccessKeyId": "\\ud800", "SecretAccessKey": "x"}',
    "large": " " * 100_000,
    "not UTF-8": "\udcff",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
@pytest.mark.parametrize("arguments", [(), ("--own-key",)], ids=["another", "own"])
def test_a_file_that_is_damaged_in_any_way_is_named_in_one_line(host, damage, arguments):
    file = host.was_read(timedelta(hours=1), *arguments)
    file.write_bytes(damage.encode("utf-8", "surrogateescape"))

    done = host.run(*arguments)

    assert (done.returncode, key_of(done)) == ((1, None) if arguments else (0, "AKIANEW"))
    assert str(file) in one_line(done)


@pytest.mark.parametrize("member", ["SecretArn", "Reading", "Reader"])
def test_a_file_with_a_member_that_is_none_is_not_used(host, member):
    host.was_read(timedelta(hours=1), **{member: 7})
    host.cli.answers(**DOWN)

    assert key_of(host.run()) is None


def test_a_time_without_an_offset_bridges_an_outage_as_local_time(host):
    local = datetime.now(UTC).astimezone().replace(tzinfo=None)
    host.was_read(timedelta(hours=1), ReadAt=local.isoformat())
    host.cli.answers(**DOWN)

    assert key_of(host.run()) == "AKIAOLD"


@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe"])
def test_what_is_no_file_is_neither_followed_nor_waited_for(host, kind):
    file = host.was_read(timedelta(hours=1))
    elsewhere = host.home / "elsewhere.json"
    file.rename(elsewhere)
    match kind:
        case "link":
            file.symlink_to(elsewhere)
        case "dangling link":
            file.symlink_to(host.home / "nowhere")
        case _:
            os.mkfifo(file)
    before = elsewhere.read_text()

    done = host.run()

    assert key_of(done) == "AKIANEW"
    assert str(file) in one_line(done)
    assert elsewhere.read_text() == before
    assert stat.S_ISREG(file.lstat().st_mode)


def test_helpers_that_run_side_by_side_leave_one_whole_file(host):
    with ThreadPoolExecutor(8) as threads:
        done = list(threads.map(lambda _: host.run(), range(16)))

    assert [key_of(one) for one in done] == ["AKIANEW"] * 16
    assert host.cached()["AccessKeyId"] == "AKIANEW"


def test_a_full_disk_costs_the_cache_alone_and_leaves_the_last_file(host):
    file = host.was_read(timedelta(hours=1))

    done = on(host, FULL_DISK)

    assert key_of(done) == "AKIANEW"
    assert "No space left on device" in one_line(done)
    assert host.cached()["AccessKeyId"] == "AKIAOLD"
    assert host.files() == [file]


VERSION_1 = "\nAn error occurred (ResourceNotFoundException) when calling the GetSecretValue operation: none such."
VERSION_2 = f"\naws: [ERROR]: {VERSION_1.strip()}\n\nAdditional error details:\nType: client"


@pytest.mark.parametrize("error", [VERSION_1, VERSION_2], ids=["version 1", "version 2"])
def test_what_either_version_of_the_cli_says_is_passed_on_in_one_line(host, error):
    host.cli.answers(status=254, error=error)

    assert "ResourceNotFoundException" in one_line(host.run())
