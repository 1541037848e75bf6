"""A run made ready for use: the tracer that pins it, and where it moves items. Writes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tutor.calibration import life, selectors
from tutor.calibration.errors import RunRefused
from tutor.calibration.models import CalibrationRun, ItemCalibration
from tutor.content import selectors as content_selectors
from tutor.content.models import Course, Item
from tutor.registry import pinning
from tutor.registry import selectors as registry_selectors
from tutor.registry.models import TracerVersion
from tutor.tracing import engine


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run made ready: the tracer that pins it, and where it moves items. Nothing is stored yet.

    Attributes:
        run: the run; None where the way back leads to no calibration.
        live: the tracer version that it was made from.
        body, provenance: of the tracer version to be.
        uncounted: item versions whose answers do not count under it.
        moves: item id -> (status, why).
    """

    run: CalibrationRun | None
    live: TracerVersion
    body: dict[str, Any]
    provenance: dict[str, Any]
    uncounted: tuple[int, ...]
    moves: Mapping[int, tuple[str, str]]


def prepare(*, course: Course, run: CalibrationRun, force: bool = False) -> Prepared:
    """Return what using the run takes; nothing is written.

    Args:
        course: the run's course.
        run: the run.
        force: also if a gate failed; of the run that is in use none is asked for again.

    Raises:
        RunRefused: a gate failed, the run is another course's, or the course has no tracer.
    """
    if run.course_id != course.pk:
        raise RunRefused("This calibration is of another course.", run=run.pk)
    live = registry_selectors.get_live_tracer(course_id=course.pk)
    if live is None:
        raise RunRefused("The course has no tracer that could pin a calibration.", run=run.pk)
    # Runs from before there were alarms have gates that all block.
    failed = [gate["name"] for gate in run.gates if not gate["passed"] and gate.get("blocks", True)]
    if failed and not force and run_of(live) != run.pk:
        raise RunRefused(
            f"Calibration {run.number} did not pass: {', '.join(failed)}. Look at it first.",
            gates=failed,
        )
    return make_ready(course, live, run)


def make_ready(course: Course, live: TracerVersion, run: CalibrationRun | None) -> Prepared:
    """Return the live fit with the run pinned onto it, or with none."""
    course.refresh_from_db()
    bank = content_selectors.get_bank(course_id=course.pk, revision=course.revision)
    excluded = content_selectors.list_excluded_versions(course_id=course.pk)
    if run is None:
        body = pinning.leave_out(live.body, excluded)
    else:
        body = pinning.pin(live.body, pinned_run(run, excluded))
    offsets = {int(pk): offset for pk, offset in body["item_offsets"].items()}
    reference = engine.reference_offsets(
        bank=bank, item_offsets=offsets, intercept=body["intercept"]
    )
    return Prepared(
        run=run,
        live=live,
        body={**body, "reference_offsets": {str(pk): value for pk, value in reference.items()}},
        provenance={
            # Without its seconds: nothing was fitted that estimates could be made from.
            **{name: told for name, told in live.provenance.items() if name != "seconds"},
            "calibration": None if run is None else run.number,
            "based_on": live.number,
        },
        uncounted=excluded,
        moves={} if run is None else find_moves(course=course, run=run),
    )


def run_of(version: TracerVersion) -> int | None:
    """Return the id of the run that the version pins, or None."""
    pinned = version.body.get("calibration")
    return None if pinned is None else int(pinned["run"])


def pinned_run(run: CalibrationRun, uncounted: tuple[int, ...] = ()) -> pinning.PinnedRun:
    """Return the run as a tracer version keeps it, with the item versions that do not count.

    Of an item that abler learners do worse on the figures are no difficulty: it is left to the
    filter. Of one that no learner connects with the others they stand on no scale: it is known by
    what was expected beforehand.
    """
    rows = run.items.order_by("version").values_list(
        *("version", "pooled_difficulty", "pooled_se", "prior_mean", "prior_sd", "seen", "flags")
    )
    return pinning.PinnedRun(
        run=run.pk,
        number=run.number,
        sha256=run.sha256,
        mean=run.population["mean"],
        sd=run.population["sd"],
        slope=run.population["slope"],
        items={
            pk: pinning.PinnedItem(*((mean, sd) if "disconnected" in flags else own), seen)
            for pk, *own, mean, sd, seen, flags in rows
            if "negative-discrimination" not in flags
        },
        uncounted=uncounted,
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
