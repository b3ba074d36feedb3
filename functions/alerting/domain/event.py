"""An event of the bus, as alerting reads it: of any capability, of any version, with any data."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Data:
    """What an event says. Reading never fails: what is absent or of another shape is empty."""

    values: Mapping[str, Any]

    def text(self, key: str) -> str:
        """A text or number; empty where there is none."""
        value = self.values.get(key)
        return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""

    def texts(self, key: str) -> list[str]:
        """A list of texts."""
        value = self.values.get(key)
        return [str(item) for item in value if isinstance(item, str | int | float)] if isinstance(value, list) else []

    def holds(self, key: str) -> bool:
        """Whether it is true, in as many words."""
        return self.values.get(key) is True

    def inner(self, key: str) -> "Data":
        """An object inside."""
        value = self.values.get(key)
        return Data(value if isinstance(value, dict) else {})

    def inners(self, key: str) -> list["Data"]:
        """A list of objects."""
        value = self.values.get(key)
        return [Data(item) for item in value if isinstance(item, dict)] if isinstance(value, list) else []


@dataclass(frozen=True, slots=True)
class BusEvent:
    """One event. ``at`` is when it was published; ``id`` is the bus's: the same however often it is delivered."""

    id: str
    capability: str
    detail_type: str
    at: datetime
    account: str
    region: str
    data: Data
