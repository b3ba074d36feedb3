"""A dry run says what a command would do, and sends nothing that changes anything."""

import json

import pytest

from ecr_steward.app import main


def changes(server):
    return [asked for asked in server.asked if asked[0] != "GET" and asked[2].get("dry_run") != "true"]


@pytest.fixture
def baseline(tmp_path):
    file = tmp_path / "baseline.json"
    file.write_text('{"account": "123456789012", "format": "ecr-steward/iam-baseline/1", "reviewed": true}')
    return str(file)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["keys", "rotate", "ecr-push"], ""),
        (["keys", "leaked", "ecr-push", "AKIAEXAMPLE000000001"], ""),
        (
            ["drift", "ack", "access:role:deployer", "--owner", "a", "--reason", "b", "--until", "2027-01-31"],
            "would accept access:role:deployer until 2027-01-31T00:00:00Z; nothing was changed",
        ),
        (["drift", "adopt", "access:role:deployer"], "would approve 1 findings; nothing was changed"),
        (["drift", "scan"], "would start a scan against this baseline; nothing was changed"),
    ],
)
def test_a_dry_run_changes_nothing(examples, arguments, says, capsys):
    assert main([*arguments, "--dry-run"]) == 0

    assert examples.asked
    assert changes(examples) == []
    captured = capsys.readouterr()
    assert captured.out
    assert says in captured.err


def test_a_dry_run_of_an_upload_compares_the_version(examples, baseline, capsys):
    assert main(["drift", "baseline", "push", baseline, "--replaces", "3HL4kqtJlcpXroDTDmJ", "--dry-run"]) == 0
    assert main(["drift", "baseline", "push", baseline, "--replaces", "another", "--dry-run"]) == 2

    assert changes(examples) == []
    assert "version 3HL4kqtJlcpXroDTDmJ is in force, not another" in capsys.readouterr().err


def user_with(*keys):
    return lambda *_: (200, {}, {"name": "ecr-push", "keys": list(keys)})


def key(key_id, deactivated_at, *, compromised=False):
    return {"id": key_id, "deactivated_at": deactivated_at, "compromised": compromised}


def test_a_dry_run_of_a_reactivation_names_the_key_that_was_deactivated_last(serve, capsys):
    server = serve(user_with(key("AKIAOLDER", "2026-05-01"), key("AKIALATER", "2026-06-01"), key("AKIACURRENT", None)))

    assert main(["--output", "json", "keys", "reactivate", "ecr-push", "--reason", "why", "--dry-run"]) == 0

    captured = capsys.readouterr()
    assert json.loads(captured.out)["id"] == "AKIALATER"
    assert "would reactivate AKIALATER of ecr-push, and freeze the user; nothing was changed" in captured.err
    assert changes(server) == []


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ([key("AKIACURRENT", None)], "has no key that the steward deactivated"),
        ([key("AKIALEAKED", "2026-06-01", compromised=True)], "the key AKIALEAKED leaked; it is never reactivated"),
    ],
)
def test_a_dry_run_refuses_what_the_api_would_refuse(serve, keys, says, capsys):
    serve(user_with(*keys))

    assert main(["keys", "reactivate", "ecr-push", "--reason", "why", "--dry-run"]) == 2
    assert says in capsys.readouterr().err
