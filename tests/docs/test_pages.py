"""Pages lead somewhere, and their commands are commands."""

import json
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from access_key_rotation.domain.settings import RotationSettings
from steward.settings import load, shipped
from tests.functional.contract import Contract

PROJECT = Path(__file__).parents[2]
DOCS = PROJECT / "docs"
PAGES = [
    *(PROJECT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    PROJECT / "layers" / "iam_policy" / "README.md",
    PROJECT / "policies" / "README.md",
    *sorted(DOCS.glob("*.md")),
    *sorted((DOCS / "runbooks").glob("*.md")),
    *sorted((DOCS / "decisions").glob("*.md")),
]
LINK = re.compile(r"\]\((?!https?://)([^)#\s]+)?(?:#([^)\s]+))?\)")
CALL = re.compile(
    r"call (GET|POST|DELETE) \'?(/service-users[^\s?\'`]*)[^\s`]*(?: +-H \'[^\']+\')?(?: +-d \'([^\']+)\')?"
)
FILTER = re.compile(r"call (GET|POST|PUT) [\"']?(/[^\s?\"'`|)]+)[^|\n]*\| jq (?:-[rc] )*('[^']*'|\.\w+)")
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


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_call_of_the_operators_api_is_in_its_contract(page):
    contract = Contract("access_key_rotation")
    text = page.read_text().replace("\\\n", " ")

    for method, path, body in CALL.findall(text):
        operation = contract.operations()[method.lower(), re.sub("(?<=users/)[^/]+", "{name}", path)]
        asked = operation.get("requestBody", {"required": False})
        assert body or not asked["required"], f"{method} {path} takes a body"
        if body:
            contract.check(asked["content"]["application/json"]["schema"], json.loads(body))


def names_in(program):
    """The fields that a jq program reads of its input, in its own words: ``.field``, and ``{field}`` for short."""
    bare = re.sub(r'"[^"]*"', "", program)
    return {*re.findall(r"\.([a-z_]\w*)", bare), *re.findall(r"[{,]\s*([a-z_]\w*)\s*(?=[,}])", bare)}


def fields_of(contract, node):
    """The names of all fields that a schema has, at any depth."""
    node = contract.resolved(node)
    if isinstance(node, list):
        return {name for item in node for name in fields_of(contract, item)}
    if not isinstance(node, dict):
        return set()
    inner = {name for value in node.values() for name in fields_of(contract, value)}
    return inner | set(node.get("properties", {}))


def answered(method, path):
    """The fields of the answer to a call of any capability's API, where the call succeeds."""
    for contract in map(Contract, ("repository_provisioning", "access_key_rotation", "policy_drift", "health")):
        for (verb, route), operation in contract.operations().items():
            if verb == method.lower() and re.fullmatch(re.sub(r"\{\w+\}", ".+", route), path):
                answers = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
                return fields_of(contract, [contract.resolved(answer) for answer in answers])
    raise AssertionError(f"no contract has {method} {path}")


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_field_that_is_read_of_an_answer_is_in_its_contract(page):
    text = page.read_text().replace("\\\n", " ")

    for method, path, program in FILTER.findall(text):
        assert names_in(program) <= answered(method, path), f"{method} {path} | jq {program}"


def test_the_picture_of_a_rotation_shows_the_times_that_are_shipped():
    times = load(shipped("rotation.yaml"), RotationSettings).times
    picture = (DOCS / "consumers.md").read_text().partition("```mermaid\ngantt\n")[2].partition("```")[0]

    lengths = [int(days) for days in re.findall(r", (\d+)d$", picture, re.MULTILINE)]
    first, limit = (date.fromisoformat(day) for day in re.findall(r"\d{4}-\d\d-\d\d", picture))

    assert lengths == [times.rotate_after_days, times.drain_days, times.keep_inactive_days, 0, times.rotate_after_days]
    assert (limit - first).days == times.max_age_days
    assert f"unused for {times.drain_days:g} days" in picture


def test_the_index_of_the_runbooks_is_complete():
    runbooks = {path.name for path in (PROJECT / "docs" / "runbooks").glob("*.md")} - {"README.md"}

    linked = set(re.findall(r"\]\(([\w-]+\.md)\)", (PROJECT / "docs" / "runbooks" / "README.md").read_text()))

    assert runbooks == linked


@pytest.mark.parametrize("page", [PROJECT / "README.md", DOCS / "policy-comparison.md"], ids=page_id)
def test_the_comparison_runs_as_it_is_printed_in_a_python_without_packages(page, tmp_path):
    (command,) = re.findall(r"^\W*(PYTHONPATH=.* baseline.json live.json)$", page.read_text(), re.MULTILINE)
    baseline, live = tmp_path / "baseline.json", tmp_path / "live.json"
    baseline.write_text('{"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}')
    live.write_text('{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}')
    printed = command.replace("python3.13", f"{sys.executable} -S").replace(
        "baseline.json live.json", f"{baseline} {live}"
    )

    done = subprocess.run(["/bin/bash", "-c", printed], cwd=PROJECT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("BROADENED")
