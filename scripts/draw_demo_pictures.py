"""Draws the pictures of the demo course anew: the same pixels every time.

    .venv/bin/python scripts/draw_demo_pictures.py    # writes tutor/content/demo_course/pictures/

Everything is drawn four times as large and scaled down, which smooths the edges; a palette of the
few colours in use and their steps to white keeps a file at one to five kilobytes.
"""

import functools
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from PIL import Image, ImageColor, ImageDraw, ImageFont

FOLDER = Path(__file__).resolve().parents[1] / "tutor/content/demo_course/pictures"
FINE = 4
INK, SOFT, GRID, FILL, MARK = "#1c1917", "#57534e", "#d6d3d1", "#4d9a6a", "#1d4ed8"
TINTS = ("#dcfce7", "#bae6fd", "#fde68a", "#e7e5e4")
Point = tuple[float, float]


class Sheet:
    """A white sheet to draw on, in pixels of the finished picture."""

    def __init__(self, width: int, height: int) -> None:
        """Take a blank sheet."""
        self.size = (width, height)
        self.image = Image.new("RGB", (width * FINE, height * FINE), "white")
        self.draw = ImageDraw.Draw(self.image)

    def line(self, points: Sequence[Point], colour: str = INK, width: float = 2) -> None:
        """Draw through the points."""
        scaled = [(x * FINE, y * FINE) for x, y in points]
        self.draw.line(scaled, fill=colour, width=round(width * FINE), joint="curve")

    def box(self, at: Point, to: Point, fill: str, outline: str = INK) -> None:
        """Draw a rectangle."""
        corners = [value * FINE for value in (*at, *to)]
        self.draw.rectangle(corners, fill=fill, outline=outline, width=2 * FINE)

    def dot(self, at: Point, radius: float = 6, colour: str = MARK) -> None:
        """Draw a filled circle."""
        x, y = at
        corners = [value * FINE for value in (x - radius, y - radius, x + radius, y + radius)]
        self.draw.ellipse(corners, fill=colour)

    def arrow(self, start: Point, end: Point, colour: str = MARK) -> None:
        """Draw a line with a head at its end."""
        self.line([start, end], colour, 3)
        angle = math.atan2(end[1] - start[1], end[0] - start[0])
        wings = [
            (end[0] - 12 * math.cos(angle + turn), end[1] - 12 * math.sin(angle + turn))
            for turn in (-0.45, 0.45)
        ]
        scaled = [(x * FINE, y * FINE) for x, y in (end, *wings)]
        self.draw.polygon(scaled, fill=colour)

    def text(
        self, at: Point, text: str, size: int = 18, colour: str = INK, ground: str = "white"
    ) -> None:
        """Write centred on a point."""
        place = (at[0] * FINE, at[1] * FINE)
        # On a rim of the ground, so that it can be read across a line.
        self.draw.text(
            place, text, colour, _font(size), anchor="mm", stroke_width=3 * FINE, stroke_fill=ground
        )

    def finished(self) -> Image.Image:
        """Return the sheet in its own size and few colours."""
        small = self.image.resize(self.size, Image.Resampling.LANCZOS)
        return small.quantize(palette=_palette(), dither=Image.Dither.NONE)


@functools.cache
def _palette() -> Image.Image:
    """Return white, the tints, and steps from each darker colour to white."""
    values = [255, 255, 255]
    for colour in TINTS:
        values += ImageColor.getrgb(colour)[:3]
    for colour, step in itertools.product((INK, SOFT, GRID, FILL, MARK), range(2, 6)):
        values += [round(255 + (tone - 255) * step / 5) for tone in ImageColor.getrgb(colour)[:3]]
    palette = Image.new("P", (1, 1))
    palette.putpalette(values)
    return palette


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size * FINE)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise SystemExit("Pillow was built without FreeType; its wheels have it.")
    return font


def number_line(start: int, jump: int) -> Sheet:
    """An arrow of `jump` units from `start` above a line from -8 to 8."""
    sheet = Sheet(600, 130)

    def x(value: float) -> float:
        return 300 + value * 34

    sheet.line([(10, 90), (590, 90)])
    for value in range(-8, 9):
        sheet.line([(x(value), 83), (x(value), 97)])
        if value % 2 == 0:
            sheet.text((x(value), 113), str(value), 16)
    sheet.line([(x(start), 45), (x(start), 82)], MARK, 1.5)
    sheet.line([(x(start + jump), 45), (x(start + jump), 82)], MARK, 1.5)
    sheet.arrow((x(start), 45), (x(start + jump), 45))
    sheet.dot((x(start), 90))
    return sheet


def fraction_bar(shaded: int, parts: int) -> Sheet:
    """A bar in equal parts, the first ones shaded."""
    sheet = Sheet(300, 56)
    width = 288 / parts
    for number in range(parts):
        fill = FILL if number < shaded else "white"
        sheet.box((6 + number * width, 8), (6 + (number + 1) * width, 48), fill)
    return sheet


CHARTS = {1: (5, 8, 4, 3), 2: (6, 5, 7, 2), 3: (9, 4, 1, 6)}
WAYS = ("on foot", "by bus", "by bike", "by car")


def bar_chart(number: int) -> Sheet:
    """How twenty pupils come to school."""
    sheet = Sheet(520, 320)
    for count in range(0, 11, 2):
        y = 270 - count * 24
        sheet.line([(50, y), (505, y)], GRID, 1.5)
        sheet.text((30, y), str(count), 16, SOFT)
    for place, (way, count) in enumerate(zip(WAYS, CHARTS[number], strict=True)):
        left = 75 + place * 110
        sheet.box((left, 270 - count * 24), (left + 66, 270), FILL)
        sheet.text((left + 33, 293), way, 17)
    sheet.line([(50, 270), (505, 270)])
    return sheet


def plane(reach: int = 5) -> tuple[Sheet, Callable[[float, float], Point]]:
    """An empty plane of coordinates from -reach to reach, and where a point of it lies."""
    side = 420
    sheet, unit = Sheet(side, side), (side - 30) / (2 * reach)

    def at(x: float, y: float) -> Point:
        return side / 2 + x * unit, side / 2 - y * unit

    for value in range(-reach, reach + 1):
        sheet.line([at(value, -reach), at(value, reach)], GRID, 1.5)
        sheet.line([at(-reach, value), at(reach, value)], GRID, 1.5)
    sheet.arrow(at(-reach, 0), (side - 3, side / 2), INK)
    sheet.arrow(at(0, -reach), (side / 2, 3), INK)
    return sheet, at


def label(sheet: Sheet, at: Callable[[float, float], Point], reach: int = 5) -> Sheet:
    """Write the numbers and names of the axes, last, so that no curve covers them."""
    for value in range(-reach + 1, reach):
        if value:
            x, y = at(value, 0)
            sheet.text((x, y + 14), str(value), 14, SOFT)
            x, y = at(0, value)
            sheet.text((x - 15, y), str(value), 14, SOFT)
    sheet.text((sheet.size[0] - 14, sheet.size[1] / 2 - 17), "x", 18)
    sheet.text((sheet.size[0] / 2 + 17, 14), "y", 18)
    return sheet


def point(x: int, y: int) -> Sheet:
    """A point in the plane."""
    sheet, at = plane()
    sheet.dot(at(x, y), 8)
    px, py = at(x, y)
    sheet.text((px + 17, py - 15), "P", 20, MARK)
    return label(sheet, at)


def straight_line(slope: int, intercept: int) -> Sheet:
    """The line y = slope x + intercept, as far as it lies in the plane."""
    sheet, at = plane()
    ends = [x for x in _steps(-5, 5, 100) if abs(slope * x + intercept) <= 5]
    sheet.line([at(x, slope * x + intercept) for x in (ends[0], ends[-1])], MARK, 4)
    return label(sheet, at)


def parabola(h: int, k: int) -> Sheet:
    """The parabola y = (x - h)² + k."""
    sheet, at = plane()
    inside = [x for x in _steps(-5, 5, 400) if abs((x - h) ** 2 + k) <= 5]
    sheet.line([at(x, (x - h) ** 2 + k) for x in inside], MARK, 4)
    return label(sheet, at)


def _steps(low: float, high: float, count: int) -> list[float]:
    return [low + (high - low) * step / count for step in range(count + 1)]


def area_model() -> Sheet:
    """A rectangle of sides x + a and x + b in its four parts."""
    sheet = Sheet(760, 400)
    left, middle, right, top, cut, bottom = 90, 430, 730, 60, 250, 380
    for corner, to, fill, name in (
        ((left, top), (middle, cut), TINTS[0], "x · x"),
        ((middle, top), (right, cut), TINTS[1], "x · b"),
        ((left, cut), (middle, bottom), TINTS[2], "a · x"),
        ((middle, cut), (right, bottom), TINTS[3], "a · b"),
    ):
        sheet.box(corner, to, fill)
        sheet.text(((corner[0] + to[0]) / 2, (corner[1] + to[1]) / 2), name, 30, ground=fill)
    for at, name in (
        (((left + middle) / 2, 34), "x"),
        (((middle + right) / 2, 34), "b"),
        ((60, (top + cut) / 2), "x"),
        ((60, (cut + bottom) / 2), "a"),
    ):
        sheet.text(at, name, 30, MARK)
    return sheet


def drawings() -> Iterator[tuple[str, Callable[[], Sheet]]]:
    """Yield (file's name, how it is drawn) for every picture."""
    sets: tuple[tuple[str, Callable[..., Sheet], Sequence[tuple[int, ...]]], ...] = (
        ("jump_{}_{}", number_line, [at for at in JUMPS if abs(sum(at)) <= 8]),
        ("bar_{}_{}", fraction_bar, [(n, d) for d in (6, 8, 10, 12) for n in range(1, d)]),
        ("chart_{}", bar_chart, [(number,) for number in CHARTS]),
        ("point_{}_{}", point, POINTS),
        ("line_{}_{}", straight_line, LINES),
        ("parabola_{}_{}", parabola, VERTICES),
        ("area_model", area_model, [()]),
    )
    for name, draw, places in sets:
        for at in places:
            yield name.format(*at) + ".png", functools.partial(draw, *at)


JUMPS = tuple(itertools.product((-5, -3, 2, 4), (-6, -4, 3, 5)))
POINTS = tuple(itertools.product((-4, -2, 1, 3), (-3, -1, 2, 4)))
LINES = tuple(itertools.product((-2, -1, 1, 2), (-3, -2, 1, 3)))
VERTICES = tuple(itertools.product((-2, 1, 3), (-4, -3, 2)))


def main() -> None:
    """Write every picture."""
    FOLDER.mkdir(exist_ok=True)
    for name, draw in drawings():
        draw().finished().save(FOLDER / name, "PNG", optimize=True)


if __name__ == "__main__":
    main()
