import numpy as np
import pytest

from curriculum.simulation import CohortPlan, CohortUnusable, simulate_cohort
from tests.curriculum.simulation.factories import DAY_S, NOON, chain_course

COURSE = chain_course(concepts=40, items_each=3)


@pytest.fixture(scope="module")
def cohort():
    return simulate_cohort(COURSE, learners=80, seed=4, end_at=NOON)


class TestSimulateCohort:
    def test_repeats_itself(self, cohort):
        again = simulate_cohort(COURSE, learners=80, seed=4, end_at=NOON)
        other = simulate_cohort(COURSE, learners=80, seed=5, end_at=NOON)

        assert np.array_equal(again.responses.answered_at, cohort.responses.answered_at)
        assert np.array_equal(again.levels, cohort.levels)
        assert not np.array_equal(other.levels, cohort.levels)

    def test_begins_like_a_smaller_cohort(self, cohort):
        small = simulate_cohort(COURSE, learners=3, seed=4, end_at=NOON)

        size = small.responses.item.size
        assert np.array_equal(small.responses.item, cohort.responses.item[:size])
        assert np.array_equal(small.traits.ability, cohort.traits.ability[:3])

    def test_does_not_change_with_what_is_recorded(self, cohort):
        plan = CohortPlan(snapshot_after=(5, 40))

        twice = simulate_cohort(COURSE, learners=2, seed=4, end_at=NOON, plan=plan)

        assert twice.levels.shape == (2, 2, 40)
        assert np.array_equal(twice.levels[:, 1], cohort.levels[:2, 0])

    def test_keeps_the_calendar(self, cohort):
        log = cohort.responses

        assert log.answered_at.max() <= NOON
        assert log.answered_at.min() >= NOON - 42.5 * DAY_S
        assert np.allclose(log.answered_at - log.presented_at, log.elapsed_ms / 1_000)
        for learner in range(80):
            rows = cohort.rows_of(learner)
            assert 60 <= rows.stop - rows.start <= 120
            assert np.all(np.diff(log.answered_at[rows]) > 0)
            assert np.all(np.diff(log.session[rows]) >= 0)

    def test_draws_answers_from_their_stated_probability(self, cohort):
        log = cohort.responses
        residual = log.correct - log.prob

        assert abs(residual.mean()) < 3 * np.sqrt(
            np.mean(log.prob * (1 - log.prob)) / residual.size
        )
        for low, high in ((0.1, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 1.0)):
            inside = (log.prob >= low) & (log.prob < high)
            assert residual[inside].mean() == pytest.approx(0, abs=0.05)
        assert log.prob.min() >= 0.1  # the guess floor

    def test_counts_meetings_with_an_item(self, cohort):
        rows = cohort.rows_of(7)
        met: dict[int, int] = {}
        for item, attempt in zip(
            cohort.responses.item[rows], cohort.responses.attempt[rows], strict=True
        ):
            met[item] = met.get(item, 0) + 1
            assert attempt == met[item]

    def test_shows_misconceptions_in_wrong_answers_only(self, cohort):
        log = cohort.responses
        shown = log.misconception >= 0

        assert not np.any(shown & log.correct)
        assert shown.sum() > 0.3 * (~log.correct).sum()
        offered = [
            tag in COURSE.items[item].misconceptions
            for tag, item in zip(log.misconception[shown], log.item[shown], strict=True)
        ]
        assert all(offered)

    def test_repeats_the_misconceptions_a_learner_carries(self, cohort):
        log = cohort.responses
        own = np.array(
            [
                tag in cohort.misconceptions[learner]
                for learner, tag in zip(log.learner, log.misconception, strict=True)
            ]
        )

        # Carried with probability 0.35, but shown far more often than that.
        assert own[log.misconception >= 0].mean() > 0.55

    def test_has_learners_at_every_stage(self, cohort):
        reached = [
            max(COURSE.items[item].concepts[0] for item in cohort.responses.item[cohort.rows_of(n)])
            for n in range(80)
        ]

        assert np.quantile(reached, 0.9) - np.quantile(reached, 0.1) > 12
        assert 0 < cohort.entry.astype(bool).mean() < 1

    def test_teaches(self, cohort):
        new = cohort.entry == 0

        started = cohort.traits.ability[new]
        assert np.mean(cohort.levels[new, 0, 0] - started) > 0.5

    def test_stays_inside_a_calendar_too_short_for_its_answers(self):
        plan = CohortPlan(weeks=1 / 7, answers=(3_000, 3_000))

        crowded = simulate_cohort(COURSE, learners=1, seed=0, end_at=NOON, plan=plan)

        assert crowded.responses.answered_at.max() <= NOON
        assert crowded.responses.item.size < 3_000

    @pytest.mark.parametrize(("learners", "answers"), [(0, (1, 2)), (1, (0, 2)), (1, (5, 4))])
    def test_refuses_an_empty_cohort(self, learners, answers):
        with pytest.raises(CohortUnusable):
            simulate_cohort(
                COURSE, learners=learners, seed=0, end_at=NOON, plan=CohortPlan(answers=answers)
            )
