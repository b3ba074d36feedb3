"""Names and first lines are plain English: subject, verb, object, with the words of the field.

Held to the list are the first lines of docstrings, the names of tests, and the prose of the documentation. A word of
the list that must be used, as a name of AWS, stands in a code span.
"""

import ast
import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PLAIN = {
    r"whom": "say who does it: 'the caller that …'",
    r"whose": "'with', or another sentence",
    r"whoever": "'every caller that'",
    r"whatever": "'any', 'every', or what it is",
    r"lest": "'so that … not'",
    r"somebody": "the role: 'a person', 'an operator', 'a caller'",
    r"nobody": "'no caller', 'no person', 'without a reader'",
    r"tell|tells|told": "'publish', 'report', 'alert', 'return'",
    r"who waits?": "'pending alerts', 'callers that'",
}
"""Words that readers stumble over -> what to write instead."""
BLOCK = re.compile(r"^( *)```.*?^ *```", re.DOTALL | re.MULTILINE)
IN_PROSE = {"whom", "whoever", "whatever", "lest", "who waits?"}
"""Those that pages, whose sentences are longer, avoid, too."""
CODE = [
    *sorted(folder for folder in (PROJECT / "functions").iterdir() if folder.is_dir()),
    *(PROJECT / "layers" / layer for layer in ("steward", "iam_policy", "settings")),
    *(PROJECT / name for name in ("local", "scripts", "benchmarks", "consumer", "cli")),
]
TESTS = [
    *sorted(
        folder for folder in (PROJECT / "tests").iterdir() if any(folder.glob("*.py")) or any(folder.glob("*/*.py"))
    ),
]
PAGES = [
    *(PROJECT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted(page for page in (PROJECT / "docs").rglob("*.md") if page.name != "policy-drift-changes.md"),
]
"""Every page but the one that a measurement writes."""


def first_lines(path):
    """Line number and first line of every docstring of a module."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield node.body[0].lineno, text.split("\n", 1)[0]


def names_of_tests(path):
    """Line number and name, in words, of every test of a module."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.lineno, node.name.replace("_", " ")


def prose(path):
    """Number and text of every line of a page, without blocks and spans of code."""
    text = BLOCK.sub(lambda block: "\n" * block[0].count("\n"), path.read_text())
    for number, line in enumerate(text.splitlines(), start=1):
        yield number, re.sub(r"`[^`]*`|\]\([^)]*\)", "", line)


def found(files, texts, words=PLAIN):
    """Where a listed word stands outside of code spans."""
    listed = re.compile("|".join(rf"\b(?:{word})\b" for word in words), re.IGNORECASE)
    return [
        f"{path.relative_to(PROJECT)}:{number}: {text}"
        for path in files
        for number, text in texts(path)
        if listed.search(re.sub(r"`[^`]*`", "", text))
    ]


@pytest.mark.parametrize("folder", CODE, ids=lambda folder: folder.name)
def test_first_lines_of_docstrings_are_plain(folder):
    modules = sorted(folder.rglob("*.py"))

    assert modules
    assert found(modules, first_lines) == []


@pytest.mark.parametrize("folder", TESTS, ids=lambda folder: folder.name)
def test_names_of_tests_are_plain(folder):
    assert found(sorted(folder.rglob("test_*.py")), names_of_tests) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_prose_is_plain(page):
    assert found([page], prose, IN_PROSE) == []


@pytest.mark.parametrize(
    "line", ["Whom AWS takes it for.", "Those who wait, the worst first.", "A drift is told once."]
)
def test_the_list_finds_its_words(tmp_path, line):
    module = tmp_path / "module.py"
    module.write_text(f'"""{line}"""\n')

    assert [text for _, text in first_lines(module)] == [line]
    assert re.search("|".join(PLAIN), line, re.IGNORECASE)
