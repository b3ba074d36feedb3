"""``python -m access_key_rotation.check_settings [FOLDER]`` says whether the rotation settings are sound."""

import sys

from access_key_rotation.domain.settings import SETTINGS_FILE, RotationSettings
from steward.check_settings import SettingsFile, check

FILES = (
    SettingsFile(
        name=SETTINGS_FILE,
        what="the rotation settings",
        into=RotationSettings,
        summary=lambda wanted: f"a key is replaced after {wanted.times.rotate_after_days:g} days",
        warnings=RotationSettings.warnings,
    ),
)


def main(arguments: list[str] | None = None) -> int:
    """Print what is wrong with them, as ``file:line: what``; 1 if they cannot be used, else 0."""
    return check(arguments, *FILES)


if __name__ == "__main__":
    sys.exit(main())
