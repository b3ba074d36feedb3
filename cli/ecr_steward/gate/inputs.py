"""Inputs of the gate: what kind each file is, and how two of them are paired."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import PurePath
from typing import Any

from ecr_steward.gate import check, plans, stacks
from ecr_steward.gate.check import Finding, worst_first
from ecr_steward.gate.errors import UnusableInputError
from ecr_steward.gate.opaque import OWN_ACCOUNT
from ecr_steward.gate.side import Draft, Place, Side
from ecr_steward.gate.templates import Template, Unjudged, parsed, read_template
from iam_policy import PolicyError, Verdict, effective_access
from policy_drift.domain.account import Account, EntityKind
from policy_drift.domain.finding import Kind
from steward import settings
from steward.errors import StewardError
from steward.severities import SEVERITIES_FILE, DriftSeverities, Severities
from steward.severity import Severity

SUFFIXES = (".json", ".yaml", ".yml", ".template")
"""Names of files that a folder or a revision is searched for."""
_ASSUMING = "sts:assume"


@dataclass(frozen=True, slots=True)
class Text:
    """A file as it was read; ``content`` is None for one that is not there."""

    name: str
    content: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the gate says of a change."""

    findings: tuple[Finding, ...]
    unjudged: tuple[Unjudged, ...] = ()
    files: int = 0


@dataclass(frozen=True, slots=True)
class _Read:
    """A file by its kind: a template, or a plan, or the account that it describes."""

    kind: str
    template: Template | None = None
    plan: Mapping[str, Any] | None = None
    side: Side | None = None
    unjudged: tuple[Unjudged, ...] = ()


def checked(base: Text | None, head: Text) -> Answer:
    """What changes from one text to the other. Without a base: what a plan changes, or all that is new.

    Raises
    ------
    UnusableInputError
        One of them cannot be judged.
    """
    now = _read(head)
    before = _read(base) if base is not None and base.content is not None else None
    if now is None and before is None:
        return Answer((), files=0)
    unjudged = now.unjudged if now else ()
    return Answer(
        worst_first((*_compared(before, now, base, head), *_unlike(before, unjudged, head.name))), unjudged, 1
    )


def compared_accounts(base: Text, head: Text) -> Answer:
    """What changes from one account to the other.

    Raises
    ------
    UnusableInputError
        One of them is neither an answer of get-account-authorization-details nor a baseline.
    """
    for one in (base, head):
        read = _read(one)
        if read is None or read.kind != "account":
            remedy = "give an answer of aws iam get-account-authorization-details, or a baseline"
            raise UnusableInputError(one.name, "it is no account", remedy)
    return checked(base, head)


def _unlike(before: _Read | None, unjudged: Iterable[Unjudged], file: str) -> Iterator[Finding]:
    """What cannot be judged and is not the same on both sides: it may be anything."""
    known = {one.what: one.content for one in (before.unjudged if before else ())}
    for one in unjudged:
        if known.get(one.what) != one.content:
            summary = f"{one.what} differs, and what that changes is not known."
            yield Finding(
                file, one.line, one.what, Kind.UNREADABLE, Verdict.UNKNOWN, Severity.MEDIUM, summary, (one.why,)
            )


def _compared(before: _Read | None, now: _Read | None, base: Text | None, head: Text) -> Iterator[Finding]:
    severities = shipped_severities()
    kinds = {read.kind for read in (before, now) if read is not None}
    if len(kinds) > 1:
        raise UnusableInputError(
            head.name,
            f"it is a {now.kind if now else ''}, and the base is a {before.kind if before else ''}",
            "compare two of one kind",
        )
    file = head.name
    kind = kinds.pop()
    if kind == "template":
        first = before.template if before and before.template else Template(base.name if base else file, {})
        second = now.template if now and now.template else Template(file, {})
        for one in stacks.sides(first, second):
            when = ", ".join(f"{'' if true else 'not '}{_short(atom)}" for atom, true in one.when.items())
            yield from check.findings(file, one.base, one.head, severities, when)
    elif kind == "plan":
        now_plan = now.plan if now and now.plan else {"format_version": "1.0"}
        with plans.as_terraform_writes_them(file):
            planned = plans.after(now_plan, file)
            found = plans.after(before.plan, file) if before and before.plan else plans.before(now_plan, file)
        yield from check.findings(file, found, planned, severities)
    else:
        live = now.side if now and now.side else _nothing(before.side if before else None)
        yield from check.findings(file, before.side if before and before.side else _nothing(live), live, severities)


def account_in(content: str, name: str) -> Account:
    """The account that an answer of get-account-authorization-details describes.

    Raises
    ------
    UnusableInputError
        It is no such answer, or something that it refers to is missing.
    """
    body = _body(content, name)
    if not isinstance(body, Mapping) or _kind(body) != "account":
        remedy = "unique ids, which a baseline needs, are in aws iam get-account-authorization-details alone"
        raise UnusableInputError(name, "it is no answer of get-account-authorization-details", remedy)
    account = _of_authorization_details(body, name).account
    for entity, reason in account.unreadable.items():
        raise UnusableInputError(name, f"{entity}: {reason}", "ask for all kinds of entities, without --filter")
    return account


@cache
def shipped_severities() -> DriftSeverities:
    """The severities that the project ships."""
    return settings.load(settings.shipped(SEVERITIES_FILE), Severities).drift


def _short(atom: str) -> str:
    sides = json.loads(atom)
    texts = [str(next(iter(one.values()), "")) if isinstance(one, dict) else str(one) for one in sides]
    return " = ".join(texts)


def _nothing(other: Side | None) -> Side:
    return Side(Account(other.account.id if other else OWN_ACCOUNT))


def _read(text: Text) -> _Read | None:
    """The file by its kind; None for one that has nothing to do with access.

    Raises
    ------
    UnusableInputError
        It is of a kind that is read, and cannot be.
    """
    if text.content is None:
        return None
    body = _body(text.content, text.name)
    if isinstance(body, list) and body and all(isinstance(one, Mapping) and "Statement" in one for one in body):
        return _Read("policy", side=_of_documents(body, text.name))
    if not isinstance(body, Mapping):
        return None
    kind = _kind(body)
    match kind:
        case "state":
            raise UnusableInputError(text.name, "it is a state, not a plan", "use terraform show -json PLAN")
        case "plan":
            with plans.as_terraform_writes_them(text.name):
                return _Read(kind, plan=body, unjudged=tuple(plans.unjudged(body, text.name)))
        case "template":
            template = read_template(body, text.content, text.name)
            return _Read(kind, template=template, unjudged=template.unjudged)
        case "baseline":
            return _Read("account", side=_of_baseline(text.content, body, text.name))
        case "account":
            return _Read(kind, side=_of_authorization_details(body, text.name))
        case "policy":
            return _Read(kind, side=_of_documents([body], text.name))
    return None


def _kind(body: Mapping[str, Any]) -> str:
    """What a JSON object is; empty for what has nothing to do with access."""
    if plans.is_plan(body):
        return "plan"
    if plans.is_state(body):
        return "state"
    if "Resources" in body and (
        "AWSTemplateFormatVersion" in body or "Transform" in body or _has_types(body["Resources"])
    ):
        return "template"
    if str(body.get("format", "")).startswith("ecr-steward/iam-baseline/"):
        return "baseline"
    if "UserDetailList" in body or "RoleDetailList" in body:
        return "account"
    return "policy" if "Statement" in body else ""


def _body(content: str, name: str) -> Any:
    if content.lstrip().startswith(("{", "[")):
        try:
            return json.loads(content)
        except json.JSONDecodeError:
            return parsed(content, name)  # YAML in one of its other forms, or the error with its line
        except RecursionError as error:
            raise UnusableInputError(name, "it nests too deep") from error
    return parsed(content, name)


def _has_types(resources: Any) -> bool:
    return isinstance(resources, Mapping) and any(
        isinstance(one, Mapping) and "::" in str(one.get("Type", "")) for one in resources.values()
    )


def _of_documents(documents: list[Any], name: str) -> Side:
    """Policy documents, judged as if one role had them; one with a principal as what allows its requests."""
    draft = Draft(OWN_ACCOUNT)
    label = PurePath(name).name
    for number, document in enumerate(documents):
        try:
            notes = effective_access([document]).notes
        except PolicyError as error:
            raise UnusableInputError(name, f"it is no policy document: {error}") from error
        if notes:
            raise UnusableInputError(name, f"it is no policy document: {notes[0]}")
        statements = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
        entity = draft.entity(EntityKind.ROLE, f"document{number or ''}")
        trust = any("Principal" in one or "NotPrincipal" in one for one in statements)
        place = f"policy {label}" + (f" ({number + 1})" if number else "")
        draft.describe(entity, Place(label=place), **({"trust": document} if trust else {}))
        if not trust:
            draft.give(entity, "document", document)
    return draft.side()


def _of_baseline(content: str, body: Mapping[str, Any], name: str) -> Side:
    from policy_drift import baseline_document

    try:
        return Side(baseline_document.read(content.encode(), account=str(body.get("account"))).account)
    except StewardError as error:
        raise UnusableInputError(name, f"it is no usable baseline: {error}") from error


def _of_authorization_details(body: Mapping[str, Any], name: str) -> Side:
    from policy_drift.adapters.iam_account import read_authorization_details

    sections = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
    if body.get("IsTruncated"):
        raise UnusableInputError(name, "it is one page of several", "let the AWS CLI read all of them (no --max-items)")
    try:
        page = {section: [_decoded(one) for one in body.get(section, [])] for section in sections}
        account = read_authorization_details(page)
    except (KeyError, TypeError, AttributeError, ValueError, StopIteration) as error:
        raise UnusableInputError(name, f"it is no answer of get-account-authorization-details: {error!r}") from error
    return Side(account)


def _decoded(value: Any) -> Any:
    """Policy documents as JSON objects; other tools than the AWS CLI leave them URL-encoded, as IAM sends them."""
    from urllib.parse import unquote

    if isinstance(value, Mapping):
        return {key: _decoded(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_decoded(member) for member in value]
    if isinstance(value, str) and value.startswith("%7B"):
        return json.loads(unquote(value))
    return value
