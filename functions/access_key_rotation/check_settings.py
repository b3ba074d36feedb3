"""``python -m access_key_rotation.check_settings [FILE]``: are the rotation settings sound? Part of ``make check``."""

import argparse
import sys
from pathlib import Path

from access_key_rotation.bootstrap import ROTATION
from access_key_rotation.domain.policy import RotationSettings
from steward import settings
from steward.errors import SettingsError


def main(arguments: list[str] | None = None) -> int:
    """Print what is wrong with the file, as ``file:line: what``; 1 if it cannot be used, else 0."""
    parser = argparse.ArgumentParser(prog="check_settings", description="Check the rotation settings.")
    parser.add_argument("file", type=Path, nargs="?", default=settings.locate(ROTATION))
    path: Path = parser.parse_args(arguments).file
    try:
        wanted = settings.load(path, RotationSettings)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    if len(wanted.secret_readers) == 0:
        print(f"{path.name}: warning: secret_readers is empty, so that IAM alone says who reads keys", file=sys.stderr)
    print(f"{path.name}: a key is replaced after {wanted.times.rotate_after_days:g} days")
    return 0


if __name__ == "__main__":
    sys.exit(main())
