"""Pictures as plain geometry for SVG; each stands beside the table that says the same."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tutor.tracing.bands import Mastery
from tutor.tracing.trajectories import Point

SPARK_WIDTH, SPARK_HEIGHT = 96, 24
WIDTH, HEIGHT = 640, 260
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 12, 30
BAR_WIDTH, BARS_HEIGHT = 44, 130


@dataclass(frozen=True, slots=True)
class Mark:
    """A day on the picture: its place, and the ends of its interval."""

    x: float
    y: float
    y_lower: float
    y_upper: float
    is_now: bool


@dataclass(frozen=True, slots=True)
class Trajectory:
    """A concept's line with its interval as an area.

    `ticks` are (x, date), `rules` (y, percent).
    """

    width: int
    height: int
    line: str
    area: str
    marks: tuple[Mark, ...]
    ticks: tuple[tuple[float, dt.date], ...]
    rules: tuple[tuple[float, int], ...]
    left: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True)
class Bar:
    """A week: the whole bar is answers, the lower part those right."""

    x: int
    height: float
    right_height: float


def spark(probs: Sequence[float]) -> str:
    """Return a small line of probabilities as the points of a polyline, 96 by 24."""
    if len(probs) == 1:
        probs = [*probs, *probs]
    step = SPARK_WIDTH / (len(probs) - 1)
    return " ".join(
        f"{number * step:.1f},{SPARK_HEIGHT - 2 - prob * (SPARK_HEIGHT - 4):.1f}"
        for number, prob in enumerate(probs)
    )


def draw_trajectory(points: Sequence[Point], *, now: Mastery, today: dt.date) -> Trajectory:
    """Return the picture of a concept: its days, and what is thought of it now."""
    upper_now = min(1.0, 2 * now.prob - now.lower_prob)
    rows = [(p.day, p.prob, p.lower, p.upper) for p in points]
    rows.append((today, now.prob, now.lower_prob, upper_now))
    first, span = rows[0][0], max(1, (today - rows[0][0]).days)

    def x(day: dt.date) -> float:
        return round(LEFT + (day - first).days / span * (WIDTH - LEFT - RIGHT), 1)

    marks = tuple(
        Mark(x(day), _y(prob), _y(lower), _y(upper), is_now=number == len(rows) - 1)
        for number, (day, prob, lower, upper) in enumerate(rows)
    )
    outline = [(m.x, m.y_upper) for m in marks] + [(m.x, m.y_lower) for m in reversed(marks)]
    middle = first + dt.timedelta(days=span // 2)
    ticks = (first, middle, today) if span > 8 else (first, today)
    return Trajectory(
        width=WIDTH,
        height=HEIGHT,
        line=_points((m.x, m.y) for m in marks),
        area=_points(outline),
        marks=marks,
        ticks=tuple((x(day), day) for day in ticks),
        rules=tuple((_y(percent / 100), percent) for percent in (0, 25, 50, 75, 100)),
        left=LEFT,
        right=WIDTH - RIGHT,
        bottom=HEIGHT - BOTTOM,
    )


def draw_bars(weeks: Sequence[tuple[int, int]]) -> tuple[Bar, ...]:
    """Return a bar for each (answers, right) of a week."""
    most = max([answers for answers, _ in weeks] + [1])
    return tuple(
        Bar(
            x=number * BAR_WIDTH,
            height=round(answers / most * BARS_HEIGHT, 1),
            right_height=round(right / most * BARS_HEIGHT, 1),
        )
        for number, (answers, right) in enumerate(weeks)
    )


def _y(prob: float) -> float:
    return round(TOP + (1.0 - prob) * (HEIGHT - TOP - BOTTOM), 1)


def _points(pairs: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in pairs)
