"""The documentation site: every page is in it, every link leads somewhere, the search finds, and axe finds nothing."""

import json
import os
import re
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from ecr_steward import __version__
from scripts.chromium import address_of, binary, chromium
from scripts.site import REPOSITORY

PROJECT = Path(__file__).parents[2]
DOCS = PROJECT / "docs"
TASKS = ["Evaluate", "Install", "Use it in a pipeline", "Be on call", "Audit", "Contribute"]

needs_chromium = pytest.mark.skipif(
    binary() is None and not os.environ.get("CI"), reason="Chromium is not installed; CI installs it"
)


class Page(HTMLParser):
    """The links, anchors and files of a page."""

    def __init__(self, path):
        super().__init__()
        self.links, self.anchors, self.loaded = [], set(), []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if given.get("id"):
            self.anchors.add(given["id"])
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if tag in {"img", "script", "source"}:
            self.loaded += [given[name] for name in ("src", "srcset") if given.get(name)]
        if tag == "link" and given.get("rel") in {"stylesheet", "icon"}:
            self.loaded.append(given["href"])


@pytest.fixture(scope="module")
def pages(site):
    return {path: Page(path) for path in site.rglob("*.html") if path.name != "404.html"}


def target(path, link):
    """The file that a link of a page leads to."""
    found = (path.parent / unquote(urlsplit(link).path)).resolve() if urlsplit(link).path else path
    return found / "index.html" if found.is_dir() else found


def test_every_page_of_the_documentation_is_on_the_site(site):
    written = {path.relative_to(DOCS) for path in DOCS.rglob("*.md")}
    there = {site / path.parent / ("" if path.name == "README.md" else path.stem) / "index.html" for path in written}

    assert [path for path in there if not path.is_file()] == []
    assert all((site / name / "index.html").is_file() for name in ("project", "contributing", "security", "changelog"))


def test_the_index_is_ordered_by_what_a_person_wants_to_do():
    assert re.findall(r"^## (.+)$", (DOCS / "README.md").read_text(), re.MULTILINE) == TASKS


def test_every_link_leads_to_a_page_and_an_anchor(pages):
    broken = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            found = target(path, link)
            if not found.is_file() or (
                parts.fragment and found in pages and unquote(parts.fragment) not in pages[found].anchors
            ):
                broken.append(f"{path.parent.name}: {link}")
    assert broken == []


def test_every_link_into_the_repository_names_a_file_of_this_version(pages):
    prefix = f"{REPOSITORY}/blob/v{__version__}/"
    named = {link.partition("#")[0] for page in pages.values() for link in page.links if link.startswith(prefix)}

    assert named
    assert [link for link in named if not (PROJECT / link.removeprefix(prefix)).exists()] == []


def test_a_page_loads_files_of_the_site_alone(pages):
    loaded = [(path, link) for path, page in pages.items() for link in page.loaded]

    assert [link for _, link in loaded if urlsplit(link).scheme in {"http", "https"}] == []
    assert [link for path, link in loaded if not urlsplit(link).scheme and not target(path, link).is_file()] == []


def test_the_search_knows_every_page(site, pages):
    known = json.loads((site / "search.json").read_text(encoding="utf-8"))
    locations = {one["location"].partition("#")[0] for one in known["items"]}

    assert {path.parent.relative_to(site).as_posix() for path in pages} <= {one.strip("/") or "." for one in locations}


def test_the_versions_are_listed_beside_the_site(site):
    listed = json.loads((site.parent / "versions.json").read_text())

    assert listed == [{"version": __version__, "title": __version__, "aliases": ["latest"]}]


@pytest.fixture(scope="module")
def browser():
    with chromium() as page:
        page.resize(1280, 900)
        yield page


@needs_chromium
@pytest.mark.parametrize("scheme", ["default", "slate"])
@pytest.mark.parametrize("name", ["", "deployment", "runbooks/key-leaked"])
def test_a_page_is_accessible_in_both_colour_schemes(browser, site, name, scheme):
    browser.open(address_of(site / name / "index.html"))
    browser.evaluate(f"document.body.setAttribute('data-md-color-scheme', '{scheme}')")
    browser.evaluate("new Promise(done => setTimeout(done, 800))")  # colours change slowly
    browser.evaluate(files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8"))

    found = browser.evaluate("axe.run()")

    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found["violations"]] == []
    assert {"color-contrast", "document-title", "link-name"} <= {one["id"] for one in found["passes"]}
