"""Estimates: the scheduler's, every page's and the API's only source."""

import dataclasses
import datetime as dt
import logging
import math
import struct
from collections.abc import Collection, Sequence

import numpy as np
from django.db.models import Exists, Max, OuterRef, Q

from tutor.accounts.models import Learner
from tutor.classes import selectors as class_selectors
from tutor.classes import stated
from tutor.common.cache import new_cache
from tutor.common.prepared import Prepared, slot
from tutor.content import selectors as content_selectors
from tutor.content.models import Course
from tutor.registry import selectors as registry_selectors
from tutor.responses.models import Response
from tutor.tracing import distrust, engine, standing
from tutor.tracing.bands import Mastery
from tutor.tracing.deep import Prediction, Shifts, Use, pool_concept
from tutor.tracing.errors import NoTracer
from tutor.tracing.models import (
    AwardStep,
    DeepPrediction,
    DeepState,
    DueLearner,
    LearnerState,
)

logger = logging.getLogger(__name__)

_tracers = new_cache(capacity=32)


def get_tracer(*, course_id: int, revision: int) -> engine.CourseTracer:
    """Return the live tracer laid over the course; made once per revision and process.

    Raises:
        NoTracer: the course never had a tracer promoted.
    """
    return _tracers.get((course_id, revision), lambda: _read_tracer(course_id, revision))


def _read_tracer(course_id: int, revision: int) -> engine.CourseTracer:
    version = registry_selectors.get_live_tracer(course_id=course_id)
    if version is None:
        raise NoTracer("This course has no tracer yet.", course_id=course_id)
    return engine.lay_over(
        bank=content_selectors.get_bank(course_id=course_id, revision=revision),
        tracer_id=version.pk,
        number=version.number,
        body=version.body,
    )


def get_state(*, learner_id: int, tracer: engine.CourseTracer) -> engine.TracedLearner:
    """Return the learner's state, or that of a new learner."""
    found = (
        LearnerState.objects.filter(learner=learner_id, tracer=tracer.tracer_id)
        .values_list("state", "floors")
        .first()
    )
    return engine.start(tracer) if found is None else read_state(*found)


def read_state(raw: bytes | memoryview, floors: dict[str, list[object]]) -> engine.TracedLearner:
    """Return a stored state with what is shown at least.

    Raises:
        ValueError: the bytes are not of this version; fold the log again.
    """
    state = engine.TracedLearner.from_bytes(bytes(raw))
    if not floors:
        return state
    return dataclasses.replace(state, floors=standing.unpack_floors(floors))


def get_prediction(*, learner_id: int, tracer: engine.CourseTracer) -> Prediction | None:
    """Return the newest deep prediction of the learner; None without one, or a deep tracer."""
    if tracer.deep is None:
        return None
    row = _PREDICTION.first(learner=learner_id, tracer=tracer.tracer_id)
    return None if row is None else _readable(row)


_PREDICTION = Prepared(
    lambda: DeepPrediction.objects.filter(
        learner=slot("learner", DeepPrediction), tracer=slot("tracer", DeepPrediction)
    ).order_by("-pk")[:1]
)


def _readable(row: DeepPrediction) -> Prediction | None:
    # Written by newer code, or damaged: then the filter goes on alone.
    try:
        return read_prediction(row)
    except (ValueError, struct.error):
        logger.exception("The deep prediction %s cannot be read.", row.pk)
        return None


def read_prediction(row: DeepPrediction) -> Prediction:
    """Return a stored prediction as the estimates take it."""
    return Prediction(
        pk=row.pk,
        n_responses=row.n_responses,
        at=row.made_at.timestamp(),
        shifts=Shifts.from_bytes(bytes(row.shifts)),
    )


def see(
    *,
    learner_id: int,
    tracer: engine.CourseTracer,
    state: engine.TracedLearner,
    n_responses: int,
    prediction: Prediction | None,
    at: dt.datetime,
) -> engine.Seen:
    """Return what is to be said of the whole course of a state at hand, deep prediction included.

    Args:
        learner_id: who.
        tracer: the live one.
        state: of the filter.
        n_responses: answers that it has seen.
        prediction: the learner's newest deep one (`get_prediction`).
        at: the moment.
    """
    distrusted = None
    if prediction is not None:
        distrusted = distrust.find(learner_ids=[learner_id], tracer=tracer).get(learner_id)
    by_difficulty = distrust.find_by_difficulty(learner_ids=[learner_id], tracer=tracer)
    return engine.see(
        tracer,
        state,
        at=at.timestamp(),
        prediction=prediction,
        n_responses=n_responses,
        distrusted=distrusted,
        by_difficulty=by_difficulty.get(learner_id),
    )


def _list_predictions(
    *, learner_ids: Collection[int], tracer: engine.CourseTracer
) -> dict[int, Prediction]:
    if tracer.deep is None:
        return {}
    own = DeepPrediction.objects.filter(learner__in=learner_ids, tracer=tracer.tracer_id)
    newest = own.values("learner").annotate(newest=Max("pk")).values("newest")
    rows = DeepPrediction.objects.filter(pk__in=newest)
    found = {row.learner_id: _readable(row) for row in rows}
    return {pk: prediction for pk, prediction in found.items() if prediction is not None}


def is_anybody_due() -> bool:
    """Test whether the deep tracer has work."""
    return DueLearner.objects.filter(quarantined_at__isnull=True).exists()


def list_deep_behind(*, tracer_id: int, learner_ids: Collection[int] | None = None) -> list[int]:
    """Return the learners of whom the filter has seen answers that the network has not.

    Args:
        tracer_id: of the version.
        learner_ids: among whom; None: among all.
    """
    same = DeepState.objects.filter(
        learner=OuterRef("learner"),
        tracer=tracer_id,
        last_response_id=OuterRef("last_response_id"),
        n_responses=OuterRef("n_responses"),
    )
    behind = LearnerState.objects.filter(~Exists(same), tracer=tracer_id, n_responses__gt=0)
    if learner_ids is not None:
        behind = behind.filter(learner__in=learner_ids)
    return list(behind.order_by("learner").values_list("learner", flat=True))


def list_deep_torn(*, tracer_id: int, learner_ids: Collection[int] | None = None) -> list[int]:
    """Return the learners whose deep state lacks something that came before its place.

    A correction, or an answer out of order: going on from the state would never make up for it,
    and neither its last answer nor their number tells. Ids of one learner commit in order, so what
    came since is what has a later id. A state that a worker made may be named though it is whole,
    where a correction was there when it was folded; it is never the other way round.

    Args:
        tracer_id: of the version.
        learner_ids: among whom; None: among all.
    """
    later = Response.objects.filter(
        Q(answered_at__lt=OuterRef("last_answered_at"))
        | Q(corrects__isnull=False)
        | Q(pk__lte=OuterRef("last_response_id")),
        learner=OuterRef("learner"),
        course=OuterRef("tracer__course"),
        pk__gt=OuterRef("folded_through"),
        answered_at__lte=OuterRef("last_answered_at"),
    )
    rows = DeepState.objects.filter(Exists(later), tracer=tracer_id)
    if learner_ids is not None:
        rows = rows.filter(learner__in=learner_ids)
    return list(rows.order_by("learner").values_list("learner", flat=True))


def list_newest_predictions(*, tracer_id: int) -> dict[int, DeepPrediction]:
    """Return learner id -> the newest prediction under a version."""
    rows = DeepPrediction.objects.filter(tracer=tracer_id).order_by()
    newest = rows.values("learner").annotate(newest=Max("pk")).values("newest")
    return {row.learner_id: row for row in DeepPrediction.objects.filter(pk__in=newest)}


def list_unpredicted(*, tracer_id: int) -> list[int]:
    """Return the learners with a deep state and no prediction from it."""
    made = DeepPrediction.objects.filter(
        learner=OuterRef("learner"),
        tracer=tracer_id,
        last_response_id=OuterRef("last_response_id"),
        n_responses=OuterRef("n_responses"),
    )
    rows = DeepState.objects.filter(~Exists(made), tracer=tracer_id)
    return list(rows.order_by("learner").values_list("learner", flat=True))


def get_masteries(*, learner: Learner, course: Course, at: dt.datetime) -> dict[int, Mastery]:
    """Return concept id -> mastery for one learner, in teaching order."""
    return list_masteries(learners=[learner], course=course, at=at)[learner.pk]


def list_masteries(
    *, learners: Sequence[Learner], course: Course, at: dt.datetime
) -> dict[int, dict[int, Mastery]]:
    """Return learner id -> concept id -> mastery, with a query or two for a whole class.

    With what teachers say beside the estimates.
    """
    tracer = get_tracer(course_id=course.pk, revision=course.revision)
    found = list_masteries_under(
        tracer=tracer, learner_ids=[learner.pk for learner in learners], at=at
    )
    said = stated.read(course_id=course.pk, revision=course.revision)
    for learner_id in found.keys() & said.keys():
        own = found[learner_id]
        for pk, word in said[learner_id].items():
            if pk in own:
                own[pk] = dataclasses.replace(own[pk], stated=word.is_known)
    return found


def list_masteries_under(
    *, tracer: engine.CourseTracer, learner_ids: Sequence[int], at: dt.datetime
) -> dict[int, dict[int, Mastery]]:
    """Return the same under any version, by what is stored under it."""
    found = list_estimates_under(tracer=tracer, learner_ids=learner_ids, at=at)
    return {
        pk: _as_masteries(tracer, state, estimates, at=at)
        for pk, (state, estimates) in zip(learner_ids, found, strict=True)
    }


def list_estimates_under(
    *, tracer: engine.CourseTracer, learner_ids: Sequence[int], at: dt.datetime
) -> list[tuple[engine.TracedLearner, engine.ConceptEstimates]]:
    """Return for each of the learners, in this order, the state and what it says of (K,) concepts.

    The number of queries is the same for a class of any size.
    """
    rows = LearnerState.objects.filter(learner__in=learner_ids, tracer=tracer.tracer_id)
    states = {
        pk: (read_state(raw, floors), n)
        for pk, raw, floors, n in rows.values_list("learner", "state", "floors", "n_responses")
    }
    predictions = _list_predictions(learner_ids=learner_ids, tracer=tracer)
    distrusted = distrust.find(learner_ids=learner_ids, tracer=tracer)
    new = (engine.start(tracer), 0)
    found = []
    for pk in learner_ids:
        state, n = states.get(pk, new)
        estimates = _pooled(
            tracer,
            state,
            at=at,
            prediction=predictions.get(pk),
            n_responses=n,
            distrusted=distrusted.get(pk),
        )
        found.append((state, estimates))
    return found


def masteries_of(
    tracer: engine.CourseTracer,
    state: engine.TracedLearner,
    *,
    at: dt.datetime,
    prediction: Prediction | None = None,
    n_responses: int = 0,
    distrusted: engine.Bools | None = None,
) -> dict[int, Mastery]:
    """Return concept id -> mastery for a state at hand, in teaching order.

    As in `engine.see`, a deep prediction is pooled as far as it counts.
    """
    found = _pooled(
        tracer,
        state,
        at=at,
        prediction=prediction,
        n_responses=n_responses,
        distrusted=distrusted,
    )
    return _as_masteries(tracer, state, found, at=at)


def _pooled(
    tracer: engine.CourseTracer,
    state: engine.TracedLearner,
    *,
    at: dt.datetime,
    prediction: Prediction | None,
    n_responses: int,
    distrusted: engine.Bools | None,
) -> engine.ConceptEstimates:
    return engine.pool_concepts(
        tracer,
        engine.estimate_concepts(tracer, state, at=at.timestamp()),
        prediction=prediction,
        n_responses=n_responses,
        at=at.timestamp(),
        distrusted=distrusted,
    )


def _as_masteries(
    tracer: engine.CourseTracer,
    state: engine.TracedLearner,
    found: engine.ConceptEstimates,
    *,
    at: dt.datetime,
) -> dict[int, Mastery]:
    columns = (
        tracer.bank.concept_ids,
        found.prob,
        found.lower_prob,
        found.evidence_n,
        found.logit_mean,
        np.sqrt(found.logit_var),
    )
    rows = zip(*(column.tolist() for column in columns), strict=True)
    epoch = at.timestamp()
    return {row[0]: Mastery(*row, floor=state.floor_of(row[0], at=epoch)) for row in rows}


def masteries_among(
    tracer: engine.CourseTracer,
    state: engine.TracedLearner,
    *,
    concept_ids: Sequence[int],
    at: dt.datetime,
    deep: Use | None = None,
) -> dict[int, Mastery]:
    """Return `masteries_of` for a few concepts, those that the course has.

    `deep`: how a prediction counts; what is compared has to be pooled alike.
    """
    masteries = {}
    for pk in concept_ids:
        if pk in tracer.bank.index_of_concept:
            found = engine.estimate_concept(tracer, state, concept_id=pk, at=at.timestamp())
            if deep is not None:
                shift = deep.weighted_concepts[tracer.bank.index_of_concept[pk]]
                found = pool_concept(found, float(shift))
            masteries[pk] = Mastery(
                concept_id=pk,
                prob=found.prob,
                lower_prob=found.lower_prob,
                evidence_n=found.evidence_n,
                logit_mean=found.logit_mean,
                logit_sd=math.sqrt(found.logit_var),
                floor=state.floor_of(pk, at=at.timestamp()),
            )
    return masteries


def masteries_around(
    *,
    tracer: engine.CourseTracer,
    learner_id: int,
    before: engine.TracedLearner,
    after: engine.TracedLearner,
    n_responses: int,
    prediction: Prediction | None,
    concept_ids: Sequence[int],
    at: dt.datetime,
) -> tuple[dict[int, Mastery], dict[int, Mastery]]:
    """Return what pages show before an answer, and what the estimates are after it.

    Of the item's concepts; of the whole course where there is a deep prediction: it counts for
    less after the answer, which it has not seen, and that moves other concepts too.

    Args:
        tracer: the live one.
        learner_id: who.
        before, after: the filter's states around the answer.
        n_responses: answers that `before` has seen.
        prediction: the learner's newest deep one (`get_prediction`).
        concept_ids: of the item answered.
        at: the moment of the answer.
    """
    if prediction is None:
        return (
            masteries_among(tracer, before, concept_ids=concept_ids, at=at),
            masteries_among(tracer, after, concept_ids=concept_ids, at=at),
        )
    shared = {
        "at": at,
        "prediction": prediction,
        "distrusted": distrust.find(learner_ids=[learner_id], tracer=tracer).get(learner_id),
    }
    return (
        masteries_of(tracer, before, n_responses=n_responses, **shared),  # type: ignore[arg-type]
        masteries_of(tracer, after, n_responses=n_responses + 1, **shared),  # type: ignore[arg-type]
    )


def masteries_seen(
    tracer: engine.CourseTracer, seen: engine.Seen, *, concept_ids: Sequence[int]
) -> dict[int, Mastery]:
    """Return the same from a survey."""
    index_of, found, at = tracer.bank.index_of_concept, seen.survey.concepts, seen.at
    return {
        pk: Mastery(
            concept_id=pk,
            prob=float(found.prob[index_of[pk]]),
            lower_prob=float(found.lower_prob[index_of[pk]]),
            evidence_n=int(found.evidence_n[index_of[pk]]),
            logit_mean=float(found.logit_mean[index_of[pk]]),
            logit_sd=math.sqrt(found.logit_var[index_of[pk]]),
            floor=seen.state.floor_of(pk, at=at),
        )
        for pk in concept_ids
        if pk in index_of
    }


def list_awards(*, learner: Learner, course: Course) -> dict[int, dt.datetime]:
    """Return concept id -> when the learner was awarded it; what is in here never leaves.

    An award counts for good if it met the rule of a class that the learner was in when it was
    given, and else as long as they are in one whose rule it met on its day.
    """
    rules = class_selectors.get_award_rules(course_id=course.pk, revision=course.revision)
    classes = class_selectors.list_class_ids_of(learner_id=learner.pk, course_id=course.pk)
    rows = AwardStep.objects.filter(
        learner=learner, concept__course=course, step=AwardStep.Step.AWARD
    )
    found: dict[int, dt.datetime] = {}
    facts = rows.order_by("at").values_list("concept", "percent", "at", "met_rule")
    for concept_id, percent, at, met_rule in facts:
        if met_rule or class_selectors.is_awarded(rules, class_ids=classes, percent=percent, at=at):
            found.setdefault(concept_id, at)
    return found


def list_learned(*, learner: Learner, course: Course) -> frozenset[int]:
    """Return the concepts that the learner mastered at some moment, forgotten since or not."""
    tracer = get_tracer(course_id=course.pk, revision=course.revision)
    return frozenset(get_state(learner_id=learner.pk, tracer=tracer).mastered.tolist())


def list_proofs(*, learner: Learner, course: Course) -> dict[int, dt.datetime]:
    """Return concept id -> when the first of the two proofs was, where the award is still to come.

    The second one may come a day after that.
    """
    awarded = list_awards(learner=learner, course=course)
    rows = AwardStep.objects.filter(
        learner=learner, concept__course=course, step=AwardStep.Step.FIRST
    )
    found = dict(rows.order_by("at").values_list("concept", "at"))
    return {pk: at for pk, at in found.items() if pk not in awarded}
