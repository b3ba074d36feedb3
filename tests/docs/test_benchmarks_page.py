"""The measurements of the benchmarks' page begin, with the interpreter and the path that it names."""

import os
import re
import subprocess

from tests.docs.test_pages import DOCS, PROJECT

PAGE = (DOCS / "benchmarks.md").read_text(encoding="utf-8")


def test_every_measurement_can_be_imported_as_the_page_says():
    interpreter, path = re.search(r"`python` on this page is `(\S+)`, with `PYTHONPATH=(\S+)`", PAGE).groups()
    modules = sorted(set(re.findall(r"python -m ([\w.]+)", PAGE)))
    lines = "\n".join(["import importlib", f"for module in {modules}: importlib.import_module(module)"])

    done = subprocess.run(
        [PROJECT / interpreter, "-c", lines],
        cwd=PROJECT, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert len(modules) > 5
    assert (done.returncode, done.stderr) == (0, "")
