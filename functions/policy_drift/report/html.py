"""The HTML report: the document of `policy_drift.report.document` as one self-contained page for people.

``python -m policy_drift.report.html report.json > report.html`` makes the page from a JSON report. It needs no script
and no other file. Every text in it may have been chosen by an attacker: the template engine escapes all of them, what
is invisible is made visible, and a content security policy forbids to run or load anything else.
"""

import argparse
import base64
import hashlib
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from iam_policy.wording import visible
from policy_drift.report.side_by_side import Row, side_by_side
from policy_drift.report.wording import shortened

MOST_FINDINGS = 1_000
"""Findings that are shown; the JSON report has all."""
MOST_OPENED = 5
"""Findings that are unfolded at the beginning, if they are severe enough."""
MOST_ROWS = 80
"""Lines of the two documents of one finding."""
MOST_ROWS_OF_ALL = 12_000
"""Lines of the documents of all findings: about four megabytes."""
MOST_TEXT = 6_000
"""Characters of one command or patch: IAM's longest document, nearly."""
MOST_LISTED = 25
"""Commands, requests or events of one finding."""

MOST_KEYS = 50
"""Access keys that are listed, the oldest."""

_UNFOLDED = {"CRITICAL", "HIGH"}


def render(document: Mapping[str, Any], *, json_report: str = "the JSON report") -> str:
    """The page.

    Parameters
    ----------
    document : mapping
        A report as `policy_drift.report.document.as_document` makes it.
    json_report : str
        What the JSON report is called, for where something is shortened.
    """
    shown = document["findings"][:MOST_FINDINGS]
    return (
        _environment()
        .get_template("report.html")
        .render(
            report=document,
            findings=shown,
            unreviewed=document.get("accepted_without_review", [])[:MOST_FINDINGS],
            also_approved=document.get("also_approved", [])[:MOST_FINDINGS],
            access_keys=document.get("access_keys"),
            left_out=len(document["findings"]) - len(shown),
            by_entity=_by_entity(shown),
            unfolded=_unfolded(shown),
            documents=_Documents(),
            json_report=json_report,
        )
    )


def anchor(finding_id: str) -> str:
    """Where in the page a finding is: safe in a link for any name, and the same in every report."""
    return "f-" + hashlib.sha256(finding_id.encode("utf-8", "surrogatepass")).hexdigest()[:16]


class _Documents:
    """The two documents of findings, within what a page can hold."""

    def __init__(self) -> None:
        self._left = MOST_ROWS_OF_ALL

    def rows(self, finding: Mapping[str, Any]) -> tuple[list[Row], int]:
        """The rows to show, and how many there are besides."""
        rows = side_by_side(finding["approved"], finding["live"])
        shown = rows[: min(MOST_ROWS, self._left)]
        self._left -= len(shown)
        return shown, len(rows) - len(shown)


def _unfolded(findings: Iterable[Mapping[str, Any]]) -> list[str]:
    """The findings to read first; they come first in the report."""
    severe = (one["id"] for one in findings if one["severity"] in _UNFOLDED and one["state"] == "OPEN")
    return [*islice(severe, MOST_OPENED)]


def _by_entity(findings: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[Mapping[str, Any]]]]:
    def entity(one: Mapping[str, Any]) -> str:
        return str(one["entity"])

    return [(name, list(group)) for name, group in groupby(sorted(findings, key=entity), key=entity)]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("policy_drift.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    source = environment.loader.get_source(environment, "report.css")[0] if environment.loader else ""
    digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
    environment.globals |= {
        "style": Markup(source),  # noqa: S704 - a file of ours, without a text of anybody else
        "style_hash": f"sha256-{digest}",
        "most_listed": MOST_LISTED,
        "most_text": MOST_TEXT,
        "most_keys": MOST_KEYS,
    }
    environment.filters |= {
        "anchor": anchor,
        "shortened": shortened,
        "breakable": _breakable,
        "when": _when,
        "pretty": _pretty,
        "line": json.dumps,
    }
    return environment


def _shown(value: Any) -> Any:
    """What the template prints: texts without anything invisible; nothing where there is nothing."""
    if isinstance(value, Markup):
        return value
    return visible(value) if isinstance(value, str) else "" if value is None else value


def _breakable(value: Any) -> Markup:
    """A text, escaped, that may break behind the separators of ARNs and paths, and only then within a name."""
    shown = escape(_shown(value))
    for separator in ":/":
        shown = shown.replace(separator, Markup("{}<wbr>").format(separator))
    return shown


def _when(time: str | None) -> str:
    """A time for people, to the minute."""
    return datetime.fromisoformat(time).strftime("%d %b %Y, %H:%M UTC") if time else "never"


def _pretty(value: Any) -> list[str]:
    return json.dumps(value, indent=2).split("\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Read a JSON report, write the page."""
    parser = argparse.ArgumentParser(prog="python -m policy_drift.report.html", description=main.__doc__)
    parser.add_argument("report", type=Path, help="a JSON report of a scan")
    report = parser.parse_args(arguments).report
    sys.stdout.write(render(json.loads(report.read_text(encoding="utf-8")), json_report=report.name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
