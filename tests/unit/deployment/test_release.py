"""A release: the same bytes each time, of the version that the sources say, with what it bundles named."""

import hashlib
import json
import os
import subprocess
import zipfile

import pytest

from deployment import release
from deployment.saved import NotDeployableError

TEMPLATE = """\
Resources:
  Layer:
    Properties:
      ContentUri: DependenciesLayer
  Function:
    Properties:
      CodeUri: Function
  Other:
    Properties:
      CodeUri: Function
"""


@pytest.fixture
def build(tmp_path):
    folder = tmp_path / "build"
    for name in ("DependenciesLayer", "Function"):
        (folder / name / "inside").mkdir(parents=True)
        (folder / name / "inside" / "code.py").write_text(f"NAME = {name!r}\n")
        (folder / name / "run").write_text("#!/bin/sh\n")
        (folder / name / "run").chmod(0o755)
    (folder / "template.yaml").write_text(TEMPLATE)
    return folder


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    (folder / "cli" / "ecr_steward").mkdir(parents=True)
    (folder / "layers" / "iam_policy").mkdir(parents=True)
    (folder / "cli" / "ecr_steward" / "__init__.py").write_text('__version__ = "1.2.0"\n')
    (folder / "layers" / "iam_policy" / "pyproject.toml").write_text('[project]\nversion = "1.2.0"\n')
    (folder / "CHANGELOG.md").write_text(
        "# Changelog\n\n## 1.2.0 - 2026-11-28\n\n- New.\n\n## 1.1.0 - 2026-01-01\n\n- Old.\n"
    )
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "all")
    return folder


def git(folder, *arguments):
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True)  # noqa: S607


@pytest.fixture(autouse=True)
def somebody(monkeypatch):
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "t")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "t@example.com")


def test_an_archive_has_the_same_bytes_at_another_time_and_in_another_place(build, tmp_path):
    release.archive(build / "Function", tmp_path / "one.zip")
    os.utime(build / "Function" / "run", (1, 1))
    (build / "Function").rename(tmp_path / "moved")
    release.archive(tmp_path / "moved", tmp_path / "other.zip")

    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "other.zip").read_bytes()
    modes = {one.filename: one.external_attr >> 16 for one in zipfile.ZipFile(tmp_path / "one.zip").infolist()}
    assert modes == {"inside/code.py": 0o100644, "run": 0o100755}


def test_the_template_names_an_archive_for_each_artefact(build, tmp_path):
    release.pack(build, tmp_path / "arm64")

    assert {path.name for path in (tmp_path / "arm64").iterdir()} == {
        "template.yaml",
        "DependenciesLayer.zip",
        "Function.zip",
    }
    assert (tmp_path / "arm64" / "template.yaml").read_text().count("CodeUri: Function.zip\n") == 2


@pytest.mark.parametrize("place", ["cli/ecr_steward/__init__.py", "layers/iam_policy/pyproject.toml", "CHANGELOG.md"])
def test_a_version_that_the_sources_do_not_have_is_refused_and_the_file_named(project, place):
    (project / place).write_text("something else\n")

    with pytest.raises(NotDeployableError, match=place):
        release.check(project, "1.2.0")


def test_the_notes_are_the_section_of_the_changelog(project):
    assert release.notes(project, "1.2.0") == "## 1.2.0 - 2026-11-28\n\n- New.\n"


def test_the_provenance_names_the_commit_and_the_digest_of_each_file(project, tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "one.zip").write_bytes(b"one")

    statement = json.loads(release.provenance(project, "1.2.0", tmp_path / "files"))

    digest = hashlib.sha256(b"one").hexdigest()
    assert statement["subject"] == [{"name": "one.zip", "digest": {"sha256": digest}}]
    (source,) = statement["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert len(source["digest"]["gitCommit"]) == 40


def test_the_notice_names_each_bundled_distribution_with_the_text_of_its_licence(tmp_path):
    about = tmp_path / "thing-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.4\nName: thing\nVersion: 1.0\nLicense-Expression: MIT\n")
    (about / "LICENSE").write_text("Permission is hereby granted")
    (about / "RECORD").write_text("thing-1.0.dist-info/LICENSE,,\n")

    text = release.notice(tmp_path)

    assert "thing 1.0: MIT\n" in text
    assert "Permission is hereby granted" in text


def test_a_commit_is_tagged_once(project):
    assert release.tag(project, "1.2.0").startswith("Tagged v1.2.0.")
    assert release.tag(project, "1.2.0") == "The tag v1.2.0 is there already."


def test_a_tag_never_moves(project):
    release.tag(project, "1.2.0")
    git(project, "commit", "-q", "--allow-empty", "-m", "more")

    with pytest.raises(NotDeployableError, match="never moves"):
        release.tag(project, "1.2.0")


def test_a_tag_is_not_made_of_what_is_not_committed(project):
    (project / "new").write_text("")

    with pytest.raises(NotDeployableError, match="commit"):
        release.tag(project, "1.2.0")
