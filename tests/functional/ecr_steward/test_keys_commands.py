"""The account's inventory and the enrolment of a user from the command line; no key in an argument or a request."""

import io
import json

import boto3
import pytest

from ecr_steward.app import main
from tests.functional.contract import Contract
from tests.functional.gateway import REGION

CONTRACT = Contract("access_key_rotation")
KEY, MATERIAL = "AKIAEXAMPLE000000001", "material/of+the+present+key"
SECRET = "steward/service-users/build-server"


@pytest.fixture
def plan():
    """The example of the contract, with the user's present key awaited."""
    operation = CONTRACT.operations()["post", "/service-users/{name}/enrolment"]
    example = next(iter(operation["responses"]["200"]["content"]["application/json"]["examples"].values()))["value"]
    return {**example, "awaits": KEY, "drains": []}


@pytest.fixture
def api(aws, serve, plan):
    """The API of a stack whose worker creates the secret between two looks."""
    states = ["UNSEEN", "AWAITING_KEY"]

    def answer(method, path, query, _body):
        if path == f"/service-users/{plan['name']}":
            return 200, {}, {"state": states.pop(0), "blocked_by": None}
        if path.endswith("/enrolment"):
            return 200 if query.get("dry_run") else 202, {}, plan
        return 202, {}, {}

    return serve(answer)


@pytest.fixture
def secret(api):
    client = boto3.client("secretsmanager", region_name=REGION)
    client.create_secret(Name=SECRET, SecretString="{}")
    return client


def pending(secret):
    value = secret.get_secret_value(SecretId=SECRET, VersionStage="AWSPENDING")["SecretString"]
    return json.loads(value)


def give(monkeypatch, text):
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


@pytest.mark.parametrize("wrapped", [False, True])
def test_the_present_key_comes_from_the_standard_input_and_goes_past_the_api(api, secret, monkeypatch, capsys, wrapped):
    key = {"AccessKeyId": KEY, "SecretAccessKey": MATERIAL}
    give(monkeypatch, json.dumps({"AccessKey": key} if wrapped else key))

    assert main(["keys", "enrol", "build-server", "--present-key"]) == 0

    shown = capsys.readouterr()
    assert pending(secret) | {"CreatedAt": ""} == {
        "Version": 1, "AccessKeyId": KEY, "SecretAccessKey": MATERIAL, "UserName": "build-server", "CreatedAt": "",
    }  # fmt: skip
    assert [asked[:2] for asked in api.asked] == [
        ("POST", "/service-users/build-server/enrolment"),
        ("POST", "/service-users/build-server/enrolment"),
        ("GET", "/service-users/build-server"),
        ("GET", "/service-users/build-server"),
        ("POST", "/service-users/build-server/check"),
    ]
    assert MATERIAL not in str(api.asked) + shown.out + shown.err


def test_the_present_key_comes_from_a_profile(api, secret, monkeypatch, tmp_path):
    credentials = tmp_path / "credentials"
    credentials.write_text(f"[builder]\naws_access_key_id = {KEY}\naws_secret_access_key = {MATERIAL}\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))

    assert main(["keys", "enrol", "build-server", "--present-key", "--from-profile", "builder"]) == 0

    assert pending(secret)["SecretAccessKey"] == MATERIAL


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the standard input is no key"),
        ("[]", "the standard input is no key"),
        (MATERIAL, "the standard input is no key"),
        (json.dumps({"AccessKeyId": "AKIAEXAMPLE000000009", "SecretAccessKey": MATERIAL}), "is not the user's present"),
    ],
)
def test_another_text_or_another_key_enrolls_no_user(api, secret, monkeypatch, capsys, text, words):
    give(monkeypatch, text)

    assert main(["keys", "enrol", "build-server", "--present-key"]) == 2

    shown = capsys.readouterr().err
    assert words in shown
    assert MATERIAL not in shown
    assert [query for _, _, query, _ in api.asked] == [{"dry_run": "true"}]


def test_a_caller_that_may_not_write_the_secret_learns_what_is_missing(api, monkeypatch, capsys):
    give(monkeypatch, json.dumps({"AccessKeyId": KEY, "SecretAccessKey": MATERIAL}))

    assert main(["keys", "enrol", "build-server", "--present-key"]) == 2

    shown = capsys.readouterr().err
    assert "secretsmanager:PutSecretValue" in shown
    assert MATERIAL not in shown


def test_a_refused_preview_names_every_reason_and_fails(serve, plan, capsys):
    serve(
        lambda *_: (200, {}, {**plan, "refused_because": ["the user is on the path /", "it is a person"], "steps": []})
    )

    assert main(["keys", "enrol", "build-server", "--dry-run"]) == 1
    assert "refused: it is a person" in capsys.readouterr().err
    assert main(["keys", "enrol", "build-server", "--present-key"]) == 2


@pytest.mark.parametrize("arguments", [["--leave", "--present-key"], ["--from-profile", "builder"]])
def test_options_that_exclude_each_other_are_refused(api, arguments, capsys):
    assert main(["keys", "enrol", "build-server", *arguments]) == 2
    assert api.asked == []


def test_auditors_get_the_file_as_the_api_wrote_it(serve, capsys):
    text = "as_of,user\r\n2026-05-04T11:40:00+00:00,'=1\r\n"
    server = serve(lambda *_: (200, {"Content-Type": "text/csv; charset=utf-8"}, text.encode()))

    assert main(["keys", "inventory", "--csv", "--older-than", "90d"]) == 0

    assert capsys.readouterr().out == text
    assert server.asked[-1][2] == {"older_than": "90d", "format": "csv"}
