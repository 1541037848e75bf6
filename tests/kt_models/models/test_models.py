"""Comparing models on the same held-out learners."""

import numpy as np
import pytest

from kt_models.data.log import build_log
from kt_models.evaluation.prequential import (
    UnknownModel,
    compare_models,
    first_meetings,
)
from tests.kt_models.factories import random_log


@pytest.fixture(scope="module")
def log():
    return random_log(np.random.default_rng(5), learners=150, answers=60)


class TestCompareModels:
    def test_tests_all_models_on_the_same_answers(self, log):
        found = compare_models(log, models=["item-mean", "concept-mean"], seed=1, resamples=20)

        assert [s.model for s in found.scores] == ["item-mean", "concept-mean"]
        assert {len(s.prob) for s in found.scores} == {len(found.test)}
        assert not set(found.train.learner_keys) & set(found.test.learner_keys)

    def test_refuses_a_name_it_does_not_know(self, log):
        with pytest.raises(UnknownModel, match="oracle"):
            compare_models(log, models=["oracle"], seed=0)


def test_first_meetings_are_the_first_answers_of_a_learner_to_an_item():
    log = build_log(
        learners=["a", "a", "a", "b"],
        items=["x", "x", "y", "x"],
        concepts=[("k",)] * 4,
        correct=np.ones(4),
        answered_at=np.arange(4.0),
    )

    assert first_meetings(log).tolist() == [True, False, True, True]
