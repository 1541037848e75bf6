"""The streaming filter: against an exact grid, and the promises its callers rely on."""

import math

import numpy as np
import pytest

from kt_models.errors import ImpossibleAnswer, ShapeMismatch
from kt_models.streaming import psi_filter
from kt_models.streaming.psi_filter import FilterParameters

DAY = 86_400.0
PARAMETERS = FilterParameters()


def fold(answers, parameters=PARAMETERS):
    state = psi_filter.init(parameters)
    for concept_ids, offset, correct, at in answers:
        state = psi_filter.update(
            state, parameters, concept_ids=concept_ids, item_offset=offset, correct=correct, at=at
        )
    return state


def predict_one(state, concepts, at, offset=0.0, parameters=PARAMETERS):
    return psi_filter.predict(
        state,
        parameters,
        concepts=np.array([concepts], dtype=int),
        item_offsets=np.array([offset]),
        at=at,
    )


def simulated_answers(rng, n, concepts=8):
    at = np.cumsum(rng.exponential(0.2 * DAY, n)) + 1.6e9
    return [
        (
            tuple(rng.choice(concepts, size=rng.integers(1, 4), replace=False).tolist()),
            float(rng.normal()),
            float(rng.integers(0, 2)),
            float(at[i]),
        )
        for i in range(n)
    ]


class TestAgainstTheExactPosterior:
    """One concept alone moves (ability has prior variance 0): an 801-point grid is then exact."""

    grid = np.linspace(-6.0, 6.0, 801)

    def run(self, rng):
        parameters = FilterParameters(
            ability_prior_var=0.0,
            ability_drift_var=0.0,
            concept_prior_var=1.0,
            concept_drift_var=0.0,
            decay_power=0.0,
            gain_right=0.0,
            gain_wrong=0.0,
        )
        truth = rng.normal()
        weights = np.exp(-0.5 * self.grid**2)
        weights /= weights.sum()
        state = psi_filter.init(parameters)
        errors, losses = [], []
        for i in range(40):
            offset = float(rng.normal())
            correct = float(rng.random() < 1 / (1 + math.exp(-truth - offset)))
            exact = float(weights @ (1 / (1 + np.exp(-self.grid - offset))))
            ours = float(predict_one(state, [0], float(i), offset, parameters).prob[0])
            chosen = (exact, ours) if correct else (1 - exact, 1 - ours)
            losses.append([-math.log(p) for p in chosen])
            sign = 1.0 if correct else -1.0
            weights = weights / (1 + np.exp(-sign * (self.grid + offset)))
            weights /= weights.sum()
            state = psi_filter.update(
                state,
                parameters,
                concept_ids=(0,),
                item_offset=offset,
                correct=correct,
                at=float(i),
            )
            errors.append(abs(state.values[0, 0] - weights @ self.grid))
        return errors, losses

    def test_stays_near_the_posterior_mean_and_loses_no_likelihood(self):
        rng = np.random.default_rng(1)

        runs = [self.run(rng) for _ in range(20)]

        errors = np.array([run[0] for run in runs])
        losses = np.array([run[1] for run in runs])
        assert errors.mean() < 0.03
        assert errors.max() < 0.25
        assert losses[..., 1].mean() == pytest.approx(losses[..., 0].mean(), abs=1e-3)


class TestUpdate:
    def test_leaves_the_given_state_alone(self):
        state = fold([((1, 2), 0.3, 1.0, 0.0)])
        before = state.to_bytes()

        psi_filter.update(state, PARAMETERS, concept_ids=(2,), item_offset=0.0, correct=0.0, at=9.0)

        assert state.to_bytes() == before

    @pytest.mark.parametrize("flipped", range(5))
    def test_lets_every_answer_change_later_predictions(self, flipped):
        answers = simulated_answers(np.random.default_rng(2), 5)
        other = list(answers)
        concepts, offset, correct, at = answers[flipped]
        other[flipped] = (concepts, offset, 1.0 - correct, at)

        one, two = fold(answers), fold(other)

        later = answers[-1][3] + DAY
        assert predict_one(one, [0, 1], later).prob[0] != predict_one(two, [0, 1], later).prob[0]

    def test_raises_the_practised_concept_above_an_untouched_one_after_a_right_answer(self):
        state = fold([((1,), 0.0, 1.0, 0.0)])

        probs = [predict_one(state, [k], 0.0).prob[0] for k in (1, 2)]

        assert probs[0] > probs[1] > predict_one(psi_filter.init(PARAMETERS), [2], 0.0).prob[0]

    def test_counts_a_late_answer_as_the_same_moment(self):
        state = fold([((1,), 0.0, 1.0, 100.0 * DAY)])

        late, tied = (
            psi_filter.update(
                state, PARAMETERS, concept_ids=(1,), item_offset=0.0, correct=0.0, at=at * DAY
            )
            for at in (3.0, 100.0)
        )

        assert late == tied
        assert late.t_last == 100.0 * DAY

    def test_ignores_order_and_repeats_of_an_item_s_concepts(self):
        assert fold([((3, 1, 3), 0.2, 1.0, 5.0)]) == fold([((1, 3), 0.2, 1.0, 5.0)])

    @pytest.mark.parametrize("correct", [0.0, 1.0])
    def test_measures_nothing_by_a_right_answer_after_help(self, correct):
        plain, helped = (
            psi_filter.update(
                psi_filter.init(PARAMETERS),
                PARAMETERS,
                concept_ids=(1,),
                item_offset=0.0,
                correct=correct,
                at=0.0,
                assisted=assisted,
            )
            for assisted in (False, True)
        )

        if correct:
            assert helped.ability_mean == PARAMETERS.ability_prior_mean
            assert helped.values[0, 0] == PARAMETERS.gain_right
            assert helped.evidence_counts.tolist() == [0.0]
        else:
            assert helped == plain

    @pytest.mark.parametrize(
        "change",
        [
            {"concept_ids": ()},
            {"concept_ids": (-1, 2)},
            {"correct": 1.5},
            {"correct": math.nan},
            {"at": math.inf},
            {"item_offset": math.nan},
        ],
    )
    def test_refuses_what_no_answer_can_be(self, change):
        answer = {"concept_ids": (1,), "item_offset": 0.0, "correct": 1.0, "at": 0.0} | change

        with pytest.raises(ImpossibleAnswer):
            psi_filter.update(psi_filter.init(PARAMETERS), PARAMETERS, **answer)


class TestPredict:
    def test_agrees_with_a_plain_loop_over_items(self):
        rng = np.random.default_rng(3)
        state = fold(simulated_answers(rng, 60))
        at = state.t_last + 2 * DAY
        concepts = np.array([[0, 3, -1], [7, -1, -1], [99, 2, 1], [-1, -1, -1], [42, -1, -1]])
        offsets = rng.normal(size=5)

        found = psi_filter.predict(
            state, PARAMETERS, concepts=concepts, item_offsets=offsets, at=at
        )

        table = dict(zip(state.concept_ids.tolist(), state.values.tolist(), strict=True))
        for i, row in enumerate(concepts):
            met = [k for k in row.tolist() if k >= 0]
            share = max(len(met), 1) ** -PARAMETERS.concept_share
            mean = state.ability_mean + offsets[i]
            var = state.ability_var + 2 * PARAMETERS.ability_drift_var_per_day
            for k in met:
                m, v, t = table.get(k, (0.0, PARAMETERS.concept_prior_var, -math.inf))[:3]
                kept = (1 + (at - t) / DAY / PARAMETERS.decay_tau_days) ** -PARAMETERS.decay_power
                mean += share * kept * m
                var += share**2 * (kept**2 * v + (1 - kept**2) * PARAMETERS.concept_prior_var)
            assert found.logit_mean[i] == pytest.approx(mean)
            assert found.logit_var[i] == pytest.approx(var)
            assert found.prob[i] == pytest.approx(
                1 / (1 + math.exp(-mean / math.sqrt(1 + math.pi * var / 8)))
            )

    def test_forgets_towards_the_prior(self):
        state = fold([((1,), 0.0, 1.0, 0.0)] * 6)

        soon, late, untouched = (
            predict_one(state, [k], at * DAY) for k, at in ((1, 0.0), (1, 900.0), (2, 900.0))
        )

        assert soon.logit_mean > late.logit_mean > untouched.logit_mean
        assert soon.logit_var < late.logit_var < untouched.logit_var

    def test_grows_unsure_of_ability_up_to_the_prior(self):
        state = fold([((1,), 0.0, float(i % 2), 0.0) for i in range(30)])

        variances = [predict_one(state, [], days * DAY).logit_var[0] for days in (0.0, 10.0, 1e6)]

        assert variances == sorted(variances)
        assert variances[1] == pytest.approx(
            variances[0] + 10 * PARAMETERS.ability_drift_var_per_day
        )
        assert variances[2] == PARAMETERS.ability_prior_var

    @pytest.mark.parametrize(("concepts", "offsets"), [([1, 2], [0.0, 0.0]), ([[1]], [0.0, 0.0])])
    def test_refuses_arrays_that_do_not_fit(self, concepts, offsets):
        with pytest.raises(ShapeMismatch):
            psi_filter.predict(
                psi_filter.init(PARAMETERS),
                PARAMETERS,
                concepts=np.array(concepts),
                item_offsets=np.array(offsets),
                at=0.0,
            )


class TestConceptEstimates:
    def test_gives_the_prediction_of_the_reference_item_and_its_evidence(self):
        state = fold([((4,), 0.0, 1.0, 0.0), ((4, 9), 0.0, 0.0, 1.0)])

        found = psi_filter.concept_estimates(
            state,
            PARAMETERS,
            concept_ids=np.array([9, 5, 4]),
            concept_offsets=np.array([0.1, 0.2, 0.3]),
            at=2.0,
        )

        assert found.evidence_n.tolist() == [1, 0, 2]
        assert found.prob[2] == predict_one(state, [4], 2.0, 0.3).prob[0]
        assert (found.lower_prob < found.prob).all()

    def test_refuses_lists_of_different_length(self):
        with pytest.raises(ShapeMismatch):
            psi_filter.concept_estimates(
                psi_filter.init(PARAMETERS),
                PARAMETERS,
                concept_ids=np.array([1, 2]),
                concept_offsets=np.array([0.0]),
                at=0.0,
            )


class TestExpectedGain:
    def test_is_the_gain_that_update_adds_on_average(self):
        parameters = FilterParameters(gain_right=0.3, gain_wrong=0.1)
        state = fold([((1,), 0.0, 1.0, 0.0)], parameters)

        found = psi_filter.expected_gain(
            state,
            parameters,
            concepts=np.array([[1, -1], [2, -1], [1, 2]]),
            item_offsets=np.zeros(3),
            at=0.0,
        )

        prob = predict_one(state, [2], 0.0, parameters=parameters).prob[0]
        assert found[1] == pytest.approx(prob * 0.3 + (1 - prob) * 0.1)
        assert found[0] < found[2] < found[1]


class TestItemVariance:
    def one_answer(self, **fields):
        return psi_filter.update(
            psi_filter.init(PARAMETERS),
            PARAMETERS,
            **{"concept_ids": (3,), "item_offset": 0.2, "correct": 1.0, "at": DAY, **fields},
        )

    def test_is_none_by_default(self):
        assert self.one_answer().to_bytes() == self.one_answer(item_var=0.0).to_bytes()

    def test_makes_an_answer_say_less(self):
        moved = [self.one_answer(item_var=var).ability_mean for var in (0.0, 0.5, 4.0, 1e9)]

        assert moved == sorted(moved, reverse=True)
        assert moved[-1] == pytest.approx(PARAMETERS.ability_prior_mean, abs=1e-3)

    def test_without_end_is_no_answer_at_all(self):
        before = fold([((1, 2), 0.0, 0.0, DAY)])

        after = psi_filter.update(
            before,
            PARAMETERS,
            concept_ids=(2, 5),
            item_offset=0.0,
            correct=1.0,
            at=2 * DAY,
            item_var=math.inf,
        )

        assert after.to_bytes() == before.to_bytes()

    @pytest.mark.parametrize("var", [-0.1, math.nan])
    def test_is_a_variance(self, var):
        with pytest.raises(ImpossibleAnswer):
            self.one_answer(item_var=var)
