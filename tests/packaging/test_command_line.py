"""The wheel of the command line holds what its commands need."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
DETAILS = {
    "UserDetailList": [
        {
            "Arn": "arn:aws:iam::111122223333:user/ann",
            "UserName": "ann",
            "UserId": "AIDAEXAMPLEEXAMPLE12",
            "Path": "/",
            "UserPolicyList": [{"PolicyName": "own", "PolicyDocument": POLICY}],
        }
    ]
}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with the packages of both wheels, and no other code of the project."""
    folder = tmp_path_factory.mktemp("installed")
    wheels = folder / "wheels"
    for source in ("layers/iam_policy", "cli"):
        build = [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
            "-w",
            str(wheels),
        ]
        subprocess.run([*build, f"./{source}"], cwd=PROJECT, check=True)
    for wheel in wheels.glob("*.whl"):
        zipfile.ZipFile(wheel).extractall(folder)
    return folder


def steward(installed, *arguments):
    code = f"import sys; sys.path.insert(0, {str(installed)!r}); from ecr_steward.__main__ import run; run()"
    command = [sys.executable, "-I", "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=installed)


def test_it_compares_policies(installed):
    for name, action in (("before.json", "s3:GetObject"), ("after.json", "*")):
        statement = {**POLICY["Statement"][0], "Action": action}
        (installed / name).write_text(json.dumps({**POLICY, "Statement": [statement]}))

    done = steward(installed, "policy", "check", "--base", "before.json", "--head", "after.json")

    assert (done.returncode, done.stderr) == (1, "")
    assert "CRITICAL BROADENED" in done.stdout


def test_it_makes_a_baseline(installed):
    (installed / "details.json").write_text(json.dumps(DETAILS))

    done = steward(installed, "baseline", "build", "--from", "details.json")

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["users"].keys() == {"ann"}


def test_it_begins_and_judges_settings(installed):
    """By the functions' own code, with the schemas for editors."""
    done = steward(installed, "settings", "init", "our-settings")
    assert (done.returncode, done.stdout) == (0, "")
    assert (installed / "our-settings" / ".schemas" / "house_rules.schema.json").is_file()

    checked = steward(installed, "settings", "check", "our-settings")

    assert checked.returncode == 0, checked.stderr
    assert "our-settings/house_rules.yaml: 1 rules for callers" in checked.stdout


def test_both_programs_are_installed(installed):
    (metadata,) = installed.glob("ecr_steward-*.dist-info/entry_points.txt")

    assert [line.partition(" = ")[0] for line in metadata.read_text().splitlines() if " = " in line] == [
        "docker-credential-steward",
        "steward",
    ]


def test_help_needs_neither_the_gate_nor_a_client_of_aws(installed):
    code = (
        f"import sys; sys.path.insert(0, {str(installed)!r}); from ecr_steward.app import main; main(['--help']); "
        "print([one for one in ('botocore', 'samtranslator', 'iam_policy', 'policy_drift') if one in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"
