"""``python -m repository_provisioning.check_settings [FOLDER]`` says whether the house rules are sound."""

import sys

from repository_provisioning.domain.house_rules import SETTINGS_FILE, HouseRules
from steward.check_settings import SettingsFile, check

FILES = (
    SettingsFile(
        name=SETTINGS_FILE,
        what="the house rules",
        into=HouseRules,
        summary=lambda rules: f"{len(rules.callers)} rules for callers, {len(rules.repositories)} for repositories",
        warnings=HouseRules.warnings,
    ),
)


def main(arguments: list[str] | None = None) -> int:
    """Print what is wrong with them, as ``file:line: what``; 1 if they cannot be used, else 0."""
    return check(arguments, *FILES)


if __name__ == "__main__":
    sys.exit(main())
