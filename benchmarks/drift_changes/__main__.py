"""Make real changes of IAM on the deployed stack, and compare the reports of each with those expected.

``python -m benchmarks.drift_changes``: the AWS CLI makes every change, as a user who administers IAM and has no right
on policy drift, or as a role whose changes the settings expect; the local AWS enforces IAM. What must be told is
written in `changes` and `baseline`. It ends with the number of changes, of false alarms (told, and nothing, or
something else, or somebody else, is right) and of those that were missed; the exit code is 1 unless both are 0.

Told means: on the topic, once, with the request and the actor, for the channels that the shipped routes have. What
these tell nobody at once (LOW and INFO) must be on the bus, not on the topic, and in the number of the weekly digest.
The stack is as shipped but for three settings: alerts are sent individually, because all changes are under way at once
and would count as a flood; a role is expected; and IAM shows a change after 11 s, so that the checks
which see it are at 12 s and 36 s; as shipped, at 30 s and 90 s.

All changes are under way at once, step by step; then each is undone, and the alert that it is over is awaited.
"""

import argparse
import sys
import time

from benchmarks.deployment import NoDeploymentError
from benchmarks.drift_changes.baseline import BASELINE_CHANGES
from benchmarks.drift_changes.changes import CHANGES
from benchmarks.drift_changes.session import Session
from benchmarks.drift_changes.stack import DELAY, drift_stack
from benchmarks.drift_changes.table import Row, markdown


def main(arguments: list[str] | None = None) -> int:
    """Make all changes and print the table; 0 when exactly the expected was reported, 1 when not, 2 without a stack."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drift_changes")
    parser.add_argument("--port", type=int, help="of the local AWS that is started for it")
    options = parser.parse_args(arguments)
    try:
        with drift_stack(options.port) as stack, Session(stack) as session:
            made, undone, baseline = _rows(session)
    except NoDeploymentError as error:
        print(error, file=sys.stderr)
        return 2
    rows = [*made, *undone, *baseline]
    print(markdown(rows))
    print(f"\nseconds from the return of the call, {DELAY} of them until IAM shows it and it is checked again")
    print(f"to a change: {_figures(made)}")
    print(f"to its end: {_figures(undone)}")
    print(f"to a change of the baseline, which needs no such wait: {_figures(baseline)}")
    false_alarms, missed = sum(len(row.false_alarms) for row in rows), sum(len(row.missed) for row in rows)
    print(f"changes {len(CHANGES) + len(BASELINE_CHANGES)}, false alarms {false_alarms}, missed {missed}")
    return 1 if false_alarms or missed else 0


def _rows(session: Session) -> tuple[list[Row], list[Row], list[Row]]:
    """Of the changes, of taking them back, and of the baseline."""
    made = []
    for number in range(max(len(change.steps) for change in CHANGES)):
        print(f"step {number + 1} …", file=sys.stderr)
        made += session.step(number)
    made.append(session.schedule())
    print(markdown(made), file=sys.stderr)  # a run that is cut short has shown so much
    print("undoing …", file=sys.stderr)
    undone = session.undo()
    print("the baseline …", file=sys.stderr)
    good = session.live_baseline()
    session.approve(good)
    time.sleep(5)
    baseline = [session.change_baseline(change, good) for change in BASELINE_CHANGES]
    return made, undone, [*baseline, session.week()]


def _figures(rows: list[Row]) -> str:
    bus = sorted(row.bus for row in rows if row.bus is not None)
    topic = sorted(row.topic for row in rows if row.topic is not None)
    return (
        f"bus median {bus[len(bus) // 2]:.1f}, most {bus[-1]:.1f} ({len(bus)}); "
        f"topic median {topic[len(topic) // 2]:.1f}, most {topic[-1]:.1f} ({len(topic)})"
    )


if __name__ == "__main__":
    sys.exit(main())
