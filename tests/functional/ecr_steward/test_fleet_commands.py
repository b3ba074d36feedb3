"""``steward repo list``, ``adopt`` and ``reconcile``, answered by the handler of the routes."""

import json

import pytest

from ecr_steward.app import main
from tests.functional.gateway import client_of

RULES = """
callers: [{principals: ["self:*"], repositories: ["team-a/**"], may_adopt: true}]
repositories:
  - {match: "**/tagged", tags: {namespace: "{namespace}"}}
  - {match: "**", name: default, lifecycle: {untagged_after_days: 14}, tags: {namespace: "{namespace}"}}
"""
SHORT = "--accept-shorter-retention"


@pytest.fixture(autouse=True)
def registry(deploy_settings, stack, registry_prefixes):
    deploy_settings("house_rules.yaml", RULES)
    ecr = client_of("ecr")
    for name in ("team-a/legacy", "team-a/tagged"):
        ecr.create_repository(repositoryName=name)
    return ecr


def results(capsys):
    lines = capsys.readouterr().out.splitlines(keepends=True)
    shown = json.loads("".join(line for line in lines if not line.startswith('{"')))
    return {one["name"]: one for one in shown}


def mutability(ecr, name):
    return ecr.describe_repositories(repositoryNames=[name])["repositories"][0]["imageTagMutability"]


def test_a_dry_run_shows_the_changes_and_makes_none(registry, capsys):
    assert main(["--output", "json", "repo", "adopt", "team-a/tagged", "--dry-run"]) == 0

    shown = results(capsys)["team-a/tagged"]
    assert (shown["result"], shown["changes"]) == ("would be changed", ["tag_mutability", "tags"])
    assert mutability(registry, "team-a/tagged") == "MUTABLE"


def test_an_adoption_does_what_its_dry_run_shows(registry, capsys):
    assert main(["--output", "json", "repo", "adopt", "team-a/tagged"]) == 0

    assert results(capsys)["team-a/tagged"]["result"] == "done"
    assert mutability(registry, "team-a/tagged") == "IMMUTABLE"


def test_a_shorter_retention_needs_consent(registry, capsys):
    assert main(["--output", "json", "repo", "adopt", "team-a/legacy", "team-a/tagged"]) == 1
    left = results(capsys)
    assert (left["team-a/legacy"]["result"], left["team-a/tagged"]["result"]) == ("left", "done")
    assert mutability(registry, "team-a/legacy") == "MUTABLE"

    assert main(["repo", "adopt", "team-a/legacy", SHORT]) == 0
    assert mutability(registry, "team-a/legacy") == "IMMUTABLE"


def test_tags_alone_are_adopted_by_scope(registry, capsys):
    assert main(["--output", "json", "repo", "adopt", "team-a/legacy", "--scope", "tags"]) == 0

    assert results(capsys)["team-a/legacy"]["changes"] == ["tags"]
    assert mutability(registry, "team-a/legacy") == "MUTABLE"


def test_one_refused_name_fails_and_the_others_are_done(registry, capsys):
    assert main(["--output", "json", "repo", "adopt", "team-b/web", "team-a/tagged"]) == 1

    found = results(capsys)
    assert (found["team-b/web"]["result"], found["team-a/tagged"]["result"]) == ("failed", "done")


def test_names_come_from_a_file(registry, capsys, tmp_path):
    file = tmp_path / "names"
    file.write_text("team-a/tagged  # ours\n\n")

    assert main(["--output", "json", "repo", "adopt", "--file", str(file), "--dry-run"]) == 0
    assert results(capsys).keys() == {"team-a/tagged"}


@pytest.mark.parametrize("command", ["adopt", "reconcile"])
def test_without_a_name_nothing_is_done(command, capsys):
    assert main(["repo", command]) == 2
    assert "no repository is named" in capsys.readouterr().err


def test_before_the_first_scan_the_list_says_how_to_start_one(capsys):
    assert main(["repo", "list"]) == 2
    assert "POST /fleet/scans" in capsys.readouterr().err


def test_the_list_has_all_pages_and_says_how_old_it_is(serve, capsys):
    entries = [{"name": f"team-a/r{n}", "owner": "ours", "differences": ["tags"] if n else []} for n in range(3)]
    base = {"as_of": "2026-05-04T03:11:00+00:00", "age_seconds": 7200, "stale": True}

    def answer(method, path, query, body):
        first = {**base, "repositories": entries[:2], "next": "more"}
        return 200, {}, {**base, "repositories": entries[2:], "next": None} if "next" in query else first

    server = serve(answer)
    assert main(["--output", "json", "repo", "list", "--owner", "ours", "--differing"]) == 0

    printed = capsys.readouterr()
    assert [one["name"] for one in json.loads(printed.out)] == ["team-a/r1", "team-a/r2"]
    assert "2.0 hours ago; it is out of date" in printed.err
    assert server.asked[0][2] == {"owner": "ours", "limit": "1000"}


def test_all_that_differ_are_reconciled(serve, capsys):
    entries = [
        {"name": "team-a/a", "owner": "ours", "would_change": ["tags"]},
        {"name": "team-a/b", "owner": "ours", "would_change": []},
        {"name": "team-a/c", "owner": "foreign", "would_change": ["tags"]},
        {"name": "team-b/d", "rule": "default", "restricted": True},
    ]
    fleet = {"as_of": "x", "age_seconds": 60, "stale": False, "repositories": entries, "next": None}
    adoption = {"fingerprint": "f", "shortens_retention": False, "changes": [{"setting": "tags"}], "warnings": []}

    def answer(method, path, query, body):
        item = {"name": "team-a/a", "status": 200, "adoption": adoption}
        return 200, {}, fleet if method == "GET" else {"repositories": [item]}

    server = serve(answer)
    assert main(["--output", "json", "repo", "reconcile", "--differing"]) == 0

    asked = [(path, body) for method, path, _, body in server.asked if method == "POST"]
    assert asked == [
        ("/fleet/reconciliations", {"repositories": ["team-a/a"]}),
        ("/fleet/reconciliations", {"repositories": [{"name": "team-a/a", "fingerprint": "f"}]}),
    ]


def test_a_scan_is_requested(serve, capsys):
    server = serve(lambda *_: (202, {}, {"scan_id": "s1"}))

    assert main(["repo", "scan", "--dry-run"]) == 0
    assert server.asked == []
    assert main(["repo", "scan"]) == 0
    assert server.asked[0][:2] == ("POST", "/fleet/scans")
