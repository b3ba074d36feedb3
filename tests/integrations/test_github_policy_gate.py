"""The action that comments on a pull request, its steps run as a runner of GitHub runs them."""

import json
from pathlib import Path

import pytest

from tests.integrations.composite_action import CompositeAction

ACTION = CompositeAction("policy-gate")
MARK = "<!-- ecr-steward policy-gate -->"


@pytest.fixture
def gate(repository, runner, tmp_path):
    """Run the action for the pull request as it is now."""

    def run(*, fork=False, **inputs):
        temp = tmp_path / "temp"
        temp.mkdir(exist_ok=True)
        inputs = {name.replace("_", "-"): value for name, value in inputs.items()}
        return ACTION.run(repository.folder, temp, inputs, runner, repository.event(fork=fork))

    return run


def test_a_pull_request_that_adds_access_fails_and_says_which(gate, repository, github):
    repository.commit("s3:GetObject", "iam:PassRole", "ec2:RunInstances")

    done = gate()

    assert done.code == 1
    assert done.outputs["failed"] == "true"
    (comment,) = github.comments
    assert comment["body"].startswith(f"{MARK}\n### Access changed by this pull request")
    assert "Adds: iam:PassRole" in comment["body"]
    assert "Adds: iam:PassRole" in done.summary


def test_one_comment_is_updated_in_place(gate, repository, github):
    repository.commit("s3:GetObject", "s3:PutObject")
    gate()
    repository.commit("s3:GetObject", "s3:DeleteObject")

    gate()

    (comment,) = github.comments
    assert "s3:DeleteObject" in comment["body"]
    assert "s3:PutObject" not in comment["body"]


def test_the_comment_says_when_no_access_is_added_any_more(gate, repository, github):
    repository.commit("s3:GetObject", "s3:PutObject")
    gate()
    repository.commit("s3:GetObject")

    done = gate()

    assert done.code == 0
    assert "No change of access." in github.comments[0]["body"]


def test_a_pull_request_without_change_of_access_gets_no_comment(gate, repository, github):
    (repository.folder / "README.md").write_text("words")

    assert gate().code == 0
    assert github.comments == []


def test_the_comment_is_found_on_a_later_page(gate, repository, github):
    github.comments = [{"id": number, "body": "talk"} for number in (1, 2, 3, 4)] + [{"id": 5, "body": f"{MARK}\nold"}]
    repository.commit("s3:GetObject", "s3:PutObject")

    gate()

    assert len(github.comments) == 5
    assert "s3:PutObject" in github.comments[4]["body"]


def test_a_comment_of_another_person_with_the_same_mark_stays(gate, repository, github):
    github.comments = [{"id": 1, "body": f"{MARK}\nmine"}]
    github.foreign = {1}
    repository.commit("s3:GetObject", "s3:PutObject")

    gate()

    assert github.comments[0]["body"] == f"{MARK}\nmine"
    assert "s3:PutObject" in github.comments[1]["body"]


@pytest.mark.parametrize("refusal", [403, 500])
def test_without_the_right_to_comment_the_summary_says_it(gate, repository, github, refusal):
    github.refusal = refusal
    repository.commit("s3:GetObject", "s3:PutObject")

    done = gate(fork=True)

    assert done.code == 1, "what the gate found decides, not the comment"
    assert "::notice::No comment on the pull request" in done.printed
    assert "s3:PutObject" in done.summary


def test_the_findings_go_to_code_scanning_when_asked(gate, repository):
    repository.commit("s3:GetObject", "s3:PutObject")

    done = gate(code_scanning="true", fail_on="CRITICAL")

    (upload,) = done.uploads
    (run,) = json.loads(Path(upload["sarif_file"]).read_text())["runs"]
    assert run["results"][0]["ruleId"] == "ACCESS"


def test_a_fork_uploads_nothing_to_code_scanning(gate, repository):
    repository.commit("s3:GetObject", "s3:PutObject")

    assert gate(code_scanning="true", fork=True, fail_on="never").uploads == []


def test_the_base_of_a_shallow_checkout_is_fetched(repository, runner, tmp_path):
    repository.commit("s3:GetObject", "s3:PutObject")
    shallow, temp = tmp_path / "shallow", tmp_path / "temp"
    temp.mkdir()
    repository.git("clone", "-q", "--depth", "1", f"file://{repository.folder}", str(shallow))
    repository.git("config", "uploadpack.allowAnySHA1InWant", "true")

    done = ACTION.run(shallow, temp, {"comment": "false"}, runner, repository.event())

    assert done.code == 1
    assert "s3:PutObject" in done.printed


def test_a_revision_that_does_not_exist_is_named_and_is_not_clean(gate, github):
    done = gate(base="no-such-branch")

    assert done.code == 2
    assert "no-such-branch" in done.printed
    assert github.comments == []


def test_an_allow_file_and_a_threshold_decide_what_fails(gate, repository):
    repository.commit("s3:GetObject", "s3:PutObject")
    (repository.folder / "allow.yaml").write_text(
        "- {entity: '*', reason: the importer writes, expires: 2099-12-31}\n", encoding="utf-8"
    )

    assert gate(allow="allow.yaml").code == 0
    assert gate(fail_on="HIGH").code == 0


def test_text_of_the_pull_request_cannot_run_in_the_shell(gate, repository, tmp_path):
    repository.commit("s3:GetObject", "s3:PutObject")

    gate(base=f'$(touch {tmp_path}/ran); touch "{tmp_path}/ran"')

    assert not (tmp_path / "ran").exists()
