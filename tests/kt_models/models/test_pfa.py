"""PFA: its counts by hand."""

import numpy as np
import pytest

from kt_models.data.log import build_log
from kt_models.data.vocabulary import Vocabulary
from kt_models.models.pfa import Pfa


def counts(log, *, states=None, model=None):
    if model is None:
        model = Pfa()
        model.vocabulary = Vocabulary.of(log)
    states = model.init(len(log.learner_keys)) if states is None else states
    features = np.expm1(model._features(log, states, learning=True).toarray())
    return features, states, model


@pytest.fixture
def log():
    return build_log(
        learners=["a"] * 4 + ["b"],
        items=["x", "y", "x", "x", "x"],
        concepts=[("k",), ("k", "m"), ("k",), ("k",), ("k",)],
        correct=np.array([1.0, 0.0, 1.0, 0.25, 1.0]),
        answered_at=np.arange(5.0),
    )


def test_counts_the_learner_s_earlier_answers_on_the_concept(log):
    features, _, _ = counts(log)

    k = log.concept_keys.index("k")
    assert features[:, k] == pytest.approx([0, 1, 1, 2, 0])
    assert features[:, k + 2] == pytest.approx([0, 0, 1, 1, 0])


def test_counts_go_on_from_a_state(log):
    _, states, model = counts(log)

    features, _, _ = counts(log, states=states, model=model)

    k = log.concept_keys.index("k")
    # 1 + 1 + 0.25 right, 1 + 0.75 wrong on k by learner a.
    assert features[0, [k, k + 2]] == pytest.approx([2.25, 1.75])
    assert features[4, [k, k + 2]] == pytest.approx([1.0, 0.0])
