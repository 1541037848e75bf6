"""A run made ready for use: the tracer that pins it, and where it moves items. Writes nothing."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from tutor.calibration import life, selectors
from tutor.calibration.errors import RunRefused
from tutor.calibration.models import CalibrationRun, DifficultyOverride, ItemCalibration
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
        by_hand: what persons have decided about difficulties that it uses, ids.
        elsewhere: how many such decisions do not apply, because they are on another scale.
        moves: item id -> (status, why).
    """

    run: CalibrationRun | None
    live: TracerVersion
    body: dict[str, Any]
    provenance: dict[str, Any]
    uncounted: tuple[int, ...]
    by_hand: tuple[int, ...]
    elsewhere: int
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
    by_hand, elsewhere = selectors.list_overrides(course_id=course.pk, run=run)
    if run is None:
        body = pinning.leave_out(live.body, excluded)
    else:
        body = pinning.pin(live.body, pinned_run(run, uncounted=excluded, by_hand=by_hand))
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
        by_hand=tuple(sorted(row.pk for row in by_hand.values())),
        elsewhere=elsewhere if run is not None else 0,
        moves={} if run is None else find_moves(course=course, run=run),
    )


def run_of(version: TracerVersion) -> int | None:
    """Return the id of the run that the version pins, or None."""
    pinned = version.body.get("calibration")
    return None if pinned is None else int(pinned["run"])


def pinned_run(
    run: CalibrationRun,
    *,
    uncounted: tuple[int, ...] = (),
    by_hand: Mapping[int, DifficultyOverride] = MappingProxyType({}),
) -> pinning.PinnedRun:
    """Return the run as a tracer version keeps it.

    Of an item that abler learners do worse on the figures are no difficulty: it is left to the
    filter. Of one that no learner connects with the others they stand on no scale: it is known by
    what was expected beforehand. What a person has decided comes before both.

    Args:
        run: the run.
        uncounted: item versions whose answers do not count.
        by_hand: what persons have decided on the run's scale, by item version.
    """
    rows = run.items.order_by("version")
    told = {row.version_id: _pinned_item(row, by_hand.get(row.version_id)) for row in rows}
    return pinning.PinnedRun(
        run=run.pk,
        number=run.number,
        sha256=run.sha256,
        mean=run.population["mean"],
        sd=run.population["sd"],
        slope=run.population["slope"],
        items={pk: item for pk, item in told.items() if item is not None},
        uncounted=uncounted,
        slopes={
            row.version_id: row.discrimination / run.population["slope"]
            for row in rows
            if row.discrimination is not None
            and row.discrimination > 0.0
            and not {"negative-discrimination", "disconnected"} & set(row.flags)
        },
    )


def _pinned_item(
    row: ItemCalibration, decided: DifficultyOverride | None
) -> pinning.PinnedItem | None:
    prior, own = (row.prior_mean, row.prior_sd), (row.pooled_difficulty, row.pooled_se)
    if decided is not None:
        given = (float(decided.difficulty or 0.0), float(decided.se or 0.0))
        if decided.rule == DifficultyOverride.Rule.HELD:
            return pinning.PinnedItem(*given, row.seen, held=True)
        own, prior = _with_prior(own, before=prior, after=given), given
    if "negative-discrimination" in row.flags:
        return pinning.PinnedItem(*prior, row.seen) if decided is not None else None
    return pinning.PinnedItem(*(prior if "disconnected" in row.flags else own), row.seen)


def _with_prior(
    pooled: tuple[float, float], *, before: tuple[float, float], after: tuple[float, float]
) -> tuple[float, float]:
    """Return (difficulty, se) pooled with another prior: the old one is taken out by precision."""
    (mean, se), (old, old_sd), (new, new_sd) = pooled, before, after
    answers = max(se**-2 - old_sd**-2, 0.0)
    moment = mean * se**-2 - old * old_sd**-2 if answers > 0.0 else 0.0
    precision = answers + new_sd**-2
    return (moment + new * new_sd**-2) / precision, math.sqrt(1.0 / precision)


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
