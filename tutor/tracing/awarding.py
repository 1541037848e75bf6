"""Awards: what a learner has proved, for good. See `standing` for what a proof is.

An answer gives them as it is folded, a late one too. Where answers came another way (an import, a
correction, a long history folded by a worker) or a rule has changed since, `catch_up` gives what
the log says, every night for everybody; repeating it changes nothing.
"""

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby

from tutor.classes import selectors as class_selectors
from tutor.content import selectors as content_selectors
from tutor.responses import selectors as response_selectors
from tutor.responses.models import Response
from tutor.responses.selectors import FoldRow
from tutor.tracing import engine, standing
from tutor.tracing.models import AwardStep

FIRST, AWARD = AwardStep.Step.FIRST, AwardStep.Step.AWARD
# (concept id, percent) -> when each step was, in order.
Known = dict[tuple[int, int], list[dt.datetime]]


def give(
    *,
    tracer: engine.CourseTracer,
    after: engine.TracedLearner,
    row: FoldRow,
    concept_ids: Sequence[int],
    response: Response,
) -> None:
    """Keep what an answer just folded proves; the caller holds the learner's lock.

    One query for an answer that proves something, none for the others; an insert, and a look at the
    learner's classes, at most twice per concept and rule in a learner's life.
    """
    passed = _passed(tracer, after, row, concept_ids)
    if passed:
        known = _read_known(learner_id=row.learner_id, concept_ids=[pk for pk, *_ in passed])
        _store(tracer, _next_steps(tracer, known, row, passed, given_at=response.received_at))


def catch_up(
    *, tracer: engine.CourseTracer, learner_ids: Collection[int], at: dt.datetime
) -> Iterator[tuple[int, int]]:
    """Give what the whole log says under the tracer; yield (learner id, steps given).

    Answer by answer, some 100 µs each: for commands and workers.
    """
    for learner_id, steps in derive(tracer=tracer, learner_ids=learner_ids, at=at):
        yield learner_id, _store(tracer, steps)


def derive(
    *, tracer: engine.CourseTracer, learner_ids: Collection[int], at: dt.datetime
) -> Iterator[tuple[int, list[AwardStep]]]:
    """Yield (learner id, steps that the log gives and the table has not), not stored."""
    rows = response_selectors.iterate_fold_rows(
        course_id=tracer.bank.course_id, learner_ids=sorted(learner_ids)
    )
    for learner_id, own in groupby(rows, key=lambda row: row.learner_id):
        known = _read_known(learner_id=learner_id, concept_ids=tracer.bank.concept_ids.tolist())
        steps: list[AwardStep] = []
        state = engine.start(tracer)
        for row in own:
            concepts = content_selectors.get_concepts_of_version(version_id=row.version_id)
            state = engine.fold_one(tracer, state, row=row, concept_ids=concepts)
            passed = _passed(tracer, state, row, concepts)
            steps += _next_steps(tracer, known, row, passed, given_at=at)
        yield learner_id, steps


def prove(*, tracer: engine.CourseTracer, step: AwardStep) -> float | None:
    """Return the lower bound of mastery that the log of then gives for a step; None for no proof.

    Folds the learner's answers as they stood when the step was given, under its tracer.
    """
    state = engine.start(tracer)
    rows = response_selectors.list_fold_rows_then(
        course_id=tracer.bank.course_id, learner_id=step.learner_id, at=step.given_at
    )
    for row in rows:
        concepts = content_selectors.get_concepts_of_version(version_id=row.version_id)
        state = engine.fold_one(tracer, state, row=row, concept_ids=concepts)
        if row.id == step.response_id:
            found = standing.find_proofs(tracer, state, row=row, concept_ids=concepts)
            return found.get(step.concept_id)
    return None


def _passed(
    tracer: engine.CourseTracer,
    state: engine.TracedLearner,
    row: FoldRow,
    concept_ids: Sequence[int],
) -> list[tuple[int, int, float]]:
    """Return (concept id, percent, lower bound) of every rule that the answer passes."""
    lowers = standing.find_proofs(tracer, state, row=row, concept_ids=concept_ids)
    if not lowers:
        return []
    percents = class_selectors.get_award_percents(
        course_id=tracer.bank.course_id, revision=tracer.bank.revision
    )
    return [
        (pk, percent, lower)
        for pk, lower in lowers.items()
        for percent in percents
        if 100.0 * lower >= percent
    ]


def _read_known(*, learner_id: int, concept_ids: Collection[int]) -> Known:
    rows = AwardStep.objects.filter(learner=learner_id, concept__in=concept_ids).order_by("step")
    known: Known = {}
    for concept_id, percent, at in rows.values_list("concept", "percent", "at"):
        known.setdefault((concept_id, percent), []).append(at)
    return known


def _next_steps(
    tracer: engine.CourseTracer,
    known: Known,
    row: FoldRow,
    passed: Sequence[tuple[int, int, float]],
    *,
    given_at: dt.datetime,
) -> list[AwardStep]:
    """Return the steps that an answer makes, and add them to what is known."""
    steps = []
    for concept_id, percent, lower in passed:
        times = known.setdefault((concept_id, percent), [])
        if len(times) >= AWARD or (times and row.answered_at - times[0] < standing.BETWEEN_PROOFS):
            continue
        times.append(row.answered_at)
        steps.append(
            AwardStep(
                learner_id=row.learner_id,
                concept_id=concept_id,
                percent=percent,
                step=len(times),
                response_id=row.id,
                tracer_id=tracer.tracer_id,
                lower_prob=lower,
                at=row.answered_at,
                given_at=given_at,
            )
        )
    return steps


def _store(tracer: engine.CourseTracer, steps: Sequence[AwardStep]) -> int:
    """Insert one learner's steps, each with whether it was what their classes asked."""
    if not steps:
        return 0
    bank = tracer.bank
    rules = class_selectors.get_award_rules(course_id=bank.course_id, revision=bank.revision)
    classes = class_selectors.list_class_ids_of(
        learner_id=steps[0].learner_id, course_id=bank.course_id
    )
    for step in steps:
        step.met_rule = class_selectors.is_awarded(
            rules, class_ids=classes, percent=step.percent, at=step.at
        )
    AwardStep.objects.bulk_create(steps, ignore_conflicts=True)
    return len(steps)
