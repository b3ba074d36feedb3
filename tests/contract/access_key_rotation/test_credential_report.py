"""What IAM's credential report says of every key, and what a report that is late, old or broken does."""

from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.stub import Stubber

from access_key_rotation.adapters.iam_credential_report import GENERATED_WITHIN, IamCredentialReport
from access_key_rotation.domain.inventory import Use
from steward.aws.clients import client
from steward.clock import SystemClock
from steward.errors import AccessDeniedError, DeadlineError, UpstreamError
from tests.doubles.frozen_clock import FrozenClock

GENERATED = datetime(2026, 5, 4, 11, tzinfo=UTC)
COLUMNS = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,"
    "mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,"
    "access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"
    "access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,"
    "cert_2_last_rotated"
)
NO_KEY = "false,N/A,N/A,N/A,N/A"


def row(name, first=NO_KEY, second=NO_KEY, *, console="false", mfa="false"):
    created = "2020-01-01T00:00:00+00:00"
    arn = f"arn:aws:iam::123456789012:user/{name}"
    return f"{name},{arn},{created},{console},N/A,N/A,N/A,{mfa},{first},{second},false,N/A,false,N/A"


def read(*rows, states=("COMPLETE",), content=None, clock=None):
    iam = boto3.client("iam", aws_access_key_id="testing", aws_secret_access_key="testing")
    with Stubber(iam) as stubber:
        for state in states:
            if state in {"STARTED", "INPROGRESS", "COMPLETE"}:
                stubber.add_response("generate_credential_report", {"State": state}, {})
            else:
                stubber.add_client_error("generate_credential_report", state)
        answer = {
            "Content": "\n".join([COLUMNS, *rows]).encode() if content is None else content,
            "ReportFormat": "text/csv",
            "GeneratedTime": GENERATED,
        }
        stubber.add_response("get_credential_report", answer, {})
        return IamCredentialReport(iam, clock or FrozenClock()).read()


def test_every_key_has_its_age_its_use_and_its_user():
    used = "true,2025-11-02T09:00:00+00:00,2026-05-04T07:00:00+00:00,eu-central-1,ecr"
    never = "false,2026-01-02T00:00:00Z,N/A,N/A,N/A"

    report = read(row("build-server", used, never, console="true", mfa="true"))

    (user,) = report.users
    assert report.as_of == GENERATED
    assert (user.name, user.has_password, user.has_mfa) == ("build-server", True, True)
    assert [(k.active, k.use, k.used_for, k.used_in) for k in user.keys] == [
        (True, Use.USED, "ecr", "eu-central-1"),
        (False, Use.NEVER, "", ""),
    ]
    assert user.keys[1].created == datetime(2026, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    "first",
    [
        "true,2014-01-02T00:00:00Z,N/A,N/A,N/A",
        "true,N/A,N/A,N/A,N/A",
        "true,2020-01-02T00:00:00Z,no_information,N/A,N/A",
        "true,2020-01-02T00:00:00Z,not_supported,N/A,N/A",
    ],
)
def test_what_the_report_does_not_say_is_unknown_and_not_never(first):
    assert read(row("old", first)).users[0].keys[0].use is Use.UNKNOWN


@pytest.mark.parametrize(
    "broken",
    [
        row("broken", "true,yesterday,N/A,N/A,N/A"),
        row("a,b"),
        "broken,arn:aws:iam::123456789012:user/broken,half",
        row("broken").replace("arn:aws", "nonsense"),
    ],
)
def test_an_entry_that_makes_no_sense_is_named_and_hides_no_other(broken):
    report = read(row("first"), broken, row("last"))

    assert [user.name for user in report.users] == ["first", "last"]
    assert len(report.unreadable) == 1


def test_a_person_is_unknown_where_the_root_user_has_no_answer():
    assert read(row("<root_account>", console="not_supported")).users[0].has_password is None


def test_a_report_in_the_making_is_waited_for():
    clock = FrozenClock()

    report = read(row("first"), states=["STARTED", "INPROGRESS", "COMPLETE"], clock=clock)

    assert len(report.users) == 1
    assert sum(clock.pauses) == 2


def test_a_report_that_is_not_made_in_time_is_asked_for_again_by_the_caller():
    looks = GENERATED_WITHIN // timedelta(seconds=1) + 1

    with pytest.raises(DeadlineError, match="the same call again") as refused:
        read(states=["INPROGRESS"] * looks)

    assert refused.value.after_seconds > 1


def test_a_missing_permission_is_no_empty_account():
    with pytest.raises(AccessDeniedError):
        read(states=["AccessDenied"])


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"user,arn\na,b", b"<html>", b'user,arn\n"'])
def test_an_answer_that_is_no_report_is_no_empty_account(content):
    with pytest.raises(UpstreamError, match="credential report"):
        read(content=content)


def test_iam_itself_is_read(moto):
    iam = boto3.client("iam")
    iam.create_user(UserName="build-server")
    iam.create_access_key(UserName="build-server")

    report = IamCredentialReport(client("iam"), SystemClock()).read()

    assert {user.name: len(user.keys) for user in report.users}["build-server"] == 1
