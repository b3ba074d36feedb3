"""The answer of the gate for people and for machines: text, JSON, Markdown, SARIF and JUnit."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

from ecr_steward import __version__
from ecr_steward.gate.check import Finding
from ecr_steward.gate.inputs import Answer
from ecr_steward.gate.opaque import shown
from steward.severity import Severity

MOST_MARKDOWN = 60_000
"""Characters of a comment: GitHub takes 65,536."""
_MOST_WITNESSES = 5
_SARIF_LEVELS = {
    Severity.INFO: "note",
    Severity.LOW: "note",
    Severity.MEDIUM: "warning",
    Severity.HIGH: "error",
    Severity.CRITICAL: "error",
}
_SARIF_SCORES = {
    Severity.INFO: "0.0",
    Severity.LOW: "3.0",
    Severity.MEDIUM: "5.5",
    Severity.HIGH: "8.0",
    Severity.CRITICAL: "9.5",
}


def as_text(answer: Answer, failing: Sequence[Finding]) -> str:
    """Lines for a terminal."""
    lines = [_head(answer, failing)]
    for one in answer.findings:
        mark = " (accepted)" if one.accepted else ""
        lines += ["", f"{one.severity.name} {one.verdict.value}{mark} {one.file}:{one.line}", f"  {one.summary}"]
        lines += [f"  {detail}" for detail in _details(one)]
    lines += [f"Not judged: {one.file}:{one.line}: {one.what}; {one.why}" for one in answer.unjudged]
    return "\n".join(lines) + "\n"


def as_json(answer: Answer, failing: Sequence[Finding]) -> str:
    """Everything, as an object."""
    return (
        json.dumps(
            {
                "failed": bool(failing),
                "files": answer.files,
                "findings": [_object(one) for one in answer.findings],
                "not_judged": [
                    {"file": one.file, "line": one.line, "what": one.what, "why": one.why} for one in answer.unjudged
                ],
            },
            indent=2,
        )
        + "\n"
    )


def as_markdown(answer: Answer, failing: Sequence[Finding]) -> str:
    """A comment on a pull request: the worst first, the proofs folded, as much as a comment takes."""
    parts = [f"### Access changed by this pull request\n\n{_md(_head(answer, failing))}\n"]
    length = len(parts[0])
    for number, one in enumerate(answer.findings):
        details = "\n".join(f"- {_md(detail)}" for detail in _details(one))
        title = f"<b>{one.severity.name}</b> {one.verdict.value}: {_md(one.summary)}"
        where = f"`{one.file.replace('`', chr(39))}:{one.line}`"
        opened = " open" if one in failing and one.severity >= Severity.HIGH else ""
        part = f"\n<details{opened}><summary>{title}</summary>\n\n{where}\n\n{details}\n</details>\n"
        if length + len(part) > MOST_MARKDOWN:
            parts.append(f"\n{len(answer.findings) - number} more findings are in the log of the check.\n")
            break
        parts.append(part)
        length += len(part)
    if answer.unjudged:
        parts.append("\nNot judged:\n\n")
        parts += [f"- `{one.file}:{one.line}`: {_md(one.what)}; {_md(one.why)}\n" for one in answer.unjudged[:50]]
    return "".join(parts)


def as_sarif(answer: Answer, failing: Sequence[Finding]) -> str:
    """SARIF 2.1.0 for code scanning; an accepted finding is a suppressed one."""
    rules = sorted({one.kind.value for one in answer.findings})
    results = []
    for one in answer.findings:
        result: dict[str, Any] = {
            "ruleId": one.kind.value,
            "level": _SARIF_LEVELS[one.severity] if one in failing or one.accepted else "note",
            "message": {"text": " ".join([one.summary, *_details(one)])},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": one.file.removeprefix("./")},
                        "region": {"startLine": max(one.line, 1)},
                    }
                }
            ],
            "partialFingerprints": {"finding/v1": f"{one.file}:{one.id}"},
            "properties": {"verdict": one.verdict.value, "security-severity": _SARIF_SCORES[one.severity]},
        }
        if one.accepted:
            result["suppressions"] = [{"kind": "external", "justification": one.accepted}]
        results.append(result)
    driver = {
        "name": "steward policy check",
        "version": __version__,
        "rules": [{"id": rule, "shortDescription": {"text": _RULES.get(rule, rule)}} for rule in rules],
    }
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }
    return json.dumps(log, indent=2) + "\n"


def as_junit(answer: Answer, failing: Sequence[Finding]) -> str:
    """One test case for each finding, and one that passes when there is none."""
    suite = ET.Element(
        "testsuite",
        name="steward policy check",
        tests=str(max(len(answer.findings), 1)),
        failures=str(len(failing)),
        skipped=str(sum(bool(one.accepted) for one in answer.findings)),
    )
    if not answer.findings:
        ET.SubElement(suite, "testcase", classname="access", name="no access is added")
    for one in answer.findings:
        case = ET.SubElement(suite, "testcase", classname=one.file, name=one.id)
        if one.accepted:
            ET.SubElement(case, "skipped", message=one.accepted)
        elif one in failing:
            failure = ET.SubElement(case, "failure", type=one.severity.name, message=one.summary)
            failure.text = "\n".join(_details(one))
    ET.indent(suite)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suite, encoding="unicode")}\n'


FORMATS: Mapping[str, Callable[[Answer, Sequence[Finding]], str]] = {
    "text": as_text,
    "json": as_json,
    "markdown": as_markdown,
    "sarif": as_sarif,
    "junit": as_junit,
}

_RULES = {
    "ACCESS": "What a principal or a policy allows",
    "TRUST": "Who may assume a role or use a resource",
    "BOUNDARY": "What a permissions boundary leaves",
    "MEMBERSHIP": "Which groups a user is in",
    "UNMANAGED": "A new principal or policy",
    "MISSING": "A principal or policy that goes",
    "UNREADABLE": "What cannot be judged",
}


def _head(answer: Answer, failing: Sequence[Finding]) -> str:
    if not answer.findings:
        return "No change of access."
    counted = f"{len(answer.findings)} change{'s' if len(answer.findings) > 1 else ''} of access"
    return f"{counted}, {len(failing)} of them to look at." if failing else f"{counted}, none of them to look at."


def _details(one: Finding) -> list[str]:
    perhaps = "Perhaps: " if one.verdict.value == "UNKNOWN" else ""
    lines = [f"{perhaps}Adds: {words}" for words in one.added_access]
    lines += [f"{perhaps}Removes: {words}" for words in one.removed_access]
    lines += [f"Why: {reason}" for reason in one.reasons]
    lines += [f"{perhaps}{sentence}" for sentence in one.added[:_MOST_WITNESSES]]
    lines += [f"{perhaps}{sentence}" for sentence in one.removed[:_MOST_WITNESSES]]
    lines += [f"When: {one.when}"] if one.when else []
    lines += [f"Accepted: {one.accepted}"] if one.accepted else []
    return lines


def _object(one: Finding) -> dict[str, Any]:
    return {
        "id": one.id,
        "file": one.file,
        "line": one.line,
        "entity": one.entity,
        "kind": one.kind.value,
        "verdict": one.verdict.value,
        "severity": one.severity.name,
        "summary": one.summary,
        "reasons": list(one.reasons),
        "escalation_paths": list(one.escalations),
        "added_access": list(one.added_access),
        "removed_access": list(one.removed_access),
        "newly_allowed": list(one.added),
        "newly_denied": list(one.removed),
        "witnesses": [
            {
                "principal": witness.principal,
                "action": witness.action,
                "resource": shown(witness.resource),
                "context": dict(witness.context),
            }
            for witness in one.witnesses
        ],
        "when": one.when,
        "accepted": one.accepted,
    }


def _md(text: str) -> str:
    """A text in which nothing is markup."""
    for character in "\\`*_[]|":
        text = text.replace(character, f"\\{character}")
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("@", "&#64;")
