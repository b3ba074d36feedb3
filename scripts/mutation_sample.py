"""Mutation testing of the comparison engine on a fixed random sample of mutants.

Run with uv, which fetches the tools for this one run::

    uv run --no-project --with cosmic-ray --with pytest --with hypothesis python scripts/mutation_sample.py

The tree is copied, so that the mutants never touch the sources. Mutants of type annotations are left out: they change
no behaviour. The example tests of the engine and its property tests (with fewer examples) have to notice the others.
"""

import argparse
import ast
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
LANGUAGE = Path("functions/policy_drift/domain/language")
TESTS = Path("tests/unit/policy_drift")
#: Quick ones first; what they let pass goes to all of them.
QUICK = (
    "test_comparison.py",
    "test_evaluation.py",
    "test_documents.py",
    "test_principals.py",
    "test_canonical_form.py",
)
ALL = (*QUICK, "test_globs.py", "test_command_line.py", "test_comparison_properties.py")


def main() -> None:
    """Make the mutants, draw the sample, run it, and print the score and the survivors."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--size", type=int, default=500)
    options.add_argument("--seed", type=int, default=4)
    options.add_argument("--report", type=Path, default=None, help="a file for the survivors' diffs")
    options.add_argument("--work", type=Path, default=None, help="a folder to work in, so that a run can be resumed")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = asked.work or Path(folder)
        tool = str(Path(sys.executable).with_name("cosmic-ray"))
        if not (work / "mutants.sqlite").exists():
            prepare(work, tool, asked.size, asked.seed)
        configure(work, QUICK)
        surroundings = os.environ | {"PROPERTY_EXAMPLES": "12", "PYTHONDONTWRITEBYTECODE": "1"}
        subprocess.run([tool, "exec", "mutation.toml", "mutants.sqlite"], cwd=work, check=True, env=surroundings)
        with sqlite3.connect(work / "mutants.sqlite") as database:
            database.execute("DELETE FROM work_results WHERE test_outcome = 'SURVIVED'")
        configure(work, ALL)
        subprocess.run([tool, "exec", "mutation.toml", "mutants.sqlite"], cwd=work, check=True, env=surroundings)
        with sqlite3.connect(work / "mutants.sqlite") as database:
            report(database, asked.report)


def prepare(work: Path, tool: str, size: int, seed: int) -> None:
    """Copy the tree, make the mutants and draw the sample."""
    work.mkdir(exist_ok=True)
    for tree in ("functions", "layers", "tests"):
        shutil.copytree(ROOT / tree, work / tree, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", work)
    configure(work, QUICK)
    subprocess.run([tool, "init", "mutation.toml", "mutants.sqlite"], cwd=work, check=True)
    with sqlite3.connect(work / "mutants.sqlite") as database:
        drawn, all_of_them = draw(database, work, size, seed)
    print(f"{all_of_them} mutants besides those of annotations, {drawn} drawn with seed {seed}", flush=True)


def configure(work: Path, names: tuple[str, ...]) -> None:
    """Say what to mutate, and which tests to run for each mutant."""
    tests = " ".join(str(TESTS / name) for name in names)
    command = f"{sys.executable} -B -m pytest -x -q -p no:cacheprovider {tests} -m 'not slow' -k 'not long_to_match'"
    (work / "mutation.toml").write_text(
        f'[cosmic-ray]\nmodule-path = "{LANGUAGE}"\ntimeout = 60.0\nexcluded-modules = []\n'
        f'test-command = """{command}"""\n[cosmic-ray.distributor]\nname = "local"\n'
    )


def draw(database: sqlite3.Connection, work: Path, size: int, seed: int) -> tuple[int, int]:
    """Keep a random sample of the mutants, in the order drawn, so that the first of them are a sample too."""
    rows = database.execute("SELECT job_id, module_path, start_pos_row, start_pos_col FROM mutation_specs").fetchall()
    annotated = {path: annotations(work / path) for path in {path for _, path, _, _ in rows}}
    ordered = sorted(
        (path, row, column, job)
        for job, path, row, column in rows
        if not any(first <= (row, column) <= last for first, last in annotated[path])
    )
    # Job ids differ from run to run; the sample is drawn by place.
    places = random.Random(seed).sample(range(len(ordered)), min(size, len(ordered)))
    kept = [ordered[place][-1] for place in places]
    for table in ("mutation_specs", "work_items"):
        rows_of = {row[-1]: row for row in database.execute(f"SELECT * FROM {table}")}  # noqa: S608 - one of two names
        database.execute(f"DELETE FROM {table}")  # noqa: S608 - one of two names
        marks = ", ".join("?" * len(rows_of[kept[0]]))
        database.executemany(f"INSERT INTO {table} VALUES ({marks})", [rows_of[job] for job in kept])  # noqa: S608
    return len(kept), len(ordered)


def annotations(path: Path) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """The places of a module's type annotations: first and last row and column."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        for name in ("annotation", "returns"):
            part = getattr(node, name, None)
            if isinstance(part, ast.expr):
                last = (part.end_lineno or 0, part.end_col_offset or 0)
                found.append(((part.lineno, part.col_offset), last))
    return found


def report(database: sqlite3.Connection, path: Path | None) -> None:
    """Print the score, and write the survivors' differences."""
    rows = database.execute(
        "SELECT module_path, definition_name, start_pos_row, operator_name, test_outcome, diff "
        "FROM work_results JOIN mutation_specs USING (job_id)"
    ).fetchall()
    outcomes = Counter(str(outcome).lower() for *_, outcome, _ in rows)
    killed = sum(count for outcome, count in outcomes.items() if "survived" not in outcome)
    print(f"{killed} of {len(rows)} killed: {100 * killed / max(len(rows), 1):.1f} %  {json.dumps(outcomes)}")
    survivors = [row for row in rows if "survived" in str(row[4]).lower()]
    for module, definition, line, operator, _, _ in sorted(survivors, key=lambda row: (row[0], row[2])):
        print(f"survived: {Path(module).name}:{line} {definition} {operator}")
    if path is not None:
        path.write_text("\n".join(str(diff) for *_, diff in survivors), encoding="utf-8")


if __name__ == "__main__":
    main()
