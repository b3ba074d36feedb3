"""``python -m alerting.check_settings [FOLDER]`` says whether the alerting settings are sound."""

import sys
from dataclasses import fields

from alerting.domain.routing import SETTINGS_FILE, AlertingSettings
from steward.check_settings import SettingsFile, check
from steward.severities import SEVERITIES_FILE, Severities

FILES = (
    SettingsFile(
        name=SETTINGS_FILE,
        what="the alerting settings",
        into=AlertingSettings,
        summary=lambda wanted: f"{len(wanted.routes)} routes",
        warnings=AlertingSettings.warnings,
    ),
    SettingsFile(
        name=SEVERITIES_FILE,
        what="the severities",
        into=Severities,
        summary=lambda severities: (
            f"{len(fields(severities.events))} severities of events, {len(fields(severities.drift))} of drift"
        ),
    ),
)


def main(arguments: list[str] | None = None) -> int:
    """Print what is wrong with them, as ``file:line: what``; 1 if they cannot be used, else 0."""
    return check(arguments, *FILES)


if __name__ == "__main__":
    sys.exit(main())
