"""Calibration by concept: counted as a plain loop does, and honest about what luck does."""

import numpy as np
import pytest

from tutor.scheduling import calibrating
from tutor.scheduling.trust import Outcomes


def outcomes(*, expected, credit, concept=None, learner=None):
    size = len(expected)
    nothing = np.full(size, np.nan)
    return Outcomes(
        learner_id=np.arange(size) % 7 if learner is None else learner,
        concept_id=np.ones(size, np.int64) if concept is None else concept,
        credit=np.asarray(credit, float),
        expected=np.asarray(expected, float),
        live=np.asarray(expected, float),
        deep=nothing,
        difficulty=nothing,
        pooled=nothing,
        weight=nothing,
        at=np.arange(size, dtype=float),
        tracer_id=np.ones(size, np.int64),
    )


def made_up(seed, size, *, off=0.0):
    """Answers to chances that are stated `off` too low."""
    rng = np.random.default_rng(seed)
    truth = rng.uniform(0.2, 0.9, size)
    return outcomes(expected=truth - off, credit=rng.random(size) < truth)


def test_agrees_with_a_plain_loop():
    rng = np.random.default_rng(0)
    concept, learner = rng.integers(3, size=200), rng.integers(9, size=200)
    expected, credit = rng.uniform(size=200), rng.integers(2, size=200)
    found = calibrating.calibrate_by_concept(
        outcomes(expected=expected, credit=credit, concept=concept, learner=learner)
    )

    assert set(found) == {0, 1, 2}
    for pk, own in found.items():
        rows = [row for row in range(200) if concept[row] == pk]
        losses = [-np.log(expected[row] if credit[row] else 1 - expected[row]) for row in rows]
        assert own.all.n == len(rows) == sum(one.n for one in own.bins)
        assert own.learners == len({learner[row] for row in rows})
        assert own.loss == pytest.approx(np.mean(losses))
        assert own.all.right == pytest.approx(np.mean([credit[row] for row in rows]))
        for one in own.bins:
            inside = [row for row in rows if one.low <= expected[row] <= one.high]
            assert one.n == len(inside) >= calibrating.LEAST_IN_BIN
            assert one.right == pytest.approx(np.mean([credit[row] for row in inside]))
            spread = np.sqrt(sum(expected[row] * (1 - expected[row]) for row in inside))
            assert one.deviation == pytest.approx(spread / len(inside))


@pytest.mark.parametrize("size", [1, 4, 20, 150])
def test_luck_is_not_called_an_error(size):
    """Chances that were true: hardly more than one in twenty passes the bound, however few."""
    runs = 600
    found = [calibrating.calibrate_by_concept(made_up(seed, size))[1] for seed in range(runs)]

    assert sum(one.all.is_off() for one in found) / runs < 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)
    # Of ten topics on a page one is called off once in twenty pages.
    assert sum(one.all.is_off(among=10) for one in found) / runs < 0.02


def test_chances_too_low_are_seen_with_enough_answers():
    assert calibrating.calibrate_by_concept(made_up(1, 600, off=0.15))[1].all.is_off(among=10)
    assert not calibrating.calibrate_by_concept(made_up(1, 6, off=0.15))[1].all.is_off()


def test_of_skewed_chances_there_is_no_verdict_on_few_answers():
    """The normal bound is passed too often there: what is expected to go wrong hardly ever does."""
    few = outcomes(expected=np.full(40, 0.98), credit=np.arange(40) >= 5)
    many = outcomes(expected=np.full(400, 0.98), credit=np.arange(400) >= 50)

    assert not calibrating.calibrate_by_concept(few)[1].all.is_off(among=10)
    assert calibrating.calibrate_by_concept(many)[1].all.is_off(among=10)


def test_random_labels_are_seen_in_the_bins_where_the_mean_hides_them():
    rng = np.random.default_rng(2)
    expected = rng.uniform(0.1, 0.9, 1000)
    found = calibrating.calibrate_by_concept(
        outcomes(expected=expected, credit=rng.random(1000) < 0.5)
    )[1]

    assert not found.all.is_off()
    low, *_, high = found.bins
    assert low.is_off(among=5)
    assert high.is_off(among=5)
    assert low.right > low.expected
    assert high.right < high.expected


@pytest.mark.parametrize(("size", "bins"), [(19, 0), (20, 1), (39, 1), (40, 2), (5000, 5)])
def test_few_answers_have_few_bins(size, bins):
    assert len(calibrating.calibrate_by_concept(made_up(3, size))[1].bins) == bins


def test_equal_chances_stay_together():
    expected = np.repeat([0.3, 0.6, 0.9], [50, 45, 5])
    found = calibrating.calibrate_by_concept(
        outcomes(expected=expected, credit=np.ones(100) * 0.5)
    )[1]

    assert [(one.low, one.high, one.n) for one in found.bins] == [(0.3, 0.3, 50), (0.6, 0.9, 50)]
