"""The function's use case with its real clients, which count every request to AWS and may delay those to ECR."""

import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import boto3
import botocore.session

from repository_provisioning.application.one_repository import Outcome, Result
from repository_provisioning.application.provision_repositories import Provisioner
from repository_provisioning.bootstrap import provision_repositories
from repository_provisioning.domain.planning import Origin, Request
from steward.errors import StewardError
from steward.principals import Principal
from steward.rest_api import ANSWER_WITHIN


class Requests:
    """Counts the requests that leave a botocore client, retries too, and holds those to ECR for a while."""

    def __init__(self) -> None:
        self.ecr_delay = 0.0
        self._seen: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __call__(self, **event: Any) -> None:
        """Take note of one: its ``event_name`` is ``before-send.<service>.<operation>``."""
        _, service, operation = event["event_name"].split(".")
        with self._lock:
            self._seen[f"{service}.{operation}"] += 1
        if service == "ecr":
            time.sleep(self.ecr_delay)

    @contextmanager
    def counted(self) -> Iterator[dict[str, int]]:
        """What is sent while the context lasts, by service and operation; complete when it ends."""
        with self._lock:
            before = self._seen.copy()
        sent: dict[str, int] = {}
        yield sent
        with self._lock:
            sent.update(self._seen - before)


def wired() -> tuple[Provisioner, Requests]:
    """The use case as the function's composition root wires it, on clients that count their requests."""
    requests = Requests()
    session = botocore.session.Session()
    session.register("before-send", requests)
    boto3.setup_default_session(botocore_session=session)
    return provision_repositories(), requests


def origin() -> Origin:
    """A call that begins now, by a role of the stack's account, with the time that the API gives one."""
    caller = Principal(os.environ["STEWARD_ACCOUNT"], "role", "benchmark")
    return Origin(caller, "benchmark", datetime.now(UTC) + ANSWER_WITHIN)


def ensure(provisioner: Provisioner, names: list[str]) -> list[Result]:
    """One call for all of ``names``."""
    return provisioner.ensure_many([Request(name) for name in names], origin())


def ensured(provisioner: Provisioner, names: list[str], *, created: bool | None = None) -> None:
    """One call for all of ``names``, all of which must come out right.

    Raises
    ------
    StewardError
        The first that did not.
    RuntimeError
        One was created, or was not, against what ``created`` says.
    """
    for result in ensure(provisioner, names):
        if isinstance(result, StewardError):
            raise result
        if isinstance(result, Outcome) and created not in {None, result.created}:
            raise RuntimeError(f"{result.name}: created is {result.created}")


def report(measure: Callable[[str], object]) -> None:
    """Run a measurement for the names below the program's argument, and print what it found."""
    json.dump(measure(sys.argv[1]), sys.stdout)
