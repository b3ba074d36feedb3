"""Draws the dashboard of ``template.yaml`` with sample data: ``docs/images/dashboard.png``, or an HTML page.

Run: ``PYTHONPATH=. .venv/bin/python scripts/dashboard_picture.py docs/images/dashboard.png`` (needs Chromium; a name
that ends in ``.html`` does not). It draws what CloudWatch draws of the same JSON: widgets in a grid of 24 columns, one
line for each metric, with its label. The numbers are invented.
"""

import html
import json
import math
import random
import re
import sys
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from scripts.chromium import chromium

PROJECT = Path(__file__).parents[1]
COLUMN, ROW, GAP = 58, 50, 6
"""Pixels of a grid cell and between widgets."""
POINTS = 56
"""Points of a line: seven days, three hours apart."""
COLOURS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b")
LEVELS = {
    "created": 4,
    "refused": 1,
    "requests": 60,
    "4xx": 3,
    "p50": 38,
    "p90": 120,
    "p99": 480,
    "oldest key": 61,
    "enrolled": 12,
    "steps": 2,
    "scans": 1,
    "changes checked": 6,
    "HIGH": 1,
    "MEDIUM": 2,
    "LOW": 5,
    "sent": 2,
    "seconds of functions": 180,
    "invocations": 900,
    "writes": 220,
    "reads": 340,
    "KB of logs": 410,
}
"""Usual values by label; every other label is zero, as in a healthy stack."""


def dashboard(**values: str) -> dict[str, Any]:
    """The dashboard as CloudWatch gets it, for a stack called ecr-steward."""
    template = yaml_parse((PROJECT / "template.yaml").read_text())
    text, _ = template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    known = {
        "AWS::StackName": "ecr-steward",
        "AWS::Region": "eu-central-1",
        "SilenceAlarms": "",
        "Docs": "docs",
    } | values
    body: dict[str, Any] = json.loads(re.sub(r"\$\{([\w.:]+)\}", lambda match: known.get(match[1], match[1]), text))
    return body


def page(body: dict[str, Any]) -> str:
    """The dashboard as one HTML page."""
    widgets = "".join(map(_widget, body["widgets"]))
    height = max(widget["y"] + widget["height"] for widget in body["widgets"]) * ROW
    return (
        "<!doctype html><meta charset=utf-8><title>Dashboard</title><style>"
        "body{margin:12px;background:#f2f3f3;font:12px sans-serif;color:#16191f}"
        f"main{{position:relative;width:{24 * COLUMN}px;height:{height}px}}"
        "section{position:absolute;box-sizing:border-box;background:#fff;border:1px solid #d5dbdb;padding:8px;"
        "overflow:hidden}h2{font-size:13px;margin:0 0 4px}h1{font-size:18px;margin:0 0 4px}p{margin:0}"
        "li{display:inline;margin-right:10px}ul{margin:2px 0 0;padding:0;font-size:11px}i{font-style:normal}"
        "b{background:#1d8102;color:#fff;padding:3px 8px;margin:2px;display:inline-block;font-weight:normal}</style>"
        f"<main>{widgets}</main>\n"
    )


def _widget(widget: dict[str, Any]) -> str:
    left, top = widget["x"] * COLUMN, widget["y"] * ROW
    width, height = widget["width"] * COLUMN - GAP, widget["height"] * ROW - GAP
    properties = widget["properties"]
    match widget["type"]:
        case "text":
            inside = _text(properties)
        case "alarm":
            inside = _alarms(properties)
        case _:
            inside = _graph(properties, width - 18, height - 74)
    style = f"left:{left}px;top:{top}px;width:{width}px;height:{height}px"
    return f'<section style="{style}">{inside}</section>'


def _text(properties: dict[str, Any]) -> str:
    title, _, rest = properties["markdown"].partition("\n")
    shown = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"<u>\1</u>", html.escape(rest)).replace("`", "")
    return f"<h1>{html.escape(title.lstrip('# '))}</h1><p>{shown}</p>"


def _alarms(properties: dict[str, Any]) -> str:
    names = "".join(f"<b>✓ {html.escape(arn.removesuffix('.Arn'))}</b>" for arn in properties["alarms"])
    return f"<h2>{html.escape(properties['title'])}</h2>{names}"


def _graph(properties: dict[str, Any], width: int, height: int) -> str:
    labels = [row[-1]["label"] for row in properties["metrics"]]
    lines = [_sample(label) for label in labels]
    top = max(1.0, *(max(line) for line in lines))
    drawn, legend = "", ""
    for number, (label, line) in enumerate(zip(labels, lines, strict=True)):
        colour = COLOURS[number % len(COLOURS)]
        points = " ".join(
            f"{36 + x * (width - 40) / (POINTS - 1):.1f},{height - 4 - value / top * (height - 14):.1f}"
            for x, value in enumerate(line)
        )
        drawn += f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
        legend += f'<li><i style="color:{colour}">■</i> {html.escape(label)}</li>'
    axis = "".join(
        f'<text x="0" y="{height - 1 - share * (height - 14):.0f}" font-size="10" fill="#687078">{top * share:g}</text>'
        f'<line x1="36" x2="{width}" y1="{height - 4 - share * (height - 14):.0f}" '
        f'y2="{height - 4 - share * (height - 14):.0f}" stroke="#eaeded"/>'
        for share in (0, 0.5, 1)
    )
    picture = f'<svg width="{width}" height="{height}">{axis}{drawn}</svg>'
    return f"<h2>{html.escape(properties['title'])}</h2>{picture}<ul>{legend}</ul>"


def _sample(label: str) -> list[float]:
    """Invented values, the same in every run."""
    level, numbers = LEVELS.get(label, 0), random.Random(label)
    if label == "oldest key":
        return [level - (POINTS - 1 - x) / 8 for x in range(POINTS)]
    if label == "enrolled":
        return [float(level)] * POINTS
    steady = [level * (1 + 0.4 * math.sin(x / 8 * 2 * math.pi)) for x in range(POINTS)]
    return [round(value * numbers.uniform(0.6, 1.4), 1) for value in steady]


def main(target: Path) -> None:
    """Write the picture, or the page."""
    text = page(dashboard())
    if target.suffix == ".html":
        target.write_text(text, encoding="utf-8")
        return
    with chromium() as browser:
        widgets = dashboard()["widgets"]
        browser.resize(24 * COLUMN + 24, max(each["y"] + each["height"] for each in widgets) * ROW + 24)
        frame = browser.call("Page.getFrameTree")["frameTree"]["frame"]["id"]
        browser.call("Page.setDocumentContent", frameId=frame, html=text)
        target.write_bytes(browser.picture())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
