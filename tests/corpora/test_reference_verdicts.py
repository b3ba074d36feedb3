"""Comparisons of real and labelled policy changes against their reference verdicts.

There are more than a thousand: a test is a statement about all of them, and names those that contradict it.
"""

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from iam_policy import Comparison, Decision, Request, Verdict, compare, evaluate

CORPORA = Path(__file__).parents[3] / "shared" / "corpora"
pytestmark = pytest.mark.skipif(not CORPORA.is_dir(), reason="the corpora are not beside the repository")

#: The request that the corpus calls live's alone rests on a star that stops at a colon; whole strings are matched.
ANSWER_DEPENDS_ON_COLONS = {"AWSCloudFrontLogger:v1>v2@318384c8de"}


def rows(name: str) -> list[dict[str, Any]]:
    path = CORPORA / name
    if not path.exists():
        return []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@cache
def pairs() -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in [*rows("mamip_dev.jsonl.gz"), *rows("quacky_dev.jsonl.gz")]}


@cache
def compared(row_id: str) -> Comparison:
    pair = pairs()[row_id]
    return compare([pair["baseline"]], [pair["live"]])


def test_the_verdict_is_the_reference() -> None:
    references = {row_id: row["reference"] for row_id, row in pairs().items() if row["reference"]}

    assert references
    assert {row_id: compared(row_id).verdict for row_id in references} == references


def test_the_verdict_fits_the_requests_that_the_corpus_confirmed() -> None:
    contradicted = {}
    for row_id, row in pairs().items():
        too_small = {Verdict.EQUIVALENT, Verdict.NARROWED} if row["live_only"] else set()
        too_large = {Verdict.EQUIVALENT, Verdict.BROADENED} if row["baseline_only"] else set()
        if compared(row_id).verdict in too_small | too_large:
            contradicted[row_id] = compared(row_id).verdict

    assert contradicted.keys() <= ANSWER_DEPENDS_ON_COLONS


def test_the_point_evaluator_confirms_the_requests_of_the_corpus() -> None:
    refused = [
        (row_id, side)
        for row_id, row in pairs().items()
        for side in ("baseline", "live")
        if row[f"{side}_only"] and evaluate([row[side]], Request(**row[f"{side}_only"])) is not Decision.ALLOWED
    ]

    assert refused == []


def test_nothing_is_unknown() -> None:
    assert [row_id for row_id in pairs() if compared(row_id).verdict is Verdict.UNKNOWN] == []


def test_every_witness_is_allowed_on_one_side_alone() -> None:
    witnesses = [
        (row_id, witness, [row[allowed]], [row[refused]])
        for row_id, row in pairs().items()
        for allowed, refused, found in (
            ("live", "baseline", compared(row_id).newly_allowed),
            ("baseline", "live", compared(row_id).newly_denied),
        )
        for witness in found
    ]

    assert witnesses
    assert [
        (row_id, witness)
        for row_id, witness, allowed, refused in witnesses
        if evaluate(allowed, witness) is not Decision.ALLOWED or evaluate(refused, witness) is Decision.ALLOWED
    ] == []
