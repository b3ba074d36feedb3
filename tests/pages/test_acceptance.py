"""``make acceptance`` on the deployed stack: all is as expected, and a lost answer leaves nothing behind."""

import os

import pytest

from deployment.acceptance import NOTHING_LEFT, Journal, Run, cleaned_up, lines
from deployment.acceptance_account import PREFIX, Aws
from tests.local.aws.launched import REGION


class LostAnswers(Aws):
    """Every call that changes something is made, and its answer is lost."""

    def api(self, method, path, body=None, *, signed=True):
        answer = super().api(method, path, body, signed=signed)
        if method != "GET":
            lose()
        return answer

    def create(self, kind, name, path="/"):
        super().create(kind, name, path)
        lose()

    def grant(self, name):
        super().grant(name)
        lose()

    def restrict(self, secret):
        super().restrict(secret)
        lose()


def lose():
    raise OSError("the answer is lost")


@pytest.fixture
def on_the_stack(stack, monkeypatch):
    """The environment of `.local/env`."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in stack.variables.items():
        monkeypatch.setenv(name, value)
    return stack


def everything_of_acceptance(stack):
    """Everything that is named as a run names what it makes."""
    aws = stack.aws
    named = [user["UserName"] for user in aws.client("iam").list_users()["Users"]]
    named += [each["repositoryName"] for each in aws.client("ecr").describe_repositories()["repositories"]]
    named += [each["Name"] for each in aws.client("secretsmanager").list_secrets()["SecretList"]]
    named += [each["Name"] for each in aws.client("s3").list_buckets()["Buckets"]]
    named += [each["StackName"] for each in aws.client("cloudformation").describe_stacks()["Stacks"]]
    return [name for name in named if PREFIX in name]


def run_on(account, tmp_path, patience):
    account.use("ecr-steward")
    return Run(account, Journal(tmp_path / "journal.json"), "r1", names=3, patience=patience)


def test_all_that_the_local_aws_can_answer_is_as_expected(on_the_stack, tmp_path):
    run = run_on(Aws(REGION), tmp_path, patience=60)

    with cleaned_up(run):
        run.ask()

    assert [row for row in run.rows if row.counts(on_aws=False) and not row.passed] == [], list(
        lines(run.rows, on_aws=False)
    )
    assert everything_of_acceptance(on_the_stack) == []


def test_a_lost_answer_in_any_step_leaves_nothing_behind(on_the_stack, tmp_path):
    run = run_on(LostAnswers(REGION), tmp_path, patience=0)

    with cleaned_up(run):
        run.ask()

    failed = {row.step for row in run.rows if "the answer is lost" in row.seen}
    assert failed >= {
        "a repository is made",
        "3 names at once",
        "a new right is a finding",
        "a secret's policy names BatchGet",
    }
    assert run.rows[-1].seen == NOTHING_LEFT
    assert everything_of_acceptance(on_the_stack) == []
