"""Every fault at every call of every scenario of a user's life, counted: cases, checks of invariants, violations.

``python -m tests.unit.access_key_rotation.crash_matrix [PART/PARTS]``: the cases and the invariants are those of the
tests, which fail at the first violation; here they are counted, and so are the rules whose absence is noticed. A part
is every so-manieth case.
"""

import sys
import time
from collections import Counter
from dataclasses import dataclass

from access_key_rotation.domain.rules import order
from tests.unit.access_key_rotation.invariants import InvariantViolatedError
from tests.unit.access_key_rotation.lives import Fault, without
from tests.unit.access_key_rotation.scenarios import SCENARIOS
from tests.unit.access_key_rotation.test_crash_matrix import cases, noticed


@dataclass
class Tally:
    """What became of the cases of one scenario."""

    cases: int = 0
    checks: int = 0
    violations: int = 0
    wrong_ends: int = 0


def live_through(part, parts):
    """Live through every case of this part, whatever comes of it."""
    found = {}
    for scenario in SCENARIOS:
        tally = found[scenario.__name__] = Tally()
        for at, kind, retry in cases(scenario)[part::parts]:
            tally.cases += 1
            try:
                tally.checks += scenario(fault=Fault(at, kind), retry=retry).invariants.checks
            except InvariantViolatedError:
                tally.violations += 1
            except AssertionError:
                tally.wrong_ends += 1
    return found


def report(found, seconds):
    """The tallies as lines, scenario by scenario."""
    total = Counter()
    yield f"{'scenario':34} {'cases':>7} {'checks':>11} {'violations':>10} {'wrong ends':>10}"
    for name, tally in found.items():
        total.update(vars(tally))
        yield _line(name, **vars(tally))
    yield f"{_line('all', **total)}   in {seconds:.0f} s"


def _line(name, cases, checks, violations, wrong_ends):
    return f"{name:34} {cases:7} {checks:11,} {violations:10} {wrong_ends:10}"


def main():
    """Print what was found."""
    part, _, parts = (sys.argv[1] if len(sys.argv) > 1 else "1/1").partition("/")
    began = time.perf_counter()
    found = live_through(int(part) - 1, int(parts))
    caught = [rule for rule in order.RULES if noticed(decide=without(rule.__name__))]
    lines = [*report(found, time.perf_counter() - began), f"rules noticed: {len(caught)} of {len(order.RULES)}"]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
