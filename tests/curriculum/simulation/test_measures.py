"""Figures of a class, on outcomes made by hand."""

import numpy as np
import pytest

from curriculum.simulation.measures import NAMES, compare, measure
from curriculum.simulation.practising import Outcome


def outcome(*, before=0.2, after=0.5, exposures=(1, 1, 1, 1), known_at=(0.0, 10.0, np.nan), **more):
    settings = {"delayed": 0.4, "right_after": 0.6, "minutes": 20.0, "answers": 4, **more}
    return Outcome(
        before=before,
        after=after,
        exposures=np.array(exposures),
        known_at=np.array(known_at),
        closed_unknown=np.array([False, False, True]),
        **settings,
    )


def values(outcomes, minutes=40.0):
    return {name: one.value for name, one in measure(outcomes, minutes=minutes, seed=0).items()}


def test_every_figure_of_one_kind_of_outcome():
    found = values([outcome(over_minutes=5.0)] * 4)

    assert tuple(found) == NAMES
    assert found["gain"] == pytest.approx(0.3)
    assert found["gain_right_after"] == pytest.approx(0.4)
    assert found["delayed_gain"] == pytest.approx(0.2)
    assert found["delayed_recall"] == pytest.approx(0.4)
    assert found["over_practice"] == pytest.approx(0.25)
    assert found["under_practice"] == pytest.approx(1 / 3)
    # One concept known after 10 minutes, one never in 40; the one known before does not count.
    assert found["minutes_to_known"] == pytest.approx(25.0)


@pytest.mark.parametrize(
    ("exposures", "gini"), [((5, 5, 5, 5), 0.0), ((20, 0, 0, 0), 0.75), ((1, 2, 3, 4), 0.25)]
)
def test_gini_of_exposures(exposures, gini):
    assert values([outcome(exposures=exposures)] * 2)["exposure_gini"] == pytest.approx(gini)


def test_the_lowest_fifth_is_that_of_the_start():
    class_ = [outcome(before=0.1, after=0.2), *(outcome(before=0.5, after=0.9) for _ in range(4))]

    assert values(class_)["bottom_gain"] == pytest.approx(0.1)


def test_figures_that_do_not_exist_are_no_numbers():
    found = measure(
        [outcome(known_at=(0.0,), minutes=0.0, exposures=(0, 0))] * 2, minutes=40.0, seed=0
    )

    for name in ("minutes_to_known", "over_practice", "exposure_gini"):
        assert np.isnan(found[name].value)


def test_intervals_cover_the_mean_of_the_population():
    rng = np.random.default_rng(3)
    covered = 0
    for turn in range(200):
        gains = 0.2 + 0.3 * rng.standard_normal(40)
        one = measure([outcome(after=0.2 + g) for g in gains], minutes=40.0, seed=turn)["gain"]
        covered += one.low <= 0.2 <= one.high

    assert 0.89 <= covered / 200 <= 0.99


def test_differences_are_paired_by_learner():
    rng = np.random.default_rng(4)
    talent = rng.standard_normal(60)

    paired = compare(talent + 0.1, talent, seed=0)

    assert paired.value == pytest.approx(0.1)
    assert paired.se == pytest.approx(0.0, abs=1e-9)
    assert compare(talent, rng.permutation(talent), seed=0).se > 0.1
