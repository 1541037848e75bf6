import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import chi2

from curriculum.irt.dif import EtsClass, ets_class, logistic_dif, mantel_haenszel
from curriculum.irt.em import fit_em
from curriculum.irt.errors import ImpossibleResponse
from curriculum.irt.group_comparison import compare_groups
from curriculum.irt.likelihood import design_of, posterior_on
from curriculum.irt.responses import responses_of_matrix
from tests.curriculum.irt.factories import answer

# Admissions to six departments of Berkeley, 1973 (Bickel, Hammel & O'Connell, 1975):
# men admitted, men rejected, women admitted, women rejected.
BERKELEY = [
    (512, 313, 89, 19),
    (353, 207, 17, 8),
    (120, 205, 202, 391),
    (138, 279, 131, 244),
    (53, 138, 94, 299),
    (22, 351, 24, 317),
]


def rows_of(tables):
    correct, focal, stratum = [], [], []
    for k, (a, b, c, d) in enumerate(tables):
        for count, right, group in ((a, 1, False), (b, 0, False), (c, 1, True), (d, 0, True)):
            correct += [right] * count
            focal += [group] * count
            stratum += [k] * count
    return {
        "correct": np.array(correct, dtype=float),
        "focal": np.array(focal),
        "stratum": np.array(stratum),
    }


def test_mantel_haenszel_of_the_berkeley_admissions():
    found = mantel_haenszel(**rows_of(BERKELEY))

    # As every textbook and R's mantelhaen.test have it: 0.9047, 95 % interval 0.7719 to 1.0603.
    assert found.odds_ratio == pytest.approx(0.9046968, abs=1e-6)
    log_se = found.delta_se / 2.35
    assert np.exp(np.log(found.odds_ratio) - 1.959964 * log_se) == pytest.approx(
        0.7719074, abs=1e-5
    )
    assert np.exp(np.log(found.odds_ratio) + 1.959964 * log_se) == pytest.approx(
        1.0603298, abs=1e-5
    )
    assert found.delta == pytest.approx(-2.35 * np.log(0.9046968), abs=1e-5)
    assert (found.n_reference, found.n_focal) == (2691, 1835)
    assert found.ets is EtsClass.NEGLIGIBLE


def test_mantel_haenszel_by_plain_sums():
    found = mantel_haenszel(**rows_of(BERKELEY))

    above = expected = variance = 0.0
    for a, b, c, d in BERKELEY:
        n = a + b + c + d
        above += a
        expected += (a + b) * (a + c) / n
        variance += (a + b) * (c + d) * (a + c) * (b + d) / (n * n * (n - 1))
    assert found.chi2 == pytest.approx((abs(above - expected) - 0.5) ** 2 / variance)


@pytest.mark.parametrize(
    ("delta", "se", "p", "ets"),
    [
        (0.9, 0.1, 0.001, "A"),
        (-1.2, 0.2, 0.001, "B"),
        (1.2, 0.2, 0.06, "A"),
        (-1.6, 0.2, 0.001, "C"),
        (1.6, 0.5, 0.001, "B"),
    ],
)
def test_ets_classes(delta, se, p, ets):
    assert ets_class(delta=delta, delta_se=se, p=p) == ets


def test_logistic_tests_agree_with_plain_maximisation():
    rng = np.random.default_rng(0)
    ability, focal = rng.normal(size=800), rng.random(800) < 0.4
    z = 0.3 + 1.1 * ability - 0.6 * focal + 0.5 * ability * focal
    correct = (rng.random(800) < 1 / (1 + np.exp(-z))).astype(float)

    found = logistic_dif(correct=correct, focal=focal, ability=ability)

    def best(*columns):
        x = np.stack([np.ones(800), *columns], axis=1)
        goal = minimize(
            lambda w: -(correct * (x @ w) - np.logaddexp(0, x @ w)).sum(), np.zeros(x.shape[1])
        )
        return goal.x, -goal.fun

    _, matched = best(ability)
    weights, uniform = best(ability, focal)
    _, full = best(ability, focal, ability * focal)
    assert found.uniform == pytest.approx(weights[2], abs=1e-3)
    assert found.p_uniform == pytest.approx(chi2.sf(2 * (uniform - matched), 1), abs=1e-4)
    assert found.p_nonuniform == pytest.approx(chi2.sf(2 * (full - uniform), 1), abs=1e-4)
    assert found.r2_change > 0.0


def test_what_tells_nothing_is_none():
    one = np.ones(6)
    focal = np.array([True, True, True, False, False, False])

    assert mantel_haenszel(correct=one, focal=focal, stratum=np.zeros(6, dtype=int)) is None
    assert logistic_dif(correct=one, focal=focal, ability=np.arange(6.0)) is None
    apart = np.array([0, 0, 0, 1, 1, 1])
    mixed = np.array([1.0, 0, 1, 0, 1, 0])
    assert mantel_haenszel(correct=mixed, focal=focal, stratum=apart) is None
    with pytest.raises(ImpossibleResponse):
        mantel_haenszel(correct=one, focal=focal[:3], stratum=apart)


def test_finds_the_unfair_item_among_groups_that_differ_in_ability():
    rng = np.random.default_rng(3)
    focal = rng.random(4000) < 0.4
    ability = rng.normal(size=4000) - 0.6 * focal
    place, slope = rng.normal(size=20), np.exp(0.2 * rng.normal(size=20))
    matrix = answer(ability, place, slope, rng=rng)
    harder = answer(ability, place[:1] + 1.0, slope[:1], rng=rng)
    matrix[focal, 0] = harder[focal, 0]
    responses = responses_of_matrix(matrix)
    fit = fit_em(responses)
    posterior = posterior_on(design_of(responses), fit.bank, population=fit.population)
    groups = {f"l{k}": "b" if one else "a" for k, one in enumerate(focal)}

    found = compare_groups(responses, posterior, groups)

    assert found.reference == "a"
    assert found.sizes == {"a": int((~focal).sum()), "b": int(focal.sum())}
    classes = [one.mantel_haenszel.ets for one in found.items]
    assert classes[0] is EtsClass.LARGE
    assert set(classes[1:]) == {EtsClass.NEGLIGIBLE}
    assert found.items[0].mantel_haenszel.delta < -1.5
    assert found.items[0].logistic.uniform < -0.5
    assert found.items[0].logistic.p_uniform < 1e-6
    assert found.too_small == 0


def test_groups_that_are_too_small_are_counted_and_not_judged():
    rng = np.random.default_rng(4)
    responses = responses_of_matrix(answer(rng.normal(size=300), np.zeros(5), np.ones(5), rng=rng))
    posterior = posterior_on(
        design_of(responses), fit_em(responses).bank, population=fit_em(responses).population
    )
    groups = {f"l{k}": "ab"[k % 2] for k in range(290)}

    found = compare_groups(responses, posterior, groups)

    assert (found.items, found.too_small) == ((), 5)
    assert found.sizes == {"": 10, "a": 145, "b": 145}
