"""How well a learner remembers the facts of a course: FSRS over the log, kept between answers.

What is kept is a fold of the log. The learner's state says of how many answers on a concept, and
of which credits: where that is not what was folded here, the concept is folded anew.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from tutor.common.prepared import slot
from tutor.common.prepared_writes import PreparedInsert, PreparedUpdate
from tutor.responses import selectors as response_selectors
from tutor.responses.selectors import FoldRow
from tutor.scheduling import engine
from tutor.scheduling.models import FactMemories
from tutor.tracing import engine as tracing_engine

# Of credits that were added up in another order.
ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Kept:
    """A concept's memory, after `n` answers with credits that add up to `credit`.

    `last` is the answer folded in last, when and which: a further try moves no memory.
    """

    n: int
    credit: float
    memory: engine.FactMemory | None
    last: tuple[float, int] | None = None


NOTHING = Kept(0, 0.0, None)
_INSERT = PreparedInsert(FactMemories)
_UPDATE = PreparedUpdate(
    lambda: FactMemories.objects.filter(pk=slot("pk", FactMemories, "id")), "body"
)


def fold(kept: Kept, row: FoldRow) -> Kept:
    """Return what is kept after one more answer.

    Another try at the same showing says nothing of memory, and what was right after a hint was not
    recalled.
    """
    memory = kept.memory
    if row.attempt == 1:
        recalled = 0.0 if row.hints_seen else row.credit
        memory = engine.remember(memory, at=row.answered_at.timestamp(), credit=recalled)
    place = (row.answered_at.timestamp(), row.id)
    return Kept(kept.n + 1, kept.credit + row.credit, memory, place)


def counts(tracer: tracing_engine.CourseTracer, row: FoldRow) -> bool:
    """Test whether the tracer counts an answer: it was not to an item on trial, or excluded."""
    var = tracer.var_of_version.get(row.version_id, 0.0)
    return not row.is_pilot and var != float("inf")


def read_stability(
    *,
    learner_id: int,
    tracer: tracing_engine.CourseTracer,
    seen: tracing_engine.Seen,
    keeps: bool = True,
) -> dict[int, float]:
    """Return concept id -> stability in days of the facts that the learner has answered on.

    In a course without facts, or before the first answer, nothing is read. What was folded anew is
    kept, for which the caller has to hold the learner's lock, unless `keeps` says no.
    """
    practised = _practised(tracer, seen)
    if not practised:
        return {}
    course_id = tracer.bank.course_id
    row = FactMemories.objects.filter(learner=learner_id, course=course_id).first()
    kept = _unpack(row.body) if row else {}
    stale = {pk for pk, told in practised.items() if not _fits(kept.get(pk, NOTHING), told)}
    if stale:
        fresh = _catch_up(learner_id, tracer, {pk: kept.get(pk, NOTHING) for pk in stale})
        stale = {pk for pk in stale if not _fits(fresh.get(pk, NOTHING), practised[pk])}
        if stale:
            fresh |= _catch_up(learner_id, tracer, dict.fromkeys(stale, NOTHING))
        # Marked by the state's own count: the same gap is not looked into at every answer.
        kept |= {
            pk: Kept(*practised[pk], found.memory, found.last)
            for pk, found in fresh.items()
            if pk in practised
        }
        if keeps and row is not None:
            _UPDATE.run(pk=row.pk, body=_pack(kept))
        elif keeps:
            _INSERT.run(FactMemories(learner_id=learner_id, course_id=course_id, body=_pack(kept)))
    return stability_of({pk: kept[pk] for pk in practised if pk in kept})


def stability_of(kept: Mapping[int, Kept]) -> dict[int, float]:
    """Return concept id -> stability in days, of those with an answer that says something."""
    return {pk: one.memory.stability for pk, one in kept.items() if one.memory is not None}


def _practised(
    tracer: tracing_engine.CourseTracer, seen: tracing_engine.Seen
) -> dict[int, tuple[int, float]]:
    """Return fact's concept id -> answers and sum of credits, as the state has counted them."""
    bank, state = tracer.bank, seen.state.filter
    if not bank.is_fact.any():
        return {}
    facts = set(bank.concept_ids[bank.is_fact].tolist())
    told = zip(
        state.concept_ids.tolist(),
        state.practice_counts.tolist(),
        state.values[:, 5].tolist(),
        strict=True,
    )
    return {pk: (round(n), credit) for pk, n, credit in told if pk in facts}


def _fits(kept: Kept, told: tuple[int, float]) -> bool:
    return kept.n == told[0] and abs(kept.credit - told[1]) < ROUNDING * max(told[0], 1)


def _catch_up(
    learner_id: int, tracer: tracing_engine.CourseTracer, kept: Mapping[int, Kept]
) -> dict[int, Kept]:
    """Return the concepts with the answers since each one's last folded in; one statement."""
    last = {pk: one.last for pk, one in kept.items()}
    known = [place[0] for place in last.values() if place is not None]
    since = None
    if len(known) == len(last):
        since = dt.datetime.fromtimestamp(min(known), tz=dt.UTC)
    found = dict(kept)
    for concept, row in response_selectors.list_fold_rows_on(
        course_id=tracer.bank.course_id, learner_id=learner_id, concept_ids=list(kept), since=since
    ):
        place = last[concept]
        if counts(tracer, row) and (place is None or (row.answered_at.timestamp(), row.id) > place):
            found[concept] = fold(found[concept], row)
    return found


def fold_all(
    kept: dict[int, Kept], row: FoldRow, *, concept_ids: Iterable[int], facts: Collection[int]
) -> None:
    """Fold one answer into what is kept of each fact that it was on, in place."""
    for concept in concept_ids:
        if concept in facts:
            kept[concept] = fold(kept.get(concept, NOTHING), row)


def _pack(kept: Mapping[int, Kept]) -> dict[str, list[float | int | None]]:
    return {
        str(pk): [
            one.n,
            one.credit,
            *(one.memory or (None, None, None)),
            *(one.last or (None, None)),
        ]
        for pk, one in kept.items()
    }


def _unpack(body: Mapping[str, list[float]]) -> dict[int, Kept]:
    """Return what is kept; what an earlier version kept without its last answer is made anew."""
    return {int(pk): _read(values) for pk, values in body.items() if len(values) == len(_COLUMNS)}


_COLUMNS = ("n", "credit", "stability", "difficulty", "at", "last_at", "last_id")


def _read(values: list[float]) -> Kept:
    n, credit, stability, difficulty, at, last_at, last_id = values
    memory = None if stability is None else engine.FactMemory(stability, difficulty, at)
    last = None if last_id is None else (last_at, int(last_id))
    return Kept(int(n), credit, memory, last)
