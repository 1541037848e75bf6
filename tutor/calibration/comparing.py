"""What promoting a run would change: which items move, and whose estimates. Writes no state."""

import datetime as dt
import logging
from collections import Counter
from dataclasses import dataclass

import numpy as np

from tutor.calibration.promoting import Prepared
from tutor.content.models import Course, ItemVersion
from tutor.registry import selectors as registry_selectors
from tutor.responses import columns as response_columns
from tutor.tracing import bulk, engine, selectors
from tutor.tracing import services as tracing_services
from tutor.tracing.bands import Band, Mastery

logger = logging.getLogger(__name__)

# Learners whose estimates are looked at: everybody, up to so many drawn at random.
LEARNERS = 2000
# An item has moved if its offset changes by more than that, in logits.
MOVED = 0.1
# A learner is affected where a probability changes by more than that, or a band at all.
SHIFTED = 0.05


@dataclass(frozen=True, slots=True)
class ItemShift:
    """An item whose offset changes: logits, larger is easier."""

    slug: str
    before: float
    after: float
    status: str
    status_after: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What a promotion would change.

    Attributes:
        items: those that move by more than `MOVED` or change their status, largest first.
        items_compared: of the course.
        learners: whose estimates were compared, of `learners_all` with answers.
        affected: of those, with a band that changes or a probability by more than `SHIFTED`.
        largest: the largest change of a probability.
        bands: (before, after) -> pairs of learner and practised concept.
        by_hand: difficulties in it that persons have decided.
        elsewhere: such decisions that do not apply, because they are on another scale.
    """

    items: tuple[ItemShift, ...]
    items_compared: int
    learners: int
    learners_all: int
    affected: int
    largest: float
    bands: dict[tuple[Band, Band], int]
    by_hand: int = 0
    elsewhere: int = 0


def compare(*, course: Course, ready: Prepared, at: dt.datetime, seed: int = 0) -> Difference:
    """Return what promoting would change at the moment `at`, from the log and both versions."""
    course.refresh_from_db()
    live = registry_selectors.get_live_tracer(course_id=course.pk)
    assert live is not None  # noqa: S101 - what is prepared was made from it
    before = tracing_services.tracer_of_version(version=live, revision=course.revision)
    after = engine.lay_over(bank=before.bank, tracer_id=0, number=0, body=ready.body)
    learners = response_columns.list_learners(course_id=course.pk)
    chosen = learners
    if len(learners) > LEARNERS:
        drawn = np.random.default_rng(seed).choice(len(learners), LEARNERS, replace=False)
        chosen = [learners[k] for k in sorted(drawn.tolist())]
    affected, largest, bands = _compare_learners(before, after, chosen, at)
    return Difference(
        items=_compare_items(before, after, ready),
        items_compared=len(before.item_offsets),
        learners=len(chosen),
        learners_all=len(learners),
        affected=affected,
        largest=largest,
        bands=dict(bands),
        by_hand=len(ready.by_hand),
        elsewhere=ready.elsewhere,
    )


def _compare_items(
    before: engine.CourseTracer, after: engine.CourseTracer, ready: Prepared
) -> tuple[ItemShift, ...]:
    current = ItemVersion.objects.filter(pk__in=before.bank.version_ids.tolist())
    told = current.values_list("pk", "item", "item__slug", "item__status")
    shifts = [
        ItemShift(
            slug=slug,
            before=before.offset_of_version[pk],
            after=after.offset_of_version[pk],
            status=status,
            status_after=ready.moves.get(item, (status, ""))[0],
        )
        for pk, item, slug, status in told
    ]
    changed = [
        one
        for one in shifts
        if abs(one.after - one.before) > MOVED or one.status != one.status_after
    ]
    return tuple(sorted(changed, key=lambda one: (-abs(one.after - one.before), one.slug)))


def _compare_learners(
    before: engine.CourseTracer, after: engine.CourseTracer, learners: list[int], at: dt.datetime
) -> tuple[int, float, Counter[tuple[Band, Band]]]:
    bands: Counter[tuple[Band, Band]] = Counter()
    affected, largest = 0, 0.0
    sizes = response_columns.count_standing(course_id=before.bank.course_id, learner_ids=learners)
    folders = [bulk.make_folder(tracer=own, answers=sum(sizes.values())) for own in (before, after)]
    for piece in response_columns.in_pieces(sizes=sizes, answers=50_000, learners=500):
        old, new = (folder.fold(learner_ids=piece) for folder in folders)
        for learner in piece:
            if learner not in old:
                continue
            pairs = _practised(before, old[learner].learner, after, new[learner].learner, at)
            shift = max((abs(a.prob - b.prob) for a, b in pairs), default=0.0)
            moved = Counter((a.band, b.band) for a, b in pairs if a.band is not b.band)
            bands += moved
            largest = max(largest, shift)
            affected += bool(moved) or shift > SHIFTED
    return affected, largest, bands


def _practised(
    before: engine.CourseTracer,
    old: engine.TracedLearner,
    after: engine.CourseTracer,
    new: engine.TracedLearner,
    at: dt.datetime,
) -> list[tuple[Mastery, Mastery]]:
    """Return (before, after) of every concept practised under either version, by id.

    What counts is not the same under both: an excluded item may have been all that a learner
    answered in a concept.
    """
    met = sorted({*old.filter.concept_ids.tolist(), *new.filter.concept_ids.tolist()})
    was, now = (
        selectors.masteries_among(tracer, state, concept_ids=met, at=at)
        for tracer, state in ((before, old), (after, new))
    )
    return [(was[pk], now[pk]) for pk in met if pk in was and pk in now]


def explain(*, course: Course, ready: Prepared, at: dt.datetime) -> list[str]:
    """Return what promoting would change in lines; whatever goes wrong in looking is one of them.

    The difference is shown to people. No run is held back because it could not be told.
    """
    try:
        return describe(compare(course=course, ready=ready, at=at))
    except Exception:
        logger.exception("What a calibration of course %s would change", course.pk)
        return ["What it would change could not be told; the operator finds why in the log."]


def describe(difference: Difference, *, most: int = 20) -> list[str]:
    """Return the difference in lines for a terminal or a page."""
    d = difference
    lines = [f"{len(d.items)} of {d.items_compared} items move or change their status."]
    for one in d.items[:most]:
        status = "" if one.status == one.status_after else f", {one.status} → {one.status_after}"
        lines.append(
            f"  {one.slug}: {one.before:+.2f} → {one.after:+.2f} "
            f"({one.after - one.before:+.2f} logits){status}"
        )
    if len(d.items) > most:
        lines.append(f"  and {len(d.items) - most} more")
    scope = "" if d.learners == d.learners_all else f", drawn from {d.learners_all}"
    lines.append(
        f"{d.affected} of {d.learners} learners{scope} are affected; the largest change of a "
        f"probability is {d.largest:.2f}."
    )
    for (old, new), count in sorted(d.bands.items()):
        lines.append(f"  {old.label} → {new.label}: {count}")
    if d.by_hand:
        lines.append(f"{d.by_hand} difficulties are as somebody has decided.")
    if d.elsewhere:
        lines.append(
            f"{d.elsewhere} difficulties that somebody has decided are on another scale and do not "
            "apply: decide them again, or lift them."
        )
    return lines
