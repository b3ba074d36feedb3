"""Picture alerts as people get them, with Chromium: four mails, four chat messages, a webhook's request, a telephone.

Run from the root of the project::

    PYTHONPATH=functions:layers:. .venv/bin/python -m scripts.alert_pictures

The texts are those that alerting makes of the events in ``events/published``; the frames around them are drawn here.
"""

import html
import json
import re
import tempfile
from pathlib import Path

from alerting.alert_envelope import bus_event
from alerting.bootstrap import event_severities
from alerting.domain.alert import Alert
from alerting.domain.formats.chat import notification
from alerting.domain.formats.document import document_of
from alerting.domain.formats.mail import body_of, subject_of
from alerting.domain.wording import alert_of
from policy_drift.report.html import render
from scripts.chromium import Page, address_of, chromium

ROOT = Path(__file__).parents[1]
PUBLISHED = ROOT / "events" / "published"
IMAGES = ROOT / "docs" / "images"
MAILED = ("PolicyDriftDetected", "BaselineChanged", "AccessKeyRotationBlocked", "DriftScanFailed")
CHATTED = ("PolicyDriftDetected", "PolicyDriftResolved", "PolicyDriftAcknowledged", "BaselineRefused")
EVENT_ID = "2a36409a-43c9-465c-9219-17eda314c279"
SIGNS = {
    ":rotating_light:": "#c2203c",
    ":red_circle:": "#c2203c",
    ":large_orange_circle:": "#d97706",
    ":large_yellow_circle:": "#d6b400",
    ":information_source:": "#3b6fb5",
    ":white_check_mark:": "#2e8b57",
}
"""Colours in place of the chat's signs: not every machine that makes the pictures has a font with them."""
STYLE = """
* { box-sizing: border-box; }
body { margin: 0; padding: 16px; background: #eef0f3; color: #1d2430; }
body { font: 13px/1.5 system-ui, "Liberation Sans", sans-serif; }
body { display: grid; grid-template-columns: 1fr 1fr; gap: 14px; align-items: start; }
article { background: #fff; border: 1px solid #d5dae1; border-radius: 8px; overflow-wrap: anywhere; }
h2 { font-size: 13px; margin: 0; padding: 9px 14px; border-bottom: 1px solid #e3e7ec; background: #fafbfc; }
pre { margin: 0; padding: 10px 14px; white-space: pre-wrap; font: 11px/1.5 "Liberation Mono", monospace; }
.chat { padding: 10px 14px; }
.chat i { display: inline-block; width: 11px; height: 11px; border-radius: 50%; }
.chat p { margin: 0 0 6px; }
.chat .title { font-weight: 650; font-size: 14px; }
code { background: #f0f2f5; border-radius: 3px; padding: 0 3px; font: 11px "Liberation Mono", monospace; }
"""


def main() -> None:
    """Write all pictures."""
    with tempfile.TemporaryDirectory() as folder, chromium() as page:
        page.prefer("light")
        mails = [_mail(_alert(name)) for name in MAILED]
        chats = [_chat(_alert(name)) for name in CHATTED]
        webhook = f"<article><h2>POST to the webhook</h2><pre>{_pretty(document_of(_alert(MAILED[0])))}</pre></article>"
        for name, articles, columns in (
            ("alerts-mail", mails, 2),
            ("alerts-chat", chats, 2),
            ("alerts-webhook", [webhook], 1),
            ("alert-everywhere", [mails[0], chats[0]], 2),
        ):
            _picture(page, Path(folder) / f"{name}.html", _page(articles, columns), width=560 * columns)
        report = Path(folder) / "report-telephone.html"
        document = json.loads((ROOT / "events" / "policy_drift" / "report.json").read_text(encoding="utf-8"))
        _picture(page, report, render(document), width=390, most=1600)


def _alert(name: str) -> Alert:
    example = json.loads((PUBLISHED / f"{name}.json").read_text(encoding="utf-8"))
    metadata = example["detail"]["metadata"]
    place = {"account": metadata["account"], "region": metadata["region"]}
    return alert_of(bus_event({"id": EVENT_ID, "time": "2026-05-04T12:00:00Z", **place, **example}), event_severities())


def _mail(alert: Alert) -> str:
    return f"<article><h2>{html.escape(subject_of(alert))}</h2><pre>{html.escape(body_of(alert))}</pre></article>"


def _chat(alert: Alert) -> str:
    content = notification(alert)["content"]
    lines = [*content["description"].split("\n"), *content["nextSteps"]]
    paragraphs = "".join(f"<p>{_marked(line)}</p>" for line in lines)
    return f'<article class="chat"><p class="title">{_marked(content["title"])}</p>{paragraphs}</article>'


def _marked(text: str) -> str:
    """The markdown that a chat shows: signs, bold and code."""
    shown = html.escape(text)
    for name, colour in SIGNS.items():
        shown = shown.replace(name, f'<i style="background: {colour}"></i>')
    return re.sub(r"\*(.+?:)\*", r"<b>\1</b>", re.sub(r"`([^`]+)`", r"<code>\1</code>", shown))


def _pretty(document: object) -> str:
    return html.escape(json.dumps(document, indent=2))


def _page(articles: list[str], columns: int) -> str:
    style = STYLE.replace("1fr 1fr", "1fr " * columns)
    return f"<!doctype html><meta charset=utf-8><style>{style}</style>{''.join(articles)}"


def _picture(page: Page, place: Path, text: str, *, width: int, most: int = 10_000) -> None:
    """One picture, as high as the page."""
    place.write_text(text, encoding="utf-8")
    page.resize(width, 100)
    page.open(address_of(place))
    page.resize(width, min(most, int(page.evaluate("document.documentElement.scrollHeight"))))
    picture = IMAGES / f"{place.stem}.png"
    picture.write_bytes(page.picture())
    print(f"{picture.relative_to(ROOT)}: {picture.stat().st_size / 1024:.0f} kB")


if __name__ == "__main__":
    main()
