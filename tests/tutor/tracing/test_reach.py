"""Which items are worth predicting: those within reach, and of too many the likely ones."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from tutor.tracing import engine, reach

AT = 1_800_000_000.0


def tracer_with(*, concepts, requires=(), ids=None):
    """A tracer over a bank of items with these concepts, as far as `choose_rows` looks at one."""
    concepts = np.array(concepts)
    if concepts.ndim == 1:
        concepts = concepts[:, None]
    count = int(concepts.max()) + 1
    ids = np.arange(count) + 10 if ids is None else np.array(ids)
    return SimpleNamespace(
        bank=SimpleNamespace(concepts=concepts, concept_ids=ids, requires=requires)
    )


@dataclasses.dataclass
class Learner:
    """As much of a state as is looked at."""

    practised: tuple[int, ...] = ()
    mastered: tuple[int, ...] = ()

    @property
    def filter(self):
        return SimpleNamespace(concept_ids=np.array(self.practised, dtype=np.int64))


@pytest.fixture
def told(monkeypatch):
    """What the filter says: `concepts` and `items`, chances of a right answer."""
    told = SimpleNamespace(concepts=None, items=None)
    monkeypatch.setattr(
        engine, "estimate_concepts", lambda *_, at: SimpleNamespace(prob=told.concepts)
    )
    monkeypatch.setattr(engine, "predict_rows", lambda *_, rows, at: told.items[rows])
    told.items = np.linspace(0.1, 0.9, 400)
    return told


def chosen(tracer, learner, *, known=None, **limits):
    count = len(tracer.bank.concepts)
    known = np.arange(count) if known is None else np.array(known)
    rows, prob = reach.choose_rows(tracer, learner, at=AT, known=known, **limits)
    # The chances belong to the rows.
    assert prob.tolist() == engine.predict_rows(tracer, learner, rows=rows, at=AT).tolist()
    return rows.tolist()


class TestWithinReach:
    # Concept 1 comes after 0, and 2 after both.
    requires = ((1, 0), (2, 0), (2, 1))

    @pytest.mark.parametrize(
        ("prob", "rows"),
        [
            ((0.4, 0.9, 0.9), [0]),
            ((0.5, 0.4, 0.9), [0, 1]),
            ((0.9, 0.5, 0.1), [0, 1, 2]),
        ],
    )
    def test_every_direct_prerequisite_is_known(self, told, prob, rows):
        told.concepts = np.array(prob)

        assert chosen(tracer_with(concepts=[0, 1, 2], requires=self.requires), Learner()) == rows

    def test_a_mastered_one_counts_though_it_was_forgotten(self, told):
        told.concepts = np.array([0.1, 0.1, 0.1])
        tracer = tracer_with(concepts=[0, 1, 2], requires=self.requires)

        assert chosen(tracer, Learner(mastered=(10,))) == [0, 1]

    def test_what_was_practised_stays_for_review(self, told):
        told.concepts = np.array([0.1, 0.1, 0.1])
        tracer = tracer_with(concepts=[0, 1, 2], requires=self.requires)

        assert chosen(tracer, Learner(practised=(12,))) == [0, 2]

    def test_an_item_is_if_one_of_its_concepts_is(self, told):
        told.concepts = np.array([0.1, 0.1, 0.1])
        items = [[0, -1], [1, -1], [1, 0], [2, 1]]

        assert chosen(tracer_with(concepts=items, requires=self.requires), Learner()) == [0, 2]

    def test_what_the_network_has_never_met_is_left_out(self, told):
        told.concepts = np.array([0.9])

        assert chosen(tracer_with(concepts=[0, 0, 0]), Learner(), known=[4, -1, 0]) == [0, 2]


class TestTooMany:
    def test_are_taken_in_turn_from_every_concept_nearest_first(self, told):
        rng = np.random.default_rng(3)
        main = rng.integers(0, 7, size=300)
        told.concepts, told.items = np.full(7, 0.9), rng.random(300)
        # All but one concept's items may be there several times over before that one's end.
        main[main == 6] = 5
        main[:2] = 6
        tracer = tracer_with(concepts=main)

        for most in (1, 6, 7, 50, 299, 300, 400):
            assert chosen(tracer, Learner(), most=most) == plainly(main, told.items, most)

    def test_are_as_many_as_asked_for(self, told):
        told.concepts, told.items = np.array([0.9, 0.9]), np.linspace(0, 1, 20)
        tracer = tracer_with(concepts=[0] * 15 + [1] * 5)

        rows = chosen(tracer, Learner(), most=12)
        assert len(rows) == 12
        # The five of the small concept are all there.
        assert sum(row >= 15 for row in rows) == 5

    def test_of_those_within_reach_and_known(self, told):
        told.concepts, told.items = np.array([0.1, 0.1]), np.full(10, 0.75)
        tracer = tracer_with(concepts=[0] * 5 + [1] * 5, requires=((1, 0),))

        found = chosen(tracer, Learner(), known=[-1, 3, 4, 5, 6, 0, 1, 2, 7, 8], most=3)
        assert set(found) < {1, 2, 3, 4}


def plainly(main, prob, most):
    """The slow twin: one item of each concept a round, the nearest to `SUCCESS` that is left."""
    left = {
        concept: sorted(
            np.flatnonzero(main == concept), key=lambda row: abs(prob[row] - reach.SUCCESS)
        )
        for concept in np.unique(main)
    }
    found = []
    while len(found) < most and any(left.values()):
        turn = [rows.pop(0) for rows in left.values() if rows]
        turn.sort(key=lambda row: abs(prob[row] - reach.SUCCESS))
        found.extend(turn)
    return sorted(int(row) for row in found[:most])
