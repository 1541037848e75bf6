"""Gaps between groups are found, noise is not one, and small groups stay unmeasured."""

import numpy as np
import pytest

from curriculum.scheduler.errors import InvalidTable
from curriculum.scheduler.monitoring import count_explored, find_group_gaps


def table(*, gap=0.0, seed=0, sizes=(40, 60), rows=12):
    rng = np.random.default_rng(seed)
    group = np.repeat(["a", "b"], sizes)
    own = rng.normal(0.0, 0.5, len(group)) + np.where(group == "a", gap, 0.0)
    learners = np.repeat(np.arange(len(group)), rows)
    values = own[learners] + rng.normal(0.0, 1.0, len(learners))
    return learners, group[learners], values


class TestGroupGaps:
    def test_a_gap_beyond_what_is_tolerated_raises_an_alarm(self):
        first, second = find_group_gaps(*table(gap=-1.0), tolerated=0.1)
        assert (first.group, first.learners, first.alarm) == ("a", 40, True)
        assert first.low < -1.0 < first.high or first.gap == pytest.approx(-1.0, abs=0.3)
        assert second.gap == pytest.approx(-first.gap)

    def test_without_one_alarms_are_as_rare_as_stated_however_many_rows_a_learner_has(self):
        alarms = [
            find_group_gaps(*table(seed=seed, rows=30), tolerated=0.0)[0].alarm
            for seed in range(200)
        ]
        # 5 % are to be expected; 30 rows of one learner are not 30 learners.
        assert 1 <= sum(alarms) <= 22

    def test_a_small_group_is_named_and_not_measured(self):
        small, large = find_group_gaps(*table(gap=5.0, sizes=(4, 60)), tolerated=0.0)
        assert (small.learners, small.mean, small.gap, small.alarm) == (4, None, None, False)
        assert large.gap is None

    def test_a_learner_in_two_groups_is_refused(self):
        with pytest.raises(InvalidTable, match="two groups"):
            find_group_gaps(np.array([1, 1]), np.array(["a", "b"]), np.zeros(2), tolerated=0.0)


def test_explored_decisions_are_counted_beside_what_was_to_be_expected():
    at = np.array([10.0, 20.0, 86_400.0 + 5.0])
    first, second = count_explored(at, np.array([True, False, False]), np.array([0.05, 0.05, 0.0]))
    assert (first.day, first.decisions, first.explored) == (0, 2, 1)
    assert first.expected == pytest.approx(0.1)
    assert (second.day, second.decisions, second.explored, second.expected) == (1, 1, 0, 0.0)
