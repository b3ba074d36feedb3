"""Draw what a terminal shows as SVG, and the gate's comment in a pull request as it is read there.

Run from the root of the project::

    PYTHONPATH=cli:functions:layers:. .venv/bin/python -m scripts.terminal_pictures

The text of ``make start`` is that of the README, which a test compares with a real run; the gate runs here, on the two
policies of docs/policy-gate.md.
"""

import html
import io
import re
import tempfile
from collections.abc import Iterator
from contextlib import chdir, redirect_stdout
from pathlib import Path

from markdown_it import MarkdownIt
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from ecr_steward.app import main as steward
from scripts.chromium import Page, address_of, chromium

PROJECT = Path(__file__).parents[1]
IMAGES = PROJECT / "docs" / "images"
WIDTH = 100
HEADLINES = {
    "Repositories on demand": "terminal-repositories.svg",
    "Keys that rotate themselves": "terminal-rotation.svg",
    "IAM policy drift": "terminal-drift.svg",
}
GATE = "terminal-gate.svg"
COMMENT = "gate-comment.png"
CHECK = ("policy", "check", "--base", "before.json", "--head", "after.json")
STYLE = """
body { margin: 0; padding: 18px; background: #fff; color: #1f2328; width: 760px; }
body { font: 14px/1.5 "Liberation Sans", sans-serif; }
article { border: 1px solid #d1d9e0; border-radius: 6px; }
h6 { margin: 0; padding: 9px 16px; background: #f6f8fa; border-bottom: 1px solid #d1d9e0; }
h6 { font: inherit; color: #59636e; }
section { padding: 4px 16px 10px; overflow-wrap: anywhere; }
code { background: #eff1f3; border-radius: 4px; padding: 1px 4px; font: 12px "DejaVu Sans Mono", monospace; }
table { border-collapse: collapse; } td, th { border: 1px solid #d1d9e0; padding: 4px 10px; text-align: left; }
"""


def recordings() -> Iterator[tuple[str, str]]:
    """Name and SVG of every terminal."""
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```text\n(Repositories on demand\n.*?)^```", readme, re.DOTALL | re.MULTILINE)
    parts = dict(part.split("\n", 1) for part in shown.split("\n\n"))
    after = parts["The rotation, meanwhile"]
    for headline, name in HEADLINES.items():
        text = parts[headline].rstrip("\n") + ("\n" + after if headline.startswith("Keys") else "")
        yield name, drawn("make start", f"{headline}\n{text}")
    yield GATE, drawn(f"steward {' '.join(CHECK)}", gate("text"))


def gate(form: str) -> str:
    """What the gate says of the two policies of its page."""
    page = (PROJECT / "docs" / "policy-gate.md").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder, chdir(folder), redirect_stdout(io.StringIO()) as printed:
        for name in ("before.json", "after.json"):
            (document,) = re.findall(rf"^```json {name}\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
            Path(name).write_text(document, encoding="utf-8")
        steward([*CHECK, "--format", form])
    return printed.getvalue()


def drawn(command: str, text: str) -> str:
    """The SVG of a terminal in which a command has printed a text."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.assemble(("$ ", "green"), (command, "bold")))
    for line in text.rstrip("\n").splitlines():
        console.print(_styled(line))
    # One id for every picture: it would be another with every version of Rich.
    unique = re.sub(r"\W", "-", command)
    svg = console.export_svg(title=command, theme=MONOKAI, unique_id=f"{unique}-{len(text)}")
    svg = re.sub(r"@font-face \{.*?\}\s*|<!--.*?-->\s*", "", svg, flags=re.DOTALL)  # nothing is loaded from elsewhere
    return svg.replace("Fira Code", "DejaVu Sans Mono")


def _styled(line: str) -> Text:
    text = Text(line)
    text.highlight_regex(r"^✓", "green")
    text.highlight_regex(r"refused(?= \()|CRITICAL|HIGH|BROADENED", "red")
    return text


def comment() -> str:
    """The page with the comment."""
    text = re.sub(r"<details( open)?>", "<details open>", gate("markdown"))
    body = MarkdownIt("commonmark").enable("table").render(text)
    return (
        f"<!doctype html><meta charset=utf-8><title>comment</title><style>{STYLE}</style>"
        f"<article><h6>{html.escape('github-actions (bot) commented')}</h6><section>{body}</section></article>"
    )


def _photograph(page: Page, folder: Path) -> None:
    file = folder / "comment.html"
    file.write_text(comment(), encoding="utf-8")
    page.prefer("light")
    page.resize(800, 600)
    page.open(address_of(file))
    height = page.evaluate("Math.ceil(document.body.getBoundingClientRect().height)")
    page.resize(800, int(height))
    (IMAGES / COMMENT).write_bytes(page.picture())


def main() -> None:
    """Write all pictures."""
    for name, svg in recordings():
        (IMAGES / name).write_text(svg, encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder, chromium() as page:
        _photograph(page, Path(folder))


if __name__ == "__main__":
    main()
