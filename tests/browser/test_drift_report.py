"""The HTML report in a real browser."""

import json
import os
from importlib.resources import files
from pathlib import Path

import pytest

from policy_drift.report.html import render
from scripts.chromium import address_of, binary, chromium

SAMPLE = Path(__file__).parents[2] / "events" / "policy_drift" / "report.json"

pytestmark = pytest.mark.skipif(
    binary() is None and not os.environ.get("CI"),
    reason="Chromium is not installed; CI installs it (the report's markup is tested without it, too)",
)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    page = tmp_path_factory.mktemp("report") / "report.html"
    page.write_text(render(json.loads(SAMPLE.read_text())), encoding="utf-8")
    return page


@pytest.fixture(scope="module")
def browser():
    with chromium() as page:
        yield page


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_accessible_with_everything_unfolded(browser, report, scheme):
    browser.prefer(scheme)
    browser.resize(1180, 900)
    browser.open(address_of(report))
    browser.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    browser.evaluate(files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8"))

    found = browser.evaluate("axe.run()")

    assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == []
    assert {"color-contrast", "document-title", "heading-order"} <= {one["id"] for one in found["passes"]}


def test_it_loads_nothing_but_itself_and_breaks_no_rule_of_its_policy(browser, report):
    browser.open(address_of(report))

    asked = [one["params"]["request"]["url"] for one in browser.events if one["method"] == "Network.requestWillBeSent"]

    assert asked == [address_of(report)]
    assert [one for one in browser.events if one["method"] in {"Log.entryAdded", "Runtime.exceptionThrown"}] == []
    assert browser.evaluate("getComputedStyle(document.querySelector('.finding')).borderRadius") == "12px"


def test_its_policy_stops_a_script_that_got_in_nevertheless(browser, report, tmp_path):
    page = tmp_path / "report.html"
    page.write_text(report.read_text().replace("<footer>", "<script>document.title = 'run'</script><footer>"))

    browser.open(address_of(page))

    assert browser.evaluate("document.title") != "run"


def test_it_fits_a_telephone(browser, report):
    browser.resize(390, 800)
    browser.open(address_of(report))

    assert browser.evaluate("document.documentElement.scrollWidth") == 390


def test_paper_shows_what_is_folded(browser, report):
    browser.resize(1180, 900)
    browser.open(address_of(report))
    height = "document.querySelector('.finding:last-of-type').getBoundingClientRect().height"
    on_screen = browser.evaluate(height)
    browser.prefer("light", media="print")

    on_paper = browser.evaluate(height)
    browser.prefer("light")

    assert on_screen < 100
    assert on_paper > 300


def test_on_a_telephone_the_two_sides_stack_and_names_break_at_separators(browser, report):
    browser.resize(390, 800)
    browser.open(address_of(report))
    browser.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")

    sides = browser.evaluate(
        "[...document.querySelectorAll('.diff tr')].filter(row => row.querySelector('del') && row.querySelector('ins'))"
        ".map(row => [row.querySelector('del').getBoundingClientRect().bottom,"
        " row.querySelector('ins').getBoundingClientRect().top])"
    )

    assert sides
    assert all(below >= above for above, below in sides)
    assert browser.evaluate("document.documentElement.scrollWidth") == 390
    assert browser.evaluate("document.querySelectorAll('.finding bdi wbr').length > 0")
    assert browser.evaluate("[...document.querySelectorAll('bdi')].every(one => !one.textContent.includes('<wbr>'))")


def test_paper_shows_the_index_alone_if_the_link_to_it_was_followed(browser, report):
    browser.resize(1180, 900)
    shown = "getComputedStyle(document.querySelector('section[aria-labelledby=findings]')).display"
    browser.prefer("light", media="print")
    browser.open(address_of(report))
    whole = browser.evaluate(shown)
    browser.evaluate("location.hash = 'index'")
    index = [
        browser.evaluate(shown),
        browser.evaluate("getComputedStyle(document.querySelector('table.index')).display"),
    ]
    browser.prefer("light")

    assert whole == "block"
    assert index == ["none", "table"]
