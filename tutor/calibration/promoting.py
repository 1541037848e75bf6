"""From a run to what learners meet, and back. For workers and commands.

A promoted run is part of a tracer version: everybody is folded under that version first, and in one
transaction it becomes the live one and the items move on in their lives. Rolling back is the same
switch to the version before.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tutor.calibration import life, selectors, services
from tutor.calibration.errors import CalibrationBusy, NothingToRollBack, RunRefused
from tutor.calibration.models import CalibrationRun, ItemCalibration
from tutor.calibration.running import lock_name
from tutor.common.alone import alone
from tutor.content import selectors as content_selectors
from tutor.content.models import Course, Item, ItemVersion
from tutor.registry import pinning
from tutor.registry import selectors as registry_selectors
from tutor.registry import services as registry_services
from tutor.registry.models import Promotion, TracerVersion
from tutor.tracing import adoption, engine

Folded = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run made ready: the tracer that pins it, and where it moves items. Nothing is stored yet.

    Attributes:
        body, provenance: of the tracer version to be.
        moves: item id -> (status, why).
    """

    run: CalibrationRun
    body: dict[str, Any]
    provenance: dict[str, Any]
    moves: Mapping[int, tuple[str, str]]


def prepare(*, course: Course, run: CalibrationRun, force: bool = False) -> Prepared:
    """Return what using the run takes; nothing is written.

    Args:
        course: the run's course.
        run: the run.
        force: also if a gate failed.

    Raises:
        RunRefused: a gate failed, the run is another course's, or the course has no tracer.
    """
    if run.course_id != course.pk:
        raise RunRefused("This calibration is of another course.", run=run.pk)
    failed = [gate["name"] for gate in run.gates if not gate["passed"]]
    if failed and not force:
        raise RunRefused(
            f"Calibration {run.number} did not pass: {', '.join(failed)}. Look at it first.",
            gates=failed,
        )
    live = registry_selectors.get_live_tracer(course_id=course.pk)
    if live is None:
        raise RunRefused("The course has no tracer that could pin a calibration.", run=run.pk)
    course.refresh_from_db()
    bank = content_selectors.get_bank(course_id=course.pk, revision=course.revision)
    body = pinning.pin(live.body, pinned_run(run))
    offsets = {int(pk): offset for pk, offset in body["item_offsets"].items()}
    reference = engine.reference_offsets(
        bank=bank, item_offsets=offsets, intercept=body["intercept"]
    )
    return Prepared(
        run=run,
        body={**body, "reference_offsets": {str(pk): value for pk, value in reference.items()}},
        provenance={
            # Without its seconds: nothing was fitted that estimates could be made from.
            **{name: told for name, told in live.provenance.items() if name != "seconds"},
            "calibration": run.number,
            "based_on": live.number,
        },
        moves=find_moves(course=course, run=run),
    )


def pinned_run(run: CalibrationRun) -> pinning.PinnedRun:
    """Return the run as a tracer version keeps it.

    Of an item that abler learners do worse on the figures are no difficulty: it is left to the
    filter.
    """
    rows = run.items.order_by("version").values_list(
        *("version", "pooled_difficulty", "pooled_se", "seen", "flags")
    )
    excluded = ItemVersion.objects.filter(
        item__course=run.course_id, item__status=Item.Status.EXCLUDED
    )
    return pinning.PinnedRun(
        run=run.pk,
        number=run.number,
        sha256=run.sha256,
        mean=run.population["mean"],
        sd=run.population["sd"],
        slope=run.population["slope"],
        items={
            pk: pinning.PinnedItem(difficulty, se, seen)
            for pk, difficulty, se, seen, flags in rows
            if "negative-discrimination" not in flags
        },
        uncounted=tuple(excluded.order_by("pk").values_list("pk", flat=True)),
    )


def find_moves(*, course: Course, run: CalibrationRun) -> dict[int, tuple[str, str]]:
    """Return item id -> (status, why) for the items that the run moves on."""
    rows: dict[int, ItemCalibration] = {row.version_id: row for row in run.items.all()}
    items = list(
        Item.objects.filter(course=course, current__isnull=False).values_list(
            "pk", "status", "current"
        )
    )
    by_hand = selectors.list_flagged_by_hand(
        items=[pk for pk, status, _ in items if status == Item.Status.FLAGGED]
    )
    moves = {}
    for pk, status, current in items:
        row = rows.get(current)
        if row is not None:
            figures = life.Figures(row.n, row.difficulty_se, row.flags)
            after, why = life.next_status(status, figures, is_flagged_by_hand=pk in by_hand)
            if after:
                moves[pk] = (after, why)
    return moves


def promote(
    *,
    course: Course,
    run: CalibrationRun,
    at: dt.datetime,
    force: bool = False,
    progress: Folded = lambda _: None,
) -> TracerVersion:
    """Make the run the one that everybody's estimates and the scheduler use.

    Killed on the way, nothing has changed but states that nobody reads yet; started again, it goes
    on from there.

    Args:
        course: the run's course.
        run: the run.
        at: the present.
        force: also if a gate failed.
        progress: called with the number of learners folded since its last call.

    Raises:
        CalibrationBusy: a calibration or promotion of the course is under way.
        RunRefused: see `prepare`.
    """
    with alone(lock_name(course)) as is_held:
        if not is_held:
            raise CalibrationBusy("This course is being calibrated or promoted.", course=course.pk)
        ready = prepare(course=course, run=run, force=force)
        version = registry_services.store_tracer(
            course=course, body=ready.body, provenance=ready.provenance
        )
        adoption.adopt(
            course=course,
            version=version,
            at=at,
            reason=f"calibration {run.number}",
            progress=progress,
            switching=lambda: services.apply_moves(run=run, moves=ready.moves),
        )
        return version


def roll_back(
    *, course: Course, at: dt.datetime, progress: Folded = lambda _: None
) -> TracerVersion:
    """Go back to the tracer version that was live before the one that is; return it.

    What its calibration moved in items' lives is taken back with it, unless somebody has moved the
    item since. Rolling back twice leads to where one was.

    Raises:
        CalibrationBusy: a calibration or promotion of the course is under way.
        NothingToRollBack: no other version was ever live.
    """
    with alone(lock_name(course)) as is_held:
        if not is_held:
            raise CalibrationBusy("This course is being calibrated or promoted.", course=course.pk)
        live = registry_selectors.get_live_tracer(course_id=course.pk)
        before = _version_before(course, live)
        adoption.adopt(
            course=course,
            version=before,
            at=at,
            reason="rolled back",
            progress=progress,
            switching=lambda: _move_items(course, live, before),
        )
        return before


def _version_before(course: Course, live: TracerVersion | None) -> TracerVersion:
    rows = Promotion.objects.filter(course=course).select_related("tracer").order_by("-pk")
    for promotion in rows:
        if live is not None and promotion.tracer_id != live.pk:
            return promotion.tracer
    raise NothingToRollBack("No other tracer version was ever live here.", course=course.pk)


def _move_items(course: Course, live: TracerVersion | None, before: TracerVersion) -> None:
    left = live.body.get("calibration") if live is not None else None
    found = before.body.get("calibration")
    if left is not None and (found is None or found["run"] != left["run"]):
        services.take_moves_back(
            course=course, number=left["number"], reason=f"calibration {left['number']} rolled back"
        )
    if found is not None and (left is None or found["number"] > left["number"]):
        # Back to a later calibration: its moves are made again from its own figures.
        run = CalibrationRun.objects.get(pk=found["run"])
        services.apply_moves(run=run, moves=find_moves(course=course, run=run))


def summarise_moves(prepared: Prepared) -> list[str]:
    """Return lines such as "12 provisional → operational"."""
    before = dict(Item.objects.filter(pk__in=prepared.moves).values_list("pk", "status"))
    return life.describe(Counter((before[pk], after) for pk, (after, _) in prepared.moves.items()))
