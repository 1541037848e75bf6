import numpy as np
import pytest

from curriculum.simulation import CohortPlan, simulate_cohort
from kt_models.checkpoints import FittedFilter
from kt_models.streaming.psi_parameters import FilterParameters
from tests.benchmarks.simulated import estimates, scores
from tests.benchmarks.simulated.demo import read_demo_course
from tests.curriculum.simulation.factories import NOON, chain_course

RNG = np.random.default_rng(0)


class TestCorrelation:
    def test_counts_a_row_as_often_as_its_weight(self):
        x, y = RNG.normal(size=(2, 30))
        weight = RNG.integers(0, 4, size=30)

        repeated = np.corrcoef(np.repeat(x, weight), np.repeat(y, weight))[0, 1]

        assert scores.correlation(x, y, weight.astype(float)) == pytest.approx(repeated)


class TestCalibrationError:
    def test_is_the_mean_gap_of_the_bins(self):
        # Ten bins of two: each forecasts its 0.1 .. 1.0, half of the answers are right.
        prob = np.repeat(np.arange(1, 11) / 10, 2)
        correct = np.tile([0.0, 1.0], 10)

        error = scores.calibration_error(prob, correct, np.ones(20))

        assert error == pytest.approx(np.mean(np.abs(np.arange(1, 11) / 10 - 0.5)))

    def test_counts_a_row_as_often_as_its_weight(self):
        prob, correct = RNG.random(40), (RNG.random(40) < 0.5).astype(float)

        doubled = scores.calibration_error(prob, correct, np.full(40, 2.0))

        assert doubled == pytest.approx(scores.calibration_error(prob, correct, np.ones(40)))


class TestBootstrap:
    def test_resamples_learners_and_not_rows(self):
        # One learner holds half of the rows, so the mean swings with that learner.
        learner = np.repeat([0, 1, 2, 3], [30, 10, 10, 10])
        values = (learner == 0).astype(float)

        found = scores.bootstrap(
            lambda weight: float(np.average(values, weights=weight)), learner, seed=1
        )

        assert found.value == 0.5
        assert found.low == 0.0
        assert found.high > 0.75


def test_within_concepts_takes_the_concepts_means_away():
    concept = np.array([0, 0, 2, 2])

    assert list(scores.within_concepts(np.array([1.0, 3.0, 5.0, 5.0]), concept)) == [-1, 1, 0, 0]


def test_beyond_leaves_nothing_that_a_line_in_the_baseline_explains():
    baseline, noise = RNG.normal(size=(2, 50))

    left = scores.beyond(3.0 * baseline + noise + 7.0, baseline)

    assert left @ baseline == pytest.approx(0.0, abs=1e-9)
    assert np.allclose(left, scores.beyond(noise, baseline))


def test_reads_the_demo_course_whole():
    demo = read_demo_course()

    assert demo.course.n_concepts >= 40
    assert len(demo.course.items) >= 200
    kinds = {item.guess for item in demo.course.items}
    assert 0.25 in kinds
    assert min(kinds) < 0.05


class TestFilterEstimates:
    def test_reads_the_outcomes_it_is_given(self):
        plan = CohortPlan(answers=(45, 50))
        cohort = simulate_cohort(chain_course(), learners=3, seed=0, end_at=NOON, plan=plan)
        pairs = estimates.practised_pairs(cohort, range(3))
        size = cohort.responses.item.size

        low, high = (
            estimates.filter_estimates(cohort, pairs, unfitted(), correct=np.full(size, outcome))
            for outcome in (False, True)
        )

        for target in estimates.TARGETS:
            assert np.all(high[target] > low[target] + 0.1)

    def test_reads_nothing_after_the_fortieth_answer(self):
        plan = CohortPlan(answers=(45, 50))
        cohort = simulate_cohort(chain_course(), learners=1, seed=0, end_at=NOON, plan=plan)
        pairs = estimates.practised_pairs(cohort, range(1))
        outcomes = cohort.responses.correct
        changed = outcomes.copy()
        changed[40:] = ~changed[40:]

        found = [
            estimates.filter_estimates(cohort, pairs, unfitted(), correct=one)["state"]
            for one in (outcomes, changed)
        ]

        assert np.array_equal(*found)


def unfitted() -> FittedFilter:
    return FittedFilter(
        parameters=FilterParameters(),
        intercept=0.0,
        item_offsets={},
        item_ns={},
        concept_offsets={},
        provenance={},
    )
