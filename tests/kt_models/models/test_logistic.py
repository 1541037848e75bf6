"""The logistic model: which features a question gets, and what they are worth."""

import numpy as np
import pytest

from kt_models.data.log import build_log
from kt_models.data.vocabulary import Vocabulary
from kt_models.evaluation import metrics
from kt_models.models.logistic import Logistic, LogisticConfig
from tests.kt_models.factories import random_log

DAY = 86_400.0


def test_features_are_counts_by_concept_window_and_item():
    log = build_log(
        learners=["a"] * 4,
        items=["x", "y", "x", "x"],
        concepts=[("k",), ("k", "m"), ("k",), ("k",)],
        correct=np.array([1.0, 0.0, 0.0, 1.0]),
        answered_at=np.array([0.0, 0.5, 0.9, 3.0]) * DAY,
    )
    model = Logistic(LogisticConfig(windows=(DAY,)))
    model.vocabulary = Vocabulary.of(log)

    found = model._features(log, model.init(1), learning=True).toarray()

    one_hot, ever, shared, learner, item, last = np.split(found, [2, 8, 14, 20, 26], axis=1)
    assert one_hot.tolist() == [[1, 0], [1, 1], [1, 0], [1, 0]]
    # Answers, right and wrong of k, then of m, which the last question has not.
    assert np.expm1(ever[3]) == pytest.approx([3, 1, 2, 0, 0, 0])
    assert np.expm1(ever[1]) == pytest.approx([1, 1, 0, 0, 0, 0])
    # Answers within a day and ever, right ones, wrong ones; the mean over k and m.
    assert np.expm1(shared[2]) == pytest.approx([2, 2, 1, 1, 1, 1])
    assert np.expm1(shared[3]) == pytest.approx([0, 3, 0, 1, 0, 2])
    assert shared[1] == pytest.approx([np.log(2) / 2] * 4 + [0, 0])
    assert np.expm1(learner[3]) == pytest.approx([0, 3, 0, 1, 0, 2])
    assert np.expm1(item[3]) == pytest.approx([0, 2, 0, 1, 0, 1])
    assert last[3].tolist() == [-1, -1, 1, 0, 0, 1, -1]
    assert last[2].tolist() == [-1, 1, 0, 0, 0, 0, 0]


def test_time_windows_earn_their_place_where_learners_forget():
    rng = np.random.default_rng(5)
    log = random_log(rng, learners=200, answers=40, items=6, concepts=4)
    gap = np.diff(log.answered_at, prepend=0.0)
    gap[log.starts[:-1]] = 0.0
    # Right if the last answer was recent, whatever it was.
    prob = np.where((gap > 0.0) & (gap < 3600.0), 0.85, 0.35)
    log.correct[:] = rng.random(len(log)) < prob
    train, test = log.only_learners(np.arange(150)), log.only_learners(np.arange(150, 200))
    losses = []
    for windows in ((3600.0, DAY), ()):
        model = Logistic(LogisticConfig(windows=windows))
        model.fit(train)
        losses.append(metrics.log_loss(test.correct, model.predict(test)))

    assert losses[0] < losses[1] - 0.03


def test_state_does_not_grow_with_the_items():
    sizes = []
    for items in (10, 400):
        log = random_log(np.random.default_rng(1), learners=20, answers=50, items=items)
        model = Logistic()
        model.vocabulary = Vocabulary.of(log)
        sizes.append(len(model.pack(model.init(1))[0]))

    assert sizes[0] == sizes[1] < 10_000
