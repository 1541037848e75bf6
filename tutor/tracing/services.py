"""Writes of learner states. A state is a fold over the log; the log is the truth."""

import dataclasses
import datetime as dt
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from django.db import transaction

from tutor.common.prepared import Prepared, slot
from tutor.common.prepared_writes import PreparedUpdate
from tutor.content import selectors as content_selectors
from tutor.content.models import Course
from tutor.registry import selectors as registry_selectors
from tutor.registry import services as registry_services
from tutor.registry.models import TracerVersion
from tutor.responses import selectors as response_selectors
from tutor.responses.models import Response
from tutor.responses.selectors import FoldRow
from tutor.tracing import awarding, due, engine, securing, selectors, standing
from tutor.tracing.bands import MASTERED_EVIDENCE
from tutor.tracing.deep import FRESH_AGE_S, Prediction
from tutor.tracing.models import LearnerState

# A history this long is folded again inside the request (about 50 µs an answer); a longer one
# waits for a worker while the old state serves.
REFOLD_AT_ONCE = 1000
# Log-odds of an average learner on an average item before anything is known: a good 60 %.
PRIOR_INTERCEPT = 0.5


@dataclass(slots=True)
class OpenState:
    """A learner's state while their row is locked: what was stored, and what it holds."""

    stored: LearnerState | None
    learner: engine.TracedLearner

    @property
    def n_responses(self) -> int:
        """Answers that the state has seen."""
        return self.stored.n_responses if self.stored else 0


@dataclass(frozen=True, slots=True)
class Advanced:
    """What one answer did to a state.

    Attributes:
        before, after: the state.
        n_responses: answers that `after` has seen.
        is_stale: it came out of order and waits for a refold.
        is_due: the deep tracer has work with it and has not been told yet.
        prediction: the learner's newest deep one, which was looked at.
    """

    before: engine.TracedLearner
    after: engine.TracedLearner
    n_responses: int
    is_stale: bool
    is_due: bool = False
    prediction: Prediction | None = None


def open_state(*, learner_id: int, tracer: engine.CourseTracer) -> OpenState:
    """Return the learner's state for reading and advancing; the caller holds the learner's lock."""
    return _opened(_STATE.first(learner=learner_id, tracer=tracer.tracer_id), tracer)


def open_state_of_course(
    *, learner_id: int, course_id: int, revision: int
) -> tuple[OpenState, engine.CourseTracer]:
    """Return the learner's state under the tracer that is live now, and the tracer.

    `revision` is the course's as it was read before the lock. A new tracer may have been adopted
    since, and an answer would be folded into states that nobody reads any more: the course's
    revision comes with the state, and is asked for alone where there is none.
    """
    tracer = selectors.get_tracer(course_id=course_id, revision=revision)
    found = _STATE.first(learner=learner_id, tracer=tracer.tracer_id)
    current = (
        content_selectors.get_revision(course_id=course_id)
        if found is None
        else found.tracer.course.revision
    )
    if current != revision:
        tracer = selectors.get_tracer(course_id=course_id, revision=current)
        found = _STATE.first(learner=learner_id, tracer=tracer.tracer_id)
    return _opened(found, tracer), tracer


def _opened(found: LearnerState | None, tracer: engine.CourseTracer) -> OpenState:
    if found is None:
        return OpenState(None, engine.start(tracer))
    return OpenState(found, selectors.read_state(found.state, found.floors))


_STATE = Prepared(
    lambda: (
        LearnerState.objects.filter(
            learner=slot("learner", LearnerState), tracer=slot("tracer", LearnerState)
        )
        .select_related("tracer__course")
        .only(
            *(field.name for field in LearnerState._meta.concrete_fields),  # noqa: SLF001 - a public API
            "tracer__course__revision",
        )
    )
)


def advance(*, tracer: engine.CourseTracer, opened: OpenState, response: Response) -> Advanced:
    """Fold one answer that was just recorded into the state and store it.

    An answer older than the newest one folded, or a correction, makes the fold be done again:
    at once if the history is short, else by a worker. Until then the state is marked; it does
    without that answer and goes on with those that come in their order.
    """
    if tracer.deep is None:
        return _advance(tracer, opened, response, None)
    prediction = selectors.get_prediction(learner_id=response.learner_id, tracer=tracer)
    advanced = _advance(tracer, opened, response, prediction)
    stored = opened.stored
    is_new = due.mark(
        learner_id=response.learner_id,
        course_id=tracer.bank.course_id,
        at=response.received_at,
        refold=stored is not None and not _comes_next(stored, response),
    )
    return dataclasses.replace(advanced, is_due=is_new, prediction=prediction)


def ask_for_fresh(
    *, learner_id: int, tracer: engine.CourseTracer, seen: engine.Seen, at: dt.datetime
) -> bool:
    """Mark a learner who begins to practise if their deep prediction is old or missing."""
    if tracer.deep is None or not seen.state.filter.n:
        return False
    if seen.deep is not None and seen.deep.age_s <= FRESH_AGE_S and seen.deep.lag == 0:
        return False
    return due.mark(learner_id=learner_id, course_id=tracer.bank.course_id, at=at, refold=False)


def _advance(
    tracer: engine.CourseTracer,
    opened: OpenState,
    response: Response,
    prediction: Prediction | None,
) -> Advanced:
    before, stored = opened.learner, opened.stored
    if stored is None:
        return _advanced_by_refold(tracer, opened, response, prediction)
    is_long = stored.n_responses > REFOLD_AT_ONCE
    if _comes_next(stored, response) and (is_long or stored.stale_since is None):
        row = _fold_row(response, item_id=response.item_version.item_id)
        concepts = content_selectors.get_concepts_of_version(version_id=row.version_id)
        after = engine.fold_one(tracer, before, row=row, concept_ids=concepts)
        after = securing.secure(
            tracer=tracer,
            response=response,
            row=row,
            before=before,
            after=after,
            n_responses=stored.n_responses,
            prediction=prediction,
        )
        _store_next(stored, response, after)
        awarding.give(tracer=tracer, after=after, row=row, concept_ids=concepts, response=response)
        return Advanced(before, after, stored.n_responses + 1, is_stale=False)
    if not is_long:
        return _advanced_by_refold(tracer, opened, response, prediction)
    LearnerState.objects.filter(pk=stored.pk).update(stale_since=response.received_at)
    return Advanced(before, before, stored.n_responses, is_stale=True)


def _advanced_by_refold(
    tracer: engine.CourseTracer,
    opened: OpenState,
    response: Response,
    prediction: Prediction | None,
) -> Advanced:
    """Fold the whole history anew; what a right answer promises holds for a late one too."""
    folded = dict(fold_learners(tracer=tracer, learner_ids=[response.learner_id]))
    found = folded.get(response.learner_id)
    if found is None:
        LearnerState.objects.filter(learner=response.learner_id, tracer=tracer.tracer_id).delete()
        return Advanced(opened.learner, engine.start(tracer), 0, is_stale=False)
    row = _fold_row(response, item_id=response.item_version.item_id)
    if response.corrects_id is None and standing.is_unassisted(tracer, row):
        seen_at = found.last_answered_at
        if opened.stored is not None and opened.stored.last_answered_at is not None:
            seen_at = max(seen_at, opened.stored.last_answered_at)
        secured = securing.secure(
            tracer=tracer,
            response=response,
            # What a page shows has the newest answer in it, whenever this one was given.
            row=row._replace(answered_at=seen_at),
            before=opened.learner,
            after=found.learner,
            n_responses=opened.n_responses,
            prediction=prediction,
        )
        found = dataclasses.replace(found, learner=secured)
        if found.n_responses >= MASTERED_EVIDENCE:
            # It may have proved something, and so may those that were folded after it.
            caught = awarding.catch_up(
                tracer=tracer, learner_ids=[response.learner_id], at=response.received_at
            )
            deque(caught, maxlen=0)
    store_folded(tracer_id=tracer.tracer_id, folded={response.learner_id: found})
    return Advanced(opened.learner, found.learner, found.n_responses, is_stale=False)


def _comes_next(stored: LearnerState, response: Response) -> bool:
    if response.corrects_id is not None:
        return False
    if stored.last_answered_at is None or stored.last_response_id is None:
        return True
    position = (stored.last_answered_at, stored.last_response_id)
    return position < (response.answered_at, response.pk)


def _fold_row(response: Response, *, item_id: int) -> FoldRow:
    return FoldRow(
        id=response.pk,
        learner_id=response.learner_id,
        version_id=response.item_version_id,
        item_id=item_id,
        credit=response.credit,
        attempt=response.attempt,
        hints_seen=response.hints_seen,
        answered_at=response.answered_at,
        is_pilot=response.is_pilot,
    )


def _store_next(stored: LearnerState, response: Response, after: engine.TracedLearner) -> None:
    _ADVANCE.run(
        pk=stored.pk,
        state=after.to_bytes(),
        last_answered_at=response.answered_at,
        last_response_id=response.pk,
        n_responses=stored.n_responses + 1,
        floors=standing.pack_floors(after.floors),
    )


_ADVANCE = PreparedUpdate(
    lambda: LearnerState.objects.filter(pk=slot("pk", LearnerState, "id")),
    "state",
    "last_answered_at",
    "last_response_id",
    "n_responses",
    "floors",
)


@dataclass(frozen=True, slots=True)
class FoldedLearner:
    """A state as the log gives it, with its position."""

    learner: engine.TracedLearner
    last_answered_at: dt.datetime
    last_response_id: int
    n_responses: int


def fold_learners(
    *, tracer: engine.CourseTracer, learner_ids: Sequence[int] | None
) -> Iterator[tuple[int, FoldedLearner]]:
    """Yield (learner id, state folded from the whole log) for those who have answers.

    Reads only; None means every learner of the course.
    """
    rows = response_selectors.iterate_fold_rows(
        course_id=tracer.bank.course_id, learner_ids=learner_ids
    )
    concepts_of = content_selectors.get_concepts_of_version
    for learner_id, own in groupby(rows, key=lambda row: row.learner_id):
        history = list(own)
        pairs = ((row, concepts_of(version_id=row.version_id)) for row in history)
        state = engine.fold(tracer, engine.start(tracer), pairs)
        yield (
            learner_id,
            FoldedLearner(state, history[-1].answered_at, history[-1].id, len(history)),
        )


def store_folded(*, tracer_id: int, folded: dict[int, FoldedLearner]) -> None:
    """Store states as the log gave them; the caller holds the learners' locks."""
    LearnerState.objects.bulk_create(
        [
            LearnerState(
                learner_id=learner_id,
                tracer_id=tracer_id,
                state=state.learner.to_bytes(),
                last_answered_at=state.last_answered_at,
                last_response_id=state.last_response_id,
                n_responses=state.n_responses,
                stale_since=None,
                # None after a plain fold: the history is another one, or the program has changed.
                floors=standing.pack_floors(state.learner.floors),
            )
            for learner_id, state in folded.items()
        ],
        update_conflicts=True,
        unique_fields=["learner", "tracer"],
        update_fields=[
            "state",
            "last_answered_at",
            "last_response_id",
            "n_responses",
            "stale_since",
            "floors",
        ],
        batch_size=200,
    )


def list_stale_learners(*, tracer_id: int) -> list[int]:
    """Return the learners whose state waits for a refold."""
    rows = LearnerState.objects.filter(tracer=tracer_id, stale_since__isnull=False)
    return list(rows.values_list("learner", flat=True))


@transaction.atomic
def give_prior_tracer(*, course: Course, at: dt.datetime) -> None:
    """Give a course that has no tracer one made of mild priors and the authors' difficulties.

    It serves until the course has answers to fit on. A course with a tracer keeps it.
    """
    if registry_selectors.get_live_tracer(course_id=course.pk) is not None:
        return
    bank = content_selectors.get_bank(course_id=course.pk, revision=course.revision)
    reference = engine.reference_offsets(bank=bank, item_offsets={}, intercept=PRIOR_INTERCEPT)
    tracer = registry_services.store_tracer(
        course=course,
        body={
            "parameters": engine.prior_parameters(),
            "intercept": PRIOR_INTERCEPT,
            "item_offsets": {},
            "reference_offsets": {str(pk): offset for pk, offset in reference.items()},
        },
        provenance={"fitted_on": "prior", "n_responses": 0},
    )
    registry_services.promote(course=course, tracer=tracer, at=at, reason="prior")


def tracer_of_version(*, version: TracerVersion, revision: int) -> engine.CourseTracer:
    """Return a version laid over its course, whether it is live or not."""
    return engine.lay_over(
        bank=content_selectors.get_bank(course_id=version.course_id, revision=revision),
        tracer_id=version.pk,
        number=version.number,
        body=version.body,
    )
