"""Compare two policies from the command line.

``python -m iam_policy baseline.json live.json`` says whether live is broader than baseline, and proves it
with requests. A file holds one policy document, or a JSON array of documents that are read together.
"""

import argparse
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from iam_policy.access import access_of
from iam_policy.comparison import Verdict, Witness, compare
from iam_policy.summary import summarize
from iam_policy.summary_words import summary_in_words
from iam_policy.wording import in_words, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

EQUIVALENT, CHANGED, ERROR = 0, 1, 2
#: Requests that are printed for each direction, of the most dangerous groups.
_PROOFS = 5

_SENTENCES = {
    Verdict.EQUIVALENT: "Both allow exactly the same requests.",
    Verdict.NARROWED: "Live allows less than baseline.",
    Verdict.BROADENED: "Live allows more than baseline.",
    Verdict.INCOMPARABLE: "Live allows requests that baseline does not, and the other way round.",
    Verdict.UNKNOWN: "It could not be decided.",
}


def main(arguments: "Sequence[str] | None" = None) -> int:
    """Run the comparison.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the command line by default.

    Returns
    -------
    int
        0 when both allow the same, 1 when they do not (or it could not be decided), 2 for an error.
    """
    parser = argparse.ArgumentParser(
        prog="python -m iam_policy",
        description="Show what a change of IAM policies newly allows and denies, with requests that prove it.",
        epilog="Exit code: 0 equivalent, 1 changed or not decided, 2 error.",
    )
    parser.add_argument("baseline", type=Path, help="a policy document, or a JSON array of documents, as approved")
    parser.add_argument("live", type=Path, help="the same, as it is now")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    options = parser.parse_args(arguments)
    policies = []
    for path in (options.baseline, options.live):
        try:
            access = access_of(path.read_text(encoding="utf-8-sig"))
            if access.notes:
                _write(sys.stderr, visible(f"{path}: {access.notes[0]}"))
                return ERROR
            policies.append(access)
        except (OSError, ValueError) as error:  # PolicyError and UnicodeDecodeError are ValueErrors
            _write(sys.stderr, visible(f"{path}: {error}"))
            return ERROR
    comparison = compare(*policies)
    summary = summarize(*policies)
    added, removed = summary_in_words(summary.added), summary_in_words(summary.removed)
    if options.format == "json":
        answer = {
            "verdict": comparison.verdict,
            "added": added,
            "removed": removed,
            "newly_allowed": [_as_json(witness) for witness in comparison.newly_allowed],
            "newly_denied": [_as_json(witness) for witness in comparison.newly_denied],
            "reason": comparison.reason,
        }
        text = json.dumps(answer, indent=2)
    else:
        lines = [f"{comparison.verdict}: {_SENTENCES[comparison.verdict]}"]
        lines += [f"Reason: {visible(comparison.reason)}."] if comparison.reason else []
        lines += [
            f"{heading}: {words}." for heading, all_of in (("Added", added), ("Removed", removed)) for words in all_of
        ]
        for heading, witnesses in (
            ("Newly allowed", [grant.proof for grant in summary.added[:_PROOFS]] or comparison.newly_allowed),
            ("No longer allowed", [grant.proof for grant in summary.removed[:_PROOFS]] or comparison.newly_denied),
        ):
            lines += [f"{heading}: {in_words(witness)}" for witness in witnesses]
        text = "\n".join(lines)
    if (problem := _write(sys.stdout, text)) is not None:
        _write(sys.stderr, f"The answer could not be written: {problem}")
        return ERROR
    return EQUIVALENT if comparison.verdict is Verdict.EQUIVALENT else CHANGED


def _write(stream: TextIO | None, text: str) -> str | None:
    """Write a text and a line end, letters that the stream does not take escaped; what went wrong, or None."""
    if stream is None:
        return "the stream is closed"
    encoding = stream.encoding or "utf-8"
    try:
        stream.write(f"{text}\n".encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except (OSError, ValueError) as error:
        _give_up(stream)
        return str(error)
    return None


def _give_up(stream: TextIO) -> None:
    """Redirect the stream to nowhere: the interpreter's last flush would fail again and set another exit code."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _as_json(witness: Witness) -> dict[str, Any]:
    return {
        "principal": witness.principal,
        "action": witness.action,
        "resource": witness.resource,
        "context": dict(witness.context),
        "future_only": witness.future_only,
    }


if __name__ == "__main__":
    sys.exit(main())
