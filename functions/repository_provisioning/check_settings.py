"""``python -m repository_provisioning.check_settings [FILE]``: are the house rules sound? Part of ``make check``."""

import argparse
import sys
from pathlib import Path

from repository_provisioning.bootstrap import HOUSE_RULES
from repository_provisioning.domain.house_rules import HouseRules
from steward import settings
from steward.errors import SettingsError


def main(arguments: list[str] | None = None) -> int:
    """Print what is wrong with the file, as ``file:line: what``; 1 if it cannot be used, else 0."""
    parser = argparse.ArgumentParser(prog="check_settings", description="Check the house rules.")
    parser.add_argument("file", type=Path, nargs="?", default=settings.locate(HOUSE_RULES))
    path: Path = parser.parse_args(arguments).file
    try:
        rules = settings.load(path, HouseRules)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    for place, warning in rules.warnings():
        print(f"{settings.position(path, place)}: warning: {warning}", file=sys.stderr)
    print(f"{path.name}: {len(rules.callers)} rules for callers, {len(rules.repositories)} for repositories")
    return 0


if __name__ == "__main__":
    sys.exit(main())
