"""The names that users of the library rely on: a change of one of them breaks programs outside of this repository."""

import ast
import inspect
import json
import sys
from pathlib import Path
from typing import Any

import pytest

import iam_policy
from iam_policy import Request, compare, escalation, evaluate
from iam_policy.escalation import Caller, CallerKind, escalations


def document(*actions: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def test_the_package_offers_these_names() -> None:
    assert sorted(iam_policy.__all__) == [
        *(
            "Access",
            "Budget",
            "Comparison",
            "Decision",
            "Grant",
            "InvalidRequestError",
            "Policies",
            "PolicyDocumentError",
        ),
        *("PolicyError", "Request", "Summary", "Verdict", "Witness", "canonical_form", "canonical_hash", "compare"),
        *("effective_access", "evaluate", "may_allow", "summarize", "summary_in_words"),
    ]
    assert sorted(escalation.__all__) == [
        *("Caller", "CallerKind", "Category", "Escalation", "Path", "PathStep", "Removal", "Role", "Target"),
        *("escalations", "known_paths"),
    ]


@pytest.mark.parametrize("spelled", [lambda one: one, json.dumps, lambda one: [one]], ids=["dict", "JSON", "list"])
def test_a_comparison_has_these_attributes(spelled: Any) -> None:
    comparison = compare(spelled(document("s3:GetObject")), spelled(document("s3:GetObject", "s3:PutObject")))

    (witness,) = comparison.newly_allowed
    assert comparison.verdict.value == "BROADENED"
    assert (comparison.newly_denied, comparison.reason) == ((), "")
    assert (witness.principal, witness.action, witness.resource) == (None, "s3:PutObject", "*")
    assert dict(witness.context) == {}


def test_the_verdicts_are_these() -> None:
    assert [verdict.value for verdict in iam_policy.Verdict] == [
        *("EQUIVALENT", "NARROWED", "BROADENED", "INCOMPARABLE", "UNKNOWN"),
    ]


def test_a_request_is_evaluated() -> None:
    allowed = evaluate(document("s3:Get*"), Request("s3:GetObject", "arn:aws:s3:::bucket/key", {"aws:username": "ann"}))

    assert allowed.value == "Allowed"


@pytest.mark.parametrize("spelled", [lambda one: one, json.dumps, lambda one: [one]], ids=["dict", "JSON", "list"])
def test_a_malformed_document_raises_a_value_error_that_points_at_the_place(spelled: Any) -> None:
    with pytest.raises(ValueError, match=r"^/Statement/0/Action/0: action 'read' names no service; allowed: ") as error:
        compare(spelled(document("s3:GetObject")), spelled(document("read")))

    assert error.value.pointer == "/Statement/0/Action/0"  # type: ignore[attr-defined]


def test_the_parameters_have_these_names() -> None:
    assert [*inspect.signature(compare).parameters] == ["baseline", "live", "budget", "most_witnesses"]
    assert [*inspect.signature(evaluate).parameters] == ["policies", "request"]
    assert [*inspect.signature(Request).parameters] == ["action", "resource", "context", "principal"]
    assert [*inspect.signature(iam_policy.effective_access).parameters] == ["identity", "groups", "boundary"]


def test_open_escalation_paths_have_an_id_and_a_category() -> None:
    access = iam_policy.effective_access([document("iam:PutUserPolicy")])

    (found,) = escalations(Caller(CallerKind.USER, "arn:aws:iam::111122223333:user/ann", access))

    assert (found.path.id, found.category.value, found.lateral) == ("iam-007", "self-escalation", False)


def test_the_package_imports_nothing_but_itself_and_the_standard_library() -> None:
    package = Path(iam_policy.__file__).parent
    imported = {
        name.partition(".")[0]
        for module in package.rglob("*.py")
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        for name in _names_imported_by(node)
    }

    assert imported - sys.stdlib_module_names == {"iam_policy"}


def _names_imported_by(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [one.name for one in node.names]
    return [node.module or "relative"] if isinstance(node, ast.ImportFrom) else []
