"""Replayed predictions: what they have seen, when they were made, and that nothing else leaks."""

import dataclasses

import numpy as np
import pytest

from kt_models.data.log import build_log
from kt_models.errors import ShapeMismatch
from kt_models.models.base import Fitting
from kt_models.streaming import psi_filter
from kt_models.streaming.pool import shift_of
from kt_models.streaming.psi_parameters import FilterParameters
from kt_models.training import pool_replay
from kt_models.training.pool_replay import replay
from tests.kt_models.factories import random_log
from tests.kt_models.models.tiny import tiny

PARAMETERS = FilterParameters()


@pytest.fixture(scope="module")
def log():
    """Answers that take time, some with hints, to items of several concepts; 12 of each learner."""
    return random_log(np.random.default_rng(4), learners=30, answers=12, items=9, concepts=5)


@pytest.fixture(scope="module", params=["dkt", "cakt-item", "pfa"])
def deep(request, log):
    model = tiny(request.param)
    model.fit(log.only_learners(np.arange(22)), Fitting(seed=1))
    return model


@pytest.fixture(scope="module")
def held_out(log):
    """8 learners of 12, 10, .. and 0 answers."""
    part = log.only_learners(np.arange(22, 30))
    return part.only_answers(part.position < 12 - 2 * part.learner)


@pytest.fixture(scope="module")
def offsets(held_out):
    return np.random.default_rng(0).normal(size=len(held_out.item_keys))[held_out.item]


@pytest.fixture(scope="module")
def found(held_out, deep, offsets):
    return replay(held_out, deep, PARAMETERS, offsets=offsets, lags=3)


class Twin:
    """One learner of the replay, one answer and one question after the other."""

    def __init__(self, log, deep, offsets, learner):
        self.log, self.deep, self.offsets = log, deep, offsets
        self.first = int(log.starts[learner])
        self.filters, self.states = [psi_filter.init(PARAMETERS)], [deep.init(1)]
        for row in range(self.first, int(log.starts[learner + 1])):
            self.filters.append(self.after(self.filters[-1], row))
            self.states.append(
                deep.update(
                    self.states[-1],
                    item=int(log.item[row]),
                    correct=float(log.correct[row]),
                    shown_at=float(log.shown_at[row]),
                    answered_at=float(log.answered_at[row]),
                    assisted=bool(log.assisted[row]),
                )
            )

    def concepts(self, row):
        named = self.log.concepts[row]
        return named[named >= 0]

    def after(self, state, row):
        return psi_filter.update(
            state,
            PARAMETERS,
            concept_ids=tuple(self.concepts(row).tolist()),
            item_offset=float(self.offsets[row]),
            correct=float(self.log.correct[row]),
            at=float(self.log.answered_at[row]),
            assisted=bool(self.log.assisted[row]),
        )

    def filter_prob(self, row, *, seen, at):
        return psi_filter.predict(
            self.filters[seen],
            PARAMETERS,
            concepts=self.concepts(row)[None],
            item_offsets=self.offsets[[row]],
            at=at,
        ).prob

    def deep_prob(self, row, *, seen, at):
        return self.deep.predict_all(
            self.states[seen], items=self.log.item[[row]], shown_at=np.array([at])
        )[0]

    def shift(self, row, *, seen):
        """Right after the first `seen` answers, at the moment of the last of them."""
        at = float(self.log.answered_at[self.first + seen - 1])
        return shift_of(
            self.deep_prob(row, seen=seen, at=at), self.filter_prob(row, seen=seen, at=at)
        )[0]


@pytest.fixture(scope="module")
def twins(held_out, deep, offsets):
    return [Twin(held_out, deep, offsets, learner) for learner in range(8)]


def test_shifts_equal_those_of_one_learner_at_a_time(held_out, found, twins):
    for row, learner in enumerate(held_out.learner.tolist()):
        twin = twins[learner]
        for lag in range(3):
            seen = row - twin.first - lag
            if seen <= 0:
                assert np.isnan(found.shifts[row, lag])
                continue
            # Half a step of rounding, and the network's own.
            assert found.shifts[row, lag] == pytest.approx(
                twin.shift(row, seen=seen), abs=0.5 / 32 + 1e-4
            )
            age = held_out.shown_at[row] - held_out.answered_at[twin.first + seen - 1]
            assert found.ages[row, lag] == pytest.approx(max(age, 0.0))


def test_both_parts_are_asked_when_the_item_is_shown(held_out, found, twins):
    for row, learner in enumerate(held_out.learner.tolist()):
        twin, at = twins[learner], float(held_out.shown_at[row])
        seen = row - twin.first
        assert found.filter_prob[row] == pytest.approx(
            twin.filter_prob(row, seen=seen, at=at)[0], abs=1e-12
        )
        assert found.deep_prob[row] == pytest.approx(
            twin.deep_prob(row, seen=seen, at=at)[0], abs=1e-5
        )


def test_concepts_stand_by_other_items_that_are_new_to_the_learner(held_out, found, twins):
    # All of them are drawn here: there are fewer than eight others.
    example = {int(item): row for row, item in enumerate(held_out.item)}
    some = 0
    for row, learner in enumerate(held_out.learner.tolist()):
        twin = twins[learner]
        seen = row - twin.first
        met = set(held_out.item[twin.first : row].tolist()) | {int(held_out.item[row])}
        near = [
            other
            for item, other in example.items()
            if item not in met and set(twin.concepts(other)) & set(twin.concepts(row))
        ]
        if not seen or not near:
            assert np.isnan(found.concept_shifts[row])
            continue
        some += 1
        mean = np.mean([twin.shift(other, seen=seen) for other in near])
        assert found.concept_shifts[row] == pytest.approx(mean, abs=1.0 / 32 + 1e-4)
    assert some > 10


def test_shifts_come_in_steps(found):
    there = found.shifts[np.isfinite(found.shifts)]

    assert (there * 32 == np.round(there * 32)).all()
    assert len(np.unique(there)) > 3


def test_an_answer_moves_what_is_predicted_after_it_and_nothing_before(
    held_out, deep, offsets, found
):
    row = 5
    correct = held_out.correct.copy()
    correct[row] = 1.0 - correct[row]
    changed = dataclasses.replace(held_out, correct=correct)

    moved = replay(changed, deep, PARAMETERS, offsets=offsets, lags=3)

    differs = np.nan_to_num(np.abs(moved.shifts - found.shifts)) > 0.0
    others = held_out.learner != held_out.learner[row]
    assert not differs[others].any()
    for lag in range(3):
        assert not differs[: row + 1 + lag, lag].any()
    assert differs[row + 1 :].any()


def test_the_variance_of_an_item_tames_its_chance(held_out, deep, offsets, found):
    variances = np.where(held_out.item == held_out.item[3], 2.0, 0.0)

    moved = replay(
        held_out, deep, PARAMETERS, offsets=offsets, offset_vars=variances, lags=1, siblings=1
    )

    at = held_out.starts[held_out.learner] + 1 == np.arange(len(held_out))
    first_asked = at & (variances > 0.0)
    assert first_asked.any()
    # Of a learner's second item only the state after the first is known, whose variance is 0 here.
    clean = first_asked & (variances[np.maximum(np.arange(len(held_out)) - 1, 0)] == 0.0)
    for row in np.flatnonzero(clean).tolist():
        before, after = found.filter_prob[row], moved.filter_prob[row]
        assert abs(after - 0.5) < abs(before - 0.5)


def test_names_that_the_deep_tracer_never_met_are_replayed(deep):
    log = build_log(
        learners=["a"] * 4 + ["b"] * 3,
        items=["i0", "new", "i1", "new", "new", "i2", "i0"],
        concepts=[("k0",), ("other",), ("k1",), ("other",), ("other",), ("k0",), ("k0",)],
        correct=np.array([1.0, 0, 1, 1, 0, 0, 1]),
        answered_at=np.arange(7) * 50.0,
    )

    found = replay(log, deep, PARAMETERS, offsets=np.zeros(7), lags=2)

    assert np.isfinite(found.shifts[:, 0]).tolist() == [False, True, True, True, False, True, True]


def test_a_log_without_answers_is_replayed_as_none(held_out, deep):
    found = replay(
        held_out.only_answers(np.zeros(len(held_out), bool)), deep, PARAMETERS, offsets=np.zeros(0)
    )

    assert found.shifts.shape == (0, pool_replay.LAGS)


def test_refuses_offsets_that_are_too_few(held_out, deep):
    with pytest.raises(ShapeMismatch, match="one per answer"):
        replay(held_out, deep, PARAMETERS, offsets=np.zeros(3))
