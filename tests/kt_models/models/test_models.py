"""Every model: no leak, chance on random labels; and each one's own arithmetic."""

import numpy as np
import pytest

from kt_models.data.log import build_log
from kt_models.evaluation import metrics
from kt_models.evaluation.prequential import (
    UnknownModel,
    compare_models,
    first_meetings,
)
from kt_models.models import MODELS
from kt_models.models.pfa import PFA
from tests.kt_models.factories import random_log


@pytest.fixture(scope="module")
def log():
    return random_log(np.random.default_rng(5), learners=150, answers=60)


@pytest.fixture(scope="module", params=MODELS)
def fitted(request, log):
    model = MODELS[request.param]()
    model.fit(log.only_learners(np.arange(100)))
    return model


class TestEveryModel:
    def test_sorts_random_labels_no_better_than_chance(self, fitted, log):
        test = log.only_learners(np.arange(100, 150))

        prob = fitted.predict(test)

        assert metrics.auc(test.correct, prob) == pytest.approx(0.5, abs=0.03)
        assert metrics.log_loss(test.correct, prob) == pytest.approx(np.log(2), abs=0.02)
        assert metrics.brier(test.correct, prob) == pytest.approx(0.25, abs=0.01)

    def test_never_reads_the_answer_it_predicts_nor_a_later_one(self, fitted, log):
        test = log.only_learners(np.arange(100, 150))
        before = fitted.predict(test)
        row = int(test.starts[7]) + 11
        test.correct[row] = 1.0 - test.correct[row]

        changed = np.flatnonzero(before != fitted.predict(test))

        assert all(row < r < test.starts[8] for r in changed)

    def test_gives_probabilities(self, fitted, log):
        prob = fitted.predict(log)

        assert prob.shape == (len(log),)
        assert ((prob > 0.0) & (prob < 1.0)).all()


@pytest.mark.parametrize("name", ["pfa", "best-lr", "psi-filter"])
def test_tracers_let_earlier_answers_matter(name, log):
    model = MODELS[name]()
    model.fit(log)
    before = model.predict(log)
    row = int(log.starts[3])
    log.correct[row] = 1.0 - log.correct[row]

    changed = before != model.predict(log)

    log.correct[row] = 1.0 - log.correct[row]
    assert changed[row + 1 : log.starts[4]].any()


class TestPFA:
    def test_counts_the_learner_s_earlier_answers_on_the_concept(self):
        log = build_log(
            learners=["a"] * 4 + ["b"],
            items=["x", "y", "x", "x", "x"],
            concepts=[("k",), ("k", "m"), ("k",), ("k",), ("k",)],
            correct=np.array([1.0, 0.0, 1.0, 0.0, 1.0]),
            answered_at=np.arange(5.0),
        )

        features = PFA()._features(log).toarray()

        k = 2 + log.concept_keys.index("k")
        right, wrong = np.expm1(features[:, k]), np.expm1(features[:, k + 2])
        assert right == pytest.approx([0, 1, 1, 2, 0])
        assert wrong == pytest.approx([0, 0, 1, 1, 0])


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
