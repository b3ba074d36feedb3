"""The settings in force, as far as the checks need them."""

from collections.abc import Callable, Sequence
from typing import Any

from steward import settings


class SettingsInForce:
    """Reads the settings of this layer, or of an operator's folder."""

    def __init__(self, locate: Callable[[str], Any] = settings.locate, warnings: Sequence[str] | None = None) -> None:
        self._locate = locate
        self._warnings = warnings

    def secret_readers(self) -> Sequence[str]:
        """Of ``rotation.yaml``."""
        document: dict[str, Any] = settings.load(self._locate("rotation.yaml"), dict[str, Any])
        return tuple(document.get("secret_readers") or ())

    def warnings(self) -> Sequence[str] | None:
        """What was found before; a deployed function has no capability's settings check."""
        return self._warnings
