"""The tracer under test: the psi-filter, fitted on the answers of other simulators' students.

What judges a policy may not have been seen by the tracer that guides it: leave one simulator out.
The left-out simulator's items keep their names and concepts, and nothing else.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curriculum.simulation.course import SimulatedCourse
from curriculum.simulation.student import Simulator
from curriculum.simulation.teaching import Teacher
from curriculum.simulation.timetable import Timetable
from kt_models import api
from kt_models.streaming import psi_filter, psi_survey

FloatArray = npt.NDArray[np.float64]
# A fit has no use for a date here, and a simulation reads no clock.
FITTED_ON = dt.date(2000, 1, 1)
LEARNERS_EACH = 40


@dataclass(frozen=True, slots=True, eq=False)
class Tracer:
    """A fitted filter laid out over a course.

    Attributes:
        parameters: its scalars.
        offsets: [N] logit offsets of the items.
        concept_offsets: [K] those of the concepts' reference items.
        minutes: [N] minutes that the items took those it was fitted on, on average.
        layout: for surveys.
    """

    parameters: psi_filter.FilterParameters
    offsets: FloatArray
    concept_offsets: FloatArray
    minutes: FloatArray
    layout: psi_survey.Layout


@dataclass(frozen=True, slots=True, eq=False)
class TaughtLog:
    """Answers to a plain teacher, one row each; `learner` counts from 0."""

    learner: list[int]
    item: list[int]
    correct: list[bool]
    shown_at: list[float]
    answered_at: list[float]
    assisted: list[bool]


def teach(simulator: Simulator, *, learners: int, seed: int, timetable: Timetable) -> TaughtLog:
    """Return what students of a simulator answer to a plain teacher (`teaching.Teacher`)."""
    log = TaughtLog([], [], [], [], [], [])
    starts = timetable.starts()
    for index in range(learners):
        rng = np.random.default_rng([seed, 3, index])
        student = simulator.enrol(starts[0], rng)
        teacher = Teacher(
            simulator.course,
            entry=int(rng.integers(max(int(0.6 * simulator.course.n_concepts), 1))),
            patience=int(rng.integers(5, 9)),
            wanted=int(rng.integers(2, 4)),
        )
        for start in starts:
            at = start
            while at < start + timetable.session_s:
                item = teacher.choose(rng=rng)
                given = student.answer(item, at=at, rng=rng)
                teacher.record(item, correct=given.correct)
                log.learner.append(index)
                log.item.append(item)
                log.correct.append(given.correct)
                log.shown_at.append(at)
                at += given.seconds
                log.answered_at.append(at)
                log.assisted.append(given.assisted)
    return log


def response_log(logs: Sequence[TaughtLog], course: SimulatedCourse) -> api.ResponseLog:
    """Return the answers of several classes as one log."""
    rows = [(turn, log) for turn, log in enumerate(logs)]
    items = [item for log in logs for item in log.item]
    return api.build_log(
        learners=[f"{turn}-{learner}" for turn, log in rows for learner in log.learner],
        items=[str(item) for item in items],
        concepts=[tuple(str(k) for k in course.items[item].concepts) for item in items],
        correct=np.array([float(c) for log in logs for c in log.correct]),
        answered_at=np.array([at for log in logs for at in log.answered_at]),
        shown_at=np.array([at for log in logs for at in log.shown_at]),
        assisted=np.array([helped for log in logs for helped in log.assisted], dtype=np.bool_),
    )


def fit_tracer(
    logs: Sequence[TaughtLog],
    course: SimulatedCourse,
    *,
    seed: int,
    progress: Callable[[int], object] | None = None,
) -> Tracer:
    """Return the filter fitted to the given classes."""
    fitted = api.fit_filter(
        response_log(logs, course), seed=seed, fitted_on=FITTED_ON, progress=progress
    )
    return lay_out(fitted, course, minutes=mean_minutes(logs, items=len(course.items)))


def mean_minutes(logs: Sequence[TaughtLog], *, items: int) -> FloatArray:
    """Return [items] mean minutes per answer, ten answers of the overall mean added to each."""
    item = np.array([one for log in logs for one in log.item], dtype=np.int64)
    shown = np.array([at for log in logs for at in log.shown_at])
    answered = np.array([at for log in logs for at in log.answered_at])
    spent = (answered - shown) / 60.0
    total = np.bincount(item, weights=spent, minlength=items) + 10.0 * spent.mean()
    return np.asarray(total / (np.bincount(item, minlength=items) + 10.0))


def lay_out(fitted: api.FittedFilter, course: SimulatedCourse, *, minutes: FloatArray) -> Tracer:
    """Return a fitted filter over a course whose items and concepts are named by their index."""
    widest = max(len(item.concepts) for item in course.items)
    concepts = np.full((len(course.items), widest), -1, dtype=np.int64)
    for row, item in enumerate(course.items):
        concepts[row, : len(item.concepts)] = item.concepts
    offsets = np.array(
        [
            fitted.offset_of(str(row), [str(k) for k in item.concepts])
            for row, item in enumerate(course.items)
        ]
    )
    names = [str(concept) for concept in range(course.n_concepts)]
    references = np.array([fitted.concept_offsets.get(k, fitted.intercept) for k in names])
    layout = psi_survey.lay_out(
        fitted.parameters,
        concepts=concepts,
        item_offsets=offsets,
        concept_ids=np.arange(course.n_concepts),
        concept_offsets=references,
    )
    return Tracer(
        parameters=fitted.parameters,
        offsets=offsets,
        concept_offsets=references,
        minutes=minutes,
        layout=layout,
    )
