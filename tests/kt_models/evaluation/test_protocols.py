"""Protocols: who is learnt from, what is scored, and what a model is shown when it is asked."""

import dataclasses

import numpy as np
import pytest

from kt_models.data.log import build_log
from kt_models.data.splits import NothingToSplit
from kt_models.evaluation import metrics, protocols
from kt_models.evaluation.protocols import PROTOCOLS, UnknownProtocol, run_trial, trial_of
from kt_models.models import MODELS
from kt_models.models.base import Fitting
from tests.kt_models.factories import random_log
from tests.kt_models.models.tiny import tiny


@pytest.fixture(scope="module")
def log():
    return random_log(np.random.default_rng(0), learners=30, answers=25)


class Watcher:
    """A model that keeps what it is shown and says how many answers there were before."""

    def __init__(self):
        self.shown = []

    def fit(self, log, fitting):
        self.fitted = log, fitting

    def predict(self, log):
        self.shown.append(log)
        return 1.0 / (1.0 + log.position)


def rows_of(log):
    """Who answered what and when, as a set."""
    names = [log.learner_keys[k] for k in log.learner]
    return set(zip(names, log.item.tolist(), log.answered_at.tolist(), strict=True))


class TestLearnerSplit:
    def test_scores_every_answer_of_learners_not_learnt_from(self, log):
        trial = trial_of(log, "learner-split", fold=1, seed=4)

        assert not set(trial.train.learner_keys) & set(trial.test.learner_keys)
        assert rows_of(trial.train) | rows_of(trial.test) == rows_of(log)
        assert trial.scored.all()
        assert len(trial.test) == 6 * 25

    def test_gives_the_model_seed_and_folder_of_the_fit(self, log, tmp_path):
        fitting = Fitting(seed=8, folder=tmp_path)

        done = run_trial(trial_of(log, "learner-split"), Watcher, fitting)

        assert done.model.fitted[1] is fitting
        assert done.prob.tolist() == (1.0 / (1.0 + done.trial.test.position)).tolist()
        assert done.seconds > 0.0


class TestColdStart:
    def test_scores_the_first_answers_of_the_same_learners(self, log):
        whole, cold = (trial_of(log, name, fold=3) for name in ("learner-split", "cold-start"))

        assert cold.test.learner_keys == whole.test.learner_keys
        assert cold.train.sha256() == whole.train.sha256()
        assert np.diff(cold.test.starts).tolist() == [10] * 6


class TestTimeSplit:
    def test_learns_from_the_past_and_scores_the_rest_with_whole_histories(self, log):
        trial = trial_of(log, "time-split")

        moment = trial.test.answered_at[trial.scored].min()
        assert (trial.train.answered_at < moment).all()
        assert (trial.test.answered_at[~trial.scored] < moment).all()
        assert trial.scored.sum() == (log.answered_at >= moment).sum()
        for place, name in enumerate(trial.test.learner_keys):
            whole = np.diff(log.starts)[log.learner_keys.index(name)]
            assert trial.test.starts[place + 1] - trial.test.starts[place] == whole

    def test_says_nothing_of_answers_before_the_moment(self, log):
        done = run_trial(trial_of(log, "time-split"), Watcher)

        assert (np.isnan(done.prob) == ~done.trial.scored).all()

    def test_scores_what_was_answered_at_the_very_moment_and_learns_nothing_of_it(self):
        tied = build_log(
            learners=["a", "b", "c", "d", "e"] * 2,
            items=["x"] * 10,
            concepts=[("k",)] * 10,
            correct=np.ones(10),
            answered_at=np.array([1.0, 2.0, 3.0, 4.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0]),
        )

        trial = trial_of(tied, "time-split")

        assert trial.train.answered_at.tolist() == [1.0, 2.0, 3.0, 4.0]
        assert trial.scored.sum() == 6

    def test_refuses_a_log_without_times(self, log):
        with pytest.raises(NothingToSplit, match="answered_at"):
            trial_of(dataclasses.replace(log, has_times=False), "time-split")


class TestForecast:
    def test_shows_ten_answers_and_one_blank_question(self, log):
        done = run_trial(trial_of(log, "forecast"), Watcher)

        test, shown = done.trial.test, done.model.shown
        assert len(shown) == 10
        for ahead, asked in enumerate(shown):
            last = asked.position == 10
            assert np.diff(asked.starts).tolist() == [11] * 6
            question = test.position == 10 + ahead
            assert asked.item[last].tolist() == test.item[question].tolist()
            assert asked.shown_at[last].tolist() == test.shown_at[question].tolist()
            # Nothing of the answer itself: neither outcome nor duration nor hint.
            assert not asked.correct[last].any()
            assert not asked.assisted[last].any()
            assert asked.answered_at[last].tolist() == asked.shown_at[last].tolist()
            given = test.position < 10
            assert asked.correct[~last].tolist() == test.correct[given].tolist()
            assert asked.answered_at[~last].tolist() == test.answered_at[given].tolist()

    def test_takes_the_prediction_of_the_question(self, log):
        done = run_trial(trial_of(log, "forecast"), Watcher)

        assert done.trial.scored.tolist() == [p >= 10 for p in done.trial.test.position]
        assert done.prob[done.trial.scored].tolist() == [1.0 / 11.0] * 60
        assert np.isnan(done.prob[~done.trial.scored]).all()

    def test_leaves_out_whoever_answered_too_little(self, log):
        few = trial_of(log, "forecast").test.learner_keys[2]
        number = log.learner_keys.index(few)
        short = log.only_answers((log.learner != number) | (log.position < 19))

        assert trial_of(short, "forecast").test.learner_keys == tuple(
            name for name in trial_of(log, "forecast").test.learner_keys if name != few
        )

    def test_outcomes_of_hidden_answers_change_nothing(self, log):
        trial = trial_of(log, "forecast")
        model = MODELS["pfa"]
        flipped = np.where(trial.scored, 1.0 - trial.test.correct, trial.test.correct)
        other = dataclasses.replace(trial, test=dataclasses.replace(trial.test, correct=flipped))

        assert (
            run_trial(trial, model).prob[trial.scored] == run_trial(other, model).prob[trial.scored]
        ).all()

    def test_refuses_histories_that_are_too_short(self, log):
        short = log.only_answers(log.position < 19)

        with pytest.raises(NothingToSplit, match="has more than 19"):
            trial_of(short, "forecast")


class TestTrialOf:
    def test_refuses_a_name_it_does_not_know(self, log):
        with pytest.raises(UnknownProtocol, match="learner-split, time-split, forecast"):
            trial_of(log, "leave-one-out")

    @pytest.mark.parametrize("protocol", ["learner-split", "forecast", "cold-start"])
    def test_refuses_fewer_learners_than_folds(self, log, protocol):
        with pytest.raises(NothingToSplit, match="4 learners"):
            trial_of(log.only_learners(np.arange(4)), protocol)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", ["pfa", "dkt"])
def test_random_labels_read_chance_under_every_protocol(protocol, name):
    log = random_log(np.random.default_rng(7), learners=250, answers=40)

    done = run_trial(
        trial_of(log, protocol), lambda: tiny(name) if name == "dkt" else MODELS[name]()
    )

    scored = done.trial.scored
    assert scored.sum() >= 500
    found = metrics.auc(done.trial.test.correct[scored], done.prob[scored])
    assert found == pytest.approx(0.5, abs=4.0 * 0.29 / np.sqrt(scored.sum()))


def test_every_protocol_is_reachable_by_its_name(log):
    assert {trial_of(log, name).protocol for name in protocols.PROTOCOLS} == set(PROTOCOLS)
