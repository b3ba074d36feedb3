"""Acceptance leaves nothing behind, whatever fails and wherever it is interrupted, and touches nothing of others."""

import re
from contextlib import suppress
from pathlib import Path

import pytest

from deployment.acceptance import NOTHING_LEFT, Journal, LeftBehindError, Run, clean_up, cleaned_up, lines
from deployment.acceptance_account import PREFIX, Answer, Aws
from deployment.trial_stack import TrialStack

PAGE = (Path(__file__).parents[3] / "docs" / "acceptance.md").read_text(encoding="utf-8")
OTHERS = {("repository", "team-a/app"), ("user", "alice"), ("stack", "ecr-steward"), ("bucket", "logs")}


class MemoryAccount:
    """An account in memory, with some things of others; the call with the number ``fails_at`` fails."""

    def __init__(self, fails_at=None, error=OSError):
        self.calls = 0
        self.things = set(OTHERS)
        self.granted = set()
        self.keys = {}
        self.hub = "not enabled"
        self.before_delete = lambda _: None
        self.stack = None
        self.fails_at = fails_at
        self.error = error

    def called(self):
        self.calls += 1
        if self.calls == self.fails_at:
            raise self.error("injected")

    def use(self, stack):
        self.called()
        assert ("stack", stack) in self.things
        self.stack = stack

    def api(self, method, path, body=None, *, signed=True):
        self.called()
        if self.stack is None:
            raise OSError("there is no API to call: the stack was not deployed")
        name = path.removeprefix("/repositories/").partition("?")[0]
        match method, path.split("/"):
            case "GET", _ if not signed or path == "/no-such-route":
                return Answer(403, "application/problem+json", {})
            case "PUT", _ if name == "A":
                return Answer(422, "application/problem+json", {})
            case "PUT", _ if "dry_run" not in path and ("repository", name) not in self.things:
                self.things.add(("repository", name))
                return Answer(201, "application/json", {})
            case "POST", ["", "repositories"]:
                self.things |= {("repository", each) for each in body["repositories"]}
                return Answer(200, "application/json", {"repositories": [{"name": n} for n in body["repositories"]]})
            case "POST", ["", "service-users", user, *_]:
                secret = f"steward/service-users/{user}"
                self.things.add(("secret", secret))
                self.keys[secret] = f"AKIA{len(self.keys.get(secret, ''))}"
                return Answer(202, "application/json", {})
        findings = [{"entity": f"user/{each}"} for each in self.granted]
        return Answer(200, "application/json", {"findings": findings})

    def exists(self, kind, name):
        self.called()
        return (kind, name) in self.things

    def create(self, kind, name, path="/"):
        self.called()
        assert kind == "user" or path == "/"
        self.things.add((kind, name))

    def delete(self, kind, name):
        self.called()
        self.before_delete(kind)
        self.granted -= {name} if kind == "user" else set()
        self.things.discard((kind, name))

    def retained(self, stack):
        self.called()
        return [each for each in sorted(self.things) if each[1].startswith(f"{stack}-kept")]

    def grant(self, name):
        self.called()
        self.granted.add(name)

    def enrol(self, name):
        self.called()
        assert ("user", name) in self.things

    def key_in(self, secret):
        self.called()
        return self.keys.get(secret, "")

    def restrict(self, secret):
        self.called()
        assert ("secret", secret) in self.things
        return "accepted"

    def oldest_event(self):
        self.called()
        return "nothing"

    def simulated(self, resources):
        self.called()
        return len(resources)

    def unread_trails(self):
        self.called()
        return []

    def security_hub(self):
        self.called()
        return self.hub

    def wait(self, seconds):
        pass

    @property
    def is_as_before(self):
        return (self.things, self.granted) == (OTHERS, set())


class MemoryStack(TrialStack):
    """A stack whose deployment makes what its deletion keeps; each of them is a call that can fail."""

    account = MemoryAccount()

    def deploy(self):
        for made in (("stack", self.name), ("table", f"{self.name}-kept"), ("bucket", f"{self.name}-kept")):
            self.account.called()
            self.account.things.add(made)
        return "deployed"


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "folder" / "acceptance.json")


def no_deployment(_stack):
    raise OSError("the bucket is full")


def run_of(account, journal, run_id="r1"):
    stack = MemoryStack(run_id, "eu-central-1")
    MemoryStack.account = account
    return Run(account, journal, run_id, stack, names=3, patience=0)


def accept(account, journal):
    run = run_of(account, journal)
    with cleaned_up(run):
        run.ask()
    return run


def calls_of_a_run(tmp_path):
    account = MemoryAccount()
    accept(account, Journal(tmp_path / "count.json"))
    return account.calls


def test_a_run_is_as_expected_and_leaves_nothing_behind(journal):
    account = MemoryAccount()

    run = accept(account, journal)

    assert [row.step for row in run.rows if not row.passed] == []
    assert account.is_as_before
    assert journal.read() == []


def test_a_failure_at_any_call_leaves_nothing_behind(tmp_path):
    for number in range(1, calls_of_a_run(tmp_path) + 1):
        account, journal = MemoryAccount(fails_at=number), Journal(tmp_path / f"{number}.json")

        accept(account, journal)
        clean_up(account, journal)  # what the next run begins with, where the deletion itself failed

        assert account.is_as_before, number
        assert journal.read() == []


def test_an_interruption_at_any_call_leaves_nothing_behind_after_the_next_run(tmp_path):
    for number in range(1, calls_of_a_run(tmp_path) + 1):
        account, journal = MemoryAccount(fails_at=number, error=KeyboardInterrupt), Journal(tmp_path / f"{number}.json")

        with pytest.raises(KeyboardInterrupt):
            accept(account, journal)
        accept(account, journal)

        assert account.is_as_before, number


def test_a_process_that_is_killed_is_cleaned_up_by_the_next_run(tmp_path):
    for number in range(1, calls_of_a_run(tmp_path) + 1):
        account, journal = MemoryAccount(fails_at=number, error=SystemExit), Journal(tmp_path / f"{number}.json")

        with suppress(SystemExit):
            run_of(account, journal, "killed").ask()  # without the end that a kill takes away
        account.fails_at = None
        accept(account, Journal(journal.path))

        assert account.is_as_before, number


def test_every_step_that_fails_stops_no_other(journal):
    for number in (1, 2, 5, 9):
        run = accept(MemoryAccount(fails_at=number), journal)

        assert sum(not row.passed for row in run.rows) >= 1
        assert len(run.rows) == len(list(run.steps())) + 1


def test_without_a_deployed_stack_the_table_says_so_and_nothing_else_is_made(journal, monkeypatch):
    monkeypatch.setattr(MemoryStack, "deploy", no_deployment)
    account = MemoryAccount()

    run = accept(account, journal)

    seen = {row.step: row.seen for row in run.rows}
    assert "the bucket is full" in seen["a stack of its own is deployed"]
    assert "the stack was not deployed" in seen["the caller is known"]
    assert account.is_as_before


def test_an_account_without_a_stack_in_use_calls_no_api():
    with pytest.raises(OSError, match="the stack was not deployed"):
        Aws("eu-central-1").api("GET", "/whoami")


def test_a_name_that_exists_already_is_not_taken_and_not_deleted(journal):
    account = MemoryAccount()
    theirs = {
        ("repository", f"{PREFIX}/r1/one"),
        ("repository", f"{PREFIX}/r1/many-1"),
        ("user", f"{PREFIX}-r1"),
        ("user", f"{PREFIX}-r1-push"),
        ("secret", f"{PREFIX}-r1"),
        ("stack", f"{PREFIX}-r1"),
    }
    account.things |= theirs

    run = accept(account, journal)

    assert account.things == OTHERS | theirs
    assert sum("exists already" in row.seen for row in run.rows) == len(theirs)


def test_what_cannot_be_deleted_stays_in_the_journal_and_stops_the_next_run(journal):
    account = MemoryAccount()
    journal.add(("user", f"{PREFIX}-old"))
    account.fails_at = 1

    with pytest.raises(LeftBehindError, match="user steward-acceptance-old"):
        accept(account, journal)

    assert journal.read() == [("user", f"{PREFIX}-old")]


def test_the_page_has_every_step_and_marks_what_only_aws_answers(journal):
    run = accept(MemoryAccount(), journal)
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (yes|) ?\|$", PAGE, re.MULTILINE)

    shown = [(step, expected, only == "yes") for step, expected, only in rows]
    assert shown == [
        (row.step.replace("3 names", "N names"), row.expected.replace("3 made", "N made"), row.only_aws)
        for row in run.rows
    ]
    assert list(lines(run.rows, on_aws=True))[-1].startswith(f"{len(shown)} of {len(shown)} as expected, ")


def test_what_only_aws_answers_is_no_difference_elsewhere(journal):
    account = MemoryAccount()
    account.hub = "400"

    rows = accept(account, journal).rows

    only_aws = sum(row.only_aws for row in rows)
    *_, local = lines(rows, on_aws=False)
    *_, on_aws = lines(rows, on_aws=True)
    said = f"{len(rows) - only_aws} of {len(rows) - only_aws} as expected, {only_aws} more that only AWS answers, "
    assert local.startswith(said)
    assert f"\n{said}" in PAGE
    assert on_aws.startswith(f"{len(rows) - 1} of {len(rows)} as expected, ")
    assert "DIFFERS" not in "".join(lines(rows, on_aws=False))


def test_a_deployed_stack_is_taken_and_none_is_made_or_deleted(journal):
    account = MemoryAccount()
    account.use("ecr-steward")
    run = Run(account, journal, "r1", names=3, patience=0)

    with cleaned_up(run):
        run.ask()

    assert [row.step for row in run.rows if not row.passed] == []
    assert not {row.step for row in run.rows} & {"a stack of its own is deployed", "a key rotates on demand"}
    assert account.is_as_before


def test_the_last_row_says_what_is_left(journal):
    account = MemoryAccount()
    run = run_of(account, journal)
    with cleaned_up(run):
        run.ask()
        account.fails_at = account.calls + 1

    assert run.rows[-1].seen == "1 left"
    assert accept(account, journal).rows[-1].seen == NOTHING_LEFT


def test_what_is_left_is_named_each_with_its_reason_and_the_command_that_deletes_it(journal, capsys):
    account, refusing = MemoryAccount(), [True]

    def refuse(kind):
        if kind in {"table", "user"} and refusing[0]:
            raise OSError("injected")

    account.before_delete = refuse
    run = accept(account, journal)

    left = journal.read()
    assert run.rows[-1].seen == f"{len(left)} left" == "3 left"
    said = capsys.readouterr().err
    assert all(f"{kind} {name}: injected" in said for kind, name in left)
    assert said.endswith("To delete it: .venv/bin/python -m deployment.acceptance --clean-up\n")
    refusing[0] = False
    assert clean_up(account, journal) == []
    assert account.is_as_before


def test_what_a_stack_keeps_is_in_the_journal_before_the_stack_is_deleted(journal):
    account = MemoryAccount()
    run = run_of(account, journal)
    run.ask()
    of_the_stack = [each for each in journal.read() if each[0] in {"stack", "bucket"}]
    noted = []
    account.before_delete = lambda kind: noted.append((kind, journal.read()))

    assert clean_up(account, journal) == []

    kept = next(made for kind, made in noted if kind == "stack")
    assert of_the_stack[0][0] == "bucket"
    assert {("table", f"{PREFIX}-r1-kept"), ("bucket", f"{PREFIX}-r1-kept")} <= set(kept)


def test_a_stack_of_a_runs_own_shares_no_name_with_another_one(tmp_path):
    one, other = (TrialStack(run_id, "eu-central-1", folder=tmp_path / run_id) for run_id in ("a1", "b2"))

    theirs = other.parameters()
    assert {name for name, value in one.parameters().items() if value == theirs[name]} == {
        "Architecture",
        "CreateAccessModel",
        "CreateServiceUsers",
        "Monitoring",
    }
    assert one.bucket != other.bucket
