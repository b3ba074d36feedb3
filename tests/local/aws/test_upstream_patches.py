"""Each patch for MiniStack applies to the pinned version, passes its own test there, and fails it without the patch."""

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from tests.local.aws.launched import PYTHON, REPOSITORY, free_port

PATCHES = sorted((REPOSITORY / "local" / "upstream").glob("*.patch"))
CONFTEST = """
import os, boto3, pytest
def client(service):
    @pytest.fixture(name=service)
    def make():
        return boto3.client(service, endpoint_url=os.environ["MINISTACK_ENDPOINT"], aws_access_key_id="test",
                            aws_secret_access_key="test", region_name="us-east-1")
    return make
iam, ecr, secretsmanager, cloudformation = map(client, ("iam", "ecr", "secretsmanager", "cloudformation"))
"""
"""The fixtures of MiniStack's tests that the patches use, with the names that they have there."""


@pytest.fixture
def copy(tmp_path):
    """A folder like MiniStack's repository, with the installed package."""
    installed = next((PYTHON.parents[1] / "lib").glob("python*/site-packages/ministack"))
    shutil.copytree(installed, tmp_path / "ministack", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "conftest.py").write_text(CONFTEST)
    return tmp_path


def apply_patch(folder, patch, only):
    settings = {"PATH": os.environ["PATH"], "GIT_CEILING_DIRECTORIES": str(folder.parent)}
    subprocess.run(["git", "apply", only, str(patch)], cwd=folder, env=settings, check=True)  # noqa: S607 - on the PATH


def run_tests(folder):
    """Start the package in a folder, and run the folder's tests against it."""
    port = free_port()
    settings = {
        "PATH": os.defpath,
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "LAMBDA_EXECUTOR": "local",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "MINISTACK_ENDPOINT": f"http://127.0.0.1:{port}",
    }
    with subprocess.Popen(
        [PYTHON, "-m", "ministack"], cwd=folder, env=settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            wait_for(f"http://127.0.0.1:{port}/_ministack/ready")
            tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
            return subprocess.run(tests, cwd=folder, env=settings, capture_output=True, text=True, check=False)
        finally:
            server.terminate()


def wait_for(url, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise AssertionError(f"{url} does not answer")


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_a_patch_applies_and_its_own_test_fails_without_it_and_passes_with_it(copy, patch):
    apply_patch(copy, patch, "--include=tests/*")
    before = run_tests(copy)
    apply_patch(copy, patch, "--exclude=tests/*")
    after = run_tests(copy)

    assert before.returncode == 1, before.stdout
    assert after.returncode == 0, after.stdout
    assert re.search(r"[1-9]\d* passed", after.stdout)


def test_every_patch_is_listed_with_the_addition_that_it_replaces():
    listed = (REPOSITORY / "local" / "upstream" / "README.md").read_text()
    rows = dict(re.findall(r"^\| `(\S+\.patch)` \| `(\w+)` \|$", listed, re.MULTILINE))

    assert rows.keys() == {patch.name for patch in PATCHES}
    assert all((REPOSITORY / "local" / "additions" / f"{addition}.py").exists() for addition in rows.values())
