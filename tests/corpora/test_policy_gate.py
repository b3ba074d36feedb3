"""The gate on public templates and plans: skipped where the corpus is not there."""

import pytest

from benchmarks.policy_gate import CORPUS, changed, outcome, rows
from iam_policy import Verdict

pytestmark = pytest.mark.skipif(not CORPUS.exists(), reason="the corpus of templates is not here")

#: Two templates of SAM put a digest of a parameter's default where AWS's translator was given the default itself.
OPAQUE_OUTPUTS = 2
MOST_REFUSED = 7
MOST_OPAQUE = 10


def test_nothing_is_found_between_a_template_and_itself():
    answers = [outcome(row["text"], row["text"])[0] for row in rows()]

    assert set(answers) <= {"clean", "refused"}
    assert answers.count("refused") <= MOST_REFUSED


def test_a_template_of_sam_grants_what_the_translator_of_aws_makes_of_it():
    answers = [outcome(row["text"], row["output"])[0] for row in rows() if "output" in row]

    assert set(answers) <= {"clean", "opaque"}
    assert answers.count("opaque") <= OPAQUE_OUTPUTS


@pytest.mark.slow
def test_every_change_that_adds_access_is_found_with_a_request_that_proves_it():
    opaque = 0
    for row in rows():
        if row["kind"] == "tfplan" or outcome(row["text"], row["text"])[0] == "refused":
            continue
        for name, text in changed(row["text"]):
            answer, found = outcome(row["text"], text)
            assert answer in {"found", "opaque"}, f"{row['source']}: {name}"
            opaque += answer == "opaque"
            assert all(one.verdict is Verdict.UNKNOWN for one in found) or answer == "found"

    assert opaque <= MOST_OPAQUE
