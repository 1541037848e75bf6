"""Weeks of a class as shapes for SVGs; the table beside them has the numbers."""

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass

from tutor.teacher.activity import Week

WIDTH, HEIGHT = 400, 190
LEFT, RIGHT, TOP, BOTTOM = 44, 10, 10, 26
# So many dates have room below.
MOST_TICKS = 5
# Of the interval of a share (Wilson 1927), 95 %.
Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Bar:
    """A week's bar: its lower part is `part_height` high."""

    x: float
    width: float
    y: float
    height: float
    part_y: float
    part_height: float


@dataclass(frozen=True, slots=True)
class Whisker:
    """A week's share with its interval."""

    x: float
    y: float
    y_lower: float
    y_upper: float


@dataclass(frozen=True, slots=True)
class Charts:
    """Answers as bars, the share right as a line with intervals, awards so far as bars.

    `ticks` are (x, day); the rules are (y, what it stands for).
    """

    bars: tuple[Bar, ...]
    bar_rules: tuple[tuple[float, int], ...]
    line: str
    whiskers: tuple[Whisker, ...]
    share_rules: tuple[tuple[float, int], ...]
    awards: tuple[Bar, ...]
    award_rules: tuple[tuple[float, int], ...]
    ticks: tuple[tuple[float, dt.date], ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    bottom: int = HEIGHT - BOTTOM


def draw(weeks: Sequence[Week]) -> Charts:
    """Return the pictures of some weeks, at least one."""
    step = (WIDTH - LEFT - RIGHT) / len(weeks)
    most, most_awards = _top([w.answers for w in weeks]), _top([w.awards for w in weeks])
    middles = [LEFT + (number + 0.5) * step for number in range(len(weeks))]
    whiskers = tuple(
        _whisker(x, week.right, week.answers)
        for x, week in zip(middles, weeks, strict=True)
        if week.answers
    )
    every = math.ceil(len(weeks) / MOST_TICKS)
    return Charts(
        bars=tuple(
            _bar(x, step, week.answers / most, week.right / most)
            for x, week in zip(middles, weeks, strict=True)
        ),
        bar_rules=_rules(most),
        line=" ".join(f"{w.x:.1f},{w.y:.1f}" for w in whiskers),
        whiskers=whiskers,
        share_rules=tuple((_y(percent / 100), percent) for percent in (0, 25, 50, 75, 100)),
        awards=tuple(
            _bar(x, step, week.awards / most_awards, 0.0)
            for x, week in zip(middles, weeks, strict=True)
        ),
        award_rules=_rules(most_awards),
        ticks=tuple(
            (round(x, 1), week.begins)
            for number, (x, week) in enumerate(zip(middles, weeks, strict=True))
            if number % every == 0
        ),
    )


def wilson(right: int, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927, equation 8 of Brown, Cai & DasGupta 2001).

    >>> [round(end, 3) for end in wilson(8, 10)]
    [0.49, 0.943]
    """
    share, square = right / n, Z * Z
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = Z * math.sqrt(share * (1 - share) / n + square / (4 * n * n)) / (1 + square / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def _whisker(x: float, right: int, n: int) -> Whisker:
    lower, upper = wilson(right, n)
    return Whisker(round(x, 1), _y(right / n), _y(lower), _y(upper))


def _bar(x: float, step: float, share: float, part: float) -> Bar:
    width = min(step * 0.72, 34.0)
    whole, below = _y(share), _y(part)
    floor = HEIGHT - BOTTOM
    return Bar(
        x=round(x - width / 2, 1),
        width=round(width, 1),
        y=whole,
        height=round(floor - whole, 1),
        part_y=below,
        part_height=round(floor - below, 1),
    )


def _top(counts: Sequence[int]) -> int:
    """Return the round number that the axis goes up to: 4, 10, 20, 40, 100, ..."""
    most = max(counts)
    if most <= 4:
        return 4
    power = 10 ** (len(str(most)) - 1)
    return next(top for top in (power, 2 * power, 4 * power, 10 * power) if top >= most)


def _rules(top: int) -> tuple[tuple[float, int], ...]:
    parts = (0, 2, 4) if top % 4 else range(5)
    return tuple((_y(part / 4), top * part // 4) for part in parts)


def _y(share: float) -> float:
    return round(TOP + (1.0 - share) * (HEIGHT - TOP - BOTTOM), 1)
