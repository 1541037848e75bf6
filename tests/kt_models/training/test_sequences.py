"""Encoding of logs for networks: what is known, what is not, and that nothing is lost or leaked."""

import dataclasses

import numpy as np
import pytest
import torch

from kt_models.data.difficulty import HOLD
from kt_models.data.log import build_log
from kt_models.data.vocabulary import Vocabulary
from kt_models.training.easiness import easiness
from kt_models.training.sequences import batches, encode, windows
from tests.kt_models.factories import random_log


@pytest.fixture(scope="module")
def log():
    return random_log(np.random.default_rng(0), learners=12, answers=30)


@pytest.fixture(scope="module")
def vocabulary(log):
    return Vocabulary.of(log)


@pytest.fixture(scope="module")
def ragged():
    """60 learners of 1 to 39 answers."""
    rng = np.random.default_rng(1)
    rows = [
        (f"l{learner:02d}", f"i{rng.integers(9)}", (f"k{rng.integers(4)}",), 1.0, at)
        for learner, many in enumerate(rng.integers(1, 40, 60).tolist())
        for at in range(many)
    ]
    log = small_log(rows)
    return encode(log, Vocabulary.of(log))


def small_log(rows, *, shown_at=None):
    """A log from (learner, item, concepts, correct, answered_at)."""
    learners, items, concepts, correct, at = zip(*rows, strict=True)
    return build_log(
        learners=learners,
        items=items,
        concepts=concepts,
        correct=np.array(correct, dtype=float),
        answered_at=np.array(at, dtype=float),
        shown_at=None if shown_at is None else np.array(shown_at, dtype=float),
    )


def slow_logit(right, count, mean):
    share = (right + HOLD * mean) / (count + HOLD)
    return np.log(share / (1 - share)) - np.log(mean / (1 - mean))


class TestNames:
    def test_known_names_count_from_one(self):
        log = small_log([("a", "i0", ("k0",), 1, 0), ("a", "i1", ("k0", "k1"), 0, 9)])

        found = encode(log, Vocabulary.of(log))

        assert found.item.tolist() == [1, 2]
        assert found.concepts.tolist() == [[1, 0], [1, 2]]
        assert found.concept_set.tolist() == [1, 2]

    def test_what_training_never_met_is_zero(self):
        train = small_log(
            [
                ("a", "i0", ("k0",), 1, 0),
                ("a", "i1", ("k1",), 0, 9),
                ("a", "i5", ("k1", "k3"), 0, 10),
            ]
        )
        new = small_log(
            [
                ("b", "i2", ("k1",), 1, 0),
                ("b", "i0", ("k0",), 1, 1),
                ("b", "i3", ("k0", "k2"), 1, 2),
                ("b", "i4", ("k0", "k1"), 1, 3),
            ]
        )
        vocabulary = Vocabulary.of(train)

        found = encode(vocabulary.align(new), vocabulary)

        assert found.item.tolist() == [0, 1, 0, 0]
        assert [sorted(row) for row in found.concepts.tolist()] == [[0, 2], [0, 1], [0, 1], [1, 2]]
        # A new set of old concepts is new too.
        assert found.concept_set.tolist() == [2, 1, 0, 0]

    def test_a_wider_item_is_read_by_as_many_concepts_as_training_met(self):
        train = small_log([("a", "i0", ("k0",), 1, 0), ("a", "i1", ("k1",), 0, 9)])
        new = small_log([("b", "i2", ("k2", "k1"), 1, 0), ("b", "i3", ("k0", "k1"), 1, 1)])
        vocabulary = Vocabulary.of(train)

        found = encode(vocabulary.align(new), vocabulary)

        # Known ones before new ones, and then in the vocabulary's order.
        assert found.concepts.tolist() == [[2], [1]]

    def test_an_item_of_the_vocabulary_without_an_answer_counts_as_new(self, log):
        train = log.only_learners(np.array([0]))
        vocabulary = Vocabulary.of(train)

        found = encode(vocabulary.align(log), vocabulary)

        met = np.isin(log.item, train.item)
        assert not met.all()
        assert ((found.item > 0) == met).all()


class TestNamesOfOthers:
    def test_what_only_other_learners_met_is_unknown(self):
        log = small_log(
            [
                ("a", "i0", ("k0",), 1, 0),
                ("b", "i1", ("k0", "k1"), 0, 0),
                ("b", "i2", ("k2",), 1, 1),
            ]
        )
        vocabulary = Vocabulary.of(log.only_learners(np.array([0])))

        found = encode(log, vocabulary)

        assert found.item.tolist() == [1, 0, 0]
        assert found.concept_set.tolist() == [1, 0, 0]
        assert found.concepts.tolist() == [[1, 0], [1, 0], [0, 0]]


class TestDifficulty:
    def test_in_training_leaves_the_learners_own_answers_out(self, log, vocabulary):
        found = easiness(log, vocabulary, in_training=True)

        mean = (log.correct.sum() + 0.5) / (len(log) + 1.0)
        for row in range(len(log)):
            others = (log.item == log.item[row]) & (log.learner != log.learner[row])
            expected = slow_logit(log.correct[others].sum(), others.sum(), mean)
            assert others.any()
            assert found[row] == pytest.approx(expected)

    def test_otherwise_takes_all_training_answers(self, log, vocabulary):
        found = easiness(log, vocabulary)

        mean = vocabulary.mean
        for row in range(0, len(log), 7):
            same = log.item == log.item[row]
            expected = slow_logit(log.correct[same].sum(), same.sum(), mean)
            assert found[row] == pytest.approx(expected)

    def test_in_training_does_not_tell_the_answer(self, log, vocabulary):
        turned = dataclasses.replace(log, correct=1.0 - log.correct)
        one = log.learner == 3
        changed = dataclasses.replace(log, correct=np.where(one, turned.correct, log.correct))

        before = easiness(log, vocabulary, in_training=True)
        after = easiness(changed, Vocabulary.of(changed), in_training=True)

        # Flipping a learner's outcomes moves their own difficulties only by the overall mean.
        shift = np.log(vocabulary.mean / (1 - vocabulary.mean))
        mean = Vocabulary.of(changed).mean
        moved = (after + np.log(mean / (1 - mean))) - (before + shift)
        assert np.abs(moved[one]).max() < 0.05
        assert np.abs(moved[~one]).max() > 0.05

    def test_an_unknown_item_takes_its_concepts_mean_by_answers(self):
        train = small_log(
            [("a", "i0", ("k0",), 1, t) for t in range(6)]
            + [("b", "i1", ("k0",), 0, t) for t in range(2)]
            + [("b", "i2", ("k1",), 0, 5 + t) for t in range(3)]
        )
        vocabulary = Vocabulary.of(train)
        new = small_log([("c", "x", ("k0",), 1, 0), ("c", "y", ("k0", "k1"), 1, 1)])

        found = easiness(vocabulary.align(new), vocabulary)

        mean = 6.5 / 12.0
        easy, hard, other = (slow_logit(r, n, mean) for r, n in ((6, 6), (0, 2), (0, 3)))
        first = (6 * easy + 2 * hard) / 8
        assert found == pytest.approx([first, (first + other) / 2])

    def test_in_training_an_item_only_one_learner_met_is_told_from_its_concepts_other_items(self):
        log = small_log(
            [("a", "i0", ("k0",), 1, t) for t in range(4)] + [("b", "i1", ("k0",), 0, 0)]
        )
        vocabulary = Vocabulary.of(log)

        found = easiness(log, vocabulary, in_training=True)

        easy, hard = vocabulary.item_logits
        assert found == pytest.approx([hard] * 4 + [easy])

    def test_in_training_an_item_that_shares_no_concept_does_not_give_its_answer_away(self):
        log = small_log([("a", "i0", ("k0",), 1, 0), ("b", "i1", ("k1",), 0, 0)])

        assert easiness(log, Vocabulary.of(log), in_training=True) == pytest.approx([0.0, 0.0])


class TestTimes:
    def test_gaps_run_from_the_last_answer_to_the_showing(self):
        log = small_log(
            [("a", "i", ("k",), 1, 100), ("a", "i", ("k",), 1, 500), ("b", "i", ("k",), 1, 900)],
            shown_at=[60, 450, 880],
        )

        found = encode(log, Vocabulary.of(log))

        assert found.gap.tolist() == [0.0, 350.0, 0.0]
        assert found.elapsed.tolist() == [40.0, 50.0, 20.0]

    def test_chunks_continue_where_the_last_one_ended(self, log, vocabulary):
        whole = encode(log, vocabulary)
        cut = 11
        first_rows = np.concatenate([np.arange(s, s + cut) for s in log.starts[:-1]])
        rest_rows = np.setdiff1d(np.arange(len(log)), first_rows)

        def part(rows, lengths):
            fields = ("item", "concept_set", "correct", "shown_at", "answered_at", "assisted")
            return dataclasses.replace(
                log,
                starts=np.concatenate([[0], np.cumsum(lengths)]),
                **{name: getattr(log, name)[rows] for name in fields},
            )

        rest = encode(
            part(rest_rows, np.diff(log.starts) - cut),
            vocabulary,
            last_answered_at=log.answered_at[log.starts[:-1] + cut - 1],
            steps=np.full(12, cut),
        )

        assert (rest.gap == whole.gap[rest_rows]).all()
        assert (rest.step == whole.step[rest_rows]).all()
        assert whole.step[rest_rows].min() == cut

    def test_without_an_earlier_answer_there_is_no_gap(self, log, vocabulary):
        found = encode(log, vocabulary, last_answered_at=np.full(12, np.nan))

        assert (found.gap[log.starts[:-1]] == 0.0).all()

    def test_a_log_without_times_has_no_gaps(self):
        log = build_log(
            learners=["a", "a"],
            items=["i", "j"],
            concepts=[("k",), ("k",)],
            correct=np.array([1.0, 0.0]),
            answered_at=None,
        )

        found = encode(log, Vocabulary.of(log))

        assert not found.gap.any()
        assert not found.elapsed.any()

    def test_an_empty_log_has_an_empty_batch(self, log, vocabulary):
        none = log.only_learners(np.empty(0, dtype=np.int64))

        batch = encode(none, vocabulary).batch(np.zeros((2, 2), dtype=np.int64))

        assert batch.item.shape == (2, 1)
        assert not batch.mask.any()


class TestWindows:
    def test_cut_every_learner_into_whole_pieces(self):
        found = windows(np.array([0, 5, 5, 8, 20]), longest=5, context=0)

        assert found[:, 1:].tolist() == [[0, 5], [5, 8], [8, 13], [13, 18], [18, 20]]
        assert (found[:, 0] == found[:, 1]).all()

    def test_read_what_came_before_a_cut_but_no_other_learner(self):
        found = windows(np.array([0, 5, 5, 8, 20]), longest=5, context=7)

        assert found[:, 0].tolist() == [0, 5, 8, 8, 9]
        assert found[:, 1:].tolist() == [[0, 5], [5, 8], [8, 12], [12, 16], [16, 20]]

    def test_with_context_are_as_few_and_as_even_as_can_be(self):
        longest, context = 20, 10
        for many in range(1, 130):
            found = windows(np.array([7, 7 + many]), longest=longest, context=context)

            scored = found[:, 2] - found[:, 1]
            assert len(found) == np.ceil(many / longest)
            assert [found[0, 1], *found[:, 2]] == [*found[:, 1], 7 + many]
            assert scored.max() <= longest
            assert scored.max() - scored.min() <= 1
            # No piece is there for a handful of answers that read far more than they teach.
            assert len(found) == 1 or scored.min() >= longest / 2
            assert (2 * scored >= found[:, 2] - found[:, 0]).all()

    def test_of_nobody_are_none(self):
        assert windows(np.array([0, 0, 0]), longest=5, context=3).shape == (0, 3)


class TestBatches:
    def spans(self, ragged):
        return np.stack([ragged.starts[:-1], ragged.starts[1:]], axis=1)

    @pytest.mark.parametrize("rng", [None, np.random.default_rng(0)])
    def test_hold_every_answer_once(self, ragged, rng):
        met = [
            batch.row[batch.mask].numpy()
            for batch in batches(ragged, self.spans(ragged), positions=100, rng=rng)
        ]

        assert sorted(np.concatenate(met).tolist()) == list(range(len(ragged.item)))

    def test_score_every_answer_once_whatever_is_read_before(self, ragged):
        spans = windows(ragged.starts, longest=4, context=3)
        found = list(batches(ragged, spans, positions=100))

        scored = np.concatenate([batch.row[batch.scored].numpy() for batch in found])
        assert sorted(scored.tolist()) == list(range(len(ragged.item)))
        assert sum(int(batch.mask.sum()) for batch in found) > len(scored)
        assert not any((batch.scored & ~batch.mask).any() for batch in found)

    def test_weigh_answers_after_a_cut_about_as_others(self):
        """The loss is a mean, so an answer weighs by how few are scored in its batch."""
        # CAKT's settings; what is left over after 200 answers, and after twice as many, is short.
        lengths = np.repeat([201, 205, 260, 400, 401, 410], 30)
        rows = [
            (f"l{learner:03d}", "i", ("k",), 1.0, at)
            for learner, many in enumerate(lengths.tolist())
            for at in range(many)
        ]
        log = small_log(rows)
        sequences = encode(log, Vocabulary.of(log))
        spans = windows(sequences.starts, longest=200, context=100)

        found = [int(batch.scored.sum()) for batch in batches(sequences, spans, positions=1600)]

        # The last batch holds what is left.
        assert max(found[:-1]) <= 2.5 * min(found[:-1])

    def test_hold_no_more_cells_than_asked(self, ragged):
        for batch in batches(ragged, self.spans(ragged), positions=100):
            assert batch.mask.numel() <= 100

    def test_a_span_that_is_longer_comes_alone(self, ragged):
        found = list(batches(ragged, self.spans(ragged), positions=5))

        assert all(len(batch.mask) == 1 for batch in found if batch.mask.shape[1] > 5)
        assert sum(int(batch.mask.sum()) for batch in found) == len(ragged.item)

    def test_are_shuffled_by_the_generator_alone(self, ragged):
        def order(seed):
            turns = batches(
                ragged, self.spans(ragged), positions=100, rng=np.random.default_rng(seed)
            )
            return [batch.row[:, 0].tolist() for batch in turns]

        assert order(1) == order(1)
        assert order(1) != order(2)

    def test_pad_at_the_end_with_zeros(self, ragged):
        batch = next(iter(batches(ragged, self.spans(ragged), positions=200)))

        lengths = batch.mask.sum(dim=1)
        assert (batch.mask == (torch.arange(batch.mask.shape[1]) < lengths[:, None])).all()
        assert not batch.mask.all()
        for name in ("item", "concept_set", "difficulty", "correct", "gap", "step", "row"):
            assert not getattr(batch, name)[~batch.mask].any()
        assert not batch.concepts[~batch.mask].any()

    def test_columns_are_a_slice_of_every_field(self, ragged):
        batch = ragged.whole()

        part = batch.columns(2, 5)

        assert (part.row == batch.row[:, 2:5]).all()
        assert (part.concepts == batch.concepts[:, 2:5]).all()
