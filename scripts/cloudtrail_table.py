"""Print what policy drift reads in CloudTrail's events of IAM: of each change, the entity and the actor, as a table.

Run from the root of the project, with a file of records::

    PYTHONPATH=functions:layers:. .venv/bin/python -m scripts.cloudtrail_table events.jsonl

The file is JSON or JSON lines, plain or ``.gz``: records as they are, a trail's file (``Records``), events of
EventBridge (``detail``), the answer of LookupEvents (``Events``, ``CloudTrailEvent``), or messages of SQS, SNS,
Kinesis, Firehose and CloudWatch Logs that hold them, also mixed.
"""

import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from policy_drift.domain.changes.change_event import WITHOUT_EFFECT, change_event
from policy_drift.domain.changes.wrappings import records_in

HEADINGS = ("event", "entity", "beside policies", "actor", "at")


def rows_of(records: Iterator[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    """A row for each successful call that may have changed IAM; a dash where it names no entity that is compared."""
    for record in records:
        name = str(record.get("eventName", ""))
        if (
            record.get("eventSource") != "iam.amazonaws.com"
            or record.get("errorCode")
            or name.startswith(WITHOUT_EFFECT)
        ):
            continue
        event = change_event(record)
        if event is None:
            yield name, "-", "", "", str(record.get("eventTime", ""))
        else:
            entities, claims = sorted(map(str, event.touches)), sorted(one.item for one in event.claims)
            yield name, ", ".join(entities) or "-", ", ".join(claims), event.change.actor, event.change.at.isoformat()


def main(path: Path) -> None:
    """Print the table."""
    text = (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).decode()
    try:
        values = [json.loads(text)]
    except ValueError:
        values = [json.loads(line) for line in text.splitlines() if line.strip()]
    for row in (HEADINGS, ("---",) * len(HEADINGS), *rows_of(records_in(values))):
        print(f"| {' | '.join(cell.replace('|', '\\|') for cell in row)} |")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
