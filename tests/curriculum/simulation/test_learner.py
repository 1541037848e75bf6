import dataclasses

import numpy as np
import pytest

from curriculum.simulation import (
    Population,
    SimulatedCourse,
    SimulatedItem,
    SimulatedLearner,
    draw_item_truth,
)
from curriculum.simulation.answering import draw_misconception, known_prob
from tests.curriculum.simulation.factories import DAY_S, NOON, chain_course, exact_truth

COURSE = chain_course()
TRUTH = exact_truth(COURSE)


def learner_of(*, seed=0, **changes):
    rng = np.random.default_rng(seed)
    population = dataclasses.replace(Population(), **changes)
    learner = SimulatedLearner.draw(
        COURSE, truth=TRUTH, start_at=NOON, rng=rng, population=population
    )
    return learner, rng


class TestAnswer:
    def test_guesses_where_nothing_is_known(self):
        outcomes = []
        for seed in range(400):
            learner, rng = learner_of(seed=seed, ability_sd=0.0, deviation_sd=0.0, hint_mean=1e-9)
            learner.traits.ability[:] = -30.0
            outcomes.append(learner.answer(0, NOON, rng))

        assert {round(one.prob, 6) for one in outcomes} == {0.1}
        assert np.mean([one.correct for one in outcomes]) == pytest.approx(0.1, abs=0.05)

    def test_slips_where_everything_is_known(self):
        learner, rng = learner_of()
        learner.traits.ability[:] = 30.0

        answer = learner.answer(0, NOON, rng)

        assert answer.prob == pytest.approx(1.0 - learner.traits.slip[0])
        assert answer.hints == 0

    def test_is_helped_by_hints(self):
        hinted, plain = [], []
        for seed in range(300):
            learner, rng = learner_of(seed=seed, hint_mean=0.5)
            alone = learner.success_probs(at=NOON)[2]
            answer = learner.answer(2, NOON, rng)
            (hinted if answer.hints else plain).append(answer.prob - alone)

        assert np.mean(hinted) > 0.1
        assert abs(np.mean(plain)) < 0.03

    def test_opens_a_session_after_a_long_pause_only(self):
        learner, rng = learner_of()

        sessions = [learner.answer(0, NOON + after, rng).session for after in (0, 60, 1_800, 9_000)]

        assert sessions == [0, 0, 0, 1]

    def test_keeps_its_form_within_a_session(self):
        learner, rng = learner_of(form_sd=1.0, fatigue_mean=1e-9, rate=1e-9)
        average = learner.levels(at=NOON)[0]

        offsets = [learner.answer(0, NOON + after, rng).level - average for after in (0, 60, DAY_S)]

        assert offsets[0] == pytest.approx(offsets[1])
        assert abs(offsets[2] - offsets[0]) > 0.01

    def test_makes_the_next_answer_likelier(self):
        learner, rng = learner_of()
        before = learner.success_probs(at=NOON)[0]

        for minute in range(8):
            learner.answer(0, NOON + 60 * minute, rng)

        assert learner.success_probs(at=NOON + 600)[0] > before + 0.05


class TestSuccessProbs:
    def test_agrees_with_the_probability_an_answer_is_drawn_from(self):
        items = (SimulatedItem(concepts=(1, 0), guess=0.2), SimulatedItem(concepts=(1,)))
        course = SimulatedCourse(prerequisites=((), (0,)), items=items)
        for item in (0, 1):
            rng = np.random.default_rng(item)
            learner = SimulatedLearner.draw(
                course,
                truth=draw_item_truth(course, seed=1),
                start_at=NOON,
                rng=rng,
                population=Population(form_sd=0.0, hint_mean=1e-9),
            )
            expected = learner.success_probs(at=NOON)[item]

            assert learner.answer(item, NOON, rng).prob == pytest.approx(expected)


class TestKnownProb:
    def test_is_a_half_at_the_item_s_difficulty(self):
        level = TRUTH.difficulty[[2]]

        assert known_prob(level=level, item=2, truth=TRUTH) == pytest.approx([0.5])


class TestDrawMisconception:
    def test_prefers_what_the_learner_carries(self):
        rng = np.random.default_rng(0)
        shown = [
            draw_misconception(offered=(1, 2), carried=frozenset({2}), rng=rng)
            for _ in range(2_000)
        ]

        # 0.75 for its own, and a third of the rest.
        assert shown.count(2) / 2_000 == pytest.approx(0.75 + 0.25 / 3, abs=0.03)
        assert shown.count(None) / 2_000 == pytest.approx(0.25 / 3, abs=0.03)

    def test_shows_none_where_none_is_offered(self):
        rng = np.random.default_rng(0)

        assert draw_misconception(offered=(), carried=frozenset({2}), rng=rng) is None
