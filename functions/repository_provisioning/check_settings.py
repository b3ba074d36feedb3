"""``python -m repository_provisioning.check_settings [FILE]``: are the house rules sound? Part of ``make check``."""

import sys

from repository_provisioning.bootstrap import SETTINGS_FILE
from repository_provisioning.domain.house_rules import HouseRules
from steward.check_settings import check


def main(arguments: list[str] | None = None) -> int:
    """Print what is wrong with the file, as ``file:line: what``; 1 if it cannot be used, else 0."""
    return check(
        arguments,
        what="the house rules",
        file=SETTINGS_FILE,
        into=HouseRules,
        summary=lambda rules: f"{len(rules.callers)} rules for callers, {len(rules.repositories)} for repositories",
        warnings=HouseRules.warnings,
    )


if __name__ == "__main__":
    sys.exit(main())
