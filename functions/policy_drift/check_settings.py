"""``python -m policy_drift.check_settings [FOLDER]`` says whether the drift settings are sound."""

import sys

from policy_drift.domain.settings import SETTINGS_FILE, DriftSettings
from steward.check_settings import SettingsFile, check

FILES = (
    SettingsFile(
        name=SETTINGS_FILE,
        what="the drift settings",
        into=DriftSettings,
        summary=lambda wanted: f"changes of {len(wanted.expected_actors)} patterns of actors are expected",
    ),
)


def main(arguments: list[str] | None = None) -> int:
    """Print what is wrong with them, as ``file:line: what``; 1 if they cannot be used, else 0."""
    return check(arguments, *FILES)


if __name__ == "__main__":
    sys.exit(main())
