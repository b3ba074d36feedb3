"""Mutation testing of the comparison engine, the escalation paths and the severity on a fixed random sample of mutants.

Run with uv, which adds the tool to the project's environment for this one run::

    uv run --no-project --python .venv/bin/python --with cosmic-ray python scripts/mutation_sample.py

The mutants are cosmic-ray's. In place of a process for each, one process that has pytest loaded forks for each mutant;
the child puts the mutated source in place of the module's when it is imported, so that no file changes. The tests of
the engine have to notice, those first that notice most. A mutant that uses up its processor time or memory is noticed.

A mutant's place in the sample depends on nothing but itself (its module, line and operator) and the seed: when the code
changes, the sample keeps all mutants of the lines that stay. Left out are mutants of type annotations, which change
no behaviour.
"""

import argparse
import ast
import difflib
import hashlib
import os
import resource
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType

import hypothesis
import pytest
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

ROOT = Path(__file__).parents[1]
LANGUAGE = ROOT / "layers" / "iam_policy"
SEVERITY = ROOT / "functions" / "policy_drift" / "domain" / "severity"
TESTS = ROOT / "tests" / "unit"


def _tests(folder: str, *first: str) -> list[Path]:
    """All tests of a folder, those that notice most at the start."""
    named = [TESTS / folder / f"test_{name}.py" for name in first]
    return [*named, *sorted(set((TESTS / folder).glob("test_*.py")) - set(named))]


#: The folders with their tests, in the order in which these are run.
TESTS_OF = {
    LANGUAGE: _tests("iam_policy", "evaluation", "comparison", "binding", "documents", "canonical_form", "principals"),
    LANGUAGE / "escalation": [
        TESTS / "iam_policy" / "test_escalation_paths.py",
        *(TESTS / "policy_drift" / f"test_{name}.py" for name in ("escalation", "ways_in_and_up")),
    ],
    SEVERITY: [
        TESTS / "policy_drift" / f"test_{name}.py"
        for name in (
            "severities",
            "ways_in_and_up",
            "drifts",
            "escalation",
            "credentials",
            "bounded_runs",
            "drifts_properties",
        )
    ],
}
EXAMPLES_OF_A_PROPERTY = 12
#: Processor time of a mutant, in that of the code as it is.
TIMES_AS_LONG = 3
BYTES_OF_A_MUTANT = 3 * 1024**3 // 2
Position = tuple[int, int]


@dataclass(frozen=True)
class Mutant:
    """One change of one module: cosmic-ray's operator, and which of its occurrences there."""

    path: Path
    line: int
    operator: str
    occurrence: int
    identity: str

    def source(self) -> str:
        """The module with the change in it."""
        operator = get_operator(self.operator)()
        mutated: str = mutate_code(self.path.read_text(encoding="utf-8"), operator, self.occurrence)
        return mutated

    def rank(self, seed: int) -> str:
        """A random number that is always the same for the same mutant and seed."""
        return hashlib.sha256(f"{seed} {self.identity}".encode()).hexdigest()


def main() -> None:
    """Draw the sample, run it, and print the score and the survivors."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--size", type=int, default=500)
    options.add_argument("--first", type=int, default=0, help="mutants of the sample that are left out, of its start")
    options.add_argument("--seed", type=int, default=4)
    options.add_argument("--jobs", type=int, default=2, help="processes at a time")
    options.add_argument("--report", type=Path, default=None, help="a file for the survivors' diffs")
    asked = options.parse_args()
    seconds = {folder: seconds_of(folder) for folder in TESTS_OF}
    every = [mutant for folder in TESTS_OF for path in sorted(folder.glob("*.py")) for mutant in mutants(path)]
    sample = sorted(every, key=lambda mutant: mutant.rank(asked.seed))[asked.first : asked.size]
    print(f"{len(every)} mutants besides those of annotations, {len(sample)} drawn with seed {asked.seed}", flush=True)
    outcomes = dict(run(sample, asked.jobs, seconds))
    counts = Counter(outcomes.values())
    killed = len(sample) - counts["survived"]
    print(f"{killed} of {len(sample)} killed: {100 * killed / len(sample):.1f} %  {dict(counts)}")
    survivors = sorted(
        (mutant for mutant in sample if outcomes[mutant] == "survived"), key=lambda one: (one.path, one.line)
    )
    for mutant in survivors:
        print(f"survived: {mutant.path.name}:{mutant.line} {mutant.operator.removeprefix('core/')}")
    if asked.report is not None:
        asked.report.write_text("\n".join(map(difference, survivors)), encoding="utf-8")


def seconds_of(folder: Path) -> int:
    """The processor time that a mutant of a folder may use."""
    _, status, used = os.wait4(start(None, folder, resource.RLIM_INFINITY), 0)
    if outcome_of(status) != "survived":
        sys.exit("The tests have to pass on the code as it is.")
    return int(TIMES_AS_LONG * (used.ru_utime + used.ru_stime))


def mutants(path: Path) -> Iterator[Mutant]:
    """All mutants of a module."""
    source = path.read_text(encoding="utf-8")
    lines, annotated, nodes = source.splitlines(), annotations(source), list(ast_nodes(get_ast(source)))
    alike: Counter[str] = Counter()
    for name in sorted(operator_names()):
        if get_operator(name).arguments():  # needs to be told what to put in
            continue
        operator = get_operator(name)()
        places = [first for node in nodes for first, _ in operator.mutation_positions(node)]
        for occurrence, place in enumerate(places):
            identity = f"{path.name} {name} {lines[place[0] - 1].strip()}"
            alike[identity] += 1
            if not any(first <= place <= last for first, last in annotated):
                yield Mutant(path, place[0], name, occurrence, f"{identity} {alike[identity]}")


def annotations(source: str) -> list[tuple[Position, Position]]:
    """The places of a module's type annotations: first and last row and column."""
    found = []
    for node in ast.walk(ast.parse(source)):
        for name in ("annotation", "returns", "bound"):
            part = getattr(node, name, None)
            if isinstance(part, ast.expr):
                last = (part.end_lineno or 0, part.end_col_offset or 0)
                found.append(((part.lineno, part.col_offset), last))
    return found


def run(sample: list[Mutant], jobs: int, seconds: dict[Path, int]) -> Iterator[tuple[Mutant, str]]:
    """The outcome of each mutant, so many processes at a time and each with so much processor time."""
    waiting = list(reversed(sample))
    running: dict[int, Mutant] = {}
    while waiting or running:
        while waiting and len(running) < jobs:
            mutant = waiting.pop()
            folder = mutant.path.parent
            running[start(mutant, folder, seconds[folder])] = mutant
        child, status = os.wait()
        mutant = running.pop(child)
        outcome = outcome_of(status)
        print(f"{outcome}: {mutant.path.name}:{mutant.line} {mutant.operator}", file=sys.stderr, flush=True)
        yield mutant, outcome


def start(mutant: Mutant | None, folder: Path, seconds: int) -> int:
    """Start the tests of a folder for a mutant, or for the code as it is; the process's id."""
    child = os.fork()
    if child:
        return child
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (BYTES_OF_A_MUTANT, BYTES_OF_A_MUTANT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if mutant is not None:
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, sys.stdout.fileno())
        os.dup2(silence, sys.stderr.fileno())
        put_in_place(mutant.path, mutant.source())
    os.environ["PROPERTY_EXAMPLES"] = str(EXAMPLES_OF_A_PROPERTY)
    hypothesis.settings.register_profile("mutants", database=None, phases=[hypothesis.Phase.generate], deadline=None)
    tests = list(map(str, TESTS_OF[folder]))
    quiet = ["-x", "-q", "--no-header", "-p", "no:cacheprovider", "--rootdir", str(ROOT)]
    quiet += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # hypothesis is loaded before pytest starts
    # What runs in a process of its own would run the code as it is.
    which = ["-m", "not slow", "-k", "not runs_as_a_module"]
    outcome = pytest.main([*tests, *quiet, *which, "--hypothesis-profile", "mutants", "--hypothesis-seed", "4"])
    sys.stdout.flush()
    os._exit(outcome)


def put_in_place(path: Path, source: str) -> None:
    """Let this process import a module from another source than its file's."""
    as_it_is = SourceFileLoader.get_code

    def get_code(loader: SourceFileLoader, name: str) -> CodeType | None:
        if Path(loader.path) == path:
            return compile(source, path, "exec", dont_inherit=True)
        return as_it_is(loader, name)

    SourceFileLoader.get_code = get_code  # type: ignore[assignment, method-assign]


def outcome_of(status: int) -> str:
    """What the end of a process says of its mutant."""
    if os.WIFSIGNALED(status):
        return "killed by its limits"
    return "survived" if os.waitstatus_to_exitcode(status) == pytest.ExitCode.OK else "killed by a test"


def difference(mutant: Mutant) -> str:
    """The change as a diff."""
    before = mutant.path.read_text(encoding="utf-8").splitlines()
    return "\n".join(
        difflib.unified_diff(before, mutant.source().splitlines(), mutant.path.name, mutant.path.name, n=1, lineterm="")
    )


if __name__ == "__main__":
    main()
