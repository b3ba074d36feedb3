"""The page of the API has every route and every problem, and commands on all pages call routes that exist."""

import re

import pytest

from tests.docs.test_pages import DOCS, PAGES, PROJECT, page_id
from tests.functional.contract import Contract

PAGE = (DOCS / "api.md").read_text(encoding="utf-8")
CAPABILITIES = ("repository_provisioning", "access_key_rotation", "policy_drift", "health")
ROUTES = {
    f"{method.upper()} {path}" for capability in CAPABILITIES for method, path in Contract(capability).operations()
}
CALL = re.compile(r"\bcall (GET|PUT|POST|DELETE|PATCH) ['\"]?(/[^\s?'\"`)|]*)")


def test_every_route_is_on_the_page_and_no_other():
    shown = re.findall(r"^\| `((?:GET|PUT|POST|DELETE) /[^`]+)` \|", PAGE, re.MULTILINE)

    assert sorted(shown) == sorted(ROUTES)


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_call_on_a_page_has_a_route(page):
    shapes = [re.compile(re.sub(r"\{name\}$|\{\w+\}", "[^ ]+", route)) for route in ROUTES]

    calls = [f"{method} {path}" for method, path in CALL.findall(page.read_text(encoding="utf-8"))]

    assert [call for call in calls if not any(shape.fullmatch(call) for shape in shapes)] == []


def test_every_problem_is_on_the_page():
    gateway = re.findall(r"urn:ecr-steward:problem:([\w-]+)", (PROJECT / "template.yaml").read_text())
    kernel = (PROJECT / "layers" / "steward" / "rest_api.py").read_text()
    functions = re.findall(r'HTTPStatus\.[A-Z_]+, "([a-z-]+)"', kernel)

    assert len(functions) > 10
    assert [problem for problem in {*gateway, *functions} if f"`{problem}`" not in PAGE] == []


def test_the_function_that_all_pages_use_is_defined_once_and_sends_json():
    defined = [page for page in PAGES if "\ncall() {" in page.read_text(encoding="utf-8")]

    assert defined == [DOCS / "api.md"]
    assert "Content-Type: application/json" in PAGE
