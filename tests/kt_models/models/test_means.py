"""The means: by hand on a small log."""

import numpy as np
import pytest

from kt_models.data.log import build_log
from kt_models.data.vocabulary import Vocabulary
from kt_models.models.base import Fitting
from kt_models.models.means import ConceptMean, ItemMean, Majority, MeanConfig


@pytest.fixture
def log():
    return build_log(
        learners=["a", "a", "a", "b", "b"],
        items=["x", "y", "y", "x", "z"],
        concepts=[("k",), ("k", "m"), ("k", "m"), ("k",), ("m",)],
        correct=np.array([1.0, 0.0, 1.0, 1.0, 0.0]),
        answered_at=np.arange(5.0),
    )


def fitted(kind, log):
    model = kind(MeanConfig(hold=2.0))
    model.vocabulary = Vocabulary.of(log)
    model._fit(log, log, Fitting())
    return model


# (3 + 1/2) / (5 + 1), see Vocabulary.mean.
MEAN = 3.5 / 6.0


def test_majority_says_the_overall_share(log):
    assert fitted(Majority, log)._predict(log) == pytest.approx([MEAN] * 5)


def test_item_mean_shrinks_to_the_overall_share(log):
    x, y, z = (2 + 2 * MEAN) / 4, (1 + 2 * MEAN) / 4, 2 * MEAN / 3

    assert fitted(ItemMean, log)._predict(log) == pytest.approx([x, y, y, x, z])


def test_concept_mean_is_the_mean_over_the_item_s_concepts(log):
    k, m = (3 + 2 * MEAN) / 6, (1 + 2 * MEAN) / 5

    found = fitted(ConceptMean, log)._predict(log)

    assert found == pytest.approx([k, (k + m) / 2, (k + m) / 2, k, m])
