"""``python -m deployment.acceptance``: asks a stack on AWS what only a real account answers, and prints a table.

It deploys a stack of its own, or takes a deployed one. Everything that it makes has a name of this run, is written into
a journal before it is made, and is deleted at the end: also after a failure, and by the next run after an interruption.
It deletes nothing that is not in the journal, and makes nothing under a name that exists already. The Makefile's target
``acceptance`` runs it.
"""

import argparse
import json
import os
import secrets
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from deployment.acceptance_account import PREFIX, Account, Aws
from deployment.trial_stack import PROJECT, TrialStack

JOURNAL = PROJECT / ".local" / "acceptance.json"
NAMES = 20
"""Repositories of the batch; ``--names 200`` asks what ECR's rate limits do."""
OK, ACCEPTED = 200, 202
PATIENCE = 900.0
"""Seconds until a scan must have ended, a change of IAM be a finding, and a key be rotated."""
NOTHING_LEFT = "nothing left"
AGAIN = ".venv/bin/python -m deployment.acceptance --clean-up"


@dataclass(slots=True)
class Journal:
    """What a run has made, or was about to make: a file, written before anything is made."""

    path: Path

    def read(self) -> list[tuple[str, str]]:
        """Kind and name of everything, in the order of making."""
        if not self.path.exists():
            return []
        return [(kind, name) for kind, name in json.loads(self.path.read_text())]

    def add(self, *made: tuple[str, str], before: tuple[str, str] | None = None) -> None:
        """Note what is about to be made; ``before`` something that is deleted first."""
        noted = self.read()
        place = noted.index(before) if before in noted else len(noted)
        self._write([*noted[:place], *made, *noted[place:]])

    def remove(self, kind: str, name: str) -> None:
        """Note that it is gone, or was never made."""
        self._write([each for each in self.read() if each != (kind, name)])

    def _write(self, made: list[tuple[str, str]]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        scratch = self.path.with_suffix(".new")
        scratch.write_text(json.dumps(made))
        scratch.replace(self.path)


def clean_up(account: Account, journal: Journal) -> list[str]:
    """Delete everything in the journal, the newest first; what cannot be deleted stays in it, and is returned.

    What a stack's deletion would keep is in the journal before the stack is deleted.
    """
    refused: dict[tuple[str, str], Exception] = {}
    while waiting := [each for each in reversed(journal.read()) if each not in refused]:
        kind, name = waiting[0]
        try:
            if kind == "stack":
                kept = [each for each in account.retained(name) if each not in journal.read()]
                journal.add(*kept, before=("stack", name))
            account.delete(kind, name)
            journal.remove(kind, name)
        except (ClientError, BotoCoreError, OSError, ValueError) as error:
            refused[kind, name] = error
    return [f"{kind} {name}: {error}" for (kind, name), error in refused.items()]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    step: str
    expected: str
    seen: str
    seconds: float
    calls: int
    only_aws: bool

    @property
    def passed(self) -> bool:
        """Whether AWS did what was expected."""
        return self.expected == self.seen

    def counts(self, *, on_aws: bool) -> bool:
        """Whether a difference would be one: what only AWS answers says nothing elsewhere."""
        return on_aws or not self.only_aws


@dataclass(slots=True)
class Run:
    """One run, and the names that it makes.

    Attributes
    ----------
    stack
        The stack that the run deploys for itself; None where it takes a deployed one.
    names
        Repositories of the batch.
    patience
        Seconds until what takes time must have happened.
    """

    account: Account
    journal: Journal
    run_id: str
    stack: TrialStack | None = None
    names: int = NAMES
    patience: float = PATIENCE
    rows: list[Row] = field(default_factory=list)

    def steps(self) -> Iterator[tuple[str, str, bool, Callable[[], str]]]:
        """Each step: what is asked, what is expected, whether AWS alone can answer it, and how to ask."""
        one, problem = self._name("one"), "403 application/problem+json"
        if self.stack:
            yield "a stack of its own is deployed", "deployed", False, self._deploy
        yield "the caller is known", "200", False, lambda: str(self.account.api("GET", "/whoami").status)
        yield "the contract is served", "200", False, lambda: str(self.account.api("GET", "/openapi.json").status)
        yield "an unsigned call is a problem", problem, True, lambda: self._problem("/whoami", signed=False)
        yield "an unknown route is a problem", problem, True, lambda: self._problem("/no-such-route")
        yield "a dry run makes nothing", "200, nothing there", False, lambda: self._dry_run(one)
        yield "a repository is made", "201, there", False, lambda: self._make(one)
        yield "a second call changes nothing", "200", False, lambda: self._again(one)
        yield "a wrong name is refused", "422", False, lambda: str(self.account.api("PUT", "/repositories/A").status)
        yield f"{self.names} names at once", f"{self.names} made", True, self._batch
        yield "the checks of health are answered", "200", False, lambda: str(self.account.api("GET", "/health").status)
        if self.stack:
            yield "a user gets its first key", "in its secret", False, self._first_key
            yield "a key rotates on demand", "202, another key", False, self._rotation
        yield "a baseline is in force", "200", False, self._baseline
        yield "a new right is a finding", "found", False, self._finding
        yield "a secret's policy names BatchGet", "accepted", True, self._restricted_secret
        yield "every trail can be read", "all", True, self._trails
        yield "Security Hub says what it is", "an answer", True, self._security_hub
        yield "history beyond 90 days", "nothing", True, self.account.oldest_event
        yield "simulation over two resources", "2 resources", True, self._simulated

    def ask(self) -> None:
        """Run every step; one that fails stops no other."""
        for step, expected, only_aws, ask in self.steps():
            began, calls = time.monotonic(), self.account.calls
            try:
                seen = ask()
            except (ClientError, BotoCoreError, OSError, KeyError, TypeError, ValueError) as error:
                seen = f"{type(error).__name__}: {error}"
            self.rows.append(Row(step, expected, seen, time.monotonic() - began, self.account.calls - calls, only_aws))

    def _name(self, name: str) -> str:
        return f"{PREFIX}/{self.run_id}/{name}"

    def _claim(self, kind: str, name: str) -> None:
        """Note what is about to be made; a name that exists already is not this run's."""
        if self.account.exists(kind, name):
            raise FileExistsError(f"the {kind} {name} exists already, and this run has not made it")
        self.journal.add((kind, name))

    def _create(self, kind: str, name: str, path: str = "/") -> None:
        self._claim(kind, name)
        try:
            self.account.create(kind, name, path)
        except FileExistsError:
            self.journal.remove(kind, name)
            raise

    def _until[T](self, look: Callable[[], T], every: float = 5) -> T:
        """What ``look`` returns as soon as it is true, or at the end of all patience."""
        until = time.monotonic() + self.patience
        while not (seen := look()) and time.monotonic() < until:
            self.account.wait(every)
        return seen

    def _deploy(self) -> str:
        assert self.stack is not None  # noqa: S101 - for mypy
        self._create("bucket", self.stack.bucket)
        self._claim("stack", self.stack.name)
        seen = self.stack.deploy()
        self.account.use(self.stack.name)
        return seen

    def _problem(self, path: str, *, signed: bool = True) -> str:
        answer = self.account.api("GET", path, signed=signed)
        return f"{answer.status} {answer.media_type}"

    def _dry_run(self, name: str) -> str:
        status = self.account.api("PUT", f"/repositories/{name}?dry_run=true").status
        return f"{status}, {'there' if self.account.exists('repository', name) else 'nothing there'}"

    def _make(self, name: str) -> str:
        self._claim("repository", name)
        status = self.account.api("PUT", f"/repositories/{name}").status
        return f"{status}, {'there' if self.account.exists('repository', name) else 'nothing there'}"

    def _again(self, name: str) -> str:
        if ("repository", name) not in self.journal.read():
            return "not asked: the repository was not made"
        return str(self.account.api("PUT", f"/repositories/{name}").status)

    def _batch(self) -> str:
        names = [self._name(f"many-{number}") for number in range(self.names)]
        for name in names:
            self._claim("repository", name)
        made: set[str] = set()
        for _ in range(5):  # what does not fit into one call is continued by the next
            body = {"repositories": [name for name in names if name not in made]}
            answer = self.account.api("POST", "/repositories", body)
            made |= {item["name"] for item in answer.body["repositories"] if "problem" not in item and "name" in item}
            if len(made) == len(names):
                break
            self.account.wait(2)
        return f"{sum(self.account.exists('repository', name) for name in names)} made"

    def _baseline(self) -> str:
        """Ask for a scan, which captures the first baseline, where there is none."""
        if (status := self._baseline_status()) != OK:
            self.account.api("POST", "/drift/scans")
            self._until(lambda: self._baseline_status() == OK)
            status = self._baseline_status()
        return str(status)

    def _baseline_status(self) -> int:
        return self.account.api("GET", "/drift/baseline").status

    def _finding(self) -> str:
        name = f"{PREFIX}-{self.run_id}"
        self._create("user", name)
        self.account.grant(name)
        self.account.api("POST", "/drift/scans")
        return "found" if self._until(lambda: self._has_finding(name)) else f"not found within {self.patience:g} s"

    def _has_finding(self, name: str) -> bool:
        findings = self.account.api("GET", "/drift/findings").body["findings"]
        return any(name in finding["entity"] for finding in findings)

    def _first_key(self) -> str:
        assert self.stack is not None  # noqa: S101 - for mypy
        user, secret = self._service_user
        self._claim("secret", secret)  # before its user: it is deleted after it, when nothing makes it again
        self._create("user", user, self.stack.path)
        self.account.enrol(user)
        self.account.api("POST", f"/service-users/{user}/check")
        return "in its secret" if self._until(lambda: self.account.key_in(secret)) else "not in its secret"

    def _rotation(self) -> str:
        user, secret = self._service_user
        before = self.account.key_in(secret)
        if not before:
            return "not asked: the user has no key"
        status = self.account.api("POST", f"/service-users/{user}/rotation", {"reason": "routine"}).status
        if status != ACCEPTED:
            return f"{status}"
        another = self._until(lambda: self.account.key_in(secret) not in {"", before})
        return f"{status}, {'another key' if another else 'the same key'}"

    @property
    def _service_user(self) -> tuple[str, str]:
        """The name of the user whose keys rotate, and of its secret."""
        user = f"{PREFIX}-{self.run_id}-push"
        return user, f"steward/service-users/{user}"

    def _restricted_secret(self) -> str:
        name = f"{PREFIX}-{self.run_id}"
        self._create("secret", name)
        return self.account.restrict(name)

    def _trails(self) -> str:
        unread = self.account.unread_trails()
        return f"not {', '.join(unread)}" if unread else "all"

    def _security_hub(self) -> str:
        said = self.account.security_hub()
        return "an answer" if said in {"enabled", "not enabled"} else said

    def _simulated(self) -> str:
        results = self.account.simulated([f"arn:aws:s3:::{PREFIX}-a/*", f"arn:aws:s3:::{PREFIX}-b/*"])
        return f"{results} resources"


@contextmanager
def cleaned_up(run: Run) -> Iterator[None]:
    """Clean up what an interrupted run has left, and what this one makes, also when it fails; the last row says so."""
    if left := clean_up(run.account, run.journal):
        raise LeftBehindError(f"an earlier run has left what cannot be deleted: {'; '.join(left)}. Again: {AGAIN}")
    try:
        yield
    finally:
        began, calls = time.monotonic(), run.account.calls
        left = clean_up(run.account, run.journal)
        seen = f"{len(left)} left" if left else NOTHING_LEFT
        took, asked = time.monotonic() - began, run.account.calls - calls
        run.rows.append(Row("everything made is deleted", NOTHING_LEFT, seen, took, asked, only_aws=False))
        if left:
            print(f"NOT DELETED: {'; '.join(left)}. To delete it: {AGAIN}", file=sys.stderr)


class LeftBehindError(Exception):
    """What an earlier run made cannot be deleted."""


def lines(rows: Sequence[Row], *, on_aws: bool) -> Iterator[str]:
    """The table; its last line counts the rows that say something of the steward: elsewhere than on AWS, not all do."""
    counted = [row for row in rows if row.counts(on_aws=on_aws)]
    yield f"{'step':<34} {'expected':<30} {'seen':<30} {'seconds':>7} {'calls':>5}"
    for row in rows:
        mark = ("" if row.passed else "  DIFFERS") if row in counted else "  (only AWS answers this)"
        yield f"{row.step:<34} {row.expected:<30} {row.seen:<30} {row.seconds:7.1f} {row.calls:5}{mark}"
    others = f", {len(rows) - len(counted)} more that only AWS answers" if len(rows) > len(counted) else ""
    passed, calls = sum(row.passed for row in counted), sum(row.calls for row in rows)
    yield f"{passed} of {len(counted)} as expected{others}, {calls} calls"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it: 0 if all is as expected, and 1 if something differs, or is left behind."""
    parser = argparse.ArgumentParser(prog="make acceptance", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--stack-name", help="take this deployed stack, and deploy none")
    parser.add_argument("--names", type=int, default=NAMES, help="repositories of the batch")
    parser.add_argument("--patience", type=float, default=PATIENCE, help="seconds until a change must be a finding")
    parser.add_argument("--clean-up", action="store_true", help="only delete what an interrupted run has left")
    options = parser.parse_args(arguments)
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if region is None:
        print("Set AWS_REGION to the home region.", file=sys.stderr)
        return 1
    on_aws, run_id = "AWS_ENDPOINT_URL" not in os.environ, secrets.token_hex(4)
    stack = None if options.stack_name or options.clean_up else TrialStack(run_id, region, on_aws)
    run = Run(Aws(region), Journal(JOURNAL), run_id, stack, options.names, options.patience)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as after Ctrl-C: what was made is deleted
    try:
        with cleaned_up(run):
            if options.stack_name:
                run.account.use(options.stack_name)
            if not options.clean_up:
                run.ask()
    except (LeftBehindError, ClientError, BotoCoreError) as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        print(*lines(run.rows, on_aws=on_aws), sep="\n")
    differing = [row for row in run.rows if row.counts(on_aws=on_aws) and not row.passed]
    return 1 if differing or run.journal.read() else 0


if __name__ == "__main__":
    sys.exit(main())
