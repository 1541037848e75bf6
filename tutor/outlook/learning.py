"""A course's hazard learnt from its own log, and held against the rules of thumb. For workers."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from curriculum.outlook import associations, judging
from curriculum.outlook.drawing import drawn_looks, moments_of, usual_pace
from curriculum.outlook.fitting import TooFewLooks
from curriculum.outlook.following import Traced, follow, trace
from curriculum.outlook.hazard import UnreadableOutlook
from curriculum.outlook.histories import Goal, Look, Tracing
from curriculum.outlook.looks import gather
from tutor.classes.models import Assignment, Enrolment
from tutor.content.models import Course
from tutor.outlook import engine, goals
from tutor.outlook.models import OutlookVersion
from tutor.responses import columns
from tutor.tracing.engine import CourseTracer

__all__ = ["TooFewLooks", "is_due", "is_readable", "learn", "refused"]

SEED = 20_261_128
# Learners are drawn until there are so many answers: some 50 µs each.
MOST_ANSWERS = 400_000
# A version is fitted anew when there are so many times the answers, or under another tracer.
NEXT_LOOK = 1.2
# Shares of an assignment's time after which it is looked at.
ELAPSED = (0.05, 0.25, 0.5, 0.75)


def is_due(*, course: Course, tracer: CourseTracer, answers: int) -> bool:
    """Test whether a new version is worth its time.

    It is where nothing can be forecast by the newest: another tracer's, or one that is not
    readable; else where the log has grown.
    """
    newest = OutlookVersion.objects.filter(course=course).order_by("-pk").first()
    if newest is None or newest.tracer_id != tracer.tracer_id:
        return True
    if newest.counts and not is_readable(newest):
        return True
    before = int(newest.provenance["answers"])
    return answers > before and answers >= NEXT_LOOK * before


def is_readable(version: OutlookVersion) -> bool:
    """Test whether a version's body is of the features and periods of this code."""
    try:
        engine.Fitted.from_body(version.body)
    except UnreadableOutlook:
        return False
    return True


def learn(
    *,
    course: Course,
    tracer: CourseTracer,
    at: dt.datetime,
    progress: Callable[[int], object] = lambda _: None,
) -> OutlookVersion:
    """Return a version fitted on the course's log up to `at`, not stored.

    Goals are the assignments that were set, and goals drawn from the log as in the benchmark: so
    many more concepts in four weeks, as many as the middle learner reaches.

    Raises:
        TooFewLooks: the log is too thin to fit or to judge by.
    """
    sizes = _drawn(columns.count_standing(course_id=course.pk))
    tracing = engine.tracing_of(tracer)
    past = _past_looks(course, tracer, at)
    traced = dict(_trace_all(tracer, tracing, sizes, past, at, progress))
    more = usual_pace(traced.values())
    concepts = engine.practicable(tracer)
    until = at.timestamp()
    looks = gather(
        (
            pk,
            follow(
                own,
                tracing,
                [*drawn_looks(own, concepts, more=more, until=until), *past.get(pk, [])],
            ),
        )
        for pk, own in traced.items()
    )
    judged = judging.fit_and_judge(judging.split(looks, seed=SEED), seed=SEED)
    return OutlookVersion(
        course=course,
        tracer_id=tracer.tracer_id,
        at=at,
        body={
            "hazard": judged.hazard.to_dict(),
            "threshold": judged.threshold,
            "ranges": {name: list(pair) for name, pair in judged.ranges.items()},
            "associations": associations.to_dict(judged.associations),
        },
        evidence=judged.evidence,
        provenance={
            "answers": sum(columns.count_standing(course_id=course.pk).values()),
            "learners": len(sizes),
            "looks": len(looks),
            "more_concepts": more,
            "seed": SEED,
        },
        counts=does_better(judged.evidence),
    )


def refused(
    *, course: Course, tracer: CourseTracer, at: dt.datetime, answers: int, reason: str
) -> OutlookVersion:
    """Return a version, not stored, that says why there is none.

    Without it the same thin log would be traced anew every night.
    """
    return OutlookVersion(
        course=course,
        tracer_id=tracer.tracer_id,
        at=at,
        body={},
        evidence={},
        provenance={"answers": answers, "refused": reason},
        counts=False,
    )


def does_better(evidence: Mapping[str, Any]) -> bool:
    """Test whether the hazard's chances are nearer to what came than every rule of thumb's.

    By the Brier score, a rule's number put on a curve fitted for it; and no rule may surely order
    learners better.
    """
    methods = evidence["methods"]
    ours = methods[judging.MODEL]["brier"]["value"]
    return all(
        ours < methods[name]["brier"]["value"] and (evidence["against"][name]["high"] or 0.0) > 0.0
        for name in judging.PEERS
    )


def _drawn(sizes: Mapping[int, int]) -> dict[int, int]:
    """Return learner id -> answers of learners drawn until there are answers enough."""
    chosen, held = {}, 0
    for pk in np.random.default_rng(SEED).permutation(np.array(list(sizes), np.int64)).tolist():
        if held >= MOST_ANSWERS:
            break
        chosen[pk] = sizes[pk]
        held += sizes[pk]
    return dict(sorted(chosen.items()))


def _past_looks(course: Course, tracer: CourseTracer, at: dt.datetime) -> dict[int, list[Look]]:
    """Return learner id -> looks at the assignments of their classes whose date is over.

    Only from when the learner was in the class: before, the assignment was nothing to them, and
    not to have reached it no failure.
    """
    until = at.timestamp()
    past: dict[int, list[Assignment]] = {}
    for row in Assignment.objects.filter(classroom__course=course, due_at__lte=at).order_by("pk"):
        past.setdefault(row.classroom_id, []).append(row)
    enrolments = Enrolment.objects.filter(classroom__in=past)
    found: dict[int, list[Look]] = {}
    for learner_id, class_id, since in enrolments.order_by("learner", "classroom").values_list(
        "learner", "classroom", "created_at"
    ):
        before = [
            goals.find(
                assignment=row, learner_id=learner_id, tracer=tracer, revision=course.revision
            )
            for row in past[class_id]
        ]
        own = [
            look
            for goal in before
            if goal is not None and goal.due_at <= until
            for look in _looks_at(goal)
            if since.timestamp() <= look.at < until
        ]
        if own:
            found.setdefault(learner_id, []).extend(own)
    return found


def _looks_at(goal: Goal) -> list[Look]:
    return [Look(goal, goal.opens_at + share * (goal.due_at - goal.opens_at)) for share in ELAPSED]


def _trace_all(
    tracer: CourseTracer,
    tracing: Tracing,
    sizes: Mapping[int, int],
    looks: Mapping[int, list[Look]],
    at: dt.datetime,
    progress: Callable[[int], object],
) -> Iterator[tuple[int, Traced]]:
    for piece in columns.in_pieces(
        sizes=sizes, answers=columns.PIECE_ANSWERS, learners=columns.PIECE_ANSWERS
    ):
        histories = engine.read_histories(tracer=tracer, learner_ids=piece)
        for pk, answers in histories.items():
            past = [answer for answer in answers if answer.at < at.timestamp()]
            moments = moments_of(past) + [look.at for look in looks.get(pk, [])]
            yield pk, trace(past, tracing, moments)
            progress(1)
