"""Which items the deep tracer is asked about: those that may be given to a learner next.

A bank can hold more items than a network answers in the time of an answer. Numpy only.
"""

import numpy as np

from tutor.tracing import engine
from tutor.tracing.engine import CourseTracer, Floats, Ints, TracedLearner

# Items of a learner that are predicted; an item beyond them moves with its concepts.
MOST_ITEMS = 256
# A concept is within reach if every direct prerequisite is known this well, by the filter. Wider
# than any rule of the scheduler: what is opened by the next answer should be predicted already.
PREREQUISITE_PROB = 0.5
# Where a concept has many items, those near this chance are the likely ones to be given.
SUCCESS = 0.75


def choose_rows(
    tracer: CourseTracer,
    state: TracedLearner,
    *,
    at: float,
    known: Ints,
    most: int = MOST_ITEMS,
) -> tuple[Ints, Floats]:
    """Return rows of the bank (P,), P <= most, that are worth predicting for a learner.

    With them (P,) the filter's chances on these items, which whoever asks needs as well.

    Args:
        tracer: laid over the bank.
        state: the learner by the filter.
        at: epoch seconds.
        known: (N,) row of each item in the network's vocabulary, -1 for one it has never met.
        most: rows at most.
    """
    concepts = tracer.bank.concepts
    within = np.append(_within_reach(tracer, state, at), False)
    rows = np.flatnonzero(within[concepts].any(axis=1) & (known >= 0))
    prob = engine.predict_rows(tracer, state, rows=rows, at=at)
    if len(rows) <= most:
        return rows, prob
    distance = np.abs(prob - SUCCESS)
    main = concepts[rows, 0]
    order = np.lexsort((distance, main))
    # Place within its concept: first the nearest of every concept, then the second nearest.
    sorted_main = main[order]
    starts = np.searchsorted(sorted_main, sorted_main)
    place = np.empty(len(rows), dtype=np.int64)
    place[order] = np.arange(len(rows)) - starts
    kept = np.sort(np.lexsort((distance, place))[:most])
    return rows[kept], prob[kept]


def _within_reach(tracer: CourseTracer, state: TracedLearner, at: float) -> engine.Bools:
    prob = engine.estimate_concepts(tracer, state, at=at).prob
    open_ = (prob >= PREREQUISITE_PROB) | np.isin(tracer.bank.concept_ids, state.mastered)
    within = np.ones(len(prob), dtype=np.bool_)
    requires = np.array(tracer.bank.requires, dtype=np.int64).reshape(-1, 2)
    within[requires[~open_[requires[:, 1]], 0]] = False
    # What was practised stays: it comes up for review.
    return np.asarray(within | np.isin(tracer.bank.concept_ids, state.filter.concept_ids))
