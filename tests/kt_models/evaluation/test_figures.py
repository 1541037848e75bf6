"""All reported figures at once: what they are of, their names, and chance on random labels."""

import dataclasses

import numpy as np
import pytest

from kt_models.data.log import build_log
from kt_models.errors import ShapeMismatch
from kt_models.evaluation import metrics
from kt_models.evaluation.figures import ScoredAnswers, figures_of, first_meetings
from kt_models.evaluation.metrics import OneKindOfAnswer
from kt_models.evaluation.protocols import run_trial, trial_of
from kt_models.models import MODELS
from tests.kt_models.factories import random_log


@pytest.fixture(scope="module")
def log():
    return random_log(np.random.default_rng(1), learners=60, answers=50)


@pytest.fixture(scope="module")
def answers(log):
    return ScoredAnswers.of(run_trial(trial_of(log, "forecast"), MODELS["pfa"]))


class TestScoredAnswers:
    def test_are_those_that_the_protocol_scores(self, answers, log):
        assert len(answers.prob) == 12 * 10
        assert answers.position.tolist() == list(range(10, 20)) * 12
        assert np.unique(answers.learner).tolist() == list(range(12))
        assert not np.isnan(answers.prob).any()

    def test_hash_the_same_for_every_model_and_another_trial_differs(self, answers, log):
        other = run_trial(trial_of(log, "forecast"), MODELS["item-mean"])
        elsewhere = run_trial(trial_of(log, "forecast", fold=1), MODELS["item-mean"])

        assert ScoredAnswers.of(other).sha256() == answers.sha256()
        assert ScoredAnswers.of(elsewhere).sha256() != answers.sha256()


class TestFiguresOf:
    def test_names_what_the_command_line_promises(self, answers):
        found = figures_of(answers, seed=0, resamples=50).to_dict()

        assert {
            "auc",
            "auc_low",
            "auc_high",
            "log_loss",
            "brier",
            "calibration_error",
            "accuracy",
            "majority_rate",
            "n",
        } < set(found)
        assert found["auc"] == metrics.auc(answers.correct, answers.prob)
        assert found["auc_low"] < found["auc"] < found["auc_high"]
        assert (found["n"], found["learners"]) == (120, 12)
        assert sum(part["n"] for part in found["auc_by_position"]) == 120
        assert sum(point["n"] for point in found["reliability"]) == 120

    def test_all_read_chance_on_random_labels(self):
        log = random_log(np.random.default_rng(2), learners=300, answers=60)
        done = run_trial(trial_of(log, "learner-split"), MODELS["pfa"])

        found = figures_of(ScoredAnswers.of(done), seed=0, resamples=100)

        assert found.auc.low < 0.5 < found.auc.high
        assert found.auc.value == pytest.approx(0.5, abs=0.02)
        assert found.log_loss.value == pytest.approx(np.log(2), abs=0.01)
        assert found.brier.value == pytest.approx(0.25, abs=0.004)
        assert found.accuracy == pytest.approx(0.5, abs=0.03)
        assert found.majority_rate == pytest.approx(0.5, abs=0.03)
        assert found.calibration_error < 0.06
        for part in found.auc_by_position:
            assert part.auc is None or part.auc == pytest.approx(0.5, abs=2.0 / np.sqrt(part.n))

    @pytest.mark.parametrize("bad", [np.nan, 1.1, -0.1])
    def test_refuses_what_is_no_probability(self, answers, bad):
        prob = answers.prob.copy()
        prob[3] = bad

        with pytest.raises(ShapeMismatch, match="between 0 and 1"):
            figures_of(dataclasses.replace(answers, prob=prob), seed=0)

    def test_says_when_all_answers_are_right(self, answers):
        with pytest.raises(OneKindOfAnswer):
            figures_of(dataclasses.replace(answers, correct=np.ones(120)), seed=0)


def test_first_meetings_are_the_first_answers_of_a_learner_to_an_item():
    log = build_log(
        learners=["a", "a", "a", "b"],
        items=["x", "x", "y", "x"],
        concepts=[("k",)] * 4,
        correct=np.ones(4),
        answered_at=np.arange(4.0),
    )

    assert first_meetings(log).tolist() == [True, False, True, True]
