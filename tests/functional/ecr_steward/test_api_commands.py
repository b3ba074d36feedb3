"""The commands that call the API, over signed requests to a server on this machine."""

import json

import pytest
import typer.main

from ecr_steward.app import app, main


def printed(capsys):
    """What the command printed, without the lines that the handler logs beside it."""
    lines = capsys.readouterr().out.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith('{"'))


def as_json(capsys):
    return json.loads(printed(capsys))


def test_a_repository_is_ensured_by_its_image(stack, capsys):
    image = "123456789012.dkr.ecr.ca-central-1.amazonaws.com/team-a/web:1.2@sha256:abc"

    assert main(["--output", "json", "ensure", image]) == 0

    (result,) = as_json(capsys)
    assert (result["name"], result["result"]) == ("team-a/web", "created")


def test_to_ensure_twice_changes_nothing(stack, capsys):
    main(["ensure", "team-a/web"])
    capsys.readouterr()

    assert main(["--output", "tsv", "ensure", "team-a/web"]) == 0
    assert printed(capsys).startswith("team-a/web\texists\t")


def test_a_dry_run_creates_nothing(stack, capsys):
    assert main(["--output", "json", "ensure", "--dry-run", "team-a/web"]) == 0
    assert as_json(capsys)[0]["result"] == "would be created"

    assert main(["repo", "show", "team-a/web"]) == 2
    assert "Check the name" in capsys.readouterr().err


def test_one_refused_name_fails_and_the_others_are_there(stack, capsys):
    assert main(["--output", "json", "ensure", "team-a/web", "UPPER"]) == 1

    results = {one["name"]: one["result"] for one in as_json(capsys)}
    assert results == {"team-a/web": "created", "UPPER": "failed"}


def test_names_come_from_a_compose_file(stack, capsys, tmp_path):
    compose = tmp_path / "compose.yaml"
    registry = "123456789012.dkr.ecr.ca-central-1.amazonaws.com"
    compose.write_text(f"services:\n  web: {{image: '{registry}/team-a/web:1'}}\n  db: {{image: 'postgres:17'}}\n")

    assert main(["--output", "json", "ensure", "--compose", str(compose)]) == 0
    assert [one["name"] for one in as_json(capsys)] == ["team-a/web"]


def test_names_come_from_a_printed_bake_file(stack, capsys, tmp_path):
    registry = "123456789012.dkr.ecr.ca-central-1.amazonaws.com"
    targets = {"web-1": {"tags": [f"{registry}/team-a/web:1"]}, "web-2": {"tags": [f"{registry}/team-a/web:2"]}}
    bake = tmp_path / "bake.json"
    bake.write_text(json.dumps({"target": targets}))

    assert main(["--output", "json", "ensure", "--bake", str(bake)]) == 0
    assert [one["name"] for one in as_json(capsys)] == ["team-a/web"]


def test_a_variable_in_a_compose_file_says_how_to_replace_it(stack, capsys, tmp_path):
    compose = tmp_path / "compose.yaml"
    compose.write_text("services:\n  web: {image: '${REGISTRY}/team-a/web:1'}\n")

    assert main(["ensure", "--compose", str(compose)]) == 2
    assert "docker compose config | steward ensure --compose -" in capsys.readouterr().err


def test_what_was_not_finished_in_time_is_asked_for_again(serve, capsys):
    busy = {"name": "a", "status": 503, "problem": {"type": "urn:ecr-steward:problem:time-used-up", "title": "Later"}}
    done = {"name": "a", "status": 200, "repository": {"created": True, "rule": "r", "uri": "u"}}
    other = {"name": "b", "status": 200, "repository": {"created": False, "rule": "r", "uri": "u"}}
    answers = iter([[busy, other], [done]])
    server = serve(lambda *_: (207, {}, {"repositories": next(answers)}))

    assert main(["--output", "json", "ensure", "a", "b"]) == 0
    assert [one["result"] for one in as_json(capsys)] == ["created", "exists"]
    assert [asked[3] for asked in server.asked] == [{"repositories": ["a", "b"]}, {"repositories": ["a"]}]


def test_names_are_asked_for_one_by_one_where_the_request_of_many_is_not_permitted(serve, capsys):
    denied = {"type": "urn:ecr-steward:problem:access-denied", "title": "Denied"}

    def answer(method, path, *_):
        if method == "POST":
            return 403, {}, denied
        return 201, {}, {"name": path.rpartition("/")[2], "created": True, "rule": "r", "uri": "u"}

    server = serve(answer)

    assert main(["--output", "json", "ensure", "a", "b"]) == 0
    assert [one["result"] for one in as_json(capsys)] == ["created", "created"]
    assert [asked[:2] for asked in server.asked] == [
        ("POST", "/repositories"),
        ("PUT", "/repositories/a"),
        ("PUT", "/repositories/b"),
    ]


def test_a_throttled_request_is_repeated(serve, capsys):
    throttled = (429, {"Retry-After": "1"}, {"type": "urn:ecr-steward:problem:throttled", "title": "Slow down"})
    answers = iter([throttled, (200, {}, {"caller": "123456789012:role/ci", "allowed": ["team-a/**"]})])
    serve(lambda *_: next(answers))

    assert main(["--output", "json", "whoami"]) == 0
    assert as_json(capsys)["caller"] == "123456789012:role/ci"


def test_a_used_up_quota_is_not_repeated(serve, capsys):
    problem = {"type": "urn:ecr-steward:problem:quota-exceeded", "title": "Enough", "detail": "20 of 20 today"}
    server = serve(lambda *_: (429, {}, problem))

    assert main(["whoami"]) == 2
    assert capsys.readouterr().err == "steward: 20 of 20 today\n"
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, b"<html>proxy</html>", "what is no JSON: '<html>proxy</html>'. Check STEWARD_API_URL"),
        (404, {"type": "urn:ecr-steward:problem:no-such-route", "title": "No route"}, "The stack may be older"),
        (
            403,
            {"type": "urn:ecr-steward:problem:access-denied", "title": "Denied"},
            "Attach the stack's PipelinePolicyArn",
        ),
    ],
)
def test_what_the_api_refuses_is_one_line_that_says_what_to_do(serve, capsys, status, body, expected):
    serve(lambda *_: (status, {}, body))

    assert main(["whoami"]) == 2
    error = capsys.readouterr().err
    assert expected in error
    assert error.count("\n") == 1


def test_an_api_that_is_down_is_one_line(serve, capsys):
    serve(lambda *_: (200, {}, {})).close()

    assert main(["whoami"]) == 2
    error = capsys.readouterr().err
    assert "cannot be reached" in error
    assert error.count("\n") == 1


def test_without_credentials_the_error_says_how_to_log_in(serve, capsys, monkeypatch):
    serve(lambda *_: (200, {}, {}))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    assert main(["whoami"]) == 2
    assert "there are no AWS credentials. Log in" in capsys.readouterr().err


def test_an_answer_is_queried_with_jmespath(examples, capsys):
    assert main(["--output", "tsv", "--query", "[].name", "keys", "list"]) == 0
    assert "ecr-push" in capsys.readouterr().out.splitlines()


def test_a_query_that_is_none_is_refused(examples, capsys):
    assert main(["--query", "[", "keys", "list"]) == 2
    assert "is no JMESPath" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        (["keys", "show", "ecr-push"], ("GET", "/service-users/ecr-push", {}, None)),
        (["keys", "rotate", "ecr-push"], ("POST", "/service-users/ecr-push/rotation", {}, None)),
        (
            ["keys", "leaked", "ecr-push", "AKIAEXAMPLE000000001", "--dry-run"],
            (
                "POST",
                "/service-users/ecr-push/rotation",
                {"dry_run": "true"},
                {"reason": "compromised", "key_id": "AKIAEXAMPLE000000001"},
            ),
        ),
        (
            ["keys", "reactivate", "ecr-push", "--reason", "why"],
            ("POST", "/service-users/ecr-push/reactivation", {}, {"reason": "why"}),
        ),
        (["drift", "list"], ("GET", "/drift/findings", {"state": "OPEN"}, None)),
        (["keys", "inventory"], ("GET", "/access-keys", {}, None)),
        (["keys", "inventory", "--older-than", "90d"], ("GET", "/access-keys", {"older_than": "90d"}, None)),
        (
            ["keys", "enrol", "build-server", "--dry-run"],
            ("POST", "/service-users/build-server/enrolment", {"dry_run": "true"}, {"first_secret": "new-key"}),
        ),
        (
            ["keys", "enroll", "build-server"],
            ("POST", "/service-users/build-server/enrolment", {}, {"first_secret": "new-key"}),
        ),
        (["keys", "enrol", "build-server", "--leave"], ("DELETE", "/service-users/build-server/enrolment", {}, None)),
        (["drift", "show", "access:role:deployer"], ("GET", "/drift/findings/access:role:deployer", {}, None)),
        (["drift", "scan"], ("POST", "/drift/scans", {}, None)),
        (["drift", "report"], ("GET", "/drift/report", {}, None)),
        (["drift", "baseline", "show"], ("GET", "/drift/baseline", {}, None)),
    ],
)
def test_a_command_calls_its_route(examples, arguments, asked, capsys):
    assert main(arguments) == 0
    assert examples.asked[-1] == asked
    assert capsys.readouterr().out


def test_a_finding_is_acknowledged_as_it_is_now(examples):
    arguments = ["--owner", "team-a", "--reason", "migration", "--until", "2027-01-31"]

    assert main(["drift", "ack", "access:role:deployer", *arguments]) == 0

    (_, _, _, body) = examples.asked[-1]
    assert body["expires"] == "2027-01-31T00:00:00Z"
    assert body["fingerprint"].startswith("sha256:")


def test_findings_are_adopted_by_their_fingerprints(examples):
    assert main(["drift", "adopt", "access:role:deployer"]) == 0

    (_, path, _, body) = examples.asked[-1]
    assert path == "/drift/baseline/adoptions"
    assert [one["id"] for one in body["findings"]] == ["access:role:deployer"]


def test_a_configuration_file_names_the_api(examples, monkeypatch, tmp_path):
    (tmp_path / "steward").mkdir()
    (tmp_path / "steward" / "config.toml").write_text(f'api_url = "{examples.url}"\n')
    monkeypatch.delenv("STEWARD_API_URL")

    assert main(["keys", "list"]) == 0


def test_a_setting_that_does_not_exist_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "steward").mkdir()
    (tmp_path / "steward" / "config.toml").write_text('url = "x"\n')

    assert main(["whoami"]) == 2
    assert "url is no setting" in capsys.readouterr().err


def commands(app, path=()):
    group = typer.main.get_command(app)

    def walk(command, path):
        for name, inner in getattr(command, "commands", {}).items():
            yield from walk(inner, (*path, name))
        if not hasattr(command, "commands"):
            yield path, command

    return list(walk(group, ()))


def test_every_command_has_an_example():
    found = commands(app)

    assert len(found) > 15
    assert [path for path, command in found if "Example: steward" not in (command.epilog or "")] == []


@pytest.mark.parametrize(("state", "code"), [("ok", 0), ("warning", 0), ("unknown", 1), ("broken", 1)])
def test_doctor_shows_every_check_and_fails_if_one_is_broken_or_unknown(serve, capsys, state, code):
    check = {"check": "trail", "state": state, "detail": "said", "mend": ["aws x"], "missing_right": None}
    serve(lambda *_: (200, {"Content-Type": "application/json"}, {"state": state, "checks": [check]}))

    assert main(["--output", "tsv", "doctor"]) == code
    assert printed(capsys) == f"trail\t{state}\tsaid\taws x\n"
