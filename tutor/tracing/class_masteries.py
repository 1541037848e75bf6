"""The masteries of a whole class as arrays: the same figures as one learner's, in one pass."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tutor.classes import stated
from tutor.content.models import Course
from tutor.tracing import engine, selectors
from tutor.tracing.bands import Band, band_stated, ranks_of

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ClassMasteries:
    """L learners by K concepts; each field of a cell is what `Mastery` has for the two.

    Attributes:
        learner_ids: (L,) in the order asked for.
        concept_ids: (K,) in teaching order.
        prob, lower_prob: (L, K) probabilities, 0..1.
        evidence_n: (L, K) answers that measured it.
        rank: (L, K) `Band.rank` of the band shown.
        is_stated: (L, K) whether a teacher's word is shown, whatever the estimate is.
    """

    learner_ids: tuple[int, ...]
    concept_ids: Ints
    prob: Floats
    lower_prob: Floats
    evidence_n: Ints
    rank: Ints
    is_stated: npt.NDArray[np.bool_]

    def counts(self, column: int) -> dict[Band, int]:
        """Return how many learners are in each band of the concept in that column."""
        found = np.bincount(self.rank[:, column], minlength=len(Band))
        return dict(zip(Band, found.tolist(), strict=True))


def read_class(*, learner_ids: Sequence[int], course: Course, at: dt.datetime) -> ClassMasteries:
    """Return what is known of a class now, with as many queries for any number of learners."""
    tracer = selectors.get_tracer(course_id=course.pk, revision=course.revision)
    found = selectors.list_estimates_under(tracer=tracer, learner_ids=learner_ids, at=at)
    shape = (len(found), len(tracer.bank.concept_ids))
    prob = np.array([one.prob for _, one in found], dtype=np.float64).reshape(shape)
    lower = np.array([one.lower_prob for _, one in found], dtype=np.float64).reshape(shape)
    evidence = np.array([one.evidence_n for _, one in found], dtype=np.int64).reshape(shape)
    rank = ranks_of(prob=prob, lower_prob=lower, evidence_n=evidence)
    for row, (state, _) in enumerate(found):
        _hold_up(rank[row], tracer, state, at=at.timestamp())
    is_stated = _state(rank, tracer, learner_ids=learner_ids, course=course)
    return ClassMasteries(
        learner_ids=tuple(learner_ids),
        concept_ids=tracer.bank.concept_ids,
        prob=prob,
        lower_prob=lower,
        evidence_n=evidence,
        rank=rank,
        is_stated=is_stated,
    )


def _state(
    rank: Ints, tracer: engine.CourseTracer, *, learner_ids: Sequence[int], course: Course
) -> npt.NDArray[np.bool_]:
    """Set (L, K) ranks to what teachers say, in place; return where they say something."""
    found = np.zeros(rank.shape, dtype=np.bool_)
    said = stated.read(course_id=course.pk, revision=course.revision)
    for row, learner_id in enumerate(learner_ids):
        for pk, word in said.get(learner_id, {}).items():
            column = tracer.bank.index_of_concept.get(pk)
            if column is not None:
                rank[row, column] = band_stated(is_known=word.is_known).rank
                found[row, column] = True
    return found


def _hold_up(
    rank: Ints, tracer: engine.CourseTracer, state: engine.TracedLearner, *, at: float
) -> None:
    """Raise (K,) a learner's ranks to the floors in force, in place."""
    for pk in state.floors:
        column = tracer.bank.index_of_concept.get(pk)
        if column is not None:
            rank[column] = max(int(rank[column]), state.floor_of(pk, at=at).rank)
