"""Both engines against published likelihoods, the truth of simulations, and each other."""

import numpy as np
import pytest
import torch

from curriculum.irt.curves import probability
from curriculum.irt.em import fit_em
from curriculum.irt.errors import ImpossibleParameters, ImpossibleSetting, NothingToCalibrate
from curriculum.irt.models import Anchors, ItemModel, Priors
from curriculum.irt.parameters import bank_of
from curriculum.irt.population import REFERENCE, Population, ability_points
from curriculum.irt.py_irt_model import Schedule, fit_py_irt
from curriculum.irt.responses import responses_of_matrix
from curriculum.irt.standard_errors import standard_errors
from tests.curriculum.irt.factories import answer, simulate

ENGINES = [fit_em, fit_py_irt]
# Of maximum likelihood without priors, as every textbook has it.
LSAT = [("mirt__LSAT6", -2466.653), ("mirt__LSAT7", -2658.805)]


@pytest.fixture(scope="module")
def made():
    return simulate(seed=3)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("name", "published"), LSAT)
def test_lsat(engine, name, published, patterns):
    fit = engine(patterns(name))

    assert fit.log_likelihood == pytest.approx(published, abs=0.5)


@pytest.mark.parametrize(("name", "published"), LSAT)
def test_lsat_to_three_decimals_where_priors_say_nothing(name, published, patterns):
    flat = Priors(difficulty_sd=100.0, log_discrimination_sd=10.0)

    assert fit_em(patterns(name), priors=flat).log_likelihood == pytest.approx(published, abs=2e-3)


def test_the_likelihood_is_that_of_plain_sums():
    made = simulate(seed=1, learners=30, items=4, share=0.8)
    fit = fit_em(made.responses)

    points, weights = ability_points(), np.exp(REFERENCE.log_weights(ability_points()))
    total = 0.0
    for row in made.matrix:
        each = 0.0
        for theta, weight in zip(points, weights, strict=True):
            chance = probability(
                theta, difficulty=fit.bank.difficulty, discrimination=fit.bank.discrimination
            )
            there = np.where(row == 1.0, chance, 1.0 - chance)[~np.isnan(row)]
            each += weight * there.prod()
        total += np.log(each)
    assert fit.log_likelihood == pytest.approx(total, abs=1e-8)


def test_em_ends_where_no_parameter_can_be_moved_for_the_better():
    made = simulate(seed=2, learners=300, items=6, share=1.0)
    fit = fit_em(made.responses, tolerance=1e-7)

    def posterior(place, slope):
        chance = probability(
            ability_points()[:, None], difficulty=place, discrimination=np.exp(slope)
        )
        told = made.matrix @ np.log(chance).T + (1 - made.matrix) @ np.log(1 - chance).T
        likely = np.log(np.exp(told + REFERENCE.log_weights(ability_points())).sum(axis=1)).sum()
        return likely - (place**2 / 8).sum() - (slope**2 / 0.5).sum()

    place, slope = fit.bank.difficulty, np.log(fit.bank.discrimination)
    best = posterior(place, slope)
    for k in range(6):
        for step in (-0.01, 0.01):
            nudge = step * (np.arange(6) == k)
            assert posterior(place + nudge, slope) < best
            assert posterior(place, slope + nudge) < best


def test_recovers_the_truth_of_the_simulation(made):
    fit = fit_py_irt(made.responses)
    errors = standard_errors(made.responses, fit, model=ItemModel.TWO, priors=Priors())

    place, slope = fit.bank.difficulty, np.log(fit.bank.discrimination)
    scale = made.difficulty.std() / place.std()
    linked = scale * (place - place.mean()) + made.difficulty.mean()
    assert np.corrcoef(place, made.difficulty)[0, 1] >= 0.97
    assert np.sqrt(np.mean((linked - made.difficulty) ** 2)) <= 0.22
    assert np.corrcoef(slope, np.log(made.discrimination))[0, 1] >= 0.81
    assert 0.95 <= place.std() / made.difficulty.std() <= 1.05
    # Of 100 intervals; the mean over many seeds is in the benchmarks.
    covered = np.abs(place - made.difficulty) < 1.96 * errors.difficulty
    assert 0.90 <= covered.mean() <= 1.0
    covered = np.abs(slope - np.log(made.discrimination)) < 1.96 * errors.log_discrimination
    assert 0.90 <= covered.mean() <= 1.0


@pytest.mark.parametrize("model", list(ItemModel))
def test_both_engines_find_the_same_mode(model):
    guessing = np.full(30, 0.25) if model is ItemModel.THREE else None
    made = simulate(seed=5, items=30, share=0.4, guessing=0.25 * (guessing is not None))

    em = fit_em(made.responses, model=model, guessing=guessing, tolerance=1e-5)
    other = fit_py_irt(made.responses, model=model, guessing=guessing)

    assert em.converged
    assert other.bank.difficulty == pytest.approx(em.bank.difficulty, abs=0.02)
    assert other.bank.discrimination == pytest.approx(em.bank.discrimination, rel=0.02)
    assert other.log_likelihood == pytest.approx(em.log_likelihood, abs=0.1)
    assert np.ptp(em.bank.discrimination) == 0.0 or model is not ItemModel.ONE


def test_guessing_that_is_known_is_not_taken_for_knowledge():
    made = simulate(seed=6, learners=3000, items=30, share=0.5, guessing=0.25)

    with_it = fit_em(made.responses, model=ItemModel.THREE, guessing=np.full(30, 0.25))
    without = fit_em(made.responses)

    def error(fit):
        return np.sqrt(np.mean((fit.bank.difficulty - made.difficulty) ** 2))

    assert error(with_it) < 0.2
    assert error(without) > 0.5


def test_the_same_data_give_the_same_parameters_whatever_torch_did_before():
    made = simulate(seed=8, learners=100, items=10, share=0.8)
    torch.manual_seed(1)
    first = fit_py_irt(made.responses)
    before = torch.random.get_rng_state()
    again = fit_py_irt(made.responses)

    assert first.bank.sha256() == again.bank.sha256()
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("engine", ENGINES)
def test_anchors_stay_and_the_population_is_found(engine):
    made = simulate(seed=9, learners=1500, items=40, share=0.5, mean=0.7, sd=1.2)
    names = made.responses.items[:20]
    known = bank_of(names, difficulty=made.difficulty[:20], discrimination=made.discrimination[:20])

    fit = engine(made.responses, anchors=Anchors(known))

    assert fit.bank.only(names).difficulty.tolist() == known.difficulty.tolist()
    assert fit.bank.only(names).discrimination == pytest.approx(known.discrimination, rel=1e-12)
    assert fit.population.mean == pytest.approx(made.ability.mean(), abs=0.06)
    assert fit.population.sd == pytest.approx(made.ability.std(), abs=0.06)
    apart = fit.bank.difficulty[20:] - made.difficulty[20:]
    assert abs(apart.mean()) < 0.06
    assert np.sqrt(np.mean(apart**2)) < 0.2


def test_a_warm_start_needs_few_epochs(made):
    few = made.matrix.copy()
    few[:150] = np.nan
    earlier = fit_em(responses_of_matrix(few)).bank
    goal = fit_em(made.responses, tolerance=1e-5).bank.difficulty

    def distance(fit):
        return np.sqrt(np.mean((fit.bank.difficulty - goal) ** 2))

    warm = fit_py_irt(made.responses, earlier=earlier)
    cold = fit_py_irt(made.responses, schedule=Schedule(warm.iterations, 0.03, 0.92))
    assert warm.iterations <= 60
    assert distance(warm) < 0.02 < distance(cold)
    # Starting at the end, there is nothing left to do.
    assert fit_em(made.responses, earlier=fit_em(made.responses).bank).iterations <= 2


def test_a_warm_start_leaves_the_other_engine_next_to_nothing_to_move():
    made = simulate(seed=0, learners=2000, items=200, share=0.1)
    few = made.matrix.copy()
    few[:600] = np.nan
    earlier = fit_em(responses_of_matrix(few)).bank

    warm = fit_py_irt(made.responses, earlier=earlier)

    goal = fit_em(made.responses, earlier=warm.bank, tolerance=1e-5)
    errors = standard_errors(made.responses, goal, model=ItemModel.TWO, priors=Priors())
    gap = np.abs(warm.bank.difficulty - goal.bank.difficulty) / errors.difficulty
    # A run is held back from a quarter of a standard error on.
    assert gap.max() < 0.15


@pytest.mark.parametrize("engine", ENGINES)
def test_an_item_all_got_right_has_the_estimate_its_prior_allows(engine):
    made = simulate(seed=4, learners=200, items=10, share=1.0)
    matrix = made.matrix.copy()
    matrix[:, 0], matrix[:, 1], matrix[:, 2] = 1.0, 0.0, np.nan

    fit = engine(responses_of_matrix(matrix))
    errors = standard_errors(responses_of_matrix(matrix), fit, model=ItemModel.TWO, priors=Priors())

    assert fit.bank.difficulty[0] < -2.5
    assert fit.bank.difficulty[1] > 2.5
    assert errors.difficulty[0] > 3 * np.median(errors.difficulty[3:])
    assert (fit.bank.difficulty[2], fit.bank.discrimination[2]) == (0.0, 1.0)
    assert np.isnan(errors.difficulty[2])


def test_learners_with_one_answer_move_difficulty_only():
    made = simulate(seed=4, learners=400, items=8, share=1.0)
    rng = np.random.default_rng(0)
    single = answer(rng.normal(size=400), np.full(8, 0.5), np.ones(8), rng=rng)
    single[np.arange(8) != rng.integers(0, 8, 400)[:, None]] = np.nan

    alone = fit_em(made.responses)
    more = fit_em(responses_of_matrix(np.concatenate([made.matrix, single])))

    assert np.isfinite(more.bank.difficulty).all()
    assert np.abs(more.bank.difficulty - alone.bank.difficulty).max() > 0.02
    only = fit_em(responses_of_matrix(single), tolerance=1e-6)
    # One answer each says nothing about slopes: they stay near the centre of their prior.
    assert np.abs(np.log(only.bank.discrimination)).max() < 0.3


def test_errors_of_a_small_test_are_those_of_the_numerical_information(patterns):
    responses = patterns("mirt__LSAT7")
    fit = fit_em(responses, tolerance=1e-7)
    found = standard_errors(responses, fit, model=ItemModel.TWO, priors=Priors())

    matrix = np.full((len(responses.learners), 5), np.nan)
    matrix[responses.learner, responses.item] = responses.correct

    def posterior(both):
        chance = probability(
            ability_points()[:, None], difficulty=both[5:], discrimination=np.exp(both[:5])
        )
        told = matrix @ np.log(chance).T + (1 - matrix) @ np.log(1 - chance).T
        likely = np.log(np.exp(told + REFERENCE.log_weights(ability_points())).sum(axis=1)).sum()
        return likely - (both[5:] ** 2 / 8).sum() - (both[:5] ** 2 / 0.5).sum()

    at, step = np.concatenate([np.log(fit.bank.discrimination), fit.bank.difficulty]), 1e-3
    shift = step * np.eye(10)
    curvature = np.array(
        [
            [
                posterior(at + i + j)
                - posterior(at + i - j)
                - posterior(at - i + j)
                + posterior(at - i - j)
                for j in shift
            ]
            for i in shift
        ]
    ) / (4 * step**2)
    error = np.sqrt(np.diag(np.linalg.inv(-curvature)))
    # Cross-products and second derivatives agree in expectation; 1,000 learners leave this much.
    assert found.log_discrimination == pytest.approx(error[:5], rel=0.12)
    assert found.difficulty == pytest.approx(error[5:], rel=0.12)
    assert found.discrimination == pytest.approx(found.log_discrimination * fit.bank.discrimination)


def test_errors_item_by_item_are_a_little_smaller(made, monkeypatch):
    fit = fit_em(made.responses)
    whole = standard_errors(made.responses, fit, model=ItemModel.TWO, priors=Priors())
    monkeypatch.setattr("curriculum.irt.standard_errors.MOST_ITEMS_TOGETHER", 10)
    apart = standard_errors(made.responses, fit, model=ItemModel.TWO, priors=Priors())

    assert (apart.difficulty < whole.difficulty).mean() > 0.99
    assert np.median(apart.difficulty / whole.difficulty) > 0.85


@pytest.mark.parametrize("most", [1000, 1])
def test_errors_of_a_one_parameter_model(made, monkeypatch, most):
    monkeypatch.setattr("curriculum.irt.standard_errors.MOST_ITEMS_TOGETHER", most)
    fit = fit_em(made.responses, model=ItemModel.ONE)

    errors = standard_errors(made.responses, fit, model=ItemModel.ONE, priors=Priors())

    assert np.ptp(errors.log_discrimination) == 0.0
    # One slope from 20,000 answers is known well.
    assert 0.005 < errors.log_discrimination[0] < 0.06
    assert np.median(errors.difficulty) == pytest.approx(0.2, abs=0.06)


def test_an_anchored_fit_has_errors_for_what_it_estimated():
    made = simulate(seed=9, learners=800, items=30, share=0.5)
    names = made.responses.items[:10]
    known = bank_of(names, difficulty=made.difficulty[:10], discrimination=made.discrimination[:10])
    fit = fit_em(made.responses, anchors=Anchors(known))
    free = fit_em(made.responses)
    anchored = np.arange(30) < 10

    errors = standard_errors(
        made.responses, fit, model=ItemModel.TWO, priors=Priors(), anchored=anchored
    )

    assert np.isnan(errors.difficulty[:10]).all()
    assert np.isfinite(errors.difficulty[10:]).all()
    other = standard_errors(made.responses, free, model=ItemModel.TWO, priors=Priors())
    assert np.median(errors.difficulty[10:] / other.difficulty[10:]) == pytest.approx(1.0, abs=0.3)


@pytest.mark.parametrize("engine", ENGINES)
def test_refuses_what_cannot_be_fitted(engine):
    made = simulate(seed=4, learners=50, items=5, share=1.0).responses
    nothing = responses_of_matrix([[np.nan, np.nan]])
    stranger = Anchors(bank_of(["zz"], difficulty=[0.0]))
    uneven = Anchors(bank_of(["i0", "i1"], difficulty=[0.0, 1.0], discrimination=[1.0, 2.0]))

    with pytest.raises(NothingToCalibrate):
        engine(nothing)
    with pytest.raises(ImpossibleParameters, match="No answer names anchor zz"):
        engine(made, anchors=stranger)
    with pytest.raises(ImpossibleParameters, match="1PL"):
        engine(made, model=ItemModel.ONE, anchors=uneven)
    with pytest.raises(ImpossibleParameters, match="2 chances of guessing for 5 items"):
        engine(made, model=ItemModel.THREE, guessing=np.array([0.2, 0.2]))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Priors(difficulty_sd=0.0),
        lambda: Population(sd=-1.0),
        lambda: Schedule(0, 0.1, 0.9),
        lambda: ability_points(count=3),
    ],
)
def test_impossible_settings(make):
    with pytest.raises(ImpossibleSetting):
        make()


def test_few_anchors_leave_doubt_about_all_items():
    made = simulate(seed=9, learners=800, items=30, share=0.5)
    one = bank_of(["i0"], difficulty=made.difficulty[:1], discrimination=made.discrimination[:1])
    anchored = np.arange(30) < 1
    fit = fit_em(made.responses, anchors=Anchors(one))

    few = standard_errors(
        made.responses, fit, model=ItemModel.TWO, priors=Priors(), anchored=anchored
    )
    none = standard_errors(
        made.responses, fit_em(made.responses), model=ItemModel.TWO, priors=Priors()
    )

    assert np.median(few.difficulty[1:] / none.difficulty[1:]) > 1.15


def test_an_item_below_chance_does_not_keep_em_from_its_end():
    made = simulate(seed=4, learners=1000, items=20, share=0.2, guessing=0.2)
    matrix = made.matrix.copy()
    rng = np.random.default_rng(0)
    seen = ~np.isnan(matrix[:, :4])
    matrix[:, :4][seen] = rng.random(int(seen.sum())) < 0.07

    fit = fit_em(responses_of_matrix(matrix), model=ItemModel.THREE, guessing=np.full(20, 0.2))

    assert fit.converged
    assert fit.iterations < 200
    assert (fit.bank.difficulty[:4] > 2.5).all()
