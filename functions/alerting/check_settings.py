"""``python -m alerting.check_settings [FILE]``: are the alerting settings sound? Part of ``make check``."""

import argparse
import sys
from pathlib import Path

from alerting.bootstrap import ALERTING
from alerting.domain.routing import AlertingSettings
from steward import settings
from steward.errors import SettingsError


def main(arguments: list[str] | None = None) -> int:
    """Print what is wrong with the file, as ``file:line: what``; 1 if it cannot be used, else 0."""
    parser = argparse.ArgumentParser(prog="check_settings", description="Check the alerting settings.")
    parser.add_argument("file", type=Path, nargs="?", default=settings.locate(ALERTING))
    path: Path = parser.parse_args(arguments).file
    try:
        wanted = settings.load(path, AlertingSettings)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    for place, warning in wanted.warnings():
        print(f"{settings.position(path, place)}: warning: {warning}", file=sys.stderr)
    print(f"{path.name}: {len(wanted.routes)} routes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
