"""A release, installed from its files alone into an account without anything: changed, upgraded, refused, removed."""

import hashlib
import json
import platform
import re
import subprocess
import sys
import zipfile

import pytest

from deployment import release
from tests.builds import MACHINES
from tests.local.aws.launched import PYTHON, REGION, REPOSITORY, launch, stop
from tests.packaging.conftest import built  # noqa: F401 - a fixture

ARCHITECTURE = MACHINES[platform.machine().lower()]
RULES = """\
callers:
  - {principals: ["self:*"], repositories: ["only/**"]}
"""


def write_release(folder, build, notes):
    """The files of a release for this machine, with their checksums."""
    release.pack(build, folder / ARCHITECTURE)
    (folder / "NOTES.md").write_text(notes)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder)}\n" for path in files]
    (folder / "SHA256SUMS").write_text("".join(sums))
    return folder


@pytest.fixture(scope="module")
def first(tmp_path_factory, built):  # noqa: F811
    return write_release(tmp_path_factory.mktemp("release") / "ecr-steward-0.1.0", built, "## 0.1.0\n")


@pytest.fixture(scope="module")
def second(tmp_path_factory, built):  # noqa: F811
    """The next version: one description of the template is another."""
    folder = tmp_path_factory.mktemp("next") / "ecr-steward-0.2.0"
    template = built / "template.yaml"
    before = template.read_text()
    changed = before.replace("Repositories on demand, under the house rules", "Repositories on demand")
    assert changed != before
    template.write_text(changed)
    try:
        return write_release(folder, built, "## 0.2.0\n\n- Another description.\n")
    finally:
        template.write_text(before)


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    running = launch(tmp_path_factory.mktemp("aws"))
    running.client("s3").create_bucket(Bucket="releases", CreateBucketConfiguration={"LocationConstraint": REGION})
    yield running
    stop(running)


@pytest.fixture(scope="module")
def steward(aws):
    """The command, with the key of the account's owner."""

    def run(*arguments):
        environment = {
            "PATH": f"{PYTHON.parent}:/usr/bin:/bin",
            "HOME": "/nonexistent",
            "AWS_ENDPOINT_URL": aws.endpoint,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": aws.root.access_key_id,
            "AWS_SECRET_ACCESS_KEY": aws.root.secret_access_key,
            "STEWARD_PYTHON": sys.executable,
        }
        return subprocess.run(
            [REPOSITORY / "integrations" / "steward", *map(str, arguments)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def options(*more):
    local = ("--parameter", "Platform=local", "--architecture", ARCHITECTURE)
    return ("--bucket", "releases", *local, *more)


@pytest.fixture(scope="module")
def installed(steward, first):
    done = steward("deploy", first, *options("--yes"))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def names_for_everyone(aws):
    """Which names the deployed house rules give to the owner."""
    url = {one["OutputKey"]: one["OutputValue"] for one in described(aws)["Outputs"]}["ApiUrl"]
    api_id = url.removeprefix("https://").partition(".")[0]
    answer = aws.signed("GET", f"/_aws/execute-api/{api_id}/v1/whoami", aws.root)
    assert answer.status == 200, answer.body
    return answer.document["allowed"]


def described(aws):
    return aws.client("cloudformation").describe_stacks(StackName="ecr-steward")["Stacks"][0]


def test_a_release_is_installed_and_answers(aws, installed):
    assert "AWS::Lambda::Function" in installed
    assert "ApiUrl" in installed
    assert names_for_everyone(aws)


def test_the_same_again_changes_nothing(steward, installed, first):
    done = steward("deploy", first, *options("--yes"))

    assert done.returncode == 0, done.stderr
    assert "nothing to change" in done.stderr


def test_a_dry_run_shows_the_changes_and_makes_none(aws, steward, installed, second):
    done = steward("--output", "json", "upgrade", second, *options("--dry-run"))

    assert done.returncode == 0, done.stderr
    assert "RepositoryApi" in [
        one["resource"] for one in json.loads(done.stdout)
    ]  # the local AWS lists the others, too
    assert "ecr-steward is version 0.1.0" in done.stderr
    assert "Another description." in done.stderr
    assert {"Key": "ecr-steward:version", "Value": "0.1.0"} in described(aws)["Tags"]


def test_an_upgrade_keeps_parameters_and_architecture_and_says_its_version(aws, steward, installed, second):
    done = steward("upgrade", second, "--bucket", "releases", "--yes")

    assert done.returncode == 0, done.stderr
    stack = described(aws)
    assert {"Key": "ecr-steward:version", "Value": "0.2.0"} in stack["Tags"]
    parameters = {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]}
    assert (parameters["Platform"], parameters["Architecture"]) == ("local", ARCHITECTURE)


def test_settings_of_a_folder_are_in_force_and_never_forgotten(aws, steward, installed, second, tmp_path):
    (tmp_path / "house_rules.yaml").write_text(RULES)

    done = steward("deploy", second, *options("--settings", tmp_path, "--yes"))

    assert done.returncode == 0, done.stderr
    assert names_for_everyone(aws) == ["only/**"]
    forgotten = steward("deploy", second, *options("--yes"))
    assert forgotten.returncode == 2
    assert "--settings" in forgotten.stderr
    (tmp_path / "house_rules.yaml").unlink()
    assert steward("deploy", second, *options("--settings", tmp_path, "--yes")).returncode == 0
    assert names_for_everyone(aws) == ["**"]


def test_a_wrong_setting_is_named_with_file_and_line_before_anything_is_sent(steward, first, tmp_path):
    (tmp_path / "house_rules.yaml").write_text("callers:\n  - {who: me, repositories: [a]}\n")

    done = steward("deploy", first, *options("--settings", tmp_path, "--yes"))

    assert done.returncode == 2
    assert "house_rules.yaml:2" in done.stderr
    assert "Nothing was deployed" in done.stderr


def test_a_package_for_terraform_holds_the_settings_and_names_its_archives(steward, first, tmp_path):
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "house_rules.yaml").write_text(RULES)
    package = tmp_path / "package"
    command = ("package", first, "--architecture", ARCHITECTURE, "--output", package)

    done = steward(*command, "--settings", tmp_path / "ours")

    assert done.returncode == 0, done.stderr
    about = json.loads((package / "package.json").read_text())
    assert (about["version"], about["architecture"]) == ("0.1.0", ARCHITECTURE)
    assert about["settings"] != "shipped"
    with zipfile.ZipFile(package / "SettingsLayer.zip") as layer:
        assert layer.read("python/settings/operator/house_rules.yaml").decode() == RULES
    named = set(re.findall(r"(?:CodeUri|ContentUri): (\S+)", (package / "template.yaml").read_text()))
    assert named == {path.name for path in package.glob("*.zip")}
    assert "is not empty" in steward(*command).stderr


def test_a_changed_file_of_a_release_is_refused(steward, first, tmp_path):
    copy = tmp_path / "ecr-steward-0.1.0"
    subprocess.run(["cp", "-r", first, copy], check=True)  # noqa: S607
    (copy / ARCHITECTURE / "template.yaml").write_text("Resources: {}\n")

    done = steward("deploy", copy, *options("--yes"))

    assert done.returncode == 2
    assert "template.yaml is not what" in done.stderr


def test_a_file_that_no_checksum_covers_is_refused(steward, first, tmp_path):
    copy = tmp_path / "ecr-steward-0.1.0"
    subprocess.run(["cp", "-r", first, copy], check=True)  # noqa: S607
    (copy / ARCHITECTURE / "Another.zip").write_bytes(b"")

    assert "Another.zip is not in" in steward("deploy", copy, *options("--yes")).stderr


def test_a_parameter_that_does_not_exist_is_named(steward, installed, first):
    done = steward("deploy", first, *options("--parameter", "AlarmMail=x", "--yes"))

    assert done.returncode == 2
    assert "there is no parameter AlarmMail" in done.stderr


def test_without_a_terminal_it_asks_for_a_decision(steward, installed, first):
    done = steward("deploy", first, *options("--parameter", "LogRetentionDays=7"))

    assert done.returncode == 2
    assert "--yes" in done.stderr


def test_what_was_installed_is_removed_by_cloudformation(aws, steward, installed):
    """The last of this file: the stack is gone after it."""
    aws.client("cloudformation").delete_stack(StackName="ecr-steward")

    assert steward("upgrade", "/tmp", "--bucket", "releases").returncode == 2  # noqa: S108 - any folder
