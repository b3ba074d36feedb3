"""What ``steward ensure`` says of each repository. Imports little: `ecr_steward.one_name` starts with it alone."""

from __future__ import annotations

import sys

from ecr_steward.errors import FINDINGS, NOTHING

TYPE_CHECKING = False  # typing, which has it, takes time to import
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

COLUMNS = ("name", "result", "rule", "uri", "problem")


def result_of(item: Mapping[str, Any]) -> dict[str, Any]:
    """One line of the answer, from the API's: ``name`` with ``repository``, or with ``problem`` and ``status``."""
    found = item.get("repository")
    if not isinstance(found, dict):
        problem = item.get("problem") or {}
        return failure_of(item["name"], str(problem.get("detail") or problem.get("title") or item.get("status")))
    result = "created" if found.get("created") else "exists"
    return {"name": item["name"], "result": result, "rule": found.get("rule"), "uri": found.get("uri"), "problem": ""}


def failure_of(name: str, problem: str) -> dict[str, Any]:
    """The line of a repository that is not there."""
    return {"name": name, "result": "failed", "rule": None, "uri": None, "problem": problem}


def exit_code(results: Sequence[Mapping[str, Any]]) -> int:
    """0 if all repositories are there; else 1, and a line on the error stream that counts those that are not."""
    failed = sum(1 for one in results if one["problem"])
    if not failed:
        return NOTHING
    sys.stderr.write(f"steward: {failed} of {len(results)} repositories are not there\n")
    return FINDINGS
