"""A report with ten thousand findings: seconds, sizes, and how long a browser takes to show it.

    python -m benchmarks.large_report [--findings N]

Each role and user of an account with documents of real size (`large_account`) has a grant of its own. A hundred are
compared; their differences stand for those of all others. The page is opened in Chromium if it is installed.
"""

import argparse
import json
import resource
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from random import Random
from time import perf_counter, process_time
from typing import Any

from benchmarks.large_account import ACCOUNT, CHANGES, account
from policy_drift.bootstrap import drift_severities
from policy_drift.domain.access_keys import AccessKeys, KeySummary
from policy_drift.domain.account import Account, EntityId
from policy_drift.domain.comparison.drifts import drifts
from policy_drift.domain.finding import Finding, State
from policy_drift.report.document import Coverage, Report, as_document
from policy_drift.report.html import render
from scripts.chromium import address_of, binary, chromium

COMPARED = 100


def found_in(findings: int) -> tuple[Account, Account, list[Finding]]:
    """What was approved, what is, and so many findings."""
    approved = account(findings * 101 // 100, Random(7))
    live = CHANGES["own 100 %"](approved)
    names = [*(f"role/{name}" for name in live.roles), *(f"user/{name}" for name in live.users)][:findings]
    only = frozenset(map(EntityId, names[:COMPARED]))
    compared = drifts(approved, live, severities=drift_severities(), only=only).found
    now = datetime.now(UTC)
    found = [
        Finding(replace(drift, entity=EntityId(name), arn=f"arn:aws:iam::{ACCOUNT}:{name}"), State.OPEN, now, now)
        for name, drift in zip(names, islice(cycle(compared), len(names)), strict=True)
    ]
    return approved, live, found


def report(findings: int) -> dict[str, Any]:
    """The report as a document."""
    approved, live, found = found_in(findings)
    now = datetime.now(UTC)
    made = Report(
        account=ACCOUNT,
        region="eu-central-1",
        scan_id="benchmark",
        started=now,
        baseline_version="v1",
        baseline_reviewed=True,
        baseline_changed=now,
        coverage=Coverage(entities={"roles": len(live.roles)}, aws_calls=12, unreadable={}, seconds=1.0),
        findings=tuple(found),
        not_looked_at=(),
        left_to_review=(),
        also_approved=(),
        review_unread=(),
        access_keys=AccessKeys("2026-05-04T12:00:00+00:00", 90, KeySummary(0, 0, 0, 0, 0), ()),
    )
    begun = process_time()
    document: dict[str, Any] = as_document(made, approved=approved, live=live)
    print(f"{len(found)} findings: the document in {process_time() - begun:.1f} CPU s", flush=True)
    return document


def opened(page: Path) -> None:
    """Print how long a browser takes, and whether the index leads to the findings."""
    with chromium() as browser:
        browser.resize(1180, 900)
        begun = perf_counter()
        browser.open(address_of(page))
        seconds = perf_counter() - begun
        links = "[...document.querySelectorAll('a[href^=\"#f-\"]')]"
        count, dead = (
            browser.evaluate(f"{links}{chosen}.length")
            for chosen in ("", ".filter(one => !document.getElementById(one.hash.slice(1)))")
        )
        begun = perf_counter()
        browser.evaluate(
            "new Promise(done => { addEventListener('scrollend', () => done(), {once: true}); "
            f"{links}.at(-1).click(); }})"
        )
        shown = browser.evaluate(f"document.getElementById({links}.at(-1).hash.slice(1)).getBoundingClientRect().top")
        jumped = perf_counter() - begun
        nodes = browser.evaluate("document.querySelectorAll('*').length")
    print(f"Chromium: loaded in {seconds:.1f} s, {nodes} elements; {count} links to findings, {dead} lead nowhere; "
          f"a click on the last one takes {jumped:.2f} s and shows its finding at {shown:.0f} px")  # fmt: skip


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--findings", type=int, default=10_000)
    document = report(options.parse_args().findings)
    begun = process_time()
    text = json.dumps(document, indent=2, ensure_ascii=False)
    rendered = process_time()
    html = render(document)
    print(
        f"JSON {len(text.encode()) / 1e6:.1f} MB in {rendered - begun:.1f} CPU s, "
        f"HTML {len(html.encode()) / 1e6:.1f} MB in {process_time() - rendered:.1f} CPU s; "
        f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB",
        flush=True,
    )
    if binary() is None:
        print("Chromium is not installed")
        return
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        page.write_text(html, encoding="utf-8")
        opened(page)


if __name__ == "__main__":
    main()
