"""Floors under what is shown: a band does not fall on a right answer without help."""

import dataclasses

from tutor.content import selectors as content_selectors
from tutor.responses.models import Response
from tutor.responses.selectors import FoldRow
from tutor.tracing import engine, selectors, standing
from tutor.tracing.bands import Mastery
from tutor.tracing.deep import Prediction
from tutor.tracing.models import HeldBand


def secure(
    *,
    tracer: engine.CourseTracer,
    response: Response,
    row: FoldRow,
    before: engine.TracedLearner,
    after: engine.TracedLearner,
    n_responses: int,
    prediction: Prediction | None,
) -> engine.TracedLearner:
    """Return the state after an answer with its floors; keep a row where they hold a band up.

    The caller stores the state and holds the learner's lock.

    Args:
        tracer: the live one.
        response: the answer.
        row: the same as it is folded.
        before, after: the filter's states around it.
        n_responses: answers that `before` has seen.
        prediction: the learner's newest deep one.
    """
    concepts = content_selectors.get_concepts_of_version(version_id=row.version_id)
    shown: dict[int, Mastery] = {}
    now: dict[int, Mastery] = {}
    if standing.is_unassisted(tracer, row):
        shown, now = selectors.masteries_around(
            tracer=tracer,
            learner_id=row.learner_id,
            before=before,
            after=after,
            n_responses=n_responses,
            prediction=prediction,
            concept_ids=concepts,
            at=row.answered_at,
        )
        held = standing.find_held(before=shown, after=now)
        if held:
            _note(tracer, response, [(shown[pk], now[pk]) for pk in held])
    floors = standing.move_floors(
        before.floors, tracer=tracer, row=row, concept_ids=concepts, before=shown, after=now
    )
    return dataclasses.replace(after, floors=floors)


def _note(
    tracer: engine.CourseTracer, response: Response, pairs: list[tuple[Mastery, Mastery]]
) -> None:
    HeldBand.objects.bulk_create(
        HeldBand(
            learner_id=response.learner_id,
            concept_id=shown.concept_id,
            tracer_id=tracer.tracer_id,
            response=response,
            shown=shown.band.value,
            modelled=now.modelled_band.value,
            at=response.received_at,
        )
        for shown, now in pairs
    )
