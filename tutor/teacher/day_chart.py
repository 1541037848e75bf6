"""Bars of questions by day, as shapes for an SVG; the table beside it has the numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

from tutor.scheduling.monitor import Day

HEIGHT, STEP, BAR = 120, 22, 16


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a bar, in the SVG's units."""

    kind: str
    x: int
    y: str
    height: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing of so many units, with its pieces."""

    width: int
    height: int
    bar: int
    parts: tuple[Part, ...]


def draw(days: Sequence[Day]) -> Chart | None:
    """Return the bars, the most questions of a day as high as the drawing; None for no day."""
    if not days:
        return None
    unit = HEIGHT / max(day.questions for day in days)
    parts = []
    for place, day in enumerate(days):
        y = float(HEIGHT)
        for kind, count in (
            ("planned", day.planned),
            ("explored", day.explored),
            ("teacher", day.teacher_order),
        ):
            height = count * unit
            y -= height
            if count:
                parts.append(Part(kind, place * STEP, f"{y:.2f}", f"{height:.2f}"))
    return Chart(width=len(days) * STEP, height=HEIGHT, bar=BAR, parts=tuple(parts))
