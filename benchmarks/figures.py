"""What a measurement found, beside what it should be; as a table for people and as JSON for programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

type Relation = Literal["at least", "at most", "exactly"]


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure should be."""

    relation: Relation
    value: float

    def is_met_by(self, value: float) -> bool:
        """Whether ``value`` is as it should be."""
        match self.relation:
            case "at least":
                return value >= self.value
            case "at most":
                return value <= self.value
            case "exactly":
                return value == self.value

    def __str__(self) -> str:
        """The target in words."""
        return f"{self.relation} {self.value:g}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number.

    Attributes
    ----------
    what
        What was measured, in words.
    value, unit
        The number, and what it counts: ``times``, ``s``, ``calls``, ``MB``.
    target
        What it should be; None for a figure that is for information.
    detail
        What the number was made of.
    """

    what: str
    value: float
    unit: str
    target: Target | None = None
    detail: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        return self.target.is_met_by(self.value) if self.target else None

    def as_json(self) -> dict[str, Any]:
        """The figure as plain values."""
        return asdict(self) | {"met": self.met}


type Findings = dict[str, list[Figure]]
"""The figures of each measurement, by its name."""


def as_table(findings: Findings, conditions: dict[str, Any]) -> str:
    """The findings as text: one line per figure, and under it what it was made of."""
    figures = [figure for group in findings.values() for figure in group]
    width = max((len(figure.what) for figure in figures), default=0)
    lines = [f"{name}: {value}" for name, value in conditions.items()]
    for name, group in findings.items():
        lines += ["", name]
        for figure in group:
            number = f"{figure.value:,.2f}".rstrip("0").rstrip(".")
            lines.append(f"  {figure.what:<{width}}  {number:>8} {figure.unit:<6} {_verdict(figure)}".rstrip())
            if figure.detail:
                lines.append(f"    {figure.detail}")
    missed = sum(figure.met is False for figure in figures)
    targets = sum(figure.target is not None for figure in figures)
    return "\n".join([*lines, "", f"{targets - missed} of {targets} targets met"])


def as_json(findings: Findings, conditions: dict[str, Any]) -> str:
    """The findings as one JSON object: ``conditions`` and ``figures``, by measurement."""
    figures = {name: [figure.as_json() for figure in group] for name, group in findings.items()}
    return json.dumps({"conditions": conditions, "figures": figures}, indent=1, ensure_ascii=False)


def all_met(findings: Findings) -> bool:
    """Whether no target was missed."""
    return all(figure.met is not False for group in findings.values() for figure in group)


def median_and_least(values: Sequence[float]) -> tuple[float, float]:
    """The median and the least of some timings; on a busy machine the least is the one that noise spares."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    median = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    return median, ordered[0]


def _verdict(figure: Figure) -> str:
    if figure.target is None:
        return ""
    return f"{'met' if figure.met else 'MISSED'}: {figure.target}"
