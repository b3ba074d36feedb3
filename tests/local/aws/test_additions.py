"""Each addition says which names of MiniStack it replaces, and no two replace the same one."""

import json
import subprocess

from tests.local.aws.launched import PYTHON, REPOSITORY, environment

DECLARED = """
import json, ministack.app
from local import additions
print(json.dumps({one.__name__: sorted(getattr(one, "REPLACES", ())) for one in additions.ADDITIONS}))
"""
TWICE = """
from types import SimpleNamespace
import local.launcher
from local import additions
again = SimpleNamespace(__name__="local.additions.again", RELIES_ON=(), REPLACES=additions.iam_updates.REPLACES[:1])
additions.ADDITIONS += (again,)
local.launcher.main(["--check"])
"""


def run(temporary, *program):
    settings = {"AUTH": "true", "LOG_LEVEL": "ERROR", "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'functions'}"}
    return subprocess.run(
        [PYTHON, *program],
        cwd=REPOSITORY,
        env=environment(temporary) | settings,
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_addition_declares_every_name_that_it_replaces(tmp_path):
    declared = run(tmp_path, "-c", DECLARED)
    observed = run(tmp_path, "-m", "tests.local.aws.replaced_names")

    assert json.loads(observed.stdout) == json.loads(declared.stdout), observed.stderr


def test_two_additions_that_replace_the_same_name_are_refused_before_anything_starts(tmp_path):
    ended = run(tmp_path, "-c", TWICE)

    assert ended.returncode == 1
    assert ended.stderr.strip().endswith(
        "local.additions.iam_updates and local.additions.again both replace "
        "ministack.services.iam._IAM_HANDLERS[SetDefaultPolicyVersion]: delete one of them."
    )
