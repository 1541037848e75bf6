"""The weights of a pool: where they come from, which models they leave out."""

import numpy as np
import pytest

from kt_models.errors import ShapeMismatch
from kt_models.evaluation import metrics
from kt_models.training.pooling import _folds, fit_pooling, pooled_by_others


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


@pytest.fixture
def world():
    """Two halves of the truth, and what came of it."""
    rng = np.random.default_rng(0)
    halves = rng.normal(size=(8000, 2))
    correct = (rng.random(8000) < sigmoid(halves.sum(axis=1))).astype(float)
    return rng, halves, correct


def test_finds_the_weights_that_answers_were_drawn_with():
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(20_000, 2))
    correct = (rng.random(20_000) < sigmoid(logits @ [0.9, 0.3] - 0.5)).astype(float)

    found = fit_pooling(logits, correct)

    assert found.weights == pytest.approx([0.9, 0.3], abs=0.06)
    assert found.intercept == pytest.approx(-0.5, abs=0.06)
    assert found(logits) == pytest.approx(logits @ found.weights + found.intercept)


def test_pooled_is_better_than_either(world):
    _, halves, correct = world

    found = fit_pooling(halves[:4000], correct[:4000])

    pooled = metrics.log_loss(correct[4000:], sigmoid(found(halves[4000:])))
    alone = [metrics.log_loss(correct[4000:], sigmoid(halves[4000:, c])) for c in (0, 1)]
    assert pooled < min(alone) - 0.03


def test_a_model_that_only_guesses_is_left_out(world):
    rng, halves, correct = world
    logits = np.column_stack([halves, rng.normal(size=8000)])

    found = fit_pooling(logits, correct)

    assert found.weights[2] == 0.0
    assert (found.weights[:2] > 0.5).all()


def test_a_model_that_is_always_wrong_is_not_turned_round(world):
    _, halves, correct = world

    found = fit_pooling(np.column_stack([halves.sum(axis=1), -halves.sum(axis=1)]), correct)

    assert found.weights[0] == pytest.approx(1.0, abs=0.1)
    assert found.weights[1] == 0.0


def test_few_answers_leave_nearly_equal_weights():
    rng = np.random.default_rng(2)
    logits = rng.normal(size=(6, 2)) * 0.3

    found = fit_pooling(logits, (rng.random(6) < 0.5).astype(float))

    kept = found.weights[found.weights > 0.0]
    assert kept == pytest.approx(np.full(len(kept), 1.0 / len(kept)), abs=0.1)


def test_no_learner_is_on_both_sides():
    # By places alone, fold boundaries would fall within learners.
    learner = np.repeat(np.arange(12), 7)

    fold = _folds(learner)

    assert len(np.unique(fold)) == 5
    assert all(len(np.unique(fold[learner == one])) == 1 for one in range(12))
    assert np.bincount(fold).max() <= 3 * 7
    # The numbering of learners may be any.
    assert (_folds(1000 - learner)[::-1] == _folds(np.sort(1000 - learner))).all()


def test_pooled_by_others_knows_nobodys_own_answers():
    rng = np.random.default_rng(4)
    # All of them guess: what weights find in the answers they were fitted on is luck.
    logits, correct = 3.0 * rng.normal(size=(80, 3)), (rng.random(80) < 0.5).astype(float)
    learner = np.repeat(np.arange(20), 4)

    found = pooled_by_others(logits, correct, learner=learner)

    flattered = sigmoid(fit_pooling(logits, correct, learner=learner)(logits))
    assert metrics.log_loss(correct, flattered) < np.log(2.0)
    assert metrics.log_loss(correct, sigmoid(found)) > np.log(2.0)
    other = np.where(learner == 7, 1.0 - correct, correct)
    again = pooled_by_others(logits, other, learner=learner)
    assert (again[learner == 7] == found[learner == 7]).all()
    assert np.abs(again - found).max() > 1e-3


def test_a_single_learner_is_pooled_by_their_own():
    rng = np.random.default_rng(5)
    logits, correct = rng.normal(size=(40, 2)), (rng.random(40) < 0.5).astype(float)
    learner = np.zeros(40, dtype=np.int64)

    found = pooled_by_others(logits, correct, learner=learner)

    assert found == pytest.approx(fit_pooling(logits, correct, learner=learner)(logits))


@pytest.mark.parametrize(
    ("logits", "correct"),
    [(np.zeros((3, 2)), np.zeros(4)), (np.zeros(3), np.zeros(3)), (np.zeros((0, 2)), np.zeros(0))],
)
def test_refuses_what_does_not_belong_together(logits, correct):
    with pytest.raises(ShapeMismatch):
        fit_pooling(logits, correct)
