"""A finding that is known already, and grows or shrinks."""

from benchmarks.drift_changes.calls import allow, document, put, role, take
from benchmarks.drift_changes.change import Acknowledged, Change, Step, access, finding
from benchmarks.drift_changes.changes.documents import READ, REPORTS, WRITE

ONE_AFTER_THE_OTHER = (
    Change(
        "a second grant on an open finding",
        role("second", rights=READ),
        (
            Step(
                (put("role", "second", WRITE, inline="first"),),
                (access("second", "MEDIUM", "BROADENED", "s3:PutObject"),),
            ),
            Step(
                (put("role", "second", document(allow("sqs:SendMessage")), inline="second"),),
                (access("second", "MEDIUM", "BROADENED", "sqs:SendMessage"),),
            ),
        ),
        undo=(take("role", "second", inline="second"), take("role", "second", inline="first")),
    ),
    Change(
        "a second grant on an acknowledged finding",
        role("second-known", rights=READ),
        (
            Step(
                (put("role", "second-known", WRITE, inline="first"),),
                (access("second-known", "MEDIUM", "BROADENED", "s3:PutObject"),),
            ),
            Step(
                (
                    Acknowledged(finding("access", "role/second-known")),
                    put("role", "second-known", document(allow("sqs:SendMessage")), inline="second"),
                ),
                (access("second-known", "MEDIUM", "BROADENED", "sqs:SendMessage"),),
            ),
        ),
        undo=(take("role", "second-known", inline="second"), take("role", "second-known", inline="first")),
    ),
    Change(
        "an acknowledged finding gets smaller: not reported",
        role("smaller", rights=READ),
        (
            Step(
                (put("role", "smaller", document(allow("s3:*", on=REPORTS)), inline="first"),),
                (access("smaller", "MEDIUM", "BROADENED", "s3:*"),),
            ),
            Step(
                (
                    Acknowledged(finding("access", "role/smaller")),
                    put("role", "smaller", WRITE, inline="first"),
                ),
            ),
        ),
        undo=(take("role", "smaller", inline="first"),),
    ),
)
