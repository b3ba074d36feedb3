"""How bad something is: one scale for drift, for every other event and for the settings."""

from enum import IntEnum
from typing import Literal, Self

SeverityName = Literal["INFO", "LOW", "MEDIUM", "HIGH", "CRITICAL"]


class Severity(IntEnum):
    """How bad; in events, settings and reports its name stands."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @classmethod
    def named(cls, name: str) -> Self:
        """By its name. An unknown name counts as HIGH: unknown is never harmless."""
        return cls.__members__.get(name, cls.HIGH)
