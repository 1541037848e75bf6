"""BKT as a model: its filter by hand, several concepts, rare ones, and guess and slip by item."""

import numpy as np
import pytest

from kt_models.data.log import build_log
from kt_models.data.vocabulary import Vocabulary
from kt_models.evaluation import metrics
from kt_models.models.base import Fitting
from kt_models.models.bkt import Bkt, BktConfig
from kt_models.training.bkt_em import Rates
from tests.kt_models.factories import random_log


def logit(p):
    return np.log(p / (1.0 - p))


def built(log, rates, config=None):
    model = Bkt(config)
    model.vocabulary = Vocabulary.of(log)
    model.rates = rates
    return model


def test_predicts_and_learns_by_bayes():
    log = build_log(
        learners=["a"] * 3,
        items=["x", "y", "x"],
        concepts=[("k",), ("k", "m"), ("k",)],
        correct=np.array([1.0, 0.0, 1.0]),
        answered_at=np.arange(3.0),
    )
    assert log.concept_keys == ("k", "m")
    pair = [np.array(v) for v in ((0.4, 0.6), (0.2, 0.1), (0.0, 0.05), (0.3, 0.2), (0.1, 0.15))]
    model = built(log, Rates(*pair))

    found = model._predict(log)

    k = 0.4
    first = k * 0.9 + (1 - k) * 0.3
    k = k * 0.9 / first
    k = k + (1 - k) * 0.2
    on_k, on_m = k * 0.9 + (1 - k) * 0.3, 0.6 * 0.85 + 0.4 * 0.2
    second = 1.0 / (1.0 + np.exp(-(logit(on_k) + logit(on_m)) / 2))
    k = k * 0.1 / (1.0 - on_k)
    k = k + (1 - k) * 0.2
    assert found == pytest.approx([first, second, k * 0.9 + (1 - k) * 0.3])


def test_a_concept_met_once_stays_near_the_common_rates():
    log = random_log(np.random.default_rng(1), learners=60, answers=30, items=10, concepts=4)
    sets = np.vstack([log.concept_sets, np.full((1, log.concept_sets.shape[1]), -1)])
    sets[-1, 0] = 4
    log = type(log)(
        **{f: getattr(log, f) for f in log.__slots__ if f not in ("concept_keys", "concept_sets")},
        concept_keys=(*log.concept_keys, "rare"),
        concept_sets=sets,
    )
    log.concept_set[0] = len(sets) - 1
    log.correct[0] = 0.0
    model = Bkt()
    model.vocabulary = Vocabulary.of(log)

    model._fit(log, log, Fitting())

    common = model.rates.guess[:4].mean(), model.rates.slip[:4].mean()
    assert model.rates.guess[4] == pytest.approx(common[0], abs=0.05)
    assert model.rates.slip[4] == pytest.approx(common[1], abs=0.05)


def test_items_of_their_own_guess_and_slip_predict_better_where_items_differ():
    rng = np.random.default_rng(4)
    item = rng.integers(0, 8, 6000)
    log = build_log(
        learners=[f"l{k}" for k in np.repeat(np.arange(150), 40)],
        items=[f"i{k}" for k in item],
        concepts=[("k",)] * 6000,
        correct=(rng.random(6000) < np.linspace(0.2, 0.9, 8)[item]).astype(float),
        answered_at=np.tile(np.arange(40.0), 150),
    )
    train, test = log.only_learners(np.arange(100)), log.only_learners(np.arange(100, 150))
    losses = {}
    for items in (False, True):
        model = Bkt(BktConfig(items=items))
        model.fit(train)
        losses[items] = metrics.log_loss(test.correct, model.predict(test))

    assert losses[True] < losses[False] - 0.05
    assert (model.rates.guess <= 0.5).all()
