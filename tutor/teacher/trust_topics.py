"""The page on trust by topic: what was said, what came, and what luck would do."""

from dataclasses import dataclass

from tutor.content.models import Concept
from tutor.scheduling.calibrating import Calibration, calibrate_by_concept
from tutor.scheduling.trust import Outcomes

# The drawing: a line for each topic, up to so many; what lies further out is drawn at the edge.
MOST_DRAWN = 40
LINE, WIDTH, NAMES, EDGE = 22, 620, 260, 14
FARTHEST = 0.5


@dataclass(frozen=True, slots=True)
class Mark:
    """A topic in the drawing: what came less what was said, and what luck alone would do."""

    name: str
    y: int
    x: str
    low: str
    high: str
    is_off: bool
    title: str


@dataclass(frozen=True, slots=True)
class TopicRow:
    """A topic's answers. `verdict` is empty where it may well be luck."""

    concept: Concept
    found: Calibration
    verdict: str


@dataclass(frozen=True, slots=True)
class Topics:
    """All topics with answers, those with most first, and the drawing of the first of them."""

    rows: tuple[TopicRow, ...]
    marks: tuple[Mark, ...]
    height: int
    width: int = WIDTH
    middle: str = f"{NAMES + (WIDTH - NAMES - EDGE) / 2:.1f}"


def list_topics(outcomes: Outcomes) -> Topics:
    """Return stated chances beside what came, by topic."""
    found = calibrate_by_concept(outcomes)
    named = Concept.objects.in_bulk(list(found))
    rows = [
        TopicRow(named[pk], own, verdict=_judge(own, among=len(found))) for pk, own in found.items()
    ]
    rows.sort(key=lambda row: (-row.found.all.n, row.concept.position))
    marks = tuple(_mark(number, row) for number, row in enumerate(rows[:MOST_DRAWN]))
    return Topics(tuple(rows), marks, height=LINE * len(marks) + EDGE)


def _judge(own: Calibration, *, among: int) -> str:
    """Return in words what is off beyond luck; of all topics together one in twenty by mistake."""
    if not own.all.is_off(among=among):
        return ""
    return "too low" if own.all.right > own.all.expected else "too high"


def _mark(number: int, row: TopicRow) -> Mark:
    whole, off = row.found.all, row.found.all.right - row.found.all.expected
    return Mark(
        name=row.concept.name if len(row.concept.name) <= 36 else f"{row.concept.name[:35]}…",
        y=LINE * number + LINE // 2,
        x=_across(off),
        low=_across(-whole.luck),
        high=_across(whole.luck),
        is_off=bool(row.verdict),
        title=f"{row.concept.name}: said {whole.expected:.0%}, {whole.right:.0%} right, "
        f"{whole.n} answers; luck alone makes up to {whole.luck:.0%}",
    )


def _across(off: float) -> str:
    inside = max(-FARTHEST, min(FARTHEST, off))
    return f"{NAMES + (WIDTH - NAMES - EDGE) * (0.5 + inside / (2 * FARTHEST)):.1f}"
