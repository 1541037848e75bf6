"""What using a tracer version would change in people's estimates. Writes nothing.

Both versions' states are stored: the live ones, and those that everybody was folded to in the
shadow.
"""

import datetime as dt
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tutor.content.models import Course
from tutor.registry import selectors as registry_selectors
from tutor.registry.models import TracerVersion
from tutor.responses import columns as response_columns
from tutor.tracing import selectors, services
from tutor.tracing.bands import Band, Mastery

logger = logging.getLogger(__name__)

# Learners whose estimates are looked at: everybody, up to so many drawn at random; so many at once.
LEARNERS = 2000
PIECE = 200
# A learner is affected where a probability changes by more than that, or a band at all.
SHIFTED = 0.05


@dataclass(frozen=True, slots=True)
class Difference:
    """What a switch would change in learners' estimates of the concepts that they practised.

    Attributes:
        before, after: numbers of the versions.
        learners: whose estimates were compared, of `learners_all` with answers.
        affected: of those, with a band that changes or a probability by more than `SHIFTED`.
        pairs: of learner and practised concept.
        largest: the largest change of a probability, and `typical` its mean size.
        bands: (before, after) -> pairs whose band changes.
    """

    before: int
    after: int
    learners: int
    learners_all: int
    affected: int
    pairs: int
    largest: float
    typical: float
    bands: dict[tuple[Band, Band], int]


def compare(
    *, course: Course, version: TracerVersion, at: dt.datetime, seed: int = 0
) -> Difference:
    """Return what switching from the live version would change at the moment `at`.

    Args:
        course: the version's.
        version: folded in the shadow.
        at: the moment of the estimates.
        seed: of the learners drawn, where there are too many.
    """
    course.refresh_from_db()
    live = registry_selectors.get_live_tracer(course_id=course.pk)
    assert live is not None  # noqa: S101 - what is compared was laid onto it
    before, after = (
        services.tracer_of_version(version=own, revision=course.revision) for own in (live, version)
    )
    everybody = response_columns.list_learners(course_id=course.pk)
    chosen = draw(everybody, seed=seed)
    found = _Tally()
    for start in range(0, len(chosen), PIECE):
        piece = chosen[start : start + PIECE]
        old, new = (
            selectors.list_masteries_under(tracer=own, learner_ids=piece, at=at)
            for own in (before, after)
        )
        for learner in piece:
            found.add(practised(old[learner], new[learner]))
    return Difference(
        before=live.number,
        after=version.number,
        learners=len(chosen),
        learners_all=len(everybody),
        affected=found.affected,
        pairs=found.pairs,
        largest=found.largest,
        typical=found.total / max(found.pairs, 1),
        bands=dict(found.bands),
    )


def draw(learners: Sequence[int], *, seed: int) -> list[int]:
    """Return the learners, or `LEARNERS` of them drawn at random, in the order given."""
    if len(learners) <= LEARNERS:
        return list(learners)
    drawn = np.random.default_rng(seed).choice(len(learners), LEARNERS, replace=False)
    return [learners[k] for k in sorted(drawn.tolist())]


def practised(
    before: dict[int, Mastery], after: dict[int, Mastery]
) -> list[tuple[Mastery, Mastery]]:
    """Return (before, after) of every concept with an answer that counts under either version."""
    return [
        (was, after[pk])
        for pk, was in before.items()
        if pk in after and max(was.evidence_n, after[pk].evidence_n) > 0
    ]


class _Tally:
    """Counts learner by learner."""

    def __init__(self) -> None:
        self.affected, self.pairs = 0, 0
        self.largest, self.total = 0.0, 0.0
        self.bands: Counter[tuple[Band, Band]] = Counter()

    def add(self, pairs: Iterable[tuple[Mastery, Mastery]]) -> None:
        moved = Counter[tuple[Band, Band]]()
        shift = 0.0
        for was, now in pairs:
            size = abs(was.prob - now.prob)
            shift, self.total = max(shift, size), self.total + size
            self.pairs += 1
            if was.band is not now.band:
                moved[was.band, now.band] += 1
        self.bands += moved
        self.largest = max(self.largest, shift)
        self.affected += bool(moved) or shift > SHIFTED


def explain(*, course: Course, version: TracerVersion, at: dt.datetime) -> list[str]:
    """Return what switching would change in lines; whatever goes wrong in looking is one of them.

    The difference is shown to people. No version is held back because it could not be told.
    """
    try:
        return describe(compare(course=course, version=version, at=at))
    except Exception:
        logger.exception("What tracer version %s would change", version.pk)
        return ["What it would change could not be told; the operator finds why in the log."]


def describe(difference: Difference) -> list[str]:
    """Return the difference in lines for a terminal or a page."""
    d = difference
    scope = "" if d.learners == d.learners_all else f", drawn from {d.learners_all}"
    lines = [
        f"v{d.before} → v{d.after}: {d.affected} of {d.learners} learners{scope} are affected.",
        (
            f"The largest change of a probability is {d.largest:.2f}, the mean {d.typical:.3f}, "
            f"over {d.pairs} practised concepts; {sum(d.bands.values())} change their band."
        ),
    ]
    for (old, new), count in sorted(d.bands.items()):
        lines.append(f"  {old.label} → {new.label}: {count}")
    return lines
