"""Splits: nobody on both sides, nothing of the future on the training side."""

import dataclasses

import numpy as np
import pytest

from kt_models.data.splits import NothingToSplit, split_learners, split_time
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
