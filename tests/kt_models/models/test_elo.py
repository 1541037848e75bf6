"""Elo: its updates by hand, what fitting finds, and new items."""

import numpy as np
import pytest

from kt_models.data.log import build_log
from kt_models.data.vocabulary import Vocabulary
from kt_models.evaluation import metrics
from kt_models.models.elo import SCALARS, Elo, EloConfig
from kt_models.streaming.psi_parameters import FilterParameters
from tests.kt_models.factories import simulated_log

DAY = 86_400.0


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def test_ratings_move_by_the_error():
    log = build_log(
        learners=["a", "a"],
        items=["x", "y"],
        concepts=[("k", "m"), ("k",)],
        correct=np.array([1.0, 0.0]),
        answered_at=np.array([0.0, 3.0 * DAY]),
    )
    model = Elo()
    model.vocabulary = Vocabulary.of(log)
    model.item, model.concept = np.array([0.4, -0.2]), np.zeros(2)
    #                 ability   concept   share fading    right
    model.scalars = np.array([0.3, 0.5, 0.2, 0.1, 0.5, 3.0, 1.0, 2.0])

    states = model.init(1)
    prob = model._fold(log, states, learning=True)

    first = sigmoid(0.4)
    error = 2.0 * (1.0 - first)
    ability, deviation = 0.3 * error, 0.2 * error / np.sqrt(2.0)
    faded = deviation / (1.0 + 3.0 / 3.0)
    second = sigmoid(ability + faded - 0.2)
    assert prob == pytest.approx([first, second])
    assert states["ability"][0] == pytest.approx(ability - 0.3 / 1.5 * second)
    assert states["deviation"][0, 0] == pytest.approx(faded - 0.2 / 1.1 * second)
    assert states["deviation"][0, 1] == pytest.approx(deviation)
    assert states["practised"][0].tolist() == [2.0, 1.0]


@pytest.fixture(scope="module")
def logs():
    log, offsets = simulated_log(
        np.random.default_rng(8), FilterParameters(), learners=160, answers=60
    )
    return log.only_learners(np.arange(120)), log.only_learners(np.arange(120, 160)), offsets


def test_fitted_steps_predict_better_than_the_first_ones(logs):
    train, test, _ = logs
    model = Elo()
    model.fit(train)
    fitted = metrics.log_loss(test.correct, model._predict(test))
    model.scalars = np.array([start for _, start, _, _ in SCALARS])
    model.scalars[0] = 1.5

    assert fitted < metrics.log_loss(test.correct, model._predict(test)) - 0.01


def test_items_come_out_in_order(logs):
    train, _, offsets = logs
    model = Elo()
    model.fit(train)

    truth = [offsets[key] for key in train.item_keys]

    assert np.corrcoef(model.item, truth)[0, 1] > 0.93


def test_without_fading_time_does_not_matter(logs):
    train, test, _ = logs
    model = Elo(EloConfig(fades=False))
    model.fit(train)
    states = model.advance(model.init(40), test)
    now = test.answered_at.max()

    soon = model.predict_all(states, items=np.arange(5), shown_at=np.full(40, now))
    later = model.predict_all(states, items=np.arange(5), shown_at=np.full(40, now + 900 * DAY))

    assert (soon == later).all()
    assert model.scalars[[name for name, *_ in SCALARS].index("fading_power")] == 0.0
