"""Pages lead somewhere, and their commands are commands."""

import re
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
DOCS = PROJECT / "docs"
PAGES = [DOCS / "alerting.md", DOCS / "consumers.md", DOCS / "local-aws.md", *sorted((DOCS / "runbooks").glob("*.md"))]
LINK = re.compile(r"\]\((?!https?://)([^)#\s]+)?(?:#([^)\s]+))?\)")
BLOCK = re.compile(r"^( *)```(?:bash|sh)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


def anchors(page):
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def page_id(page):
    return str(page.relative_to(PROJECT))


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_link_within_the_project_leads_somewhere(page):
    targets = [(page.parent / path if path else page, anchor) for path, anchor in LINK.findall(page.read_text())]

    assert [str(target) for target, _ in targets if not target.exists()] == []
    assert [anchor for target, anchor in targets if anchor and anchor not in anchors(target)] == []


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_block_of_commands_is_a_script(page):
    script = "\n".join(block for _, block in BLOCK.findall(page.read_text()))

    done = subprocess.run(["/bin/bash", "-n"], input=script, capture_output=True, text=True, check=False)

    assert done.stderr == ""


@pytest.mark.parametrize("template", ["template.yaml", "global-events.yaml"])
def test_every_runbook_that_an_alarm_names_is_there(template):
    named = set(re.findall(r"docs/runbooks/[\w-]+\.md", (PROJECT / template).read_text()))

    assert named
    assert {path for path in named if not (PROJECT / path).exists()} == set()


def test_the_index_of_the_runbooks_is_complete():
    runbooks = {path.name for path in (PROJECT / "docs" / "runbooks").glob("*.md")} - {"README.md"}

    linked = set(re.findall(r"\]\(([\w-]+\.md)\)", (PROJECT / "docs" / "runbooks" / "README.md").read_text()))

    assert runbooks == linked
