"""No tracked file holds a secret: an access key, a private key, a token of a service.

Keys that are invented for tests have EXAMPLE in them, or stand in ``.secrets.baseline``, which names the detectors.
A false finding is added with ``detect-secrets scan --baseline .secrets.baseline``.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
BASELINE = PROJECT / ".secrets.baseline"
CLEAN, LINE_NUMBERS_UPDATED = 0, 3
"""Exit codes of detect-secrets' hook; 1 comes with findings."""


@pytest.fixture(scope="module")
def tracked():
    command = ["git", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a clone: git cannot say which files are tracked")
    return [name for name in listed.stdout.split("\0") if name and name != BASELINE.name]


@pytest.fixture
def look(tmp_path):
    """The findings that the baseline does not list. The scanner updates line numbers in its file, so it gets a copy."""
    baseline = tmp_path / BASELINE.name
    baseline.write_bytes(BASELINE.read_bytes())

    def findings(*files):
        command = [
            sys.executable,
            "-m",
            "detect_secrets.pre_commit_hook",
            "--json",
            "--baseline",
            str(baseline),
            *files,
        ]
        done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
        if done.returncode in {CLEAN, LINE_NUMBERS_UPDATED}:
            return {}
        return json.loads(done.stdout)["results"]

    return findings


def test_no_tracked_file_holds_a_secret(tracked, look):
    assert look(*tracked) == {}


@pytest.mark.parametrize(
    "text",
    [
        "key = 'AKIA" + "2QJ4XK7M3N5P6R8T'",
        "-----BEGIN " + "RSA PRIVATE KEY-----",
        "token = 'ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8'",
        "url = https://user:" + "hunter2hunter2@registry.example.com",
    ],
)
def test_a_secret_is_found(tmp_path, look, text):
    file = tmp_path / "settings.py"
    file.write_text(f"{text}\n")

    assert look(str(file))
