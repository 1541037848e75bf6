import numpy as np
import pytest

from curriculum.irt.errors import ImpossibleResponse, NothingToCalibrate
from curriculum.irt.responses import responses_of_matrix, select_first_attempts
from tests.curriculum.irt.factories import log_of

NAN = float("nan")


def taken(log):
    responses, _ = select_first_attempts(log)
    return [
        (responses.learners[a], responses.items[b], c)
        for a, b, c in zip(
            responses.learner.tolist(),
            responses.item.tolist(),
            responses.correct.tolist(),
            strict=True,
        )
    ]


def test_only_the_first_answer_to_an_item_is_taken_whatever_the_order_of_rows():
    rows = [("u", "x", 1), ("u", "y", 1), ("u", "x", 0), ("v", "x", 1)]
    log = log_of(rows, answered_at=np.array([30.0, 20.0, 10.0, 40.0]))

    assert sorted(taken(log)) == [("u", "x", 0.0), ("u", "y", 1.0), ("v", "x", 1.0)]
    assert select_first_attempts(log)[1].repeats == 1


def test_a_later_answer_does_not_stand_in_for_an_assisted_first():
    rows = [("u", "x", 1), ("u", "x", 0), ("u", "y", 1)]
    log = log_of(rows, assisted=np.array([True, False, False]))

    _, census = select_first_attempts(log)

    assert taken(log) == [("u", "y", 1.0)]
    assert (census.assisted, census.repeats, census.calibrated) == (1, 1, 1)


def test_duplicates_are_told_from_repeats_by_their_moment():
    rows = [("u", "x", 1), ("u", "x", 1), ("u", "x", 1)]
    log = log_of(rows, answered_at=np.array([10.0, 10.0, 20.0]))

    _, census = select_first_attempts(log)

    assert (census.repeats, census.duplicates, census.calibrated) == (2, 1, 1)


def test_without_times_nobody_can_tell_duplicates():
    _, census = select_first_attempts(log_of([("u", "x", 1), ("u", "x", 1)], answered_at=None))

    assert (census.repeats, census.duplicates) == (1, 0)


def test_an_answer_that_nobody_judged_is_left_out_and_counted():
    _, census = select_first_attempts(log_of([("u", "x", NAN), ("u", "x", 1), ("u", "y", 0)]))

    assert (census.unjudged, census.repeats, census.calibrated) == (1, 1, 1)


def test_part_credit_counts_as_wrong():
    log = log_of([("u", "x", 0.5), ("u", "y", 1.0)])

    assert taken(log) == [("u", "x", 0.0), ("u", "y", 1.0)]
    assert select_first_attempts(log)[1].part_credit == 1


def test_everything_is_accounted_for():
    rng = np.random.default_rng(1)
    rows = [(f"u{rng.integers(9)}", f"i{rng.integers(9)}", rng.integers(2)) for _ in range(300)]
    log = log_of(rows, assisted=rng.random(300) < 0.2)

    responses, census = select_first_attempts(log)

    assert census.calibrated + census.repeats + census.assisted + census.unjudged == 300
    assert census.calibrated == len(responses)
    assert sum(census.seen) == 300
    pairs = set(zip(responses.learner.tolist(), responses.item.tolist(), strict=True))
    assert len(pairs) == len(responses)


def test_learners_with_one_answer_are_counted():
    _, census = select_first_attempts(log_of([("u", "x", 1), ("v", "x", 0), ("v", "y", 0)]))

    assert (census.learners, census.single_answer_learners) == (2, 1)


def test_a_log_of_help_only_leaves_nothing():
    with pytest.raises(NothingToCalibrate, match="None of the 1 answers"):
        select_first_attempts(log_of([("u", "x", 1)], assisted=np.array([True])))


def test_names_an_answer_that_cannot_be():
    with pytest.raises(ImpossibleResponse, match=r"1\.5 \(learner u, item y\)"):
        select_first_attempts(log_of([("u", "x", 1), ("u", "y", 1.5)]))


def test_a_table_may_have_gaps_and_nothing_else():
    assert len(responses_of_matrix([[1, NAN], [0, 1]])) == 3
    assert len(responses_of_matrix([[1, NAN], [0, 1]], counts=[3, 2])) == 7
    with pytest.raises(ImpossibleResponse, match=r"Row 1, column 0 is 2\.0"):
        responses_of_matrix([[1, NAN], [2, 1]])


def test_the_hash_knows_every_answer():
    a = responses_of_matrix([[1, 0], [0, 1]])
    b = responses_of_matrix([[1, 0], [0, 0]])

    assert a.sha256() == responses_of_matrix([[1, 0], [0, 1]]).sha256() != b.sha256()
