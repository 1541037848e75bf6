"""A network that harms is taken out and stays out; one that does not is left alone."""

import numpy as np
import pytest
from scipy import stats

from tutor.scheduling import evidence, scoring

# A class: learners, answers of each between two looks, looks a day, days looked back at.
LEARNERS, EACH, LOOKS, WINDOW = 30, 2, 5, 30
DAYS = 365
# Of the loss together less the loss alone: of one answer, and of learners' own means, nats.
NOISE, BETWEEN = 0.15, 0.01


def live(harm, *, seed, decide, days=DAYS, starts_counted=True):
    """Return the share of a year in which a network of this mean harm counts, and the changes."""
    rng = np.random.default_rng(seed)
    looks = days * LOOKS
    own = harm + BETWEEN * rng.normal(size=LEARNERS)
    sums = EACH * own + NOISE * EACH**0.5 * rng.normal(size=(looks, LEARNERS))
    upto = np.vstack([np.zeros(LEARNERS), np.cumsum(sums, axis=0)])
    counted, since, returns, time, changes = starts_counted, 0, 0, 0, 0
    for look in range(1, looks + 1):
        begin = max(since, look - WINDOW * LOOKS)
        found = score(upto[look] - upto[begin], EACH * (look - begin))
        verdict = decide(found, counted=counted, returns=returns)
        if verdict is not None:
            counted, since = verdict, look
            returns += verdict
            changes += 1
        time += counted
    return time / looks, changes


def score(sums, each):
    n = each * len(sums)
    mean = sums.sum() / n
    apart = sums - mean * each
    error = float(np.sqrt(apart @ apart * len(sums) / (len(sums) - 1))) / n
    return scoring.Score(n, len(sums), 0.5, 0.5, 0.5 + mean, mean, error)


def decide_before(found, *, counted, returns):
    """The rule until now: three standard errors to go, none to come back."""
    if not evidence.is_telling(found):
        return None
    if counted:
        return False if found.difference > 3.0 * found.error else None
    return True if found.difference <= 0.0 else None


def mean_share(harm, *, decide=evidence.decide, years=12, **fields):
    lives = [live(harm, seed=seed, decide=decide, **fields) for seed in range(years)]
    return np.mean([share for share, _ in lives]), np.mean([changes for _, changes in lives])


class TestAYearOfHourlyLooks:
    def test_one_that_harms_is_out_and_stays_out(self):
        share, changes = mean_share(0.01)
        assert share < 0.15
        assert changes == 1
        assert mean_share(0.01, starts_counted=False) == (0.0, 0.0)
        # A rule that asks for no evidence lets it back after a lucky hundred answers.
        assert mean_share(0.01, decide=decide_before, starts_counted=False)[1] > 0.5

    def test_more_harm_is_found_sooner(self):
        share, _ = mean_share(0.03)
        assert share < 0.02

    def test_one_that_changes_nothing_is_left_alone(self):
        share, _ = mean_share(0.0, years=24)
        assert share > 0.9

    def test_one_that_helps_counts(self):
        assert mean_share(-0.01) == (1.0, 0.0)

    def test_taken_out_wrongly_one_that_helps_is_back_within_weeks(self):
        share, changes = mean_share(-0.01, starts_counted=False)
        assert share > 0.9
        assert changes == 1


class TestBounds:
    def test_hold_at_all_looks_together(self):
        """Of a thousand walks without drift hardly ten ever pass the bound of one in a hundred."""
        rng = np.random.default_rng(0)
        walks = np.cumsum(rng.standard_normal((1000, 20_000), dtype=np.float32), axis=1)
        passed = np.zeros(len(walks), dtype=bool)
        for n in range(100, 20_001, 20):
            factor = evidence.standard_errors(n, error_rate=0.01)
            passed |= walks[:, n - 1] > factor * n**0.5
        assert 0.001 < passed.mean() < 0.015

    @pytest.mark.parametrize("freedom", [7, 20, 100])
    @pytest.mark.parametrize("normal", [2.0, 3.5, 4.2])
    def test_few_learners_make_them_wider(self, normal, freedom):
        exact = stats.t.isf(stats.norm.sf(normal), freedom)
        assert evidence.as_student(normal, freedom=freedom) == pytest.approx(exact, rel=0.03)

    def test_a_rate_is_a_chance(self):
        with pytest.raises(ValueError, match=r"between 0 and 0\.5"):
            evidence.half_width(score(np.arange(10.0), 10), error_rate=0.5)


class TestDecide:
    def test_what_takes_it_out_is_far_from_what_lets_it_back(self):
        """No score does both, nor anything between them."""
        sums = np.random.default_rng(1).normal(size=LEARNERS)
        for each in (10, 100, 1000, 10_000):
            for mean in np.linspace(-0.05, 0.05, 201):
                found = score((sums - sums.mean()) * each**0.5 * NOISE + mean * each, each)
                if evidence.decide(found, counted=True) is False:
                    assert evidence.decide(found, counted=False) is None

    def test_after_every_return_more_is_asked(self):
        sums = np.random.default_rng(1).normal(size=LEARNERS)
        sums = (sums - sums.mean()) * 10 * NOISE - 0.006 * 100
        found = score(sums, 100)
        verdicts = [evidence.decide(found, counted=False, returns=k) for k in range(40)]
        assert verdicts[0] is True
        assert verdicts[-1] is None
