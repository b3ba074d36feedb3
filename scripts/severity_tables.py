"""Write the severities of ``layers/settings/severities.yaml`` into the docs: ``python scripts/severity_tables.py``.

It fills the last column of each table under a heading ``Severities``; ``tests/docs/test_severities.py`` holds it.
"""

import re
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).parents[1]
PAGES = {"events": PROJECT / "docs" / "events.md", "drift": PROJECT / "docs" / "policy-drift.md"}
OF_ITS_OWN = "of its own"
_ROW = re.compile(r"^\| `(?P<key>\w+)` \| (?P<means>.*) \| [^|]* \|$", re.MULTILINE)
_SECTION = re.compile(r"^## Severities\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def severities(part: str) -> dict[str, Any]:
    """A part of the shipped table, as it stands in the file."""
    shipped = yaml.safe_load((PROJECT / "layers" / "settings" / "severities.yaml").read_text(encoding="utf-8"))
    return dict(shipped[part])


def cell(severity: str | dict[str, str] | None) -> str:
    """What the table says of one entry: its severity, or one for each of its cases."""
    match severity:
        case None:
            return OF_ITS_OWN
        case str():
            return severity
    otherwise, *cases = severity.items()
    return "; ".join([otherwise[1], *(f"{value} if {case.replace('_', ' ')}" for case, value in cases)])


def with_severities(page: str, part: str) -> str:
    """The page, with the last column of its table of severities as the file says."""
    shipped = severities(part)

    def row(found: re.Match[str]) -> str:
        return f"| `{found['key']}` | {found['means']} | {cell(shipped.get(found['key']))} |"

    return _SECTION.sub(lambda section: _ROW.sub(row, section[0]), page)


def listed(page: str) -> set[str]:
    """The entries that the page's table of severities has."""
    section = _SECTION.search(page)
    return {row["key"] for row in _ROW.finditer(section[0])} if section else set()


if __name__ == "__main__":
    for part, path in PAGES.items():
        path.write_text(with_severities(path.read_text(encoding="utf-8"), part), encoding="utf-8")
