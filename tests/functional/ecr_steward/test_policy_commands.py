"""``steward policy``: files, folders and revisions in; text, JSON, Markdown, SARIF and JUnit out."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest

from ecr_steward.app import main


def document(*actions):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]})


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "before.json").write_text(document("s3:GetObject"))
    (tmp_path / "after.json").write_text(document("s3:GetObject", "s3:PutObject"))
    return tmp_path


@pytest.fixture
def repository(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def git(*arguments):
        subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@example.com", *arguments], check=True)  # noqa: S607

    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "deploy.json").write_text(document("s3:GetObject"))
    git("init", "-q", "-b", "main")
    git("add", ".")
    git("commit", "-q", "-m", "first")
    return tmp_path


def test_the_same_access_is_exit_code_0(folder, capsys):
    assert main(["policy", "compare", "before.json", "before.json"]) == 0
    assert capsys.readouterr().out == "No change of access.\n"


def test_more_access_is_exit_code_1_with_a_request_that_proves_it(folder, capsys):
    assert main(["policy", "check", "--base", "before.json", "--head", "after.json"]) == 1

    out = capsys.readouterr().out
    assert "policy after.json" in out
    assert "s3:PutObject" in out


def test_all_of_the_added_access_is_in_the_answer_in_groups(folder, capsys):
    (folder / "after.json").write_text(document("s3:GetObject", "iam:*", "dynamodb:DeleteTable"))

    assert main(["policy", "check", "--base", "before.json", "--head", "after.json", "--format", "json"]) == 1

    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert finding["added_access"] == [
        "every iam action on any resource",
        "dynamodb:DeleteTable (write) on any resource",
    ]
    assert finding["removed_access"] == []


def test_what_rests_on_an_unknown_value_is_added_perhaps(folder, capsys):
    template = {"Resources": {"R": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": None}}}}
    for name, resource in (("before", "arn:aws:s3:::a/*"), ("after", {"Fn::ImportValue": "Bucket"})):
        statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": resource}
        template["Resources"]["R"]["Properties"]["PolicyDocument"] = {"Version": "2012-10-17", "Statement": [statement]}
        (folder / f"{name}.json").write_text(json.dumps(template))

    assert main(["policy", "check", "--base", "before.json", "--head", "after.json"]) == 1

    out = capsys.readouterr().out
    assert "UNKNOWN" in out
    assert "  Adds:" not in out


def test_one_answer_is_written_in_several_formats(folder, capsys):
    check = ["policy", "check", "--base", "before.json", "--head", "after.json", "--fail-on", "CRITICAL"]

    assert main([*check, "--write", "sarif=gate.sarif", "--write", "markdown=comment.md"]) == 0

    assert "BROADENED" in capsys.readouterr().out
    assert json.loads((folder / "gate.sarif").read_text())["version"] == "2.1.0"
    assert "BROADENED" in (folder / "comment.md").read_text()


@pytest.mark.parametrize("option", ["sarif", "sarif=", "html=gate.html", "sarif=no/such/folder/gate.sarif"])
def test_a_file_that_cannot_be_written_is_named(folder, capsys, option):
    assert main(["policy", "check", "--base", "before.json", "--head", "after.json", "--write", option]) == 2
    assert option.rpartition("=")[2] in capsys.readouterr().err


def test_less_access_is_no_reason_to_fail(folder):
    assert main(["policy", "check", "--base", "after.json", "--head", "before.json"]) == 0


@pytest.mark.parametrize(("fail_on", "code"), [("MEDIUM", 1), ("CRITICAL", 0), ("escalation", 0), ("never", 0)])
def test_what_fails_is_a_choice(folder, fail_on, code):
    arguments = ["policy", "check", "--base", "before.json", "--head", "after.json", "--fail-on", fail_on]

    assert main(arguments) == code


@pytest.mark.parametrize("missing", ["nowhere.json", "--help-me"])
def test_a_side_that_does_not_exist_is_one_line_and_exit_code_2(folder, capsys, missing):
    assert main(["policy", "compare", "before.json", "--", missing]) == 2

    error = capsys.readouterr().err
    assert error.startswith(f"steward: {missing}: there is no such file or folder")
    assert error.count("\n") == 1


def test_a_revision_that_does_not_exist_says_how_to_get_it(repository, capsys):
    assert main(["policy", "check", "--base", "origin/main"]) == 2
    assert "git fetch --depth=1 origin main" in capsys.readouterr().err


def test_the_working_folder_is_compared_with_a_revision(repository, capsys):
    (repository / "policies" / "deploy.json").write_text(document("*"))
    (repository / "policies" / "notes.yaml").write_text("a: [")

    assert main(["policy", "check", "--base", "main", "--format", "json"]) == 1

    answer = json.loads(capsys.readouterr().out)
    assert [(one["file"], one["severity"]) for one in answer["findings"]] == [("policies/deploy.json", "CRITICAL")]
    assert answer["failed"] is True


def test_one_bad_file_of_a_folder_is_a_finding_and_hides_no_other(repository, capsys):
    (repository / "policies" / "deploy.json").write_text(document("*"))
    (repository / "bad.yaml").write_text("Resources:\n  A: {Type: 'AWS::IAM::Role'\n")

    assert main(["policy", "check", "--base", "main", "--format", "json"]) == 1

    found = {one["file"]: one["verdict"] for one in json.loads(capsys.readouterr().out)["findings"]}
    assert found == {"policies/deploy.json": "BROADENED", "bad.yaml": "UNKNOWN"}


def allow_file(folder, days):
    expires = (datetime.now(UTC) + timedelta(days=days)).date()
    text = f"- entity: policy after.json\n  reason: the nightly import\n  expires: {expires}\n"
    (folder / "allow.yaml").write_text(text)
    return ["policy", "check", "--base", "before.json", "--head", "after.json", "--allow", "allow.yaml"]


def test_an_accepted_addition_does_not_fail_and_is_still_shown(folder, capsys):
    assert main(allow_file(folder, days=1)) == 0
    assert "Accepted: the nightly import" in capsys.readouterr().out


def test_an_acceptance_ends_on_its_day(folder, capsys):
    assert main(allow_file(folder, days=-1)) == 1
    assert "it was accepted until" in capsys.readouterr().out


def test_an_acceptance_without_a_reason_is_refused(folder, capsys):
    (folder / "allow.yaml").write_text("- entity: '*'\n  expires: 2099-01-01\n")

    assert main(["policy", "check", "--base", "before.json", "--head", "after.json", "--allow", "allow.yaml"]) == 2
    assert "allow.yaml, entry 1: it needs entity, reason and expires" in capsys.readouterr().err


def formatted(form, capsys):
    main(["policy", "check", "--base", "before.json", "--head", "after.json", "--format", form])
    return capsys.readouterr().out


def test_sarif_has_the_file_the_line_and_the_level(folder, capsys):
    (run,) = json.loads(formatted("sarif", capsys))["runs"]

    (result,) = run["results"]
    assert result["level"] == "warning"
    location = result["locations"][0]["physicalLocation"]
    assert (location["artifactLocation"]["uri"], location["region"]["startLine"]) == ("after.json", 1)


def test_junit_has_a_failure_for_each_finding_to_look_at(folder, capsys):
    suite = ET.fromstring(formatted("junit", capsys))  # noqa: S314 - our own text

    assert (suite.get("failures"), suite.find("testcase/failure").get("type")) == ("1", "MEDIUM")


def test_a_comment_takes_nothing_for_markup(folder, capsys):
    (folder / "a`<b>@x.json").write_text(document("*"))

    main(["policy", "check", "--base", "before.json", "--head", "a`<b>@x.json", "--format", "markdown"])

    out = capsys.readouterr().out
    assert "<details open>" in out
    assert "&lt;b&gt;" in out
    assert "<b>@" not in out.replace("`a'<b>@x.json:1`", "")


def details(action):
    user = {"UserName": "ann", "Path": "/", "UserId": "AIDAEXAMPLEEXAMPLE12", "GroupList": []}
    user |= {"Arn": "arn:aws:iam::111122223333:user/ann", "AttachedManagedPolicies": []}
    user["UserPolicyList"] = [{"PolicyName": "own", "PolicyDocument": json.loads(document(action))}]
    return json.dumps({"UserDetailList": [user], "GroupDetailList": [], "RoleDetailList": [], "Policies": []})


def test_two_answers_of_get_account_authorization_details_are_compared(folder, capsys):
    (folder / "a.json").write_text(details("s3:GetObject"))
    (folder / "b.json").write_text(details("s3:*"))

    assert main(["policy", "compare", "a.json", "b.json", "--format", "json"]) == 1
    (found,) = json.loads(capsys.readouterr().out)["findings"]
    assert (found["entity"], found["verdict"]) == ("user/ann", "BROADENED")


def test_a_baseline_made_from_account_details_differs_in_nothing(folder, capsys):
    (folder / "details.json").write_text(details("s3:GetObject"))

    assert main(["baseline", "build", "--from", "details.json"]) == 0
    (folder / "baseline.json").write_text(capsys.readouterr().out)

    assert main(["policy", "compare", "baseline.json", "details.json"]) == 0


def test_a_baseline_is_not_made_from_a_policy(folder, capsys):
    assert main(["baseline", "build", "--from", "before.json"]) == 2
    assert "unique ids, which a baseline needs" in capsys.readouterr().err


def test_two_accounts_are_compared_principal_by_principal(folder, capsys):
    (folder / "monday.json").write_text(details("s3:GetObject"))
    (folder / "friday.json").write_text(details("s3:*"))

    assert main(["accounts", "compare", "monday.json", "monday.json"]) == 0
    capsys.readouterr()
    assert main(["accounts", "compare", "monday.json", "friday.json"]) == 1
    out = capsys.readouterr().out
    assert "user/ann" in out
    assert "every s3 action" in out


def test_a_file_that_is_no_account_is_named(folder, capsys):
    (folder / "monday.json").write_text(details("s3:GetObject"))

    assert main(["accounts", "compare", "monday.json", "before.json"]) == 2
    assert "before.json: it is no account" in capsys.readouterr().err
