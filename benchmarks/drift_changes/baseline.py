"""What can happen to the baseline itself, and what must be reported."""

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal

from benchmarks.drift_changes.change import ACCOUNT, finding
from benchmarks.drift_changes.changes.documents import ADMINISTRATOR

BASELINE = finding("baseline", f"account/{ACCOUNT}")
UPSTREAM_POLICY = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"
UPSTREAM = finding("upstream", "policy/aws:AmazonEC2ContainerRegistryReadOnly")

type Document = dict[str, Any]
type Event = tuple[str, Mapping[str, Any]]
"""Its kind, and values that it must have."""
type Way = Literal["api", "bucket"]
type Writer = Literal["operator", "outsider", "deployer", "storekeeper"]
"""The operator calls the API; the deployer may write to the bucket. The others may neither, and try."""


@dataclass(frozen=True, slots=True)
class BaselineChange:
    """One change of the baseline.

    Attributes
    ----------
    name : str
        In words.
    way : Way
        Whether it is uploaded through the operators' API or straight into the bucket.
    by : Writer
        Who does it.
    edit : callable
        From the good baseline to the text that takes its place; None to delete the object.
    told : tuple of Event
        What must be told; nothing else may be. Nothing at all where it is ``refused``.
    refused : bool
        It must not come about: the call fails, and the baseline in force stays.
    """

    name: str
    way: Way
    by: Writer
    edit: Callable[[Document], str | None]
    told: tuple[Event, ...] = ()
    refused: bool = False


def _written(document: Document) -> str:
    return json.dumps(document, indent=2) + "\n"


def _approves_an_administrator(good: Document) -> str:
    bad = deepcopy(good)
    bad["roles"]["tagged"]["attached"] = [ADMINISTRATOR]
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    policy = {"unique_id": "ANPAIWMBCKSKIEE64ZLYK", "version": "v1", "document": everything}
    bad["policies"].setdefault(ADMINISTRATOR, policy)  # what somebody has must be in the file
    return _written(bad)


def _approves_less_of_aws(good: Document) -> str:
    """As AWS's policy was before AWS added an action to it."""
    older = deepcopy(good)
    policy = older["policies"][UPSTREAM_POLICY]
    statement = policy["document"]["Statement"]
    statement = statement[0] if isinstance(statement, list) else statement
    statement["Action"] = [action for action in statement["Action"] if action != "ecr:BatchGetImage"]
    policy["version"] = "v0"
    return _written(older)


def _unusable(**more: Any) -> tuple[Event, ...]:
    detected = {"finding_id": BASELINE, "severity": "HIGH", "kind": "BASELINE"}
    return (("BaselineRefused", more), ("PolicyDriftDetected", detected))


ALLOWED = (
    BaselineChange(
        "uploaded, with other white space",
        "api",
        "operator",
        json.dumps,
        (("BaselineChanged", {"severity": "INFO", "how": "uploaded"}),),
    ),
    BaselineChange(
        "edited: it approves an administrator",
        "bucket",
        "deployer",
        _approves_an_administrator,
        (
            ("BaselineChanged", {"severity": "CRITICAL", "how": "uploaded", "newly_approved": ["access:role:tagged"]}),
            ("PolicyDriftDetected", {"finding_id": "access:role:tagged", "severity": "LOW", "verdict": "NARROWED"}),
        ),
    ),
    BaselineChange(
        "AWS added an action to a managed policy (the baseline has the previous version)",
        "api",
        "operator",
        _approves_less_of_aws,
        (
            ("BaselineChanged", {"severity": "LOW", "how": "uploaded"}),
            ("PolicyDriftDetected", {"finding_id": UPSTREAM, "severity": "MEDIUM", "verdict": "BROADENED"}),
        ),
    ),
    BaselineChange("truncated", "bucket", "deployer", lambda good: _written(good)[:-400], _unusable()),
    BaselineChange(
        "edited by hand, with a comma too many in its second line",
        "bucket",
        "deployer",
        lambda good: _written(good).replace(",\n", ",,\n", 1),
        _unusable(line=2),
    ),
    BaselineChange("emptied", "bucket", "deployer", lambda _: "", _unusable(line=0)),
    BaselineChange(
        "replaced by one that approves no principal",
        "bucket",
        "deployer",
        lambda good: _written(good | {"users": {}, "groups": {}, "roles": {}}),
        _unusable(),
    ),
    BaselineChange(
        "replaced by that of another account",
        "bucket",
        "deployer",
        lambda good: _written(good | {"account": "999999999999"}),
        _unusable(line=2),
    ),
    BaselineChange(
        "deleted",
        "bucket",
        "deployer",
        lambda _: None,
        (("PolicyDriftDetected", {"finding_id": BASELINE, "severity": "CRITICAL", "kind": "BASELINE"}),),
    ),
)

REFUSED = (
    BaselineChange(
        "upload attempted by a user without permissions: denied",
        "bucket",
        "outsider",
        _approves_an_administrator,
        refused=True,
    ),
    BaselineChange(
        "upload attempted by a user with all S3 permissions: denied by the bucket's policy",
        "bucket",
        "storekeeper",
        _approves_an_administrator,
        refused=True,
    ),
    BaselineChange(
        "deletion attempted by a user with all S3 permissions: denied by the bucket's policy",
        "bucket",
        "storekeeper",
        lambda _: None,
        refused=True,
    ),
    BaselineChange(
        "upload attempted through the API by a user who may not call it: denied by the API",
        "api",
        "outsider",
        _approves_an_administrator,
        refused=True,
    ),
)

BASELINE_CHANGES: tuple[BaselineChange, ...] = (*ALLOWED, *REFUSED)
