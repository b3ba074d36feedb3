"""Build the documentation site: the pages of ``docs/`` and of the project's root, by what a reader wants to do.

    python scripts/site.py [FOLDER]    # by default build/site; the pages are in FOLDER/VERSION

The navigation is that of ``docs/README.md``: one section for each of its headings. Other links lead to the repository.
Each version has a folder of its own; ``versions.json`` beside them feeds the selector of versions.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import yaml

from ecr_steward import __version__

PROJECT = Path(__file__).parents[1]
OF_THE_ROOT = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
"""Pages beside ``docs/``; their names become small, because README.md is the index of a folder."""
REPOSITORY = os.environ.get("REPOSITORY_URL", "https://github.com/OWNER/ecr-steward")
_LINK = re.compile(r'(\]\(|src="|srcset=")(?!https?:|#|mailto:)([^)\s"#]+)(#[^)\s"]*)?')
_FENCE = re.compile(r"(^ *```.*?^ *```)", re.DOTALL | re.MULTILINE)


def build(target: Path) -> Path:
    """Build the site of this version below ``target``; its folder.

    Raises
    ------
    subprocess.CalledProcessError
        Zensical found a mistake.
    """
    folder = target / __version__
    shutil.rmtree(folder, ignore_errors=True)
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        _put_together(Path(work))
        command = [sys.executable, "-m", "zensical", "build", "--clean", "-f", "mkdocs.yml"]
        subprocess.run(command, cwd=work, check=True, capture_output=True, text=True)
        shutil.copytree(Path(work) / "site", folder)
    versions = sorted((one.name for one in target.iterdir() if (one / "index.html").is_file()), reverse=True)
    listed = [{"version": one, "title": one, "aliases": ["latest"] if one == versions[0] else []} for one in versions]
    (target / "versions.json").write_text(json.dumps(listed), encoding="utf-8")
    return folder


def _put_together(work: Path) -> None:
    docs = work / "docs"
    shutil.copytree(PROJECT / "docs", docs)
    for page in sorted(docs.rglob("*.md")):
        there = PROJECT / "docs" / page.relative_to(docs)
        page.write_text(_with_links(there, page.relative_to(docs)), encoding="utf-8")
    for name in OF_THE_ROOT:
        (docs / _name(name)).write_text(_with_links(PROJECT / name, Path(_name(name))), encoding="utf-8")
    text = (PROJECT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = [{"Home": "README.md"}, *_navigation()]
    (work / "mkdocs.yml").write_text(f"{text}{yaml.safe_dump({'nav': pages}, sort_keys=False)}", encoding="utf-8")


def _name(name: str) -> str:
    return "project.md" if name == "README.md" else name.lower()


def _with_links(source: Path, page: Path) -> str:
    """The text of a page with links that hold on the site; code stays as it is."""

    def target(found: re.Match[str]) -> str:
        path = (source.parent / found[2]).resolve().relative_to(PROJECT)
        return f"{found[1]}{_address(path, page)}{found[3] or ''}"

    parts = _FENCE.split(source.read_text(encoding="utf-8"))
    return "".join(part if part.lstrip().startswith("```") else _LINK.sub(target, part) for part in parts)


def _address(path: Path, page: Path) -> str:
    """Where a file of the project is, seen from a page of the site: another page, or the repository."""
    if path.parts[0] == "docs" and (path.suffix or (PROJECT / path / "README.md").is_file()):
        inside = Path(*path.parts[1:]) if path.suffix else Path(*path.parts[1:], "README.md")
    elif str(path) in OF_THE_ROOT:
        inside = Path(_name(str(path)))
    else:
        return f"{REPOSITORY}/blob/v{__version__}/{path}"
    return os.path.relpath(inside, page.parent)


def _navigation() -> Iterator[dict[str, object]]:
    """The sections of the index, each with its pages; runbooks and decisions with all of theirs."""
    index = (PROJECT / "docs" / "README.md").read_text(encoding="utf-8")
    for section in re.split(r"^## ", index, flags=re.MULTILINE)[1:]:
        pages: list[object] = []
        for title, link in re.findall(r"^\| \[([^\]]+)\]\(([^)]+)\)", section, re.MULTILINE):
            folder = Path(link).parent
            if link.startswith("../"):
                pages.append({title: _name(Path(link).name)})
            elif link.endswith("/README.md"):
                inner = sorted(str(folder / one.name) for one in (PROJECT / "docs" / folder).glob("*.md"))
                pages.append({title: [link, *(one for one in inner if one != link)]})
            else:
                pages.append({title: link})
        yield {section.partition("\n")[0]: pages}


if __name__ == "__main__":
    sys.stdout.write(f"{build(Path(sys.argv[1]) if sys.argv[1:] else PROJECT / 'build' / 'site')}\n")
