"""The forward pass: many learners' new answers at once, then what may be asked of each.

For workers and commands; the web process never loads it. Reads only; what is to be stored comes
back as data.
"""

import dataclasses
import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from kt_models import api
from kt_models.streaming import pool
from tutor.common.cache import new_cache
from tutor.content.selectors import CourseBank
from tutor.content.version_table import VersionTable, read_version_table
from tutor.registry import networks, training
from tutor.responses.columns import FoldColumns
from tutor.tracing import deep_reading, engine, reach
from tutor.tracing.deep import Shifts
from tutor.tracing.deep_reading import Behind, Place
from tutor.tracing.engine import CourseTracer, Ints

if TYPE_CHECKING:
    from kt_models.models.base import AbstractModel, States

# Answers of one learner that are folded in one go: longer histories take several.
SEGMENT = 256
# Places of a padded batch, learners times answers.
MOST_PLACES = 65_536

_layouts = new_cache(capacity=32)


@dataclass(frozen=True, slots=True)
class After:
    """A learner after a pass.

    Attributes:
        began: the stored state and place that the pass went on from; None where it began anew.
        packed: the network's state, and its `place` in the log.
        shifts: what is predicted; None where the filter is not at the same place.
        is_consistent: whether the filter has seen as many answers where it is at the same place;
            else one of both must be folded again.
    """

    learner_id: int
    began: tuple[bytes, Place] | None
    packed: bytes
    place: Place
    shifts: Shifts | None
    is_consistent: bool


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """A course as a network knows it.

    Attributes:
        table: every item version of the course.
        known_as: version id -> the version whose name the network knows it by: itself, or the
            nearest one before it that was trained on; itself too where there is none.
        known: (N,) row of the bank's items in the network's vocabulary, -1 for those not met.
        uncounted: (V,) versions of the table whose answers do not count.
    """

    table: VersionTable
    known_as: Ints
    known: Ints
    uncounted: engine.Bools


def advance(
    *,
    tracer: CourseTracer,
    learner_ids: Sequence[int],
    anew: Collection[int],
    now: dt.datetime,
    asked_at: Mapping[int, dt.datetime] = MappingProxyType({}),
) -> list[After]:
    """Return the learners after all their answers, with predictions for `now`.

    Learners without any answer are left out.

    Args:
        tracer: a version with a deep part.
        learner_ids: whom.
        anew: those of them whose whole history is to be folded.
        now: the moment that is predicted.
        asked_at: learner id -> another moment than that.

    Raises:
        UnreadableModel: the network does not fit this code.
        ShapeMismatch: a stored state is not of this network.
    """
    assert tracer.deep is not None  # noqa: S101 - nobody is due without
    model = networks.open_network(tracer.deep.network_id)
    layout = lay_out(tracer, model)
    behind = deep_reading.read_learners(
        tracer_id=tracer.tracer_id, learner_ids=learner_ids, anew=anew
    )
    begun, whole = deep_reading.read_unseen(
        course_id=tracer.bank.course_id, tracer_id=tracer.tracer_id, behind=behind
    )
    answers = deep_reading.join(begun, whole)
    found = deep_reading.split(answers)
    behind = [one for one in behind if one.learner_id in found]
    if not behind:
        return []
    states, places = _fold(tracer, model, layout, behind, answers)
    packed = model.pack(states)
    moments = np.array([asked_at.get(one.learner_id, now).timestamp() for one in behind])
    shifts = _predict(tracer, model, layout, behind, states, places, moments)
    return [
        After(
            learner_id=one.learner_id,
            began=_began(one),
            packed=packed[row],
            place=places[row],
            shifts=shifts[row],
            is_consistent=_is_consistent(one, places[row]),
        )
        for row, one in enumerate(behind)
    ]


def try_out(tracer: CourseTracer, *, now: dt.datetime) -> None:
    """Pass a made-up learner forward; raises what a network or a GPU that is broken raises."""
    assert tracer.deep is not None  # noqa: S101 - nobody is due without
    model = networks.open_network(tracer.deep.network_id)
    met = np.flatnonzero(model.vocabulary.item_sets >= 0)[:1]
    at = np.array([now.timestamp()])
    answers = model.vocabulary.answers(
        item=met, starts=np.array([0, 1]), correct=np.ones(1), shown_at=at, answered_at=at
    )
    states = model.advance(model.init(1), answers)
    _require_finite(model.predict_each(states, items=met[None], shown_at=at))


def _began(one: Behind) -> tuple[bytes, Place] | None:
    return (one.packed, one.place) if one.packed is not None and one.place is not None else None


def _is_consistent(one: Behind, place: Place) -> bool:
    live = one.live_place
    if live is None or live.last_response_id != place.last_response_id:
        return True
    return live.n_responses == place.n_responses


def lay_out(tracer: CourseTracer, model: "AbstractModel") -> Layout:
    """Return the course as the network knows it; made once per tracer, revision and process."""
    key = (tracer.tracer_id, tracer.bank.revision)
    return _layouts.get(key, lambda: _lay_out(tracer, model))


def _lay_out(tracer: CourseTracer, model: "AbstractModel") -> Layout:
    bank, vocabulary = tracer.bank, model.vocabulary
    # A vocabulary also names items of validation learners alone, of which nothing was learnt.
    met = vocabulary.item_sets >= 0
    row_of = {int(name): row for row, name in enumerate(vocabulary.item_keys) if met[row]}
    table = read_version_table(course_id=bank.course_id)
    known_as = np.array(
        [_known_as(bank, pk, row_of) for pk in table.version_ids.tolist()], dtype=np.int64
    )
    known = [row_of.get(_known_as(bank, pk, row_of), -1) for pk in bank.version_ids.tolist()]
    counts = [tracer.var_of_version.get(pk, 0.0) < np.inf for pk in table.version_ids.tolist()]
    return Layout(table, known_as, np.array(known, dtype=np.int64), ~np.array(counts, dtype=bool))


def _known_as(bank: CourseBank, version: int, row_of: dict[int, int]) -> int:
    return next((pk for pk in bank.lineage.get(version, ()) if pk in row_of), version)


def _fold(
    tracer: CourseTracer,
    model: "AbstractModel",
    layout: Layout,
    behind: Sequence[Behind],
    answers: FoldColumns,
) -> tuple["States", list[Place]]:
    """Return the states of B learners after their answers, and their places."""
    [nothing] = model.pack(model.init(1))
    states = model.unpack([one.packed or nothing for one in behind])
    # What is timed from the answer before: that one stands first where a fold goes on.
    shown_at = api.shown_times(answered_at=answers.answered_at, starts=answers.starts)
    begins, ends = answers.starts[:-1].copy(), answers.starts[1:]
    begins += np.array([one.packed is not None for one in behind])
    places = [
        _place(one, answers, int(end), int(end - begin))
        for one, begin, end in zip(behind, begins, ends, strict=True)
    ]
    counted = ~(answers.is_pilot | layout.uncounted[layout.table.rows_of(answers.version_id)])
    todo = [
        first + np.flatnonzero(counted[first:last])
        for first, last in zip(begins.tolist(), ends.tolist(), strict=True)
    ]
    for group in _groups([len(rows) for rows in todo]):
        rows = [todo[learner][part] for learner, part in group]
        own = np.array([learner for learner, _ in group])
        log = _log(tracer, layout, answers, shown_at, rows)
        after = model.advance({name: array[own] for name, array in states.items()}, log)
        for name, array in states.items():
            array[own] = after[name]
    return states, places


def _groups(lengths: Sequence[int]) -> list[list[tuple[int, slice]]]:
    """Return who is folded together, and which of their answers; each learner's in order.

    Padded to the longest of a group, so that learners with about as many answers are together.
    """
    groups: list[list[tuple[int, slice]]] = []
    for start in range(0, max(lengths, default=0), SEGMENT):
        left = [(min(size - start, SEGMENT), row) for row, size in enumerate(lengths)]
        open_: list[tuple[int, slice]] = []
        longest = 0
        for size, row in sorted(left):
            if size <= 0:
                continue
            is_full = (len(open_) + 1) * size > MOST_PLACES
            if open_ and (is_full or size > max(8, 4 * longest)):
                groups.append(open_)
                open_ = []
            if not open_:
                longest = size
            open_.append((row, slice(start, start + size)))
        if open_:
            groups.append(open_)
    return groups


def _log(
    tracer: CourseTracer,
    layout: Layout,
    answers: FoldColumns,
    shown_at: engine.Floats,
    rows: Sequence[Ints],
) -> api.ResponseLog:
    """Return some learners' answers as the network reads them, learner after learner."""
    picked = np.concatenate(rows)
    columns = {name: getattr(answers, name)[picked] for name in FoldColumns.__dataclass_fields__}
    columns["version_id"] = layout.known_as[layout.table.rows_of(columns["version_id"])]
    log = training.log_of(
        course_id=tracer.bank.course_id, answers=FoldColumns(**columns), table=layout.table
    )
    return dataclasses.replace(log, shown_at=shown_at[picked])


def _place(one: Behind, answers: FoldColumns, end: int, new: int) -> Place:
    moment = dt.timedelta(microseconds=int(answers.answered_us[end - 1]))
    return Place(
        last_answered_at=dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + moment,
        last_response_id=int(answers.id[end - 1]),
        n_responses=(one.place.n_responses if one.place else 0) + new,
    )


def _predict(
    tracer: CourseTracer,
    model: "AbstractModel",
    layout: Layout,
    behind: Sequence[Behind],
    states: "States",
    places: Sequence[Place],
    moments: engine.Floats,
) -> list[Shifts | None]:
    """Return what is predicted of each learner whose filter has seen the same answers.

    For `moments`, (B,) epoch seconds.
    """
    asked: list[tuple[int, Ints, engine.Floats]] = []
    for row, (one, place) in enumerate(zip(behind, places, strict=True)):
        if one.live is not None and one.live_place == place:
            at = float(moments[row])
            asked.append((row, *reach.choose_rows(tracer, one.live, at=at, known=layout.known)))
    shifts: list[Shifts | None] = [None] * len(behind)
    if not asked:
        return shifts
    own = np.array([row for row, _, _ in asked])
    items = np.full((len(asked), max(len(rows) for _, rows, _ in asked)), -1, dtype=np.int64)
    for place_, (_, rows, _) in enumerate(asked):
        items[place_, : len(rows)] = layout.known[rows]
    prob = model.predict_each(
        {name: array[own] for name, array in states.items()},
        items=items,
        shown_at=moments[own],
    )
    for place_, (row, rows, filter_prob) in enumerate(asked):
        logits = pool.shift_of(prob[place_, : len(rows)], filter_prob)
        _require_finite(logits)
        shifts[row] = Shifts.of(tracer.bank.version_ids[rows], logits)
    return shifts


def _require_finite(logits: engine.Floats) -> None:
    if not np.isfinite(logits).all():
        message = "The network's predictions are not finite numbers."
        raise FloatingPointError(message)
