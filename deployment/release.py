"""A release: all that an installation needs, in one folder, with the same bytes whenever it is made of one commit.

::

    ecr-steward-0.1.0/
      *.whl *.tar.gz                    the command line, and the policy library
      arm64/ x86_64/                    an archive for each function and layer, and template.yaml, which names them
      global-events.yaml                the small stack of us-east-1
      NOTICE.txt sbom.cdx.json          what is bundled: licences, and a list in CycloneDX's form
      provenance.intoto.json            what it was made of, in in-toto's form
      NOTES.md SHA256SUMS
"""

import hashlib
import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deployment import artefacts
from deployment.saved import NotDeployableError

ARCHITECTURES = ("arm64", "x86_64")
CHECKSUMS = "SHA256SUMS"
_BEGINNING_OF_TIME = (1980, 1, 1, 0, 0, 0)
"""The earliest time that an archive can hold."""
_CODE = re.compile(r"^(\s+(?:CodeUri|ContentUri): )(\S+)$", re.MULTILINE)
_DISTRIBUTIONS = ("cli", "layers/iam_policy")


def make(project: Path, version: str, target: Path, sam: Path) -> Path:
    """Build everything into ``target/ecr-steward-VERSION``; that folder.

    Parameters
    ----------
    project
        The root of the repository.
    version
        That of the command line, of the library and of the changelog's section.
    sam
        An interpreter that has SAM CLI.

    Raises
    ------
    NotDeployableError
        The version is not that of the sources, or a build fails; the text says what to do.
    """
    check(project, version)
    folder = target / f"ecr-steward-{version}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for distribution in _DISTRIBUTIONS:
        _run([sys.executable, "-m", "hatchling", "build", "-d", str(folder.resolve())], project / distribution)
    for architecture in ARCHITECTURES:
        build = target / "build" / architecture
        build_artefacts(project, architecture, build, sam)
        pack(build, folder / architecture)
    shutil.copyfile(project / "global-events.yaml", folder / "global-events.yaml")
    bundled = target / "build" / ARCHITECTURES[0] / "DependenciesLayer" / "python"
    (folder / "NOTICE.txt").write_text(notice(bundled), encoding="utf-8")
    (folder / "sbom.cdx.json").write_text(_bill_of_materials(project), encoding="utf-8")
    (folder / "NOTES.md").write_text(notes(project, version), encoding="utf-8")
    (folder / "provenance.intoto.json").write_text(provenance(project, version, folder), encoding="utf-8")
    (folder / CHECKSUMS).write_text("".join(f"{digest}  {name}\n" for name, digest in _digests(folder)))
    return folder


def check(project: Path, version: str) -> None:
    """Refuse a version that the sources do not have.

    Raises
    ------
    NotDeployableError
        The text names the file.
    """
    places = {
        "cli/ecr_steward/__init__.py": f'__version__ = "{version}"',
        "layers/iam_policy/pyproject.toml": f'version = "{version}"',
        "CHANGELOG.md": f"## {version} ",
    }
    for name, line in places.items():
        if line not in (project / name).read_text(encoding="utf-8"):
            raise NotDeployableError(f"{name} does not say {line.strip()!r}: set the version there, and commit it.")


def build_artefacts(project: Path, architecture: str, build: Path, sam: Path) -> None:
    """``sam build`` of the shipped settings for one architecture, and what every deployment does to it.

    Raises
    ------
    NotDeployableError
        SAM failed.
    """
    command = [str(sam), "-m", "samcli", "build", "--build-dir", str(build.resolve())]
    _run([*command, "--parameter-overrides", f"Architecture={architecture}"], project)
    artefacts.finish(build, None)


def pack(build: Path, target: Path) -> None:
    """Archive every artefact of a build folder, and write the template that names the archives."""
    target.mkdir(parents=True)
    template = (build / "template.yaml").read_text(encoding="utf-8")
    for name in sorted({found[2] for found in _CODE.finditer(template)}):
        archive(build / name, target / f"{name}.zip")
    (target / "template.yaml").write_text(_CODE.sub(r"\1\2.zip", template), encoding="utf-8")


def archive(folder: Path, target: Path) -> None:
    """Put a folder into an archive: names in order, one time, modes of a checkout; so the same bytes each time."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as written:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _BEGINNING_OF_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100755 if path.stat().st_mode & 0o100 else 0o100644) << 16
            written.writestr(entry, path.read_bytes())


def notice(bundled: Path) -> str:
    """The licences of the distributions in a folder, each with its text where it has one."""
    parts = ["ECR Steward bundles these distributions in its layer of dependencies.\n"]
    for distribution in sorted(importlib.metadata.distributions(path=[str(bundled)]), key=lambda one: one.name.lower()):
        about = distribution.metadata
        licence = about.get("License-Expression") or about.get("License") or "see its text"
        parts.append(f"\n{'-' * 80}\n{distribution.name} {distribution.version}: {licence.splitlines()[0]}\n")
        parts += [f"\n{text.strip()}\n" for text in _licence_texts(distribution)]
    return "".join(parts)


def notes(project: Path, version: str) -> str:
    """The changelog's section of a version."""
    text = (project / "CHANGELOG.md").read_text(encoding="utf-8")
    section = re.search(rf"^## {re.escape(version)} .*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return section[0].strip() + "\n" if section else ""


def provenance(project: Path, version: str, folder: Path) -> str:
    """A statement in in-toto's form: these files were made of that commit. It is not signed."""
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in _digests(folder)],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "urn:ecr-steward:make-release:v1",
                "externalParameters": {"version": version},
                "resolvedDependencies": [
                    {"uri": f"urn:ecr-steward:source:{version}", "digest": {"gitCommit": _commit(project)}}
                ],
            },
            "runDetails": {"builder": {"id": "urn:ecr-steward:make-release"}},
        },
    }
    return json.dumps(statement, indent=2) + "\n"


def tag(project: Path, version: str) -> str:
    """Tag the commit, unless it has the tag already; a sentence that says so.

    Raises
    ------
    NotDeployableError
        Something is not committed, or the tag is another commit's.
    """
    if _git(project, "status", "--porcelain"):
        raise NotDeployableError("A tag is made of what is committed: commit or stash the changes first.")
    name, commit = f"v{version}", _commit(project)
    if _git(project, "tag", "--list", name):
        if _git(project, "rev-list", "-n1", name) != commit:
            raise NotDeployableError(f"The tag {name} is another commit's: a release never moves. Raise the version.")
        return f"The tag {name} is there already."
    _git(project, "tag", "--annotate", name, "--message", f"ECR Steward {version}")
    return f"Tagged {name}. To publish it: git push origin {name}"


def _digests(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        yield path.relative_to(folder).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()


def _licence_texts(distribution: importlib.metadata.Distribution) -> Iterator[str]:
    for file in distribution.files or ():
        if re.match(r"(LICEN[CS]E|COPYING|NOTICE)", file.name, re.IGNORECASE):
            path: Any = distribution.locate_file(file)
            if path.is_file():
                yield path.read_text(encoding="utf-8", errors="replace")


def _bill_of_materials(project: Path) -> str:
    requirements = project / "layers" / "dependencies" / "requirements.txt"
    command = [sys.executable, "-m", "cyclonedx_py", "requirements", "--output-reproducible", "--of", "JSON"]
    return _run([*command, str(requirements)], project)


def _commit(project: Path) -> str:
    return _git(project, "rev-parse", "HEAD")


def _git(project: Path, *arguments: str) -> str:
    return _run(["git", *arguments], project).strip()


def _run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotDeployableError(f"{' '.join(command[:4])} failed:\n{(done.stderr or done.stdout).strip()}")
    return done.stdout
