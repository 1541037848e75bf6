"""A course's hazard learnt from its own log, and held against the rules of thumb. For workers."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from curriculum.outlook import associations, judging
from curriculum.outlook.drawing import drawn_looks, moments_of, usual_pace
from curriculum.outlook.fitting import TooFewLooks
from curriculum.outlook.following import Traced, follow, trace
from curriculum.outlook.histories import Goal, Look, Tracing
from curriculum.outlook.looks import gather
from tutor.classes import selectors as class_selectors
from tutor.classes.models import Assignment
from tutor.content.models import Course
from tutor.outlook import engine
from tutor.outlook.models import OutlookVersion
from tutor.responses import columns
from tutor.tracing.engine import CourseTracer

__all__ = ["TooFewLooks", "is_due", "learn"]

SEED = 20_261_128
# Learners are drawn until there are so many answers: some 50 µs each.
MOST_ANSWERS = 400_000
# A version is fitted anew when there are so many times the answers, or under another tracer.
NEXT_LOOK = 1.2
# Shares of an assignment's time after which it is looked at.
ELAPSED = (0.05, 0.25, 0.5, 0.75)


def is_due(*, course: Course, tracer: CourseTracer, answers: int) -> bool:
    """Test whether a new version is worth its time."""
    newest = OutlookVersion.objects.filter(course=course).order_by("-pk").first()
    if newest is None or newest.tracer_id != tracer.tracer_id:
        return True
    return answers >= NEXT_LOOK * int(newest.provenance["answers"])


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
    goals = _past_goals(course, tracer, at)
    traced = dict(_trace_all(tracer, tracing, sizes, goals, at, progress))
    more = usual_pace(traced.values())
    concepts = engine.practicable(tracer)
    looks = gather(
        (
            pk,
            follow(
                own,
                tracing,
                [*drawn_looks(own, concepts, more=more), *_looks_at(goals.get(pk, []), at)],
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


def _past_goals(course: Course, tracer: CourseTracer, at: dt.datetime) -> dict[int, list[Goal]]:
    """Return learner id -> goals of the assignments of their classes whose date is over."""
    rows = Assignment.objects.filter(classroom__course=course, due_at__lte=at)
    goals = []
    for row in rows.order_by("pk"):
        asked = class_selectors.get_goal_concepts(assignment=row, revision=course.revision)
        due_at = row.due_at
        goal = due_at and engine.goal_of(
            tracer, asked, opens_at=row.opens_at.timestamp(), due_at=due_at.timestamp()
        )
        if goal:
            goals.append((row.classroom_id, goal))
    found: dict[int, list[Goal]] = {}
    for learner_id, class_id in class_selectors.list_members_of(
        class_ids={class_id for class_id, _ in goals}
    ):
        found.setdefault(learner_id, []).extend(goal for own, goal in goals if own == class_id)
    return found


def _looks_at(goals: list[Goal], at: dt.datetime) -> list[Look]:
    looks = [
        Look(goal, goal.opens_at + share * (goal.due_at - goal.opens_at))
        for goal in goals
        for share in ELAPSED
    ]
    return [look for look in looks if look.at < at.timestamp()]


def _trace_all(
    tracer: CourseTracer,
    tracing: Tracing,
    sizes: Mapping[int, int],
    goals: Mapping[int, list[Goal]],
    at: dt.datetime,
    progress: Callable[[int], object],
) -> Iterator[tuple[int, Traced]]:
    for piece in columns.in_pieces(
        sizes=sizes, answers=columns.PIECE_ANSWERS, learners=columns.PIECE_ANSWERS
    ):
        histories = engine.read_histories(tracer=tracer, learner_ids=piece)
        for pk, answers in histories.items():
            past = [answer for answer in answers if answer.at < at.timestamp()]
            moments = moments_of(past) + [look.at for look in _looks_at(goals.get(pk, []), at)]
            yield pk, trace(past, tracing, moments)
            progress(1)
