"""What a date ahead changes, and that the model behind it is the tracer's."""

import dataclasses

import numpy as np
import pytest

from curriculum.scheduler import Memory, Rules, decide, find_distribution
from curriculum.scheduler.concept_model import ConceptModel
from curriculum.scheduler.planning import plan
from kt_models.streaming.psi_filter import (
    concept_estimates,
    expected_gain,
    init,
    update,
)
from kt_models.streaming.psi_parameters import FilterParameters
from tests.curriculum.scheduler.factories import DAY, NOW, knows, make_bank, make_situation

FIRM = Rules(epsilon=0.0)


def memory(size, **changes):
    fields = {
        "base": np.zeros(size),
        "level": np.zeros(size),
        "var": np.full(size, 0.3),
        "practised": np.zeros(size),
        "tau_days": 3.0,
        "power": 0.1,
    }
    return Memory(**{**fields, **changes})


def gains(situation):
    arms = find_distribution(situation).choices.arms
    return dict(zip(arms.concept.tolist(), arms.gain.tolist(), strict=True))


class TestTheModel:
    PARAMETERS = FilterParameters(ability_prior_var=1e-12, ability_drift_var=0.0,
                                  ability_drift_var_per_day=0.0, concept_drift_var=0.0)  # fmt: skip

    def follow(self, answers):
        state = init(self.PARAMETERS)
        for at, correct in answers:
            state = update(
                state, self.PARAMETERS, concept_ids=(1,), item_offset=0.3, correct=correct, at=at
            )
        return state

    def estimate(self, state, at):
        one = {"concept_ids": np.array([1]), "concept_offsets": np.array([0.3]), "at": at}
        return concept_estimates(state, self.PARAMETERS, **one)

    def test_foresees_what_the_tracer_says_after_the_answer(self):
        state = self.follow([(NOW - 5 * DAY, 1.0), (NOW - 4 * DAY, 0.0), (NOW - 2 * DAY, 1.0)])
        before = self.estimate(state, NOW)
        gain = expected_gain(
            state, self.PARAMETERS, concepts=np.array([[1]]), item_offsets=np.array([0.3]), at=NOW
        )
        model = ConceptModel(
            memory=memory(
                1, base=np.array([0.3]), level=before.logit_mean - 0.3, var=before.logit_var,
                practised=np.array([3.0]),
            ),
            gain=gain, weights=np.ones(1), credit=np.zeros(1), requires=np.zeros((1, 1), bool),
            reached=np.zeros(1, bool), evidence=3, threshold=0.5, days=np.zeros(1),
            items=np.ones(1), horizon_days=6.0,
        )  # fmt: skip
        now = model.begin(since=np.array([-2.0]))
        chances, after = model.outcomes(now, np.array([0]))
        assert chances[0, 0] == pytest.approx(before.prob[0])
        for row, correct in enumerate((1.0, 0.0)):
            state_then = update(
                state, self.PARAMETERS, concept_ids=(1,), item_offset=0.3, correct=correct, at=NOW
            )
            later = self.estimate(state_then, NOW + 6 * DAY)
            # The filter lets the variance grow back while it fades; the plan leaves it.
            assert model.success(after)[row, 0] == pytest.approx(later.prob[0], abs=0.01)
        idle = self.estimate(state, NOW + 6 * DAY).prob[0]
        assert model.success(now)[0, 0] == pytest.approx(idle, abs=0.01)

    def test_a_plan_of_one_step_is_the_index(self):
        model = ConceptModel(
            memory=memory(3), gain=np.array([0.1, 0.2, 0.0]), weights=np.ones(3),
            credit=np.zeros(3), requires=np.zeros((3, 3), bool), reached=np.zeros(3, bool),
            evidence=3, threshold=0.5, days=np.zeros(1), items=np.ones(1), horizon_days=1.0,
        )  # fmt: skip
        states = model.begin(since=np.full(3, -np.inf))
        values, waiting = plan(model, states, steps=1)
        rises = values[0] - waiting[0]
        assert (
            rises.argsort().tolist()
            == model.index(states, left=1, rule=np.zeros(1, int))[0].argsort().tolist()
        )
        assert rises[2] == pytest.approx(0.0, abs=3e-3)


class TestADate:
    """Concept 1 needs 0; 2 is free. Goals: 1, which counts only if 0 is reached in time, and 2."""

    BANK = make_bank(requires=[(0, 1)], per_concept=8)

    def situation(self, *, answers, **changes):
        return make_situation(
            self.BANK,
            **{
                "goal": np.array([False, True, True]),
                "memory": memory(3, base=np.full(3, -0.2)),
                "expected_gain": np.repeat([0.3, 0.5, 0.15], 8),
                "due_at": NOW + 2 * DAY,
                "study_minutes": float(answers),
                **knows("new", "new", "new"),
                **changes,
            },
        )

    def test_what_cannot_be_opened_in_time_is_not_begun(self):
        near = gains(self.situation(answers=3))
        far = gains(self.situation(answers=8))
        assert near[2] > near[0]
        assert far[0] > far[2]
        assert near[0] == pytest.approx(0.0, abs=0.01)

    def test_without_a_date_the_prerequisite_counts_by_what_it_opens(self):
        free = gains(dataclasses.replace(self.situation(answers=3), due_at=None))
        assert free[0] > free[2]

    def test_the_choice_changes_as_the_date_nears(self):
        rules = dataclasses.replace(FIRM, top_share=1.0, temperature=0.01)
        chosen = {
            answers: decide(self.situation(answers=answers, rules=rules), seed=1).concept_id - 10
            for answers in (3, 8)
        }
        assert chosen == {3: 2, 8: 0}

    def test_arms_beyond_those_that_are_planned_are_worth_no_more(self):
        bank = make_bank(n_concepts=8, requires=[])
        alike = make_situation(
            bank,
            memory=memory(8, base=np.full(8, -0.2)),
            expected_gain=np.repeat(0.3, bank.n_items),
            due_at=NOW + 2 * DAY,
            study_minutes=10.0,
            **knows(*["new"] * 8),
        )
        same = list(gains(alike).values())
        assert len(same) == 8
        assert max(same) == pytest.approx(min(same), rel=1e-6, abs=1e-12)

        poorer = np.repeat([0.3] * 6 + [0.2, 0.1], 4)
        by_arm = list(gains(dataclasses.replace(alike, expected_gain=poorer)).values())
        assert min(by_arm[:6]) > by_arm[6] > by_arm[7]

    def test_nothing_is_gained_where_nothing_can_be_learnt(self):
        known = memory(3, base=np.full(3, -0.2), power=0.0)
        still = self.situation(answers=20, expected_gain=np.zeros(24), memory=known)
        for gain in gains(still).values():
            assert gain == pytest.approx(0.0, abs=0.02)

    def test_so_much_time_that_there_is_room_for_all_needs_no_plan(self):
        plenty = self.situation(answers=5_000)
        without = dataclasses.replace(plenty, due_at=None, rules=Rules(retention_days=2.0))
        assert gains(plenty) == pytest.approx(gains(without))


class TestReviewsBeforeADate:
    def situation(self, **changes):
        levels = knows("mastered", "mastered", "seen")
        levels["concept_last_at"] = NOW - np.array([2.0, 2.0, 0.1]) * DAY
        levels["concept_lower_prob"] = np.array([0.71, 0.95, 0.4])
        faded = memory(
            3,
            level=np.array([2.0, 2.0, 0.2]),
            var=np.full(3, 0.05),
            practised=np.full(3, 8.0),
            power=0.6,
        )
        bank = make_bank(requires=[])
        return make_situation(bank, memory=faded, rules=FIRM, **{**levels, **changes})

    def modes(self, situation):
        arms = decide(situation, seed=0).arms
        return dict(zip((arms.concept_ids - 10).tolist(), arms.modes, strict=True))

    def test_what_will_not_be_known_on_the_day_is_opened(self):
        assert 0 not in self.modes(self.situation())
        opened = self.modes(self.situation(due_at=NOW + 3 * DAY))
        assert opened[0] == "review"
        assert 1 not in opened

    def test_not_what_was_practised_today(self):
        today = np.array([0.2, 0.2, 0.1]) * DAY
        situation = self.situation(due_at=NOW + 3 * DAY, concept_last_at=NOW - today)
        assert 0 not in self.modes(situation)
