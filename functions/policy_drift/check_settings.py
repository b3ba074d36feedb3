"""``python -m policy_drift.check_settings [FILE]``: are the drift settings sound? Part of ``make check``."""

import argparse
import sys
from pathlib import Path

from policy_drift.bootstrap import DRIFT
from policy_drift.domain.drift_settings import DriftSettings
from steward import settings
from steward.errors import SettingsError


def main(arguments: list[str] | None = None) -> int:
    """Print what is wrong with the file, as ``file:line: what``; 1 if it cannot be used, else 0."""
    parser = argparse.ArgumentParser(prog="check_settings", description="Check the drift settings.")
    parser.add_argument("file", type=Path, nargs="?", default=settings.locate(DRIFT))
    path: Path = parser.parse_args(arguments).file
    try:
        wanted = settings.load(path, DriftSettings)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{path.name}: changes of {len(wanted.expected_actors)} patterns of actors are expected")
    return 0


if __name__ == "__main__":
    sys.exit(main())
