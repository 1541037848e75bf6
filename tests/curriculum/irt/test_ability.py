import time

import numpy as np
import pytest
from scipy.integrate import quad

from curriculum.irt.ability import estimate_abilities, estimate_ability
from curriculum.irt.curves import probability
from curriculum.irt.errors import ImpossibleParameters, ImpossibleResponse
from curriculum.irt.parameters import bank_of
from curriculum.irt.population import Population, ability_points
from tests.curriculum.irt.factories import simulate

BANK = bank_of(
    ["a", "b", "c", "d"],
    difficulty=[-1.0, 0.0, 0.8, 1.5],
    discrimination=[0.7, 1.0, 1.8, 1.2],
    guessing=[0.0, 0.2, 0.25, 0.0],
)


def by_dense_quadrature(correct, population):
    """Mean and sd of the posterior by adaptive integration: slow, and too plain to be wrong."""

    def density(theta):
        chance = probability(
            theta,
            difficulty=BANK.difficulty,
            discrimination=BANK.discrimination,
            guessing=BANK.guessing,
        )
        told = np.where(np.isnan(correct), 1.0, np.where(correct == 1.0, chance, 1.0 - chance))
        return np.exp(-0.5 * ((theta - population.mean) / population.sd) ** 2) * told.prod()

    whole, first, second = (
        quad(lambda t, k=k: t**k * density(t), -12, 12, limit=200)[0] for k in (0, 1, 2)
    )
    mean = first / whole
    return mean, np.sqrt(second / whole - mean**2)


@pytest.mark.parametrize("population", [Population(), Population(mean=0.7, sd=1.2)])
@pytest.mark.parametrize(
    "correct", [[1, 1, 1, 1], [0, 0, 0, 0], [1, 0, np.nan, 0], [np.nan, np.nan, 1, np.nan]]
)
def test_agrees_with_dense_quadrature(correct, population):
    found = estimate_ability(correct=correct, bank=BANK, population=population)

    mean, sd = by_dense_quadrature(np.array(correct, dtype=float), population)
    # Six logits are the end of the grid: 5 sds of the wider population.
    assert found.mean == pytest.approx(mean, abs=2e-4)
    assert found.sd == pytest.approx(sd, abs=1e-3)
    assert found.n == int(np.isfinite(correct).sum())


def test_no_answer_says_what_the_population_says():
    found = estimate_ability(correct=[np.nan] * 4, bank=BANK)

    assert (found.mean, found.n) == (pytest.approx(0.0, abs=1e-9), 0)
    assert found.sd == pytest.approx(1.0, abs=1e-6)


def test_many_learners_are_estimated_as_one_by_one():
    made = simulate(seed=3, learners=40, items=12, share=0.5)
    bank = bank_of(
        made.responses.items, difficulty=made.difficulty, discrimination=made.discrimination
    )
    r = made.responses

    found = estimate_abilities(
        learner=r.learner, item=r.item, correct=r.correct, learners=40, bank=bank
    )

    singly = [estimate_ability(correct=row, bank=bank) for row in made.matrix]
    assert found.mean == pytest.approx([one.mean for one in singly], abs=1e-12)
    assert found.sd == pytest.approx([one.sd for one in singly], abs=1e-12)
    assert found.n.tolist() == [one.n for one in singly]


def test_fewer_points_do_for_one_learner():
    coarse = ability_points(count=41, reach=5.0)

    a = estimate_ability(correct=[1, 0, 1, 0], bank=BANK)
    b = estimate_ability(correct=[1, 0, 1, 0], bank=BANK, points=coarse)

    assert b.mean == pytest.approx(a.mean, abs=1e-4)


def test_one_learner_takes_less_than_a_millisecond():
    rng = np.random.default_rng(0)
    bank = bank_of([f"i{k}" for k in range(50)], difficulty=rng.normal(size=50))
    correct = (rng.random(50) < 0.5).astype(float)

    def once() -> float:
        began = time.process_time()
        estimate_ability(correct=correct, bank=bank)
        return time.process_time() - began

    assert min(once() for _ in range(50)) < 0.001


def test_refuses_what_is_no_answer():
    with pytest.raises(ImpossibleResponse, match="neither"):
        estimate_ability(correct=[1, 0, 2, 0], bank=BANK)
    with pytest.raises(ImpossibleResponse, match="3 answers to 4 items"):
        estimate_ability(correct=[1, 0, 1], bank=BANK)
    with pytest.raises(ImpossibleResponse, match="learner after learner"):
        estimate_abilities(
            learner=np.array([1, 0]),
            item=np.array([0, 0]),
            correct=np.array([1.0, 0.0]),
            learners=2,
            bank=BANK,
        )


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"difficulty": [np.nan, 0.0]}, "Item a has difficulty nan"),
        ({"discrimination": [1.0, -0.5]}, "Item b .* discrimination -0.5"),
        ({"guessing": [0.0, 1.0]}, "Item b .* guessing 1.0"),
        ({"items": ["a", "a"]}, "Item a is there twice"),
        ({"difficulty": [0.0]}, "needs a difficulty"),
    ],
)
def test_a_bank_of_impossible_items_is_refused(wrong, message):
    good = {"items": ["a", "b"], "difficulty": [0.0, 1.0], "discrimination": [1.0, 1.0]}

    with pytest.raises(ImpossibleParameters, match=message):
        bank_of(**(good | wrong))
