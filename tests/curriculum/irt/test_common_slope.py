"""Items at one slope: with the chances they had, and known as well as the answers tell."""

import numpy as np
import pytest

from curriculum.irt.common_slope import at_common_slope
from curriculum.irt.curves import probability
from curriculum.irt.parameters import bank_of
from curriculum.irt.population import Population, ability_points

POPULATION = Population(mean=0.4, sd=1.2)


def shares(bank, population=POPULATION):
    """The share of the population that solves each item, by integration over ability."""
    points = ability_points()
    chance = probability(
        points[:, None],
        difficulty=bank.difficulty,
        discrimination=bank.discrimination,
        guessing=bank.guessing,
    )
    return np.exp(population.log_weights(points)) @ chance


def converted(bank, *, n=300, se=0.2, population=POPULATION):
    size = len(bank)
    return at_common_slope(
        bank,
        se=np.full(size, float(se)),
        n=np.full(size, n, dtype=np.int64),
        population=population,
    )


@pytest.mark.parametrize("guessing", [0.0, 0.25])
def test_keeps_every_item_s_chances(guessing):
    bank = bank_of(
        ["flat", "steep", "easy", "hard"],
        difficulty=[0.0, 0.5, -3.0, 1.5],
        discrimination=[0.5, 2.0, 0.6, 1.2],
        guessing=guessing,
    )

    found = converted(bank)

    common = bank_of(bank.items, difficulty=found.difficulty, discrimination=found.slope)
    assert shares(common) == pytest.approx(shares(bank), abs=0.015)
    assert found.slope == pytest.approx((0.5 * 2.0 * 0.6 * 1.2) ** 0.25)


def test_leaves_items_of_one_slope_where_they_are():
    bank = bank_of(["a", "b", "c"], difficulty=[-1.0, 0.3, 2.0], discrimination=1.3)

    found = converted(bank, n=10**6)

    assert found.difficulty == pytest.approx(bank.difficulty)
    assert (found.se <= 0.2).all()


def test_knows_easy_items_as_well_as_their_answers_tell():
    """Repeated samples of 300 answers scatter by what is said, however badly b alone is known."""
    rng = np.random.default_rng(0)
    bank = bank_of(["easy"], difficulty=[-4.0], discrimination=[0.5])
    ability = rng.normal(POPULATION.mean, POPULATION.sd, (2000, 300))
    solved = (rng.random(ability.shape) < 1 / (1 + np.exp(-0.5 * (ability + 4.0)))).mean(axis=1)
    spread = np.log(solved / (1 - solved)).std()

    found = converted(bank, se=1.5)

    common = 0.5 / np.sqrt(1 + np.pi / 8 * (0.5 * POPULATION.sd) ** 2)
    assert found.se[0] * common == pytest.approx(spread, rel=0.1)
    assert found.se[0] < 0.6
