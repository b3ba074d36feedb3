"""``python -m alerting.check_settings [FILE]``: are the alerting settings sound? Part of ``make check``."""

import sys

from alerting.bootstrap import SETTINGS_FILE
from alerting.domain.routing import AlertingSettings
from steward.check_settings import check


def main(arguments: list[str] | None = None) -> int:
    """Print what is wrong with the file, as ``file:line: what``; 1 if it cannot be used, else 0."""
    return check(
        arguments,
        what="the alerting settings",
        file=SETTINGS_FILE,
        into=AlertingSettings,
        summary=lambda wanted: f"{len(wanted.routes)} routes",
        warnings=AlertingSettings.warnings,
    )


if __name__ == "__main__":
    sys.exit(main())
