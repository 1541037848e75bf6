"""Weights that foretell delayed probes, or stay as they were."""

import numpy as np
import pytest

from curriculum.evaluation.rewards import RewardsUnusable
from curriculum.evaluation.surrogate import reweigh

PREVIOUS = np.array([1.0, 1.0, 1.0])


def table(*, rows=1_500, learners=150, noise=0.15, seed=0):
    """Probe cells whose surprise follows the first part, against the second, and not the third."""
    rng = np.random.default_rng(seed)
    parts = rng.standard_normal((rows, 3)) * [0.1, 0.1, 0.1]
    surprise = 0.8 * parts[:, 0] - 0.4 * parts[:, 1] + noise * rng.standard_normal(rows)
    foretold = rng.uniform(0.4, 0.6, rows)
    return {
        "parts": parts,
        "probe": foretold + surprise,
        "foretold": foretold,
        "delay_hours": np.full(rows, 30.0),
        "learner": rng.integers(learners, size=rows),
        "previous": PREVIOUS,
        "seed": 0,
    }


def run(**columns):
    return reweigh(columns.pop("parts"), **columns)


def test_parts_get_the_weight_with_which_they_foretell():
    found = run(**table())

    assert not found.frozen
    assert found.correlation > 0.4
    np.testing.assert_allclose(found.weights, [0.8, -0.4, 0.0], atol=0.1)


def test_random_probes_freeze_the_old_weights():
    columns = table()
    rng = np.random.default_rng(1)
    columns["probe"] = rng.permutation(columns["probe"])
    found = run(**columns)

    assert found.frozen
    np.testing.assert_array_equal(found.weights, PREVIOUS)
    assert abs(found.correlation) < 0.15
    assert "correlation" in found.reason


def test_a_correlation_within_learners_only_by_luck_does_not_count():
    # As many parts as rows of a learner: a fit in sample would foretell anything.
    rng = np.random.default_rng(2)
    columns = table(rows=240, learners=60)
    columns["parts"] = rng.standard_normal((240, 120))
    columns["previous"] = np.zeros(120)

    assert run(**columns).frozen


def test_probes_on_the_same_day_do_not_count():
    columns = table()
    columns["delay_hours"] = np.where(np.arange(1_500) < 150, 25.0, 23.9)
    found = run(**columns)

    assert found.frozen
    assert found.rows == 150
    assert np.isnan(found.correlation)
    assert "150 probes after a day or more" in found.reason


def test_few_learners_are_not_enough():
    found = run(**table(learners=20))

    assert found.frozen
    assert found.learners == 20


def test_an_empty_table_keeps_the_weights():
    columns = table(rows=0)

    np.testing.assert_array_equal(run(**columns).weights, PREVIOUS)


def test_parts_that_never_vary_freeze():
    columns = table()
    columns["parts"] = np.ones((1_500, 3))
    found = run(**columns)

    assert found.frozen
    assert found.correlation == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize("name", ["probe", "foretold", "delay_hours", "learner", "previous"])
def test_columns_must_fit(name):
    columns = table()
    columns[name] = columns[name][:-1]
    with pytest.raises(RewardsUnusable):
        run(**columns)


def test_missing_numbers_are_refused():
    columns = table()
    columns["probe"][3] = np.nan
    with pytest.raises(RewardsUnusable, match="without a probe"):
        run(**columns)
