"""``python -m access_key_rotation.check_settings [FILE]``: are the rotation settings sound? Part of ``make check``."""

import sys

from access_key_rotation.bootstrap import SETTINGS_FILE
from access_key_rotation.domain.settings import RotationSettings
from steward.check_settings import check


def main(arguments: list[str] | None = None) -> int:
    """Print what is wrong with the file, as ``file:line: what``; 1 if it cannot be used, else 0."""
    return check(
        arguments,
        what="the rotation settings",
        file=SETTINGS_FILE,
        into=RotationSettings,
        summary=lambda wanted: f"a key is replaced after {wanted.times.rotate_after_days:g} days",
        warnings=RotationSettings.warnings,
    )


if __name__ == "__main__":
    sys.exit(main())
