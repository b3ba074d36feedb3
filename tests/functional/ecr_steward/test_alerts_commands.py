"""``steward alerts``, against a bus of events in memory."""

import boto3
import pytest
from moto import mock_aws

from ecr_steward.app import main


@pytest.fixture
def bus(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("AWS_REGION", "ca-central-1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield boto3.client("events", region_name="ca-central-1").create_event_bus(Name="steward")


def test_a_test_alert_names_the_id_that_mail_and_chat_end_with(bus, capsys):
    assert main(["--query", "event_id", "--output", "tsv", "alerts", "test"]) == 0

    answer = capsys.readouterr()
    assert len(answer.out.strip()) == 36
    assert "If not, see: steward doctor" in answer.err


def test_a_dry_run_puts_nothing_on_the_bus(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    assert main(["alerts", "test", "--bus", "two", "--dry-run"]) == 0

    assert "would put this event on the bus two; nothing was changed" in capsys.readouterr().err


def test_a_caller_without_the_right_reads_which_policy_has_it(bus, monkeypatch, capsys):
    class Refusing:
        def put_events(self, **_):
            return {"Entries": [{"ErrorCode": "AccessDeniedException", "ErrorMessage": "not allowed"}]}

    monkeypatch.setattr("botocore.session.Session.create_client", lambda *_, **__: Refusing())

    assert main(["alerts", "test"]) == 2

    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "AccessDeniedException: not allowed. Attach the stack's OperatorPolicyArn" in said
