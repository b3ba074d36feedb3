"""Comparisons of real and labelled policy changes against their reference verdicts."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from iam_policy import Decision, Request, Verdict, compare, evaluate

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


ROWS = [*rows("mamip_dev.jsonl.gz"), *rows("quacky_dev.jsonl.gz")]
IDS = [row["id"] for row in ROWS]
with_reference = pytest.mark.parametrize("row", [pytest.param(row, id=row["id"]) for row in ROWS if row["reference"]])
every_row = pytest.mark.parametrize("row", ROWS, ids=IDS)


@with_reference
def test_the_verdict_is_the_reference(row: dict[str, Any]) -> None:
    assert compare([row["baseline"]], [row["live"]]).verdict == row["reference"]


@every_row
def test_the_verdict_fits_the_requests_that_the_corpus_confirmed(row: dict[str, Any]) -> None:
    verdict = compare([row["baseline"]], [row["live"]]).verdict
    too_small = {Verdict.EQUIVALENT, Verdict.NARROWED} if row["live_only"] else set()
    too_large = {Verdict.EQUIVALENT, Verdict.BROADENED} if row["baseline_only"] else set()

    assert verdict not in too_small | too_large or row["id"] in ANSWER_DEPENDS_ON_COLONS


@every_row
def test_the_point_evaluator_confirms_the_requests_of_the_corpus(row: dict[str, Any]) -> None:
    decisions = [
        evaluate([row[side]], Request(**row[f"{side}_only"])) is Decision.ALLOWED
        for side in ("baseline", "live")
        if row[f"{side}_only"]
    ]

    assert all(decisions)


@every_row
def test_nothing_is_unknown_and_every_witness_is_confirmed(row: dict[str, Any]) -> None:
    comparison = compare([row["baseline"]], [row["live"]])

    assert comparison.verdict is not Verdict.UNKNOWN
    for witness in comparison.newly_allowed:
        assert evaluate([row["live"]], witness) is Decision.ALLOWED
        assert evaluate([row["baseline"]], witness) is not Decision.ALLOWED
    for witness in comparison.newly_denied:
        assert evaluate([row["baseline"]], witness) is Decision.ALLOWED
        assert evaluate([row["live"]], witness) is not Decision.ALLOWED
