"""The Python of the functions; settings are checked by their own code."""

import sys

from ecr_steward.errors import CommandError

_RUNTIME = (3, 13)


def require() -> None:
    """Raise CommandError if this Python is older than the functions' runtime."""
    if sys.version_info[:2] < _RUNTIME:
        needed = ".".join(map(str, _RUNTIME))
        files = "RELEASE/ecr_steward-*.whl --with RELEASE/iam_policy_compare-*.whl"
        command = f"uv tool install --python {needed} {files}"
        raise CommandError(
            f"settings are checked by the functions' own code, which needs Python {needed}",
            f"Install the command of the release in the folder RELEASE with it: {command}",
        )
