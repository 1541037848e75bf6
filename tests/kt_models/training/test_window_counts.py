"""Window counts against counting every pair of answers, one by one."""

import numpy as np
import pytest

from kt_models.data.vocabulary import Vocabulary
from kt_models.training.window_counts import blank, count_windows
from tests.kt_models.factories import random_log

SECONDS = np.array([3600.0, 86_400.0, np.inf])


def slowly(log, *, memory):
    """Return what `count_windows` gives, from the definition."""
    concepts = log.concepts
    rows, width = len(log), 2 * len(SECONDS)
    of_learner, of_item = np.zeros((rows, width)), np.zeros((rows, width))
    of_concept = np.zeros((rows, concepts.shape[1], width))
    last = np.zeros((rows, 7))
    for r in range(rows):
        first = log.starts[log.learner[r]]
        for q in range(first, r):
            age = log.shown_at[r] - log.answered_at[q]
            counted = np.array([1.0, log.correct[q]])
            for w, length in enumerate(SECONDS):
                for side in (0, 1):
                    column, value = w + side * len(SECONDS), counted[side]
                    ever = w == len(SECONDS) - 1
                    near = r - q <= memory and age < length
                    of_learner[r, column] += value * (near or ever)
                    of_item[r, column] += value * (near and log.item[q] == log.item[r])
                    for j, k in enumerate(concepts[r]):
                        shared = k >= 0 and k in concepts[q]
                        of_concept[r, j, column] += value * (shared and (near or ever))
        for back in range(1, min(5, r - first) + 1):
            last[r, back - 1] = 2.0 * log.correct[r - back] - 1.0
        if r > first and log.item[r - 1] == log.item[r]:
            last[r, 5:] = 1.0, last[r, 0]
    return of_learner, of_item, of_concept, last


@pytest.mark.parametrize("memory", [6, 100])
def test_counts_are_those_of_the_definition(memory):
    log = random_log(np.random.default_rng(2), learners=6, answers=30)
    log.correct[::7] = 0.5
    states = blank(6, memory=memory, concepts=len(log.concept_keys))

    found = count_windows(
        log,
        states,
        seconds=SECONDS,
        items=len(log.item_keys),
        concept_sets=log.concept_sets,
        learning=True,
    )

    for one, other in zip(found, slowly(log, memory=memory), strict=True):
        assert one == pytest.approx(other)


def test_what_training_never_met_is_not_remembered_one_by_one():
    log = random_log(np.random.default_rng(2), learners=3, answers=20)
    vocabulary = Vocabulary.of(log)
    states = blank(3, memory=50, concepts=len(log.concept_keys) - 1)

    counted = count_windows(
        log,
        states,
        seconds=SECONDS,
        items=2,
        concept_sets=vocabulary.concept_sets[:1],
        learning=True,
    )

    assert not counted.item[log.item >= 2].any()
    assert not counted.concept[log.concepts == len(log.concept_keys) - 1].any()
    assert counted.learner[-1, 2] == 19.0
    assert set(np.unique(states["recent_set"])) <= {-1, 0}
