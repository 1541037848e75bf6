import dataclasses

import numpy as np
import pytest

from curriculum.irt.blocks import blocks_of
from curriculum.irt.calibrating import calibrate
from curriculum.irt.errors import ImpossibleSetting, TooFewAnchors
from curriculum.irt.models import ItemModel
from curriculum.irt.parameters import bank_of
from curriculum.irt.responses import responses_of_matrix
from curriculum.irt.run import Engine, Flag, Settings
from tests.curriculum.irt.factories import answer, log_of, log_of_matrix

NAN = float("nan")
# Its other engine then starts at the end, which is quick.
EM = Settings(engine=Engine.EM)


def bad_items():
    """A log with everything that can be wrong with an item, beside items that are fine."""
    rng = np.random.default_rng(0)
    ability = rng.normal(size=900)
    place, slope = rng.normal(size=20), np.exp(0.2 * rng.normal(size=20))
    matrix = np.full((1200, 25), NAN)
    matrix[:900, :20] = answer(ability, place, slope, rng=rng, share=0.7)
    matrix[:900, 0], matrix[:900, 1] = 1.0, 0.0
    matrix[:, 2] = 1.0 - matrix[:, 2]
    matrix[100:, 3] = NAN
    # Answered by others, who answer nothing else.
    matrix[900:, 20:] = answer(rng.normal(size=300), rng.normal(size=5), np.ones(5), rng=rng)
    rows = [(f"l{i}", f"i{j}", matrix[i, j]) for i, j in np.argwhere(~np.isnan(matrix)).tolist()]
    rows += [("l0", "helped", 1)]
    rows += [("single", "i5", 1)]
    assisted = np.array([item == "helped" for _, item, _ in rows])
    return log_of(rows, assisted=assisted)


@pytest.fixture(scope="module")
def run():
    return calibrate(bad_items(), settings=EM)


def one(run, item):
    [found] = [one for one in run.items if one.item == item]
    return found


@pytest.mark.parametrize(
    ("item", "flags"),
    [
        ("i0", {Flag.ALL_RIGHT, Flag.IMPRECISE}),
        ("i1", {Flag.ALL_WRONG, Flag.IMPRECISE}),
        ("helped", {Flag.UNSEEN}),
        ("i22", {Flag.DISCONNECTED}),
        ("i10", set()),
    ],
)
def test_each_kind_of_bad_item_has_its_name(run, item, flags):
    assert set(one(run, item).flags) == flags


def test_a_wrong_key_and_a_thin_item_are_named_too(run):
    assert Flag.NEGATIVE in one(run, "i2").flags
    assert Flag.THIN in one(run, "i3").flags
    assert [one(run, item).ready for item in ("i2", "i3", "i0", "i22", "i10")] == [
        *(False, False, False, False, True)
    ]


def test_what_nobody_answered_has_no_figures(run):
    helped = one(run, "helped")

    assert (helped.n, helped.seen) == (0, 1)
    figures = (helped.difficulty, helped.difficulty_se, helped.discrimination, helped.infit)
    assert np.isnan(figures).all()


def test_every_other_item_has_figures_and_counts(run):
    for figures in run.items:
        if figures.item != "helped":
            assert figures.n == figures.seen > 0
            assert np.isfinite([figures.difficulty, figures.difficulty_se]).all()
            assert np.isfinite([figures.discrimination, figures.infit, figures.outfit]).all()


def test_separate_blocks_close_a_gate(run):
    gates = {gate.name: gate for gate in run.gates}

    # 300 learners' five answers each, of all.
    assert gates["disconnected-answers"].value == pytest.approx(1500 / run.census.calibrated)
    assert not gates["disconnected-answers"].passed
    assert not run.passed
    assert gates["agreement-of-engines"].passed
    assert gates["gap-of-engines"].passed


def test_a_run_is_a_fact(run):
    again = calibrate(bad_items(), settings=EM)
    other = calibrate(bad_items(), settings=dataclasses.replace(EM, seed=1))

    assert again.version == run.version != other.version
    assert again.data_sha256 == other.data_sha256
    with pytest.raises(dataclasses.FrozenInstanceError):
        run.population = None
    assert run.census.single_answer_learners == 1


def test_the_engine_asked_for_makes_the_estimates():
    rng = np.random.default_rng(1)
    log = log_of_matrix(answer(rng.normal(size=300), rng.normal(size=8), np.ones(8), rng=rng))

    em, other = (calibrate(log, settings=Settings(engine=x)) for x in (Engine.EM, Engine.PY_IRT))

    assert em.iterations < 100 < other.iterations
    assert [x.difficulty for x in other.items] == pytest.approx(
        [x.difficulty for x in em.items], abs=0.03
    )


@pytest.fixture(scope="module")
def waves():
    rng = np.random.default_rng(2)
    place, slope = rng.normal(size=50), np.exp(0.25 * rng.normal(size=50))
    first = answer(rng.normal(size=1500), place, slope, rng=rng, share=0.6)
    first[:, 40:] = NAN
    place[5] += 1.2
    second = answer(0.5 + 1.1 * rng.normal(size=1500), place, slope, rng=rng, share=0.6)
    return place, calibrate(log_of_matrix(first), settings=EM), log_of_matrix(second)


def bank_from(run, items=None):
    chosen = [one for one in run.items if one.n and (items is None or one.item in items)]
    return bank_of(
        [one.item for one in chosen],
        difficulty=[one.difficulty for one in chosen],
        discrimination=[one.discrimination for one in chosen],
    )


def test_a_second_run_stands_on_the_first_ones_scale(waves):
    place, first, log = waves
    anchors = bank_from(first)

    run = calibrate(log, settings=EM, anchors=anchors)

    assert Flag.DRIFTED in one(run, "i5").flags
    assert not one(run, "i5").anchor
    assert one(run, "i5").difficulty == pytest.approx(place[5], abs=0.25)
    assert sum(figures.anchor for figures in run.items) == len(run.link.kept) >= 36
    kept = one(run, run.link.kept[0])
    assert kept.difficulty == anchors.only([kept.item]).difficulty[0]
    assert np.isnan(kept.difficulty_se)
    assert kept.ready
    new = [one(run, f"i{k}") for k in range(40, 50)]
    apart = np.array([figures.difficulty for figures in new]) - place[40:]
    assert abs(apart.mean()) < 0.15
    assert run.population.mean == pytest.approx(0.5, abs=0.12)
    gates = {gate.name: gate.passed for gate in run.gates}
    assert gates["link-gap"]
    assert not gates["scale-moved"]
    assert run.anchors_sha256 != first.anchors_sha256 == ""


def test_too_few_anchors_stop_the_run(waves):
    _, first, log = waves

    with pytest.raises(TooFewAnchors, match="4 anchors for a bank of 50 items; it takes 10"):
        calibrate(log, settings=EM, anchors=bank_from(first, {"i1", "i2", "i3", "i4"}))
    with pytest.raises(TooFewAnchors, match="0 anchors"):
        calibrate(log, settings=EM, anchors=bank_of(["stranger"], difficulty=[0.0]))


def test_an_item_that_depends_on_its_neighbour_is_told():
    rng = np.random.default_rng(4)
    matrix = answer(rng.normal(size=900), rng.normal(size=15), np.ones(15), rng=rng, share=0.9)
    copied = rng.random(900) < 0.6
    matrix[copied, 3] = matrix[copied, 8]

    run = calibrate(log_of_matrix(matrix), settings=EM)

    assert {(pair.first, pair.second) for pair in run.pairs} <= {("i3", "i8"), ("i8", "i3")}
    assert Flag.DEPENDENT in one(run, "i3").flags
    assert Flag.DEPENDENT in one(run, "i8").flags


def test_guessing_is_for_the_three_parameter_model():
    log = log_of([("u", "x", 1), ("v", "x", 0)])

    with pytest.raises(ImpossibleSetting, match="Only the 3pl"):
        calibrate(log, settings=dataclasses.replace(EM, guessing=0.2))
    with pytest.raises(ImpossibleSetting, match="from 0 to below 1"):
        calibrate(log, settings=dataclasses.replace(EM, model=ItemModel.THREE, guessing=1.0))


def test_fewer_right_than_by_guessing_is_told():
    rng = np.random.default_rng(5)
    matrix = answer(rng.normal(size=400), np.zeros(6), np.ones(6), rng=rng, guessing=0.25)
    matrix[:, 2] = rng.random(400) < 0.1
    settings = dataclasses.replace(EM, model=ItemModel.THREE, guessing=0.25)

    run = calibrate(log_of_matrix(matrix), settings=settings)

    assert [figures.item for figures in run.items if Flag.BELOW_CHANCE in figures.flags] == ["i2"]


@pytest.mark.parametrize(
    ("n", "right", "is_told"), [(1, 0, False), (20, 0, False), (40, 7, False), (40, 3, True)]
)
def test_bad_luck_is_not_below_chance(n, right, is_told):
    rng = np.random.default_rng(6)
    matrix = answer(rng.normal(size=200), np.zeros(6), np.ones(6), rng=rng, guessing=0.25)
    matrix[:, 2] = NAN
    matrix[:n, 2] = np.arange(n) < right
    settings = dataclasses.replace(EM, model=ItemModel.THREE, guessing=0.25)

    run = calibrate(log_of_matrix(matrix), settings=settings)

    # Of 40 guessers 1.6 % have 4 right or fewer, 0.5 % have 3.
    assert (Flag.BELOW_CHANCE in one(run, "i2").flags) is is_told


def test_five_answers_do_not_turn_an_item_upside_down():
    rng = np.random.default_rng(7)
    ability = np.sort(rng.normal(size=300))
    matrix = answer(ability, np.zeros(12), np.ones(12), rng=rng)
    matrix[:, 2] = NAN
    few, many = matrix.copy(), matrix.copy()
    few[[0, 30, 60, 220, 260], 2] = [1.0, 1.0, 1.0, 0.0, 0.0]
    many[::5, 2] = ability[::5] < 0.0

    told = [
        Flag.NEGATIVE in one(calibrate(log_of_matrix(own), settings=EM), "i2").flags
        for own in (few, many)
    ]

    assert told == [False, True]


def test_a_newcomer_s_only_answer_to_a_new_item_closes_no_gate():
    rng = np.random.default_rng(8)
    matrix = np.full((201, 9), NAN)
    matrix[:200, :8] = answer(rng.normal(size=200), np.zeros(8), np.ones(8), rng=rng)
    matrix[200, 8] = 1.0
    rows = [(f"l{i}", f"i{j}", matrix[i, j]) for i, j in np.argwhere(~np.isnan(matrix)).tolist()]

    run = calibrate(log_of(rows), settings=EM)

    gates = {gate.name: gate for gate in run.gates}
    assert Flag.DISCONNECTED in one(run, "i8").flags
    assert gates["disconnected-answers"].value == pytest.approx(1 / 1601)
    assert gates["disconnected-answers"].passed


def test_the_smallest_log_there_is():
    run = calibrate(log_of([("u", "x", 1)]), settings=EM)

    [figures] = run.items
    assert set(figures.flags) == {Flag.ALL_RIGHT, Flag.THIN, Flag.IMPRECISE}
    assert np.isfinite([figures.difficulty, figures.difficulty_se]).all()


def test_blocks_are_numbered_by_size_and_joined_by_anchors():
    matrix = np.full((4, 7), NAN)
    matrix[0, :2] = matrix[1, 1:4] = matrix[2, 4:6] = 1.0
    responses = responses_of_matrix(matrix)

    assert blocks_of(responses).tolist() == [0, 0, 0, 0, 1, 1, -1]
    assert blocks_of(responses, anchors=("i0", "i5", "i6")).tolist() == [0, 0, 0, 0, 0, 0, -1]
    assert blocks_of(responses, anchors=("i0",)).tolist() == [0, 0, 0, 0, 1, 1, -1]
