"""The compiled fold and the streaming filter are one filter."""

import numpy as np
import pytest

from kt_models.errors import ShapeMismatch
from kt_models.streaming import psi_filter
from kt_models.streaming.psi_filter import FilterParameters
from kt_models.training import psi_fold
from kt_models.training.passing import PassingRule
from tests.kt_models.factories import random_log

PARAMETERS = FilterParameters(gain_right=0.07, gain_wrong=-0.02, decay_power=0.37, gain_rho=0.61)


@pytest.fixture(scope="module")
def log():
    return random_log(np.random.default_rng(7), learners=30, answers=120, items=40, concepts=12)


@pytest.fixture(scope="module")
def offsets(log):
    return np.random.default_rng(8).normal(size=len(log.item_keys))[log.item]


def stream(log, offsets, ids):
    """Fold by repeated streaming updates; yield (state before, row, state after)."""
    for learner in range(len(log.learner_keys)):
        state = psi_filter.init(PARAMETERS)
        for r in range(log.starts[learner], log.starts[learner + 1]):
            before = state
            state = psi_filter.update(
                state,
                PARAMETERS,
                concept_ids=tuple(ids[k] for k in log.concepts[r] if k >= 0),
                item_offset=float(offsets[r]),
                correct=float(log.correct[r]),
                at=float(log.answered_at[r]),
                assisted=bool(log.assisted[r]),
            )
            yield before, r, state


class TestFoldStates:
    def test_equals_the_streaming_filter_byte_for_byte(self, log, offsets):
        # Sparse ids in another order than the vocabulary's, as a database would give them.
        ids = np.random.default_rng(9).permutation(500)[: len(log.concept_keys)].tolist()
        named = np.where(log.concepts >= 0, np.array([*ids, -1])[log.concepts], -1)

        states = psi_fold.fold_states(
            PARAMETERS,
            starts=log.starts,
            concepts=named,
            offsets=offsets,
            correct=log.correct,
            answered_at=log.answered_at,
            assisted=log.assisted,
        )

        last = {}
        for _, r, state in stream(log, offsets, ids):
            last[int(log.learner[r])] = state
        assert [state.to_bytes() for state in states] == [
            last[learner].to_bytes() for learner in range(len(states))
        ]

    def test_does_not_depend_on_the_pieces_it_is_folded_in(self, log, offsets, monkeypatch):
        def fold():
            return psi_fold.fold_states(
                PARAMETERS,
                starts=log.starts,
                concepts=log.concepts,
                offsets=offsets,
                correct=log.correct,
                answered_at=log.answered_at,
                assisted=log.assisted,
            )

        whole = fold()
        monkeypatch.setattr(psi_fold, "TABLE_ROWS", 50)

        assert fold() == whole

    @pytest.mark.parametrize("table", [0, 10**6])
    def test_ranks_ids_alike_by_table_and_by_search(self, monkeypatch, table):
        monkeypatch.setattr(psi_fold, "TABLE_IDS", table)

        ids, ranks = psi_fold._ranked(np.array([[30, 7, -1], [7, 7, 7], [9, 30, 7], [-1, 9, 9]]))

        assert ids.tolist() == [7, 9, 30]
        assert ranks.tolist() == [[0, 2, -1], [0, -1, -1], [0, 1, 2], [1, -1, -1]]

    def test_equals_streaming_beyond_the_table_of_damping(self, log, offsets, monkeypatch):
        def fold():
            return psi_fold.fold_states(
                PARAMETERS,
                starts=log.starts,
                concepts=log.concepts,
                offsets=offsets,
                correct=log.correct,
                answered_at=log.answered_at,
                assisted=log.assisted,
            )

        tabled = fold()
        monkeypatch.setattr(psi_fold, "DAMPED", 3)

        assert fold() == tabled

    def test_refuses_an_answer_without_a_concept(self):
        with pytest.raises(ShapeMismatch, match="no concept"):
            psi_fold.fold_states(
                PARAMETERS,
                starts=np.array([0, 1]),
                concepts=np.array([[-1, -1]]),
                offsets=np.zeros(1),
                correct=np.zeros(1),
                answered_at=np.zeros(1),
                assisted=np.zeros(1, dtype=bool),
            )


class TestFoldLearners:
    RULE = PassingRule(
        reference_offsets=dict(enumerate(np.linspace(0.0, 2.5, 12).tolist())),
        evidence=3,
        lower_prob=0.6,
    )

    def fold(self, log, offsets):
        return psi_fold.fold_learners(
            PARAMETERS,
            starts=log.starts,
            concepts=log.concepts,
            offsets=offsets,
            correct=log.correct,
            answered_at=log.answered_at,
            assisted=log.assisted,
            rule=self.RULE,
        )

    def test_passes_what_the_streaming_filter_says_right_after_an_answer(self, log, offsets):
        ids = np.arange(len(log.concept_keys))
        reference = np.array([self.RULE.reference_offsets[k] for k in ids.tolist()])
        expected = [set() for _ in log.learner_keys]
        for _, r, state in stream(log, offsets, ids.tolist()):
            found = psi_filter.concept_estimates(
                state,
                PARAMETERS,
                concept_ids=ids,
                concept_offsets=reference,
                at=float(log.answered_at[r]),
            )
            high = (found.lower_prob >= 0.6) & (found.evidence_n >= 3)
            expected[log.learner[r]] |= set(np.flatnonzero(high).tolist()) & {*log.concepts[r]}

        folded = self.fold(log, offsets)

        assert [set(one.passed.tolist()) for one in folded] == expected
        assert [one.passed.tolist() for one in folded] == [sorted(one) for one in expected]
        assert 30 < sum(map(len, expected)) < 0.9 * 12 * len(expected)
        assert all(one.is_decided for one in folded)

    def test_says_where_it_cannot_decide(self, log, offsets, monkeypatch):
        certain = self.fold(log, offsets)
        monkeypatch.setattr(psi_fold, "PASSING_MARGIN", 0.05)

        folded = self.fold(log, offsets)

        assert 0 < sum(one.is_decided for one in folded) < len(folded)
        for sure, one in zip(certain, folded, strict=True):
            assert set(one.passed.tolist()) <= set(sure.passed.tolist())
            assert not one.is_decided or one.passed.tolist() == sure.passed.tolist()

    def test_needs_a_reference_for_every_concept(self, log, offsets, monkeypatch):
        monkeypatch.setattr(self, "RULE", PassingRule({0: 0.0}, 3, 0.6))

        with pytest.raises(KeyError):
            self.fold(log, offsets)


class TestForecastLog:
    def test_predicts_what_the_streaming_filter_predicts_when_the_item_is_shown(self, log, offsets):
        found = psi_fold.forecast_log(log, PARAMETERS, offsets=offsets)

        for before, r, _ in stream(log, offsets, range(len(log.concept_keys))):
            told = psi_filter.predict(
                before,
                PARAMETERS,
                concepts=log.concepts[r][None],
                item_offsets=offsets[r : r + 1],
                at=float(log.shown_at[r]),
            )
            assert found.logit_mean[r] == pytest.approx(told.logit_mean[0], rel=1e-9, abs=1e-9)
            assert found.logit_var[r] == pytest.approx(told.logit_var[0], rel=1e-9)
            assert found.prob[r] == pytest.approx(told.prob[0], rel=1e-9)

    def test_never_reads_the_answer_it_predicts_nor_a_later_one(self, log, offsets):
        first = psi_fold.forecast_log(log, PARAMETERS, offsets=offsets)
        row = int(log.starts[3]) + 20
        log.correct[row] = 1.0 - log.correct[row]

        second = psi_fold.forecast_log(log, PARAMETERS, offsets=offsets)

        changed = np.flatnonzero(first.prob != second.prob)
        log.correct[row] = 1.0 - log.correct[row]
        assert changed[0] == row + 1
        assert changed[-1] < log.starts[4]

    def test_folds_only_the_learners_asked_for(self, log, offsets):
        some = psi_fold.forecast_log(log, PARAMETERS, offsets=offsets, learners=np.array([2, 5]))

        assert set(log.learner[~np.isnan(some.prob)]) == {2, 5}
