"""Where the two sides of a change come from: files, folders, and revisions of the git repository."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ecr_steward.gate.check import Finding, worst_first
from ecr_steward.gate.errors import UnusableInputError
from ecr_steward.gate.inputs import SUFFIXES, Answer, Text, checked
from ecr_steward.gate.templates import Unjudged
from iam_policy import Verdict
from policy_drift.domain.finding import Kind
from steward.severity import Severity

LARGEST = 64 * 1024 * 1024
"""Bytes of one file that are read."""
_SIGNS = ("AWS::", "Statement", "format_version", "iam-baseline", "UserDetailList")
"""A file without any of these has nothing to do with access."""
_READ = "give a template, a plan (terraform show -json PLAN), a policy document, a baseline or account details"
_SKIPPED = {".git", ".aws-sam", ".terraform", ".venv", "node_modules", "cdk.out.cache"}


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit of the repository around the working folder; ``text`` is as it was asked for."""

    text: str
    commit: str
    root: Path


def change(base: str | None, head: str) -> Answer:
    """What the change from one side to the other does to access.

    Parameters
    ----------
    base, head : str
        A file, a folder, or a revision of git. No base: what a plan changes, or all that a file gives.

    Raises
    ------
    UnusableInputError
        A side does not exist, or a single file cannot be judged.
    """
    now = _located(head)
    before = None if base is None else _located(base)
    if isinstance(now, Path) and now.is_file():
        answer = checked(_one(before, now), Text(head, read_file(now)))
        if not answer.files:
            raise UnusableInputError(head, "it has nothing to do with access", _READ)
        return answer
    if isinstance(before, Path) and before.is_file():
        raise UnusableInputError(str(base), f"it is a file, and {head} is not", "compare two of one kind")
    return _many(before, now)


def _located(text: str) -> Path | Revision:
    path = Path(text)
    if path.exists():
        return path
    found = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{text}^{{commit}}")
    root = _git("rev-parse", "--show-toplevel")
    if root is None:
        raise UnusableInputError(text, "there is no such file or folder, and no git repository here for a revision")
    if not found:
        remedy = f"fetch it first: git fetch --depth=1 origin {text.removeprefix('origin/')}"
        raise UnusableInputError(text, "there is no such file, folder or revision", remedy)
    return Revision(text, found.strip(), Path(root.strip()))


def _git(*arguments: str, cwd: Path | None = None) -> str | None:
    """What git prints; None when it fails."""
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, cwd=cwd, check=False)  # noqa: S607
    except OSError:
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


def read_file(path: Path) -> str:
    """The text of a file.

    Raises
    ------
    UnusableInputError
        It cannot be read, is too large, or no UTF-8.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise UnusableInputError(str(path), f"it has more than the {LARGEST} bytes that are read")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnusableInputError(str(path), f"it is not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise UnusableInputError(str(path), error.strerror or str(error)) from error


def _one(before: Path | Revision | None, now: Path) -> Text | None:
    """The other side of a single file."""
    if before is None:
        return None
    if isinstance(before, Revision):
        try:
            name = str(now.resolve().relative_to(before.root.resolve()))
        except ValueError as error:
            raise UnusableInputError(str(now), f"it is not in the repository of {before.text}") from error
        return Text(f"{before.text}:{name}", _git("show", f"{before.commit}:{name}", cwd=before.root))
    if before.is_dir():
        before /= now.name
        return Text(str(before), read_file(before) if before.is_file() else None)
    return Text(str(before), read_file(before))


def _many(before: Path | Revision | None, now: Path | Revision) -> Answer:
    root = next((side.root for side in (before, now) if isinstance(side, Revision)), None)
    first = {} if before is None else dict(_files(before, root))
    second = dict(_files(now, root))
    found: list[Finding] = []
    unjudged: list[Unjudged] = []
    looked_at = 0
    for name in sorted(first.keys() | second.keys()):
        one, other = first.get(name), second.get(name)
        if one == other or not any(sign in (text or "") for text in (one, other) for sign in _SIGNS):
            continue
        looked_at += 1
        try:
            answer = checked(Text(name, one), Text(name, other))
        except UnusableInputError as error:
            found.append(_not_judged(name, error))
            continue
        found += answer.findings
        unjudged += answer.unjudged
    return Answer(worst_first(found), tuple(unjudged), looked_at)


def _not_judged(name: str, error: UnusableInputError) -> Finding:
    line = error.where.rpartition(":")[2]
    reasons = (error.problem, error.remedy) if error.remedy else (error.problem,)
    summary = f"{name} differs and cannot be judged."
    number = int(line) if line.isdecimal() else 1
    return Finding(name, number, name, Kind.UNREADABLE, Verdict.UNKNOWN, Severity.MEDIUM, summary, reasons)


def _files(side: Path | Revision, root: Path | None) -> Iterator[tuple[str, str]]:
    """The files of a side by their paths; those of a folder in a repository by their paths there."""
    if isinstance(side, Revision):
        listed = _git("ls-tree", "-r", "-z", "--name-only", side.commit, cwd=side.root) or ""
        here = Path.cwd().resolve()
        for name in listed.split("\0"):
            if name.endswith(SUFFIXES) and _is_below(side.root / name, here, side.root):
                content = _git("show", f"{side.commit}:{name}", cwd=side.root)
                if content is not None:
                    yield name, content
        return
    for folder, folders, names in os.walk(side):
        folders[:] = sorted(one for one in folders if one not in _SKIPPED)
        for name in sorted(names):
            path = Path(folder) / name
            if name.endswith(SUFFIXES) and path.is_file():
                within = path.resolve().relative_to(root.resolve()) if root else path.relative_to(side)
                try:
                    yield str(within), read_file(path)
                except UnusableInputError:
                    continue  # neither text nor small: no policy


def _is_below(path: Path, here: Path, root: Path) -> bool:
    return here == root.resolve() or path.resolve().is_relative_to(here)
