"""The samples that sign in other languages sign as AWS does."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.docs.test_curl_signatures import KEY, PAGE, REGION, SECRET, TOKEN, gateway

__all__ = ["gateway"]

PROGRAMS = {"python": ([sys.executable], "sign.py"), "js": (["node"], "sign.mjs"), "go": (["go", "run"], "sign.go")}
SAMPLES = dict(re.findall(r"^```(\w+) sign\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL))


def run(language, gateway, folder, secret):
    (program, *options), name = PROGRAMS[language]
    if not shutil.which(program):
        pytest.skip(f"there is no {program} on this machine")
    (folder / name).write_text(SAMPLES[language])
    return subprocess.run(
        [program, *options, name],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "GO111MODULE": "off",
            "STEWARD_API_URL": gateway,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_SESSION_TOKEN": TOKEN,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_sample_is_run():
    assert SAMPLES.keys() == PROGRAMS.keys()


@pytest.mark.parametrize("language", PROGRAMS)
def test_a_sample_signs_as_aws_does(language, gateway, tmp_path):
    done = run(language, gateway, tmp_path, SECRET)

    assert (done.returncode, "of the repository" in done.stdout) == (0, True), done.stderr


@pytest.mark.parametrize("language", PROGRAMS)
def test_a_sample_fails_where_the_signature_is_refused(language, gateway, tmp_path):
    assert run(language, gateway, tmp_path, "c2VjcmV0").returncode != 0
