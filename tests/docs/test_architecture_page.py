"""docs/architecture.md names every function with its handler and its use case, as the code has them."""

import importlib
import re
from pathlib import Path
from typing import get_type_hints

import pytest
from samtranslator.yaml_helper import yaml_parse

PROJECT = Path(__file__).parents[2]
HANDLERS = {
    name: resource["Properties"]["Handler"].split(".")
    for name, resource in yaml_parse((PROJECT / "template.yaml").read_text())["Resources"].items()
    if resource["Type"] == "AWS::Serverless::Function"
}
ROWS = re.findall(
    r"^\| `(\w+)` \| `(\w+)_handler` \| `(\w+)` \| `(\w+)` \|$",
    (PROJECT / "docs" / "architecture.md").read_text(),
    re.MULTILINE,
)


def test_every_function_has_its_row():
    assert sorted(row[0] for row in ROWS) == sorted(HANDLERS)


@pytest.mark.parametrize(("function", "handler", "use_case", "module"), ROWS)
def test_a_handler_is_named_after_its_use_case_which_bootstrap_composes(function, handler, use_case, module):
    capability, deployed, _ = HANDLERS[function]
    bootstrap = importlib.import_module(f"{capability}.bootstrap")
    offered = {
        get_type_hints(composed)["return"]
        for name, composed in vars(bootstrap).items()
        if callable(composed) and composed.__module__ == bootstrap.__name__ and name != "caught_pushes"
    }
    floor = "application" if (PROJECT / "functions" / capability / "application").is_dir() else "domain"

    assert deployed == f"{handler}_handler"
    assert handler == module or re.sub(r"(?<!^)(?=[A-Z])", "_", function).lower().endswith(handler)
    assert getattr(importlib.import_module(f"{capability}.{floor}.{module}"), use_case) in offered
