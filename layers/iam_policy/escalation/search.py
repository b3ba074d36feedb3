"""Which known ways to more privileges a principal has, over all its policies, within its boundary, despite no Deny.

A path is open when each of its steps is allowed on what it takes: on the caller itself or its groups, on a policy that
it has, or on something else. Steps upon the same kind of thing are upon the same one. What is known is respected: the
roles of the account, whom they trust and what they have. What is not known is taken as possible, for nobody can rule it
out: a role that does not exist yet, one of another account, an instance, a function. So a path with a target says that
it is open as far as IAM goes; whether the target is worth it is another question.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from typing import Any

from iam_policy.access import Access, effective_access
from iam_policy.budget import Budget
from iam_policy.comparison import Comparison, Verdict, compare
from iam_policy.errors import PolicyDocumentError
from iam_policy.escalation.caller import Caller, CallerKind, Role
from iam_policy.escalation.paths import Category, Path, PathStep, Target, known_paths
from iam_policy.partial_evaluation import PLACEHOLDER, is_allowed_somewhere, may_allow, partially_evaluated

_MOST_CANDIDATES = 40
_MOST_TRUSTS = 4_096
_MOST_ANSWERS = 8_192
_OF_A_QUESTION = Budget().steps
_QUESTIONS = 16
"""A question about a caller gets this part of what is left: sixty hard ones leave something to the last."""
_IAM_FORM = "arn:*:iam::*:"
_NOTHING = Access(((),))
_EVERYTHING = effective_access(
    [{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}]
)
_ATTACHING = frozenset({"iam:AttachUserPolicy", "iam:AttachRolePolicy", "iam:AttachGroupPolicy"})
_ADDING = _ATTACHING | {"iam:AddUserToGroup"}
"""What gives policies, and takes no Deny and no boundary away."""
_HARMLESS = [f"arn:*:iam::aws:policy/*{name}*" for name in ("ReadOnly", "ViewOnlyAccess", "SecurityAudit")]
"""AWS's own policies that only let read: whoever may attach none but these gets no further by them."""


@dataclass(frozen=True, slots=True)
class Escalation:
    """A path that is open.

    Attributes
    ----------
    path : Path
        The path.
    lateral : bool
        Whether it leads to another principal though it could lead to oneself.
    decided : bool
        Whether it is known to be open; else it counts as open because that was not decided within the budget.
    """

    path: Path
    lateral: bool = False
    decided: bool = True

    @property
    def category(self) -> Category:
        """What it leads to: that of the path, or another principal's access where it is lateral."""
        return Category.PRINCIPAL_ACCESS if self.lateral else self.path.category

    def __str__(self) -> str:
        """The path in words."""
        whom = " on another principal" if self.lateral else ""
        is_open = "is open" if self.decided else "may be open"
        return f"escalation path {self.path.id} {is_open}: {self.path.title}{whom}"


def escalations(caller: Caller) -> tuple[Escalation, ...]:
    """The paths that are open to a caller, those first that make itself an administrator.

    A path of which it was not decided whether it is open counts as open.
    """
    found = [escalation for path in known_paths() if (escalation := _decided(path, caller))]
    if not any(escalation.category is Category.SELF_ESCALATION for escalation in found):
        found += _without_a_guard(caller)
    return tuple(sorted(found, key=lambda escalation: escalation.category is not Category.SELF_ESCALATION))


def _decided(path: Path, caller: Caller) -> Escalation | None:
    caller.undecided.clear()
    escalation = _open(path, caller)
    return replace(escalation, decided=not caller.undecided) if escalation else None


def _without_a_guard(caller: Caller) -> Iterator[Escalation]:
    """Guards that the caller can take away from itself, when that opens a path to an administrator."""
    for removal in caller.removals:
        caller.undecided.clear()
        step = PathStep(removal.action, Target.ANY, (removal.resource,), ())
        if not _is_ever_allowed(step, caller) or _witness([step], step.resources, (), caller) is None:
            continue
        free = replace(caller, access=removal.access, removals=())
        opened = (_decided(path, free) for path in known_paths() if path.category is Category.SELF_ESCALATION)
        beyond = next((one for one in opened if one and one.category is Category.SELF_ESCALATION), None)
        if beyond:
            title = f"{removal.action} removes its own guard, then {beyond.path.title}"
            path = replace(beyond.path, id="guard", title=title, steps=(step, *beyond.path.steps))
            yield replace(beyond, path=path, decided=beyond.decided and not caller.undecided)
            return


def _open(path: Path, caller: Caller) -> Escalation | None:
    if not all(_is_ever_allowed(step, caller) for step in path.steps):
        return None
    if any(step.target is Target.SELF_OR_OTHER for step in path.steps):
        if _all_allowed_on(path.steps, caller.selves, caller) and _gains(path, caller):
            return Escalation(path)
        return Escalation(path, lateral=True) if _on_another(path, caller) else None
    if any(step.target is Target.POLICY_OF_SELF for step in path.steps):
        return Escalation(path) if _all_allowed_on(path.steps, _customers(caller.policies), caller) else None
    if not _on_another(path, caller):
        return None
    return Escalation(path, path.category is Category.SELF_ESCALATION and caller.kind is CallerKind.ROLE)


def _gains(path: Path, caller: Caller) -> bool:
    """Whether all policies together would give the caller more, within its boundary and despite its denials."""
    layers = caller.access.layers
    is_open = len(layers) == 1 and all(statement.allows for statement in layers[0])
    if is_open or not all(step.action in _ADDING for step in path.steps):
        return True
    most = Access(((*layers[0], *_EVERYTHING.layers[0]), *layers[1:]))
    with (caller.budget or Budget()).share(_QUESTIONS, _OF_A_QUESTION) as part:
        return compare(caller.access, most, budget=part, most_witnesses=1).verdict is not Verdict.EQUIVALENT


def _is_ever_allowed(step: PathStep, caller: Caller) -> bool:
    return may_allow(caller.access, step.action) and any(is_allowed_somewhere(asked) for asked in _asked(step, caller))


def _all_allowed_on(steps: Iterable[PathStep], resources: Iterable[str], caller: Caller) -> bool:
    """Whether one of these resources will do for all steps."""
    fitting = [resource for resource in resources if all(_fits_kind(resource, step.resources) for step in steps)]
    return any(all(_witness([step], (resource,), (), caller) for step in steps) for resource in fitting)


def _on_another(path: Path, caller: Caller) -> bool:
    others: dict[tuple[str, ...], list[PathStep]] = {}
    policies = []
    for step in path.steps:
        if step.target in {Target.ANY, Target.POLICY_OF_OTHER}:
            if _witness([step], step.resources, (), caller) is None:
                return False
            if step.target is Target.POLICY_OF_OTHER:
                policies.append(step)
        else:
            others.setdefault(step.resources, []).append(step)
    return all(_has_target(path, steps, policies, caller) for steps in others.values())


def _has_target(path: Path, steps: list[PathStep], policies: list[PathStep], caller: Caller) -> bool:
    """Whether there is, or could be, another entity for all of these steps at once."""
    excluded = [*_spellings(caller.arn), *caller.groups]
    for _ in range(_MOST_CANDIDATES):
        target = _witness(steps, steps[0].resources, excluded, caller)
        if target is None:
            return False
        if _is_worth_it(path, target, policies, caller):
            return True
        excluded.append(target)
    return True


def _is_worth_it(path: Path, target: str, policies: list[PathStep], caller: Caller) -> bool:
    role = caller.role_of(target)
    if role is None:
        return True
    if path.target_trusts_caller and not _trusts(role, caller.arn):
        return False
    if path.target_trusts_service and not any(_trusts(role, service) for service in path.target_trusts_service):
        return False
    return all(_all_allowed_on([step], _customers(role.policies), caller) for step in policies)


def _witness(steps: list[PathStep], forms: Iterable[str], excluded: Iterable[str], caller: Caller) -> str | None:
    """A resource of these forms, none of the excluded, on which the caller may take all of the steps; None for none.

    Where that was not decided, the answer is that it may: the resource is then the first form.
    """
    forms = [_in_account(form, caller, of_iam=any(step.action.startswith("iam:") for step in steps)) for form in forms]
    statements: list[dict[str, Any]] = [{"Effect": "Allow", "Action": PLACEHOLDER, "Resource": forms}]
    if any(step.action in _ATTACHING for step in steps):
        statements[0]["Condition"] = {"ArnNotLike": {"iam:PolicyARN": _HARMLESS}}
    if excluded := list(excluded):
        no_arns = [
            f"{form}:*" for form in forms if ":iam:" in form
        ]  # a star in the caller's policies may have swallowed a colon
        statements.append({"Effect": "Deny", "Action": PLACEHOLDER, "Resource": [*excluded, *no_arns]})
    asked_about = effective_access([{"Version": "2008-10-17", "Statement": statements}])
    for layers in _together([_asked(step, caller) for step in steps]):
        comparison = _compared_with_nothing(Access((*layers, *asked_about.layers)), caller)
        if comparison.newly_allowed:
            return comparison.newly_allowed[0].resource
        if comparison.verdict is Verdict.UNKNOWN:
            if comparison.is_out_of_budget:
                caller.undecided.add(steps[0].action)
            return forms[0]
    return None


def _compared_with_nothing(access: Access, caller: Caller) -> Comparison:
    if (known := caller.answers.get(access)) is not None:
        return known
    if caller.budget is None:
        comparison = compare(_NOTHING, access, most_witnesses=1)
    else:
        with caller.budget.share(_QUESTIONS, _OF_A_QUESTION) as part:
            comparison = compare(_NOTHING, access, budget=part, most_witnesses=1)
    if not comparison.is_out_of_budget and len(caller.answers) < _MOST_ANSWERS:
        caller.answers[access] = comparison
    return comparison


def _asked(step: PathStep, caller: Caller) -> list[Access]:
    """What the caller's access says to a step, for each service that a role could be passed to."""
    asked = []
    for service in step.passed_to or ("",):
        key = (step.action, service)
        if key not in caller.asked:
            known = {**caller.known, "iam:passedtoservice": service} if service else caller.known
            caller.asked[key] = partially_evaluated(caller.access, step.action, known)
        asked.append(caller.asked[key])
    return asked


def _together(choices: list[list[Access]]) -> Iterator[tuple[Any, ...]]:
    """The layers of one choice for each step."""
    for chosen in product(*choices):
        yield tuple(layer for access in chosen for layer in access.layers)


def _spellings(arn: str) -> tuple[str, str]:
    """The caller's own ARN, also with any path before the name: no other principal has the name."""
    start, _, name = arn.rpartition("/")
    return arn, f"{start.partition('/')[0]}/*/{name}"


def _customers(policies: Iterable[str]) -> list[str]:
    """Those that are not AWS's own, which no customer can change."""
    return [arn for arn in policies if arn.split(":", 5)[4] != "aws"]


def _fits_kind(resource: str, forms: Iterable[str]) -> bool:
    """Whether an ARN of IAM is of the kind (user, group, role, policy) that one of the forms is of."""
    return any(_kind(resource) == _kind(form) for form in forms)


def _kind(arn: str) -> str:
    return arn.split(":", 5)[5].partition("/")[0]


def _in_account(form: str, caller: Caller, *, of_iam: bool) -> str:
    """A form of ARN within the caller's partition; and its account, which IAM's own actions do not leave."""
    if of_iam:
        form = form.replace(_IAM_FORM, f"arn:*:iam::{caller.account}:")
    return form.replace("arn:*:", f"arn:{caller.partition}:", 1)


def _trusts(role: Role, principal: str) -> bool:
    """Whether a role's trust policy lets a principal assume it, under any conditions."""
    try:
        return _admits(role.trust if isinstance(role.trust, str) else json.dumps(role.trust), principal)
    except PolicyDocumentError:
        return True


@lru_cache(_MOST_TRUSTS)
def _admits(trust: str, principal: str) -> bool:
    kind = "AWS" if principal.startswith("arn:") else "Service"
    by_it = {"Statement": {"Effect": "Allow", "Principal": {kind: principal}, "Action": "sts:AssumeRole"}}
    within = Access((*_read(trust).layers, *effective_access([by_it]).layers))
    return compare(_NOTHING, within, most_witnesses=1).verdict is not Verdict.EQUIVALENT


@lru_cache(_MOST_TRUSTS)
def _read(trust: str) -> Access:
    return effective_access([trust])
