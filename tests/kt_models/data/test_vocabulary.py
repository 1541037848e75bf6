"""The names of a training log, and other logs put into them."""

import dataclasses
import json

import numpy as np
import pytest

from kt_models.data.difficulty import HOLD, shrunken_logits
from kt_models.data.log import build_log
from kt_models.data.vocabulary import Vocabulary
from kt_models.errors import UnknownName
from tests.kt_models.factories import random_log


def log_of(*rows):
    learners, items, concepts, correct = zip(*rows, strict=True)
    return build_log(
        learners=learners,
        items=items,
        concepts=concepts,
        correct=np.array(correct, dtype=float),
        answered_at=np.arange(len(rows), dtype=float),
    )


@pytest.fixture(scope="module")
def train():
    return log_of(
        ("a", "easy", ("add",), 1),
        ("a", "hard", ("add",), 0),
        ("a", "middle", ("add", "carry"), 1),
        ("b", "easy", ("add",), 1),
        ("b", "hard", ("add",), 0),
        ("b", "middle", ("add", "carry"), 0),
    )


@pytest.fixture(scope="module")
def vocabulary(train):
    return Vocabulary.of(train)


class TestOf:
    def test_counts_answers_and_right_ones(self, vocabulary):
        assert vocabulary.item_keys == ("easy", "hard", "middle")
        assert vocabulary.item_counts.tolist() == [2, 2, 2]
        assert vocabulary.item_right.tolist() == [2.0, 0.0, 1.0]
        assert vocabulary.mean == pytest.approx(3.5 / 7.0)

    def test_knows_each_items_concepts(self, vocabulary):
        sets = vocabulary.concept_sets[vocabulary.item_sets]
        names = [{vocabulary.concept_keys[k] for k in row if k >= 0} for row in sets]

        assert names == [{"add"}, {"add"}, {"add", "carry"}]

    def test_the_item_of_median_difficulty_stands_for_a_concept(self, vocabulary):
        add, carry = (vocabulary.concept_keys.index(name) for name in ("add", "carry"))

        assert vocabulary.item_keys[vocabulary.reference_items[add]] == "middle"
        assert vocabulary.item_keys[vocabulary.reference_items[carry]] == "middle"

    def test_names_without_an_answer_have_no_set_and_no_reference(self, train):
        first = Vocabulary.of(log_of(("a", "easy", ("add",), 1), ("b", "late", ("carry",), 1)))
        log = log_of(("a", "easy", ("add",), 1), ("b", "late", ("carry",), 1))

        part = Vocabulary.of(log.only_learners(np.array([0])))

        assert first.item_sets.tolist() == [0, 1]
        assert part.item_sets.tolist() == [0, -1]
        assert part.reference_items.tolist() == [0, -1]

    def test_easiness_is_shrunk_and_centred(self, vocabulary):
        share = (2.0 + HOLD * 0.5) / (2.0 + HOLD)

        assert vocabulary.item_logits == pytest.approx(
            [np.log(share / (1 - share)), -np.log(share / (1 - share)), 0.0]
        )

    def test_an_all_right_log_stays_finite(self):
        easy = Vocabulary.of(log_of(("a", "i", ("k",), 1), ("a", "i", ("k",), 1)))

        assert 0.5 < easy.mean < 1.0
        assert np.isfinite(easy.item_logits).all()

    def test_an_item_without_an_answer_is_of_average_easiness(self):
        found = shrunken_logits(np.array([0.0, 5.0]), np.array([0, 5]), mean=0.3)

        assert found[0] == pytest.approx(0.0)
        assert found[1] > 0.5


class TestAlign:
    def test_a_log_of_the_same_names_is_left_alone(self, train, vocabulary):
        assert vocabulary.align(train) is train

    def test_names_keep_their_meaning(self, vocabulary):
        other = log_of(
            ("z", "new", ("carry", "new concept"), 1),
            ("z", "middle", ("carry", "add"), 0),
            ("z", "easy", ("add",), 1),
            ("z", "odd", ("carry",), 1),
        )

        found = vocabulary.align(other)

        assert found.item_keys[:3] == vocabulary.item_keys
        assert [found.item_keys[k] for k in found.item] == ["new", "middle", "easy", "odd"]
        named = [{found.concept_keys[k] for k in row if k >= 0} for row in found.concepts]
        assert named == [{"carry", "new concept"}, {"carry", "add"}, {"add"}, {"carry"}]
        # Known sets are the vocabulary's own rows; the others come after them.
        assert found.concept_set[1] == vocabulary.item_sets[2]
        assert found.concept_set[2] == vocabulary.item_sets[0]
        assert (found.concept_set[[0, 3]] >= len(vocabulary.concept_sets)).all()
        assert (found.item[[0, 3]] >= 3).all()
        assert (found.correct == other.correct).all()

    def test_what_was_aligned_is_left_alone(self, vocabulary):
        other = log_of(("z", "new", ("carry", "add", "new concept"), 1), ("z", "easy", ("add",), 1))
        found = vocabulary.align(other)

        assert vocabulary.align(found) is found
        assert found.concept_sets.shape[1] > vocabulary.concept_sets.shape[1]

    def test_other_names_or_sets_under_the_same_numbers_are_not_taken_for_aligned(self, vocabulary):
        first = vocabulary.align(log_of(("z", "easy", ("add",), 1)))
        renamed = dataclasses.replace(first, item_keys=("hard", "easy", "middle"))
        swapped = dataclasses.replace(first, concept_sets=first.concept_sets[::-1])

        assert vocabulary.align(renamed).item.tolist() == [1]
        assert vocabulary.align(swapped).concept_set.tolist() == [1]

    def test_a_set_named_twice_is_the_commoner_one_and_shifts_no_other(self):
        train = log_of(
            ("a", "i0", ("x", "y"), 1),
            ("a", "i1", ("y", "x"), 0),
            ("a", "i2", ("y", "x"), 1),
            ("a", "i3", ("z",), 1),
        )
        vocabulary = Vocabulary.of(train)
        assert len(vocabulary.concept_sets) == 3

        found = vocabulary.align(
            log_of(("b", "i3", ("z",), 1), ("b", "i0", ("x", "y"), 1), ("b", "new", ("w",), 0))
        )

        assert found.concept_set.tolist() == [2, 1, 3]
        named = [{found.concept_keys[k] for k in row if k >= 0} for row in found.concepts]
        assert named == [{"z"}, {"x", "y"}, {"w"}]

    def test_any_numbering_gives_the_same(self):
        log = random_log(np.random.default_rng(0), learners=4, answers=20)
        vocabulary = Vocabulary.of(log)
        rows = np.arange(len(log))[::-1]
        backwards = build_log(
            learners=[log.learner_keys[k] for k in log.learner[rows]],
            items=[log.item_keys[k] for k in log.item[rows]],
            concepts=[
                tuple(log.concept_keys[k] for k in row[::-1] if k >= 0)
                for row in log.concepts[rows]
            ],
            correct=log.correct[rows],
            answered_at=log.answered_at[rows],
            shown_at=log.shown_at[rows],
        )
        assert backwards.item_keys != log.item_keys

        found = vocabulary.align(backwards).only_learners(np.arange(4)[::-1])

        assert found.learner_keys == log.learner_keys
        assert (found.item == log.item).all()
        assert (found.concept_set == log.concept_set).all()


class TestQuestions:
    def test_an_index_out_of_range_is_refused(self, vocabulary):
        with pytest.raises(UnknownName, match=r"3 items.*got 3"):
            vocabulary.items_for(items=np.array([0, 3]), concepts=None)
        with pytest.raises(UnknownName, match="2 concepts"):
            vocabulary.items_for(items=None, concepts=np.array([-1, 5]))

    def test_a_negative_index_is_named_itself(self, vocabulary):
        with pytest.raises(UnknownName, match="got -1"):
            vocabulary.items_for(items=np.array([0, -1]), concepts=None)

    def test_neither_or_both_are_refused(self, vocabulary):
        index = np.array([0])
        for items, concepts in ((None, None), (index, index)):
            with pytest.raises(UnknownName, match="either"):
                vocabulary.items_for(items=items, concepts=concepts)

    def test_names_without_an_answer_are_refused_by_name(self):
        log = log_of(("a", "easy", ("add",), 1), ("b", "late", ("carry",), 1))
        part = Vocabulary.of(log.only_learners(np.array([0])))

        with pytest.raises(UnknownName, match="'carry'"):
            part.items_for(items=None, concepts=np.array([1]))
        with pytest.raises(UnknownName, match="'late'"):
            part.questions(np.array([1]), learners=1, shown_at=np.zeros(1))

    def test_every_learner_meets_every_item(self, vocabulary):
        log = vocabulary.questions(np.array([2, 0]), learners=3, shown_at=np.array([5.0, 6.0, 7.0]))

        assert log.item.tolist() == [2, 0] * 3
        assert log.starts.tolist() == [0, 2, 4, 6]
        assert log.shown_at.tolist() == [5.0, 5.0, 6.0, 6.0, 7.0, 7.0]


class TestDict:
    def test_survives_json(self, vocabulary):
        again = Vocabulary.from_dict(json.loads(json.dumps(vocabulary.to_dict())))

        assert again.item_keys == vocabulary.item_keys
        assert again.concept_keys == vocabulary.concept_keys
        for name in (
            "concept_sets",
            "item_sets",
            "item_counts",
            "item_right",
            "reference_items",
        ):
            before, after = getattr(vocabulary, name), getattr(again, name)
            assert after.dtype == before.dtype
            assert (after == before).all()
