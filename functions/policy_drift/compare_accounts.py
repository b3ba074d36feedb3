"""Compare two states of IAM offline: ``python -m policy_drift.compare_accounts BASELINE LIVE``.

Each is a baseline file, or what ``aws iam get-account-authorization-details`` returned: one page or many, as one
document, as an array, or one after the other. Nothing is asked of AWS. The findings are those that a scan would have,
with the severities and the scope of the settings.
"""

import argparse
import codecs
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, unquote_plus

from iam_policy.wording import visible
from policy_drift import baseline_document
from policy_drift.adapters.iam_account import read_authorization_details
from policy_drift.bootstrap import drift_settings, drift_severities
from policy_drift.domain.account import Account
from policy_drift.domain.arns import partition_of
from policy_drift.domain.comparison.beside_drifts import beside_drifts
from policy_drift.domain.comparison.drifts import drifts
from policy_drift.domain.finding import Drift
from policy_drift.report.wording import newly_possible
from steward.errors import StewardError

NOTHING, DRIFT, UNUSABLE = 0, 1, 2
LISTS = {
    "UserDetailList": ("UserName", "Path", "Arn"),
    "GroupDetailList": ("GroupName", "Path", "Arn"),
    "RoleDetailList": ("RoleName", "Path", "Arn"),
    "Policies": ("Arn", "DefaultVersionId"),
}
"""The lists of a page, and the texts that each of their members must have."""
_NO_ID = {"UserId": "", "GroupId": "", "RoleId": ""}
_DOCUMENTS = frozenset({"PolicyDocument", "AssumeRolePolicyDocument", "Document"})
_FORMATS = ("text", "json", "markdown")
_decoder = json.JSONDecoder()


class UnusableError(ValueError):
    """A file is neither a baseline nor the account's authorization details; the message says what is wrong."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the findings.

    Returns
    -------
    int
        0 if there is none, 1 if there are some, 2 if a file or the settings cannot be used, or the answer not written.
    """
    parser = argparse.ArgumentParser(
        prog="python -m policy_drift.compare_accounts",
        description="Compare two states of IAM: baseline files, or output of get-account-authorization-details.",
        epilog="Exit code: 0 no finding, 1 findings, 2 a file cannot be used.",
    )
    parser.add_argument("baseline", type=Path, help="the account as approved")
    parser.add_argument("live", type=Path, help="the account as it is now, or another account")
    parser.add_argument("--format", choices=_FORMATS, default="text")
    options = parser.parse_args(arguments)
    try:
        baseline = _read(options.baseline)
        live = _read(options.live, like=baseline)
        found = findings(baseline, live)
    except (UnusableError, StewardError) as error:
        sys.stderr.write(f"{visible(str(error))}\n")
        return UNUSABLE
    written = {"text": _as_text, "json": _as_json, "markdown": _as_markdown}[options.format](found)
    try:
        sys.stdout.write(written.encode("utf-8", "backslashreplace").decode())
        sys.stdout.flush()
    except (OSError, UnicodeEncodeError) as error:
        sys.stderr.write(f"The answer could not be written: {error}\n")
        return UNUSABLE
    return DRIFT if found else NOTHING


def findings(baseline: Account, live: Account) -> tuple[Drift, ...]:
    """What differs between two states of one account, the most severe first. Raises SettingsError.

    What is missing in either file is a finding: nothing is known about what refers to it.
    """
    live = replace(live, unreadable={**baseline.unreadable, **live.unreadable})
    severities = drift_severities()
    found = drifts(baseline, live, severities=severities, scope=drift_settings().scope).found
    beside = beside_drifts(baseline, live, severities)
    return tuple(sorted((*found, *beside), key=lambda drift: (-drift.severity, drift.finding_id)))


def _read(path: Path, *, like: Account | None = None) -> Account:
    """The account of a file; one of another number than ``like`` is read as if it had the same."""
    try:
        text = path.read_bytes()
        account = account_in(text)
        if like is None:
            return account
        theirs, ours = (f"arn:{partition_of(one)}:" for one in (account, like))
        if account.id != like.id or theirs != ours:
            written = _text(text).replace(account.id, like.id).replace(theirs, ours)
            return _with_ids_of(like, account_in(written.encode()), all_of_them=True)
        return _with_ids_of(like, account, all_of_them=_ids_are_rewritten(like, account))
    except (OSError, UnusableError, StewardError) as error:
        raise UnusableError(f"{path}: {error}") from error
    except RecursionError as error:
        raise UnusableError(f"{path}: it nests too deep") from error


def account_in(text: bytes) -> Account:
    """The account of a baseline file or of authorization details.

    Raises
    ------
    UnusableError
        It is neither, or pages are missing.
    UnusableBaselineError
        It is a baseline with an error.
    """
    try:
        values = list(_values(_text(text)))
    except UnicodeDecodeError as error:
        raise UnusableError(f"it is not UTF-8 text (byte {error.start})") from error
    pages = [_unwrapped(page) for value in values for page in (value if isinstance(value, list) else [value])]
    match pages:
        case [{"format": str(), "account": str(account)}]:
            return baseline_document.read(text, account=account).account
        case [_, *_] if all(isinstance(page, dict) and page.keys() & LISTS.keys() for page in pages):
            return _account_of_pages(pages)
    raise UnusableError(
        "it is neither a baseline file nor output of aws iam get-account-authorization-details "
        f"(an object with {', '.join(LISTS)})"
    )


def _text(text: bytes) -> str:
    """The text of a file: UTF-8, or what PowerShell redirects, UTF-16 with its mark."""
    wide = text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return text.decode("utf-16" if wide else "utf-8-sig")


def _unwrapped(page: Any) -> Any:
    """A page without what IAM's own interface puts around it: an object of one object, and one more."""
    for _ in range(2):
        if isinstance(page, dict) and len(page) == 1 and isinstance(inner := next(iter(page.values())), dict):
            page = inner
    return page


def _ids_are_rewritten(baseline: Account, live: Account) -> bool:
    """Whether no entity has kept its unique id, as in a dump in which a tool has replaced them."""
    kept = [
        before[name].unique_id == one.unique_id
        for before, now in _sections(baseline, live)
        for name, one in now.items()
        if name in before
    ]
    return len(kept) > 1 and not any(kept)


def _with_ids_of(baseline: Account, live: Account, *, all_of_them: bool) -> Account:
    """Live, with the unique ids of the baseline's entities of the same names, where those of either say nothing."""

    def says_nothing(one: Any, before: Any) -> bool:
        return all_of_them or not one.unique_id or not before.unique_id

    users, groups, roles = (
        {
            name: replace(one, unique_id=before[name].unique_id)
            if name in before and says_nothing(one, before[name])
            else one
            for name, one in now.items()
        }
        for before, now in _sections(baseline, live)
    )
    return replace(live, users=users, groups=groups, roles=roles)


def _sections(baseline: Account, live: Account) -> tuple[tuple[Mapping[str, Any], Mapping[str, Any]], ...]:
    return (baseline.users, live.users), (baseline.groups, live.groups), (baseline.roles, live.roles)


def _values(text: str) -> Iterator[Any]:
    """The JSON values of a text, one after the other."""
    at = 0
    while rest := text[at:].lstrip():
        at = len(text) - len(rest)
        try:
            value, at = _decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            raise UnusableError(f"it is not JSON: line {error.lineno}: {error.msg}") from error
        yield value


def _account_of_pages(pages: Sequence[Mapping[str, Any]]) -> Account:
    if all(page.get("IsTruncated") or page.get("NextToken") for page in pages):
        raise UnusableError("pages are missing: each says that there are more (IsTruncated)")
    if absent := LISTS.keys() - {name for page in pages for name in page}:
        raise UnusableError(f"it has no {', '.join(sorted(absent))}: ask for everything, without a filter")
    for name in LISTS:
        if wrong := [page[name] for page in pages if not isinstance(page.get(name), list | None)]:
            raise UnusableError(f"{name} is no list but {type(wrong[0]).__name__}")
    whole = {name: [member for page in pages for member in page.get(name) or ()] for name in LISTS}
    for name, required in LISTS.items():
        for index, member in enumerate(whole[name]):
            if lacks := [key for key in required if not isinstance(member, dict) or type(member.get(key)) is not str]:
                raise UnusableError(f"{name}[{index}] has no {lacks[0]}")
    try:
        return read_authorization_details(_as_iam_writes(whole))
    except (KeyError, TypeError, AttributeError, IndexError, StopIteration, ValueError) as error:
        raise UnusableError(f"it is not what get-account-authorization-details returns: {error!r}") from error


def _as_iam_writes(whole: Mapping[str, list[dict[str, Any]]]) -> Mapping[str, Any]:
    """The members in the form that the reader takes."""
    return {name: [_NO_ID | _with_documents(member) for member in members] for name, members in whole.items()}


def _with_documents(value: Any, key: str = "") -> Any:
    """Policy documents as objects: IAM's own interface returns them as URL-encoded text. No member is null."""
    if key in _DOCUMENTS:
        return _document(value) if isinstance(value, str) else value
    if isinstance(value, dict):
        return {
            name: _with_documents(member, name)
            for name, member in value.items()
            if member is not None or name in _DOCUMENTS
        }
    if isinstance(value, list):
        return [_with_documents(member) for member in value]
    return value


def _document(text: str) -> Any:
    for written in (text, unquote(text), unquote_plus(text)):
        try:
            return json.loads(written)
        except ValueError:
            continue
    return text


def as_fields(drift: Drift) -> dict[str, Any]:
    """A finding, as JSON has it: ``added`` and ``removed`` are all of the access that differs, in words."""
    return {
        "kind": drift.kind.value,
        "entity": str(drift.entity),
        "severity": drift.severity.name,
        "verdict": drift.verdict.value,
        "summary": drift.summary,
        "added": list(drift.added),
        "removed": list(drift.removed),
        "reasons": list(drift.reasons),
    }


def _as_json(found: Sequence[Drift]) -> str:
    return json.dumps({"findings": [as_fields(drift) for drift in found]}, indent=2) + "\n"


def _as_text(found: Sequence[Drift]) -> str:
    if not found:
        return "Nothing differs.\n"
    lines: list[str] = []
    for drift in found:
        lines.append(f"{drift.severity.name} {drift.kind.value} {drift.verdict.value}: {visible(drift.summary)}")
        lines += [f"  {visible(line)}" for line in _details(drift)]
    return "\n".join(lines) + "\n"


def _as_markdown(found: Sequence[Drift]) -> str:
    """For the comment of a pull request; texts of others stand in code, where nothing is markup."""
    if not found:
        return "Nothing differs.\n"
    lines = [f"**{len(found)} {'finding' if len(found) == 1 else 'findings'}**", ""]
    for drift in found:
        lines.append(f"- **{drift.severity.name}** {drift.kind.value}, {drift.verdict.value}: {_code(drift.summary)}")
        lines += [f"  - {_code(line)}" for line in _details(drift)]
    return "\n".join(lines) + "\n"


def _details(drift: Drift) -> list[str]:
    return [
        *(f"Reason: {reason}" for reason in drift.reasons),
        *(f"Added: {line}" for line in drift.added),
        *(f"Removed: {line}" for line in drift.removed),
        *(f"For example: {newly_possible(witness, drift.entity)}" for witness in drift.newly_allowed[:1]),
    ]


def _code(text: str) -> str:
    """A text as code, fenced by more backticks than it has in a row."""
    shown = visible(text)
    fence = "`"
    while fence in shown:
        fence += "`"
    return f"{fence} {shown} {fence}" if len(fence) > 1 else f"`{shown}`"


if __name__ == "__main__":
    sys.exit(main())
