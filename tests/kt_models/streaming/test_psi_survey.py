"""The survey: everything at once, equal to the last bit to asking one by one."""

import numpy as np
import pytest

from kt_models.errors import ShapeMismatch
from kt_models.streaming import psi_filter, psi_survey
from kt_models.streaming.psi_filter import FilterParameters
from kt_models.streaming.psi_reading import concept_estimate

DAY = 86_400.0


def make_bank(rng, *, items=300, width=3, concepts=54):
    """A bank of items with 1 to `width` concepts; ids are neither dense nor in order."""
    concept_ids = rng.permutation(np.arange(100, 100 + 3 * concepts, 3))[:concepts]
    rows = np.full((items, width), -1, dtype=np.int64)
    for row in rows:
        size = rng.integers(1, width + 1)
        row[:size] = rng.choice(concept_ids, size=size, replace=False)
    return {
        "concepts": rows,
        "item_offsets": rng.normal(size=items),
        "concept_ids": concept_ids,
        "concept_offsets": rng.normal(size=concepts),
    }


def live(rng, parameters, concept_ids, answers):
    """A learner who practised some of the concepts, and one that the bank does not have."""
    state, at = psi_filter.init(parameters), 1.6e9
    known = np.append(concept_ids[::2], 7)
    for _ in range(answers):
        at += rng.exponential(DAY)
        state = psi_filter.update(
            state,
            parameters,
            concept_ids=tuple(rng.choice(known, size=rng.integers(1, 4), replace=False).tolist()),
            item_offset=float(rng.normal()),
            correct=float(rng.integers(0, 2)),
            at=at,
            assisted=bool(rng.integers(0, 2)),
        )
    return state, at


def same_bits(one, other):
    assert one.dtype == other.dtype
    assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("answers", [0, 1, 3, 40, 400])
@pytest.mark.parametrize("width", [1, 2, 3, 5])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_says_what_the_filter_says(answers, width, share):
    rng = np.random.default_rng(answers * 10 + width)
    parameters = FilterParameters(concept_share=share, gain_right=0.07, gain_wrong=0.02)
    bank = make_bank(rng, width=width)
    state, at = live(rng, parameters, bank["concept_ids"], answers)
    layout = psi_survey.lay_out(parameters, **bank)

    for moment in (at, at + 0.3 * DAY, at + 400 * DAY, at - DAY):
        found = psi_survey.survey(state, parameters, layout, at=moment)

        items = {"concepts": bank["concepts"], "item_offsets": bank["item_offsets"], "at": moment}
        predicted = psi_filter.predict(state, parameters, **items)
        estimated = psi_filter.concept_estimates(
            state,
            parameters,
            concept_ids=bank["concept_ids"],
            concept_offsets=bank["concept_offsets"],
            at=moment,
        )
        for name in psi_filter.Prediction.__slots__:
            same_bits(getattr(found.items, name), getattr(predicted, name))
        for name in psi_filter.ConceptEstimates.__slots__:
            same_bits(getattr(found.concepts, name), getattr(estimated, name))
        same_bits(found.gains, psi_filter.expected_gain(state, parameters, **items))


def test_says_when_a_concept_was_practised_last():
    rng = np.random.default_rng(5)
    parameters = FilterParameters()
    bank = make_bank(rng, concepts=4)
    first, second = (int(pk) for pk in bank["concept_ids"][:2])
    state = psi_filter.init(parameters)
    for at, concept in ((10.0, second), (20.0, first), (30.0, second)):
        state = psi_filter.update(
            state, parameters, concept_ids=(concept,), item_offset=0.0, correct=1.0, at=at
        )

    found = psi_survey.survey(state, parameters, psi_survey.lay_out(parameters, **bank), at=99.0)

    assert found.last_at.tolist() == [20.0, 30.0, -np.inf, -np.inf]


def test_surveys_a_course_without_items():
    parameters = FilterParameters()
    layout = psi_survey.lay_out(
        parameters,
        concepts=np.empty((0, 1), dtype=np.int64),
        item_offsets=np.empty(0),
        concept_ids=np.array([4]),
        concept_offsets=np.array([0.5]),
    )

    found = psi_survey.survey(psi_filter.init(parameters), parameters, layout, at=0.0)

    assert found.items.prob.shape == (0,)
    assert found.concepts.prob.shape == (1,)


@pytest.mark.parametrize(
    "changes",
    [
        {"item_offsets": np.zeros(2)},
        {"concept_offsets": np.zeros(3)},
        {"concepts": np.array([5])},
        {"concepts": np.array([[6]])},
    ],
)
def test_refuses_what_does_not_fit(changes):
    bank = {
        "concepts": np.array([[5]]),
        "item_offsets": np.zeros(1),
        "concept_ids": np.array([5]),
        "concept_offsets": np.zeros(1),
    }

    with pytest.raises(ShapeMismatch):
        psi_survey.lay_out(FilterParameters(), **(bank | changes))


@pytest.mark.parametrize("answers", [0, 3, 400])
def test_a_single_concept_says_the_same(answers):
    rng = np.random.default_rng(answers)
    parameters = FilterParameters()
    bank = make_bank(rng)
    state, at = live(rng, parameters, bank["concept_ids"], answers)
    names = psi_filter.ConceptEstimates.__slots__

    for moment in (at, at + 0.3 * DAY, at + 400 * DAY, at - DAY):
        found = psi_survey.survey(
            state, parameters, psi_survey.lay_out(parameters, **bank), at=moment
        ).concepts
        for place, pk in enumerate(bank["concept_ids"].tolist()):
            one = concept_estimate(
                state,
                parameters,
                concept_id=pk,
                concept_offset=float(bank["concept_offsets"][place]),
                at=moment,
            )
            assert [getattr(one, name) for name in names] == pytest.approx(
                [getattr(found, name)[place] for name in names], rel=1e-13
            )
