"""What is done to the artefacts after ``sam build`` and before ``sam deploy``, for AWS and for the laptop alike."""

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def finish(build: "Path", settings: "Path | None") -> None:
    """Put an operator's settings into the layer that has the shipped ones, and nobody else's.

    The functions read both, as ``make check`` does. They are one layer version, so CloudFormation rolls code and
    settings back together.

    Parameters
    ----------
    build
        SAM's build folder.
    settings
        The operator's folder; None for the shipped settings alone.
    """
    layer = build / "SettingsLayer" / "python" / "settings"
    own = layer / "operator"
    shutil.rmtree(own, ignore_errors=True)
    if settings is not None:
        own.mkdir()
        for path in sorted(settings.glob("*.yaml")):
            shutil.copyfile(path, own / path.name)
