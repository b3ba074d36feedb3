"""What can happen to the baseline itself, and what must be told of it."""

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal

from benchmarks.iam_change import ACCOUNT, finding
from benchmarks.iam_changes import ADMINISTRATOR

BASELINE = finding("baseline", f"account/{ACCOUNT}")
UPSTREAM_POLICY = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"
UPSTREAM = finding("upstream", "policy/aws:AmazonEC2ContainerRegistryReadOnly")

type Document = dict[str, Any]
type Way = Literal["api", "bucket"]


@dataclass(frozen=True, slots=True)
class BaselineChange:
    """One change of the baseline.

    Attributes
    ----------
    name : str
        In words.
    way : Way
        Whether it is uploaded through the operators' API or straight into the bucket.
    edit : callable
        From the good baseline to the text that takes its place; None to delete the object.
    told : mapping of str to mapping
        By kind of event, values that it must have.
    """

    name: str
    way: Way
    edit: Callable[[Document], str | None]
    told: Mapping[str, Mapping[str, Any]]


def _written(document: Document) -> str:
    return json.dumps(document, indent=2) + "\n"


def _approves_an_administrator(good: Document) -> str:
    bad = deepcopy(good)
    bad["roles"]["tagged"]["attached"] = [ADMINISTRATOR]
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


def _refused(**more: Any) -> dict[str, Mapping[str, Any]]:
    detected = {"finding_id": BASELINE, "severity": "HIGH", "kind": "BASELINE"}
    return {"BaselineRefused": more, "PolicyDriftDetected": detected}


BASELINE_CHANGES: tuple[BaselineChange, ...] = (
    BaselineChange(
        "uploaded, with other white space",
        "api",
        json.dumps,
        {"BaselineChanged": {"severity": "INFO", "how": "uploaded"}},
    ),
    BaselineChange(
        "edited: it approves an administrator",
        "bucket",
        _approves_an_administrator,
        {"BaselineChanged": {"severity": "CRITICAL", "how": "uploaded", "newly_approved": ["access:role:tagged"]}},
    ),
    BaselineChange(
        "AWS added an action to a policy of its own (the baseline has the version before)",
        "api",
        _approves_less_of_aws,
        {"PolicyDriftDetected": {"finding_id": UPSTREAM, "severity": "MEDIUM", "verdict": "BROADENED"}},
    ),
    BaselineChange("truncated", "bucket", lambda good: _written(good)[:-400], _refused()),
    BaselineChange(
        "edited by hand, with a comma too many in its second line",
        "bucket",
        lambda good: _written(good).replace(",\n", ",,\n", 1),
        _refused(line=2),
    ),
    BaselineChange("emptied", "bucket", lambda _: "", _refused(line=0)),
    BaselineChange(
        "replaced by one that approves nobody",
        "bucket",
        lambda good: _written(good | {"users": {}, "groups": {}, "roles": {}}),
        _refused(),
    ),
    BaselineChange(
        "replaced by that of another account",
        "bucket",
        lambda good: _written(good | {"account": "999999999999"}),
        _refused(line=2),
    ),
    BaselineChange(
        "deleted",
        "bucket",
        lambda _: None,
        {"PolicyDriftDetected": {"finding_id": BASELINE, "severity": "CRITICAL", "kind": "BASELINE"}},
    ),
)
