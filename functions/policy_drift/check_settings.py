"""``python -m policy_drift.check_settings [FILE]``: are the drift settings sound? Part of ``make check``."""

import sys

from policy_drift.bootstrap import SETTINGS_FILE
from policy_drift.domain.settings import DriftSettings
from steward.check_settings import check


def main(arguments: list[str] | None = None) -> int:
    """Print what is wrong with the file, as ``file:line: what``; 1 if it cannot be used, else 0."""
    return check(
        arguments,
        what="the drift settings",
        file=SETTINGS_FILE,
        into=DriftSettings,
        summary=lambda wanted: f"changes of {len(wanted.expected_actors)} patterns of actors are expected",
    )


if __name__ == "__main__":
    sys.exit(main())
