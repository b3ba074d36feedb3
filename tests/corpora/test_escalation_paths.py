"""Every path of the list that IAM alone can express is found when granted in pieces, and is in the shipped data."""

import json
from pathlib import Path
from typing import Any

import pytest

from iam_policy.escalation import known_paths
from policy_drift.domain.account import Account
from tests.unit.policy_drift.accounts import account, allow, group, policy, role, user
from tests.unit.policy_drift.escalating import OWN, found_in

LIST = Path(__file__).parents[3] / "shared" / "corpora" / "privesc_paths.json"
pytestmark = pytest.mark.skipif(not LIST.exists(), reason="the corpora are not here")

PATHS: list[dict[str, Any]] = json.loads(LIST.read_text(encoding="utf-8"))["paths"] if LIST.exists() else []


def granted(path: dict[str, Any]) -> Account:
    """To a role where its own kind of entity is one, else to a user: inline, attached, by a group or inline again."""
    pieces = [allow(step["action"], on=step["resources"]) for step in path["required"] if not step.get("optional")]
    attached = policy("attached", pieces[1] if len(pieces) > 1 else allow("s3:ListBucket"))
    if path["id"] in ("iam-005", "iam-009"):
        return account(role("app", pieces[0], *pieces[2:], attached=[attached, OWN]), attached, OWN)
    member = user("ann", pieces[0], attached=[attached, OWN], groups=("team",))
    return account(member, group("team", *pieces[2:]), attached, OWN)


def test_the_shipped_data_holds_every_path() -> None:
    assert [path.id for path in known_paths()][: len(PATHS)] == [path["id"] for path in PATHS]


@pytest.mark.parametrize("path", PATHS, ids=[path["id"] for path in PATHS])
def test_a_path_of_the_list_is_found(path: dict[str, Any]) -> None:
    assert found_in(granted(path))[path["id"]].category == path["category"]
