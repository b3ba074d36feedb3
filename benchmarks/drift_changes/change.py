"""The parts of a change of IAM: calls of the AWS CLI, and the reports expected of them.

A change is plain data, so that it can be played on any IAM: by the AWS CLI on a deployed stack, by boto3 elsewhere.
Each has users, groups, roles and policies of its own, so that all of them can be under way at once.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

ACCOUNT = "123456789012"
_NAMES = ("UserName", "GroupName", "RoleName", "NewUserName", "NewGroupName")
_MAKES_POLICY = "create-policy"
_MAKES_SERVICE_ROLE = "create-service-linked-role"

type Document = dict[str, Any]
type Who = Literal["insider", "colleague", "outsider", "deployer", "storekeeper"]
"""The insider administers IAM, and so do a colleague and the deployer, a role whose changes the settings expect and who
may write the baseline; the storekeeper may do everything in S3; the outsider may do nothing, and tries.
"""
NOT_TEXTS = frozenset({"Tags", "TagKeys", "SetAsDefault", "ClientIDList", "ThumbprintList"})
"""Parameters that are written as JSON."""
PLACEHOLDER = re.compile(r"<(user|role|key)/([\w-]+)>")
"""Stands for what IAM makes up: the unique id of a user or role, or the id of a user's access key."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of ``aws iam``.

    Attributes
    ----------
    operation : str
        As the CLI spells it, such as ``attach-role-policy``.
    parameters : mapping
        As the API spells them; the player puts in what a `PLACEHOLDER` stands for.
    by : Who
        Who makes it.
    """

    operation: str
    parameters: Mapping[str, str]
    by: Who = "insider"

    @property
    def method(self) -> str:
        """The name of the operation in boto3."""
        return self.operation.replace("-", "_")

    @property
    def entities(self) -> frozenset[str]:
        """The users, groups and roles that it names, and the policy that it makes, as ``<kind>/<name>``."""
        named = {
            f"{name.removeprefix('New').removesuffix('Name').lower()}/{self.parameters[name]}"
            for name in _NAMES
            if name in self.parameters
        }
        if self.operation == _MAKES_POLICY:
            named.add(f"policy/{self.parameters['PolicyName']}")
        if self.operation == _MAKES_SERVICE_ROLE:
            service = self.parameters["AWSServiceName"].partition(".")[0]
            named.add(f"role/AWSServiceRoleFor{service.capitalize()}")
        if self.operation.endswith("-provider"):
            named.add(f"account/{ACCOUNT}")
        return frozenset(named)


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """An operator answers for a finding in the form in which it was reported."""

    finding: str


@dataclass(frozen=True, slots=True)
class Told:
    """An expected report: which finding, how severe, and how live compares with the baseline.

    ``action`` is that of the request that proves it; empty where none can. ``expected`` says that it is marked as done
    by an actor that the settings expect. ``by`` are its actors, where they are not all that have changed anything.
    """

    finding: str
    severity: str
    verdict: str
    action: str = ""
    expected: bool = False
    by: tuple[Who, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """Calls that are made at once, and exactly the reports expected of them."""

    calls: tuple[Call | Acknowledged, ...]
    told: tuple[Told, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """A change of IAM from beginning to end.

    Attributes
    ----------
    name : str
        In words; what is made for it has names that begin with ``slug``.
    given : tuple of Call
        What makes the state that is approved.
    steps : tuple of Step
        What is done.
    undo : tuple of Call
        What leads back to what was approved: the alerts are over then, by ``reverted``.
    adopted : tuple of str
        Findings that no call can take back, and that are adopted instead.
    lasting : frozenset of str
        Findings that stay: what was used and taken back is not undone by anything.
    """

    name: str
    given: tuple[Call, ...]
    steps: tuple[Step, ...]
    undo: tuple[Call, ...] = ()
    adopted: tuple[str, ...] = ()
    lasting: frozenset[str] = field(default_factory=frozenset)

    @property
    def entities(self) -> frozenset[str]:
        """Everything that its calls name."""
        calls = (*self.given, *self.undo, *(call for step in self.steps for call in step.calls))
        return frozenset[str]().union(*(call.entities for call in calls if isinstance(call, Call)))

    @property
    def reverted(self) -> frozenset[str]:
        """The findings that are over when it is undone."""
        told = {one.finding for step in self.steps for one in step.told}
        return frozenset(told - set(self.adopted) - self.lasting)

    @property
    def expected(self) -> frozenset[str]:
        """The findings that are marked as expected in their last report."""
        last = {one.finding: one for step in self.steps for one in step.told}
        return frozenset(name for name, one in last.items() if one.expected)

    def actors(self, number: int) -> frozenset[Who]:
        """Who changed something in the steps up to this one, the first of which is 0."""
        calls = (one for step in self.steps[: number + 1] for one in step.calls if isinstance(one, Call))
        return frozenset(one.by for one in calls) - {"outsider"}


def told(  # noqa: D103 - as Told
    kind: str,
    entity: str,
    severity: str,
    verdict: str,
    action: str = "",
    *,
    expected: bool = False,
    by: tuple[Who, ...] = (),
) -> Told:
    return Told(finding(kind, entity), severity, verdict, action, expected, by)


def finding(kind: str, entity: str) -> str:
    """The id of a finding about ``<kind>/<name>``."""
    return f"{kind}:{entity.replace('/', ':', 1)}"


def access(
    slug: str,
    severity: str,
    verdict: str,
    action: str = "",
    *,
    kind: str = "role",
    expected: bool = False,
    by: tuple[Who, ...] = (),
) -> Told:
    """A change of what a principal may do."""
    return told("access", f"{kind}/{slug}", severity, verdict, action, expected=expected, by=by)
