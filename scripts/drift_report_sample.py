"""Make the sample report of policy drift anew: its JSON in events/, and its pictures in docs/ with Chromium.

Run from the root of the project::

    PYTHONPATH=functions:layers:. .venv/bin/python -m scripts.drift_report_sample
"""

import json
import tempfile
from pathlib import Path

from policy_drift.report.document import as_document
from policy_drift.report.html import render
from scripts.chromium import address_of, chromium
from tests.doubles.sample_drift import APPROVED, LIVE, REPORT

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "events" / "policy_drift" / "report.json"
IMAGES = ROOT / "docs" / "images"
_END_OF_FIRST_FINDING = "Math.ceil(document.querySelector('details.finding').getBoundingClientRect().bottom) + 32"


def main() -> None:
    """Write all of it."""
    document = as_document(REPORT, approved=APPROVED, live=LIVE)
    SAMPLE.parent.mkdir(exist_ok=True)
    SAMPLE.write_text(json.dumps(document, indent=2) + "\n")
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, chromium() as page:
        html = Path(folder) / "report.html"
        html.write_text(render(document, json_report=SAMPLE.name), encoding="utf-8")
        for scheme in ("light", "dark"):
            page.prefer(scheme)
            page.resize(1180, 1720)
            page.open(address_of(html))
            page.resize(1180, page.evaluate(_END_OF_FIRST_FINDING))
            picture = IMAGES / f"drift-report-{scheme}.png"
            picture.write_bytes(page.picture())
            print(f"{picture.relative_to(ROOT)}: {picture.stat().st_size / 1024:.0f} kB")


if __name__ == "__main__":
    main()
