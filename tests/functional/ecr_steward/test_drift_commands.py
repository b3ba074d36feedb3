"""The commands about findings and the baseline that do more than one request."""

import hashlib
import json

import pytest

from ecr_steward.app import main

FINDING = {"id": "access:role:deployer", "fingerprint": "sha256:x"}
ROLE = {
    "path": "/",
    "unique_id": "AROAEXAMPLEEXAMPLE01",
    "trust": {"Version": "2012-10-17", "Statement": []},
}


def document(*actions):
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}
    role = ROLE | {"inline": {"own": policy}}
    return {"account": "123456789012", "format": "ecr-steward/iam-baseline/1", "roles": {"deployer": role}}


@pytest.fixture
def in_force(serve):
    """A stack with a baseline that allows one action; its document is behind a link that needs no signature."""

    def answer(method, path, *_):
        if path == "/drift/baseline":
            return 200, {}, {"version": "v1", "document": f"{server.url}/document", "acknowledged": []}
        return 200, {}, document("s3:GetObject")

    server = serve(answer, unsigned=("/document",))
    return server


def test_the_baseline_is_pulled_into_a_file(in_force, tmp_path, capsys):
    file = tmp_path / "baseline.json"

    assert main(["drift", "baseline", "pull", str(file)]) == 0

    assert json.loads(file.read_text()) == document("s3:GetObject")
    assert "drift baseline push FILE --replaces v1" in capsys.readouterr().err


def test_the_baseline_is_pulled_to_the_standard_output(in_force, capsys):
    assert main(["drift", "baseline", "pull"]) == 0
    assert json.loads(capsys.readouterr().out) == document("s3:GetObject")


def test_a_document_with_the_same_access_is_exit_code_0(in_force, tmp_path, capsys):
    file = tmp_path / "baseline.json"
    file.write_text(json.dumps(document("s3:GetObject")))

    assert main(["drift", "baseline", "diff", str(file)]) == 0
    assert capsys.readouterr().out == "No change of access.\n"


def test_a_document_with_more_access_is_exit_code_1_with_a_request_that_proves_it(in_force, tmp_path, capsys):
    file = tmp_path / "baseline.json"
    file.write_text(json.dumps(document("s3:GetObject", "s3:DeleteBucket")))

    assert main(["drift", "baseline", "diff", str(file)]) == 1
    assert "s3:DeleteBucket" in capsys.readouterr().out


def test_a_link_that_has_expired_is_one_line(in_force, capsys):
    in_force.gone = "/document"

    assert main(["drift", "baseline", "pull"]) == 2
    assert capsys.readouterr().err == "steward: the document cannot be read: S3 answered 403. Try again\n"


def reverted_by(**revert):
    return lambda *_: (200, {}, FINDING | {"revert": {"commands": [], "refused": "", "plan": [], "notes": []} | revert})


def test_the_commands_that_revert_a_finding_are_printed(serve, capsys):
    serve(reverted_by(commands=["aws iam delete-role-policy --role-name deployer --policy-name x"], notes=["Check."]))

    assert main(["drift", "revert", "access:role:deployer", "--print"]) == 0

    captured = capsys.readouterr()
    assert captured.out == "aws iam delete-role-policy --role-name deployer --policy-name x\n"
    assert captured.err == "steward: Check.\n"


def test_what_a_person_has_to_decide_is_exit_code_1(serve, capsys):
    serve(reverted_by(refused="Deleting cannot be undone.", plan=["aws iam delete-role --role-name deployer"]))

    assert main(["drift", "revert", "access:role:deployer", "--print"]) == 1

    captured = capsys.readouterr()
    assert captured.out == ""
    assert "for a person to decide: aws iam delete-role" in captured.err


def test_nothing_is_reverted_without_a_person(serve, capsys):
    server = serve(reverted_by(commands=["aws x"]))

    assert main(["drift", "revert", "access:role:deployer"]) == 2
    assert server.asked == []
    assert "reverts nothing by itself" in capsys.readouterr().err


def test_a_report_is_opened_in_the_browser(examples, monkeypatch, tmp_path, capsys):
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {tmp_path}/opened\n')
    browser.chmod(0o755)
    monkeypatch.setattr("webbrowser._tryorder", None)
    monkeypatch.setenv("BROWSER", str(browser))

    assert main(["--output", "tsv", "--query", "report", "drift", "report", "--open"]) == 0
    assert (tmp_path / "opened").read_text() == capsys.readouterr().out.strip()


def test_a_baseline_that_is_too_large_for_a_request_is_sent_to_a_link_and_named(serve, tmp_path, capsys):
    sent = []

    def answer(method, path, query, body):
        sent.append((method, path, query, body))
        if path == "/drift/baseline/uploads":
            return 201, {}, {"upload": f"{server.url}/link", "headers": {"x-amz-checksum-sha256": "of the text"}}
        return 200, {}, {"version": "v2"}

    server = serve(answer, unsigned=("/link",))
    large = {"roles": {f"role-{number}": "x" * 1_000 for number in range(3_100)}}
    file = tmp_path / "baseline.json"
    file.write_text(json.dumps(large, indent=2))

    assert main(["drift", "baseline", "push", str(file), "--replaces", "v1"]) == 0

    text = file.read_bytes()
    sha256 = hashlib.sha256(text).hexdigest()
    assert sent == [
        ("POST", "/drift/baseline/uploads", {}, {"sha256": sha256, "size": len(text)}),
        ("PUT", "/link", {}, large),
        ("PUT", "/drift/baseline", {"uploaded": sha256}, None),
    ]
    assert "v2" in capsys.readouterr().out


def test_a_link_for_an_upload_that_has_expired_is_one_line(serve, tmp_path, capsys):
    def answer(*_):
        return 201, {}, {"upload": f"{server.url}/link", "headers": {}}

    server = serve(answer, unsigned=("/link",))
    server.gone = "/link"
    file = tmp_path / "baseline.json"
    file.write_text(json.dumps({"roles": "x" * 3_100_000}))

    assert main(["drift", "baseline", "push", str(file), "--replaces", "v1"]) == 2
    assert capsys.readouterr().err == "steward: the document cannot be sent: S3 answered 403. Try again\n"


@pytest.mark.parametrize("arguments", [["pull"], ["push", "FILE", "--replaces", "v1"]], ids=["pull", "push"])
def test_a_link_that_cannot_be_reached_is_not_printed_with_its_signature(serve, tmp_path, capsys, arguments):
    """Who has the whole link may use it, and a pipeline's log has many readers."""
    link = "http://127.0.0.1:9/document?X-Amz-Signature=of-the-link&X-Amz-Security-Token=of-the-role"
    serve(lambda *_: (200, {}, {"version": "v1", "document": link, "upload": link, "headers": {}}))
    file = tmp_path / "baseline.json"
    file.write_text(json.dumps({"roles": "x" * 3_100_000}))

    assert main(["drift", "baseline", *[str(file) if each == "FILE" else each for each in arguments]]) == 2
    said = capsys.readouterr().err
    assert "http://127.0.0.1:9/document" in said
    assert "of-the-" not in said


def test_a_baseline_that_a_scan_puts_in_force_is_said_to_be_waiting(serve, tmp_path, capsys):
    serve(lambda *_: (202, {}, {"scan_id": "5d3c9f0e"}))
    file = tmp_path / "baseline.json"
    file.write_text(json.dumps(document("s3:GetObject")))

    assert main(["drift", "baseline", "push", str(file), "--replaces", "v1"]) == 0

    captured = capsys.readouterr()
    assert "the scan that has begun" in captured.err
    assert "5d3c9f0e" in captured.out
