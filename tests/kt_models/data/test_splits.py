"""Splits: nobody on both sides, nothing of the future on the training side."""

import dataclasses

import numpy as np
import pytest

from kt_models.data.splits import (
    NothingToSplit,
    answered_enough,
    first_answers,
    learner_folds,
    split_fold,
    split_learners,
    split_time,
)
from kt_models.errors import ShapeMismatch
from tests.kt_models.factories import random_log


@pytest.fixture(scope="module")
def log():
    return random_log(np.random.default_rng(0), learners=20, answers=10)


class TestSplitLearners:
    def test_puts_every_learner_on_one_side(self, log):
        train, test = split_learners(log, seed=1)

        assert sorted([*train, *test]) == list(range(20))
        assert len(test) == 4

    def test_depends_on_the_seed_alone(self, log):
        same = [split_learners(log, seed=1)[1].tolist() for _ in range(2)]

        assert same[0] == same[1] != split_learners(log, seed=2)[1].tolist()

    def test_refuses_an_empty_side(self, log):
        with pytest.raises(NothingToSplit):
            split_learners(log, test_share=0.01, seed=0)

    def test_says_that_one_learner_cannot_be_split(self, log):
        with pytest.raises(NothingToSplit, match="at least two learners; the log has 1"):
            split_learners(log.only_learners(np.array([3])), test_share=1.0)


class TestSplitTime:
    def test_gives_the_moment_before_which_that_share_was_answered(self, log):
        moment = split_time(log, train_share=0.7)

        earlier = log.before(moment)

        assert len(earlier) == pytest.approx(0.7 * len(log), abs=1)
        assert (earlier.answered_at < moment).all()
        assert np.diff(earlier.starts).sum() == len(earlier)

    def test_refuses_a_log_without_times(self):
        log = random_log(np.random.default_rng(0), learners=2, answers=3)
        timeless = log.before(0.0)

        with pytest.raises(NothingToSplit):
            split_time(timeless)


def test_a_log_refuses_arrays_that_do_not_belong_together(log):
    with pytest.raises(ShapeMismatch, match="correct"):
        dataclasses.replace(log, correct=log.correct[:-1])
    with pytest.raises(ShapeMismatch, match="starts"):
        dataclasses.replace(log, starts=log.starts[:-1])


class TestLearnerFolds:
    def test_tests_every_learner_once_in_folds_of_one_size(self, log):
        folds = learner_folds(log, folds=3, seed=1)

        assert sorted(np.concatenate(folds).tolist()) == list(range(20))
        assert {len(fold) for fold in folds} == {6, 7}
        assert all((np.diff(fold) > 0).all() for fold in folds)

    def test_depends_on_the_seed_alone(self, log):
        first, again, other = (learner_folds(log, seed=seed)[0].tolist() for seed in (1, 1, 2))

        assert first == again != other

    @pytest.mark.parametrize("folds", [1, 21])
    def test_refuses_folds_that_would_be_empty(self, log, folds):
        with pytest.raises(NothingToSplit, match="20 learners"):
            learner_folds(log, folds=folds)


class TestSplitFold:
    def test_trains_on_whoever_is_not_tested(self, log):
        train, test = split_fold(log, fold=2, folds=4, seed=3)

        assert test.tolist() == learner_folds(log, folds=4, seed=3)[2].tolist()
        assert sorted([*train, *test]) == list(range(20))

    @pytest.mark.parametrize("fold", [-1, 5])
    def test_refuses_a_fold_that_there_is_not(self, log, fold):
        with pytest.raises(NothingToSplit, match=f"Fold {fold}"):
            split_fold(log, fold=fold)


class TestFirstAnswers:
    def test_keeps_the_beginning_of_every_history(self, log):
        ragged = log.only_answers(np.arange(len(log)) >= 6)

        first = first_answers(ragged, 5)

        assert np.diff(first.starts).tolist() == [4] + [5] * 19
        assert first.item[:9].tolist() == [*log.item[6:10], *log.item[10:15]]
        assert first.position.max() == 4

    def test_answered_enough_counts_whole_histories(self, log):
        ragged = log.only_answers(np.arange(len(log)) >= 6)

        assert answered_enough(ragged, 5).tolist() == list(range(1, 20))


def test_positions_count_from_nought_in_every_history(log):
    ragged = log.only_answers(np.arange(len(log)) % 10 < 3)

    assert ragged.position.tolist() == [0, 1, 2] * 20
