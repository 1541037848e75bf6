"""The monotone map: what it mends, what it leaves alone, and that it never changes the order."""

import numpy as np
import pytest

from kt_models.errors import ShapeMismatch
from kt_models.evaluation import metrics
from kt_models.training.recalibration import Recalibration, fit_recalibration


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def logit(p):
    return np.log(p) - np.log1p(-p)


def drawn(rng, count):
    """Return true probabilities and outcomes."""
    truth = sigmoid(rng.normal(0.8, 1.3, count))
    return truth, (rng.random(count) < truth).astype(float)


DISTORTIONS = {
    "too sure": lambda x: 2.0 * x,
    "too timid": lambda x: 0.4 * x,
    "shifted": lambda x: x + 0.8,
    "bent": lambda x: np.where(x > 0.5, 0.5 + 2.5 * (x - 0.5), 0.6 * x),
}


@pytest.mark.parametrize("distorted", DISTORTIONS.values(), ids=list(DISTORTIONS))
def test_mends_a_distortion_on_answers_it_has_not_seen(distorted):
    rng = np.random.default_rng(0)
    truth, correct = drawn(rng, 20_000)
    given = sigmoid(distorted(logit(truth)))
    # Chance alone leaves about 0.0035 in bins of 10,000 answers.
    unseen, outcomes = drawn(rng, 200_000)
    said = sigmoid(distorted(logit(unseen)))

    mended = fit_recalibration(prob=given, correct=correct)(said)

    assert metrics.calibration_error(outcomes, said) > 0.03
    assert metrics.calibration_error(outcomes, mended) < 0.01
    assert np.abs(mended - unseen).mean() < 0.01


def test_leaves_calibrated_predictions_alone_but_for_noise():
    rng = np.random.default_rng(1)
    truth, correct = drawn(rng, 20_000)

    found = fit_recalibration(prob=truth, correct=correct)

    assert np.abs(found(truth) - truth).mean() < 0.008
    assert np.abs(found(truth) - truth).max() < 0.04


def test_a_handful_of_answers_moves_little():
    found = fit_recalibration(
        prob=np.array([0.2, 0.4, 0.6, 0.8]), correct=np.array([1.0, 1.0, 0.0, 0.0])
    )

    assert np.diff(found(np.linspace(0.05, 0.95, 19))).min() > 0.0
    assert found(np.array([0.8]))[0] - found(np.array([0.2]))[0] > 0.4


@pytest.mark.parametrize("seed", range(3))
def test_never_changes_the_order(seed):
    rng = np.random.default_rng(seed)
    prob = rng.random(300)
    # Against the order on purpose: the truth falls where the predictions rise.
    correct = (rng.random(300) < 1.0 - prob).astype(float)

    found = fit_recalibration(prob=prob, correct=correct)

    grid = np.sort(np.concatenate([prob, np.linspace(1e-5, 1.0 - 1e-5, 500)]))
    assert (np.diff(found(np.unique(grid))) > 0.0).all()
    assert metrics.auc(correct, found(prob)) == metrics.auc(correct, prob)


def test_constant_predictions_get_the_right_level():
    correct = np.random.default_rng(5).permutation([1.0] * 300 + [0.0] * 100)

    found = fit_recalibration(prob=np.full(400, 0.5), correct=correct)

    assert found(np.array([0.5]))[0] == pytest.approx(0.75, abs=0.01)


def test_random_labels_leave_next_to_nothing_of_the_predictions():
    rng = np.random.default_rng(3)
    prob = sigmoid(rng.normal(0.0, 2.0, 20_000))
    correct = (rng.random(20_000) < 0.3).astype(float)

    found = fit_recalibration(prob=prob, correct=correct)(prob)

    assert np.abs(found - 0.3).mean() < 0.03
    assert metrics.log_loss(correct, found) < 0.62


def test_certain_predictions_that_are_wrong_become_honest_and_stay_inside():
    mixed = np.random.default_rng(6).permutation(400)
    prob = np.array([0.0, 1.0] * 200)[mixed]
    correct = np.array([0.0, 1.0] * 180 + [1.0, 0.0] * 20)[mixed]

    found = fit_recalibration(prob=prob, correct=correct)

    assert found(np.array([0.0, 1.0])) == pytest.approx([0.1, 0.9], abs=0.03)
    steep = Recalibration(knots=np.zeros(1), slopes=np.array([9.0, 9.0]), shift=0.0)
    extreme = steep(np.array([0.0, 1e-300, 1.0]))
    assert ((extreme > 0.0) & (extreme < 1.0)).all()


def test_what_helps_one_learner_alone_is_not_taken_over():
    rng = np.random.default_rng(7)
    truth, _ = drawn(rng, 2500)
    # Five learners, each better or worse than said, by turns.
    off = np.repeat([1.0, -1.0, 1.0, -1.0, 0.0], 500)
    correct = (rng.random(2500) < sigmoid(logit(truth) + off)).astype(float)

    found = fit_recalibration(prob=truth, correct=correct)

    assert np.abs(found(truth) - truth).mean() < 0.02


def test_it_comes_back_from_its_arrays():
    rng = np.random.default_rng(4)
    truth, correct = drawn(rng, 2000)
    found = fit_recalibration(prob=truth**2, correct=correct)

    again = Recalibration.from_arrays(found.arrays())

    assert (again(truth) == found(truth)).all()


def test_no_answers_leave_the_predictions_as_they_are():
    none = fit_recalibration(prob=np.zeros(0), correct=np.zeros(0))

    assert none(np.array([0.2, 0.9])) == pytest.approx([0.2, 0.9])


def test_refuses_arrays_of_two_lengths():
    with pytest.raises(ShapeMismatch):
        fit_recalibration(prob=np.full(3, 0.5), correct=np.ones(4))


def test_a_handful_of_learners_say_nothing_of_others():
    rng = np.random.default_rng(0)
    correct = (rng.random(400) < 0.9).astype(float)

    found = fit_recalibration(
        prob=np.full(400, 0.5), correct=correct, learner=np.repeat(np.arange(4), 100)
    )

    assert found(np.array([0.5])) == pytest.approx([0.5])


def test_what_fits_each_learner_but_none_of_the_others_is_not_taken():
    # Six learners, each far above or far below what is said, as many of either.
    learner = np.repeat(np.arange(6), 200)
    correct = np.where(learner % 2 == 0, 1.0, 0.0)
    prob = np.full(1200, 0.5)

    found = fit_recalibration(prob=prob, correct=correct, learner=learner)

    assert found(np.array([0.5])) == pytest.approx([0.5], abs=0.05)


def test_learners_who_happen_to_be_better_do_not_move_the_level():
    # The level said is everybody's; these 60 learners differ from one another by far more than
    # their mean differs from it.
    rng = np.random.default_rng(4)
    level = rng.normal(0.0, 0.15, 60)
    level += 0.77 + 0.012 - level.mean()
    learner = np.repeat(np.arange(60), 150)
    correct = (rng.random(9000) < np.clip(level, 0.02, 0.98)[learner]).astype(float)

    found = fit_recalibration(prob=np.full(9000, 0.77), correct=correct, learner=learner)

    assert found(np.array([0.77])) == pytest.approx([0.77])
