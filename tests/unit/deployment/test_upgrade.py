"""An operator's folder keeps its values through upgrades, and git has nothing to merge."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from access_key_rotation.domain.settings import RotationSettings
from steward import settings

PROJECT = Path(__file__).parents[3]
PARTS = ("layers/settings", "tests/layers/settings", "samconfig.toml", ".gitignore")


def git(folder, *arguments):
    names = {f"GIT_{who}_{what}": "x@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    done = subprocess.run(
        ["/usr/bin/env", "git", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"} | names,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def upstream(tmp_path):
    """A repository with the parts of the project that a deployment has an opinion on."""
    folder = tmp_path / "upstream"
    for part in PARTS:
        (folder / part).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (PROJECT / part).is_dir() else shutil.copy
        copy(PROJECT / part, folder / part)
    for name in ("rotation.yaml", "house_rules.yaml", "alerting.yaml", "drift.yaml"):
        shutil.copy(settings.shipped(name), folder / "layers" / "settings" / name)
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "The product")
    return folder


def test_two_upstream_commits_to_the_settings_merge_into_a_clone_with_an_operators_folder(upstream, tmp_path):
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(upstream), str(clone))
    ours = clone / "ours"
    ours.mkdir()
    (ours / "rotation.yaml").write_text("times:\n  drain_days: 10\n")
    (ours / "house_rules.yaml").write_text('callers:\n  - {principals: ["self:role/ci-*"], repositories: ["a/**"]}\n')
    (ours / "drift.yaml").write_text('scope: {include: ["role/ci-*"]}\n')
    (ours / "alerting.yaml").write_text("routes: [{channels: [mail]}]\n")
    git(clone, "add", ".")
    git(clone, "commit", "--quiet", "--message", "Our settings")
    (clone / "deployment.toml").write_text("version = 0.1\n")

    path = upstream / "layers" / "settings" / "rotation.yaml"
    for old, new in (("drain_days: 8 ", "drain_days: 9 "), ("keep_inactive_days: 14", "keep_inactive_days: 21")):
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))
        git(upstream, "commit", "--quiet", "--all", "--message", "Another default")
    git(clone, "pull", "--quiet", "--no-rebase", "--no-edit")

    paths = clone / "layers" / "settings" / "rotation.yaml", ours / "rotation.yaml"
    times = settings.load(paths, RotationSettings).times
    assert (times.drain_days, times.keep_inactive_days) == (10, 21)
    assert git(clone, "status", "--porcelain") == ""
