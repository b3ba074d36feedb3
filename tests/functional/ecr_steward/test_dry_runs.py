"""A dry run says what a command would do, and sends nothing that changes anything."""

import json

import pytest
import typer

from ecr_steward.app import app, main

READ_OR_WRITE_FILES = {
    "package", "doctor", "whoami", "repo show", "repo list", "keys list", "keys inventory", "keys show", "drift list",
    "drift show", "drift revert", "drift report", "drift baseline show", "drift baseline pull", "drift baseline diff",
    "policy compare", "policy check", "accounts compare", "baseline build", "settings show", "settings check",
}  # fmt: skip
"""The commands that change nothing in AWS."""


def commands(group, path=()):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


def test_every_command_that_changes_something_has_a_dry_run():
    options = {
        name: {option for one in command.params for option in one.opts}
        for name, command in commands(typer.main.get_command(app))
    }

    assert {name for name, known in options.items() if "--dry-run" not in known} == READ_OR_WRITE_FILES


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
            ["keys", "check", "ecr-push"],
            "would have the worker look at ecr-push again, which takes each step that is due; nothing was changed",
        ),
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


def requested(state, key_id):
    return lambda *_: (200, {}, {"name": "ecr-push", "state": state, "requested": key_id and {"key_id": key_id}})


def test_a_dry_run_of_a_withdrawal_names_the_key_that_stays_current(serve, capsys):
    server = serve(requested("STABLE", "AKIACURRENT"))

    assert main(["--output", "json", "keys", "withdraw", "ecr-push", "--dry-run"]) == 0

    captured = capsys.readouterr()
    assert json.loads(captured.out) == {"key_id": "AKIACURRENT"}
    assert "would withdraw the requested rotation of ecr-push: the key AKIACURRENT stays current" in captured.err
    assert [asked[0] for asked in server.asked] == ["GET"]


@pytest.mark.parametrize(
    ("state", "key_id", "says"),
    [
        ("STABLE", None, "no requested rotation of ecr-push is pending"),
        ("CREATED", "AKIACURRENT", "the rotation of ecr-push has begun: its new key becomes current"),
    ],
)
def test_a_dry_run_of_a_withdrawal_refuses_what_the_api_would_refuse(serve, state, key_id, says, capsys):
    server = serve(requested(state, key_id))

    assert main(["keys", "withdraw", "ecr-push", "--dry-run"]) == 2
    assert says in capsys.readouterr().err
    assert changes(server) == []


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
