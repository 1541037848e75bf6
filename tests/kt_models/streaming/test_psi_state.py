"""States and parameters as data: they survive their bytes and refuse others."""

import math

import numpy as np
import pytest

from kt_models.errors import ImpossibleParameter, UnreadableState
from kt_models.streaming import psi_filter
from kt_models.streaming.psi_filter import FilterParameters, FilterState
from tests.kt_models.streaming.test_psi_filter import PARAMETERS, fold, simulated_answers


class TestFilterState:
    def test_survives_its_bytes(self):
        state = fold(simulated_answers(np.random.default_rng(4), 30))

        again = FilterState.from_bytes(state.to_bytes())

        assert again == state
        assert hash(again) == hash(state)
        assert fold([((1,), 0.0, 1.0, 0.0)]) != state

    def test_can_stop_in_its_bytes_and_go_on(self):
        answers = simulated_answers(np.random.default_rng(5), 40)
        state = FilterState.from_bytes(fold(answers[:20]).to_bytes())

        for concept_ids, offset, correct, at in answers[20:]:
            state = psi_filter.update(
                state,
                PARAMETERS,
                concept_ids=concept_ids,
                item_offset=offset,
                correct=correct,
                at=at,
            )

        assert state == fold(answers)

    def test_has_a_size_that_does_not_grow_with_the_history(self):
        answers = [((i % 3,), 0.0, float(i % 2), float(i)) for i in range(10_000)]

        assert len(fold(answers[:10]).to_bytes()) == len(fold(answers).to_bytes()) == 40 + 3 * 56

    @pytest.mark.parametrize("raw", [b"", b"PSI0" + bytes(40), b"PSI1" + b"\x01" + bytes(40)])
    def test_refuses_bytes_that_are_not_a_state(self, raw):
        with pytest.raises(UnreadableState):
            FilterState.from_bytes(raw)


class TestFilterParameters:
    def test_survive_their_dict(self):
        assert FilterParameters.from_dict(PARAMETERS.to_dict()) == PARAMETERS

    def test_refuse_an_unknown_or_a_missing_name(self):
        with pytest.raises(ImpossibleParameter, match="speed"):
            FilterParameters.from_dict(PARAMETERS.to_dict() | {"speed": 1.0})

    @pytest.mark.parametrize(
        "change",
        [{"ability_prior_var": -0.1}, {"decay_tau_days": 0.0}, {"gain_right": math.nan}],
    )
    def test_refuse_values_out_of_range(self, change):
        with pytest.raises(ImpossibleParameter):
            FilterParameters(**change)
