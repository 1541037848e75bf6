"""Expectation maximisation against enumeration of every hidden path, and what it must never do."""

import itertools

import numpy as np
import pytest

from kt_models.training import bkt_em
from kt_models.training.bkt_em import Attempts, Rates, fit_rates


def rates(rng, concepts, emissions, *, forget=True):
    return Rates(
        initial=rng.uniform(0.1, 0.9, concepts),
        learn=rng.uniform(0.05, 0.5, concepts),
        forget=rng.uniform(0.05, 0.3, concepts) if forget else np.zeros(concepts),
        guess=rng.uniform(0.05, 0.45, emissions),
        slip=rng.uniform(0.05, 0.45, emissions),
    )


def attempts(rng, *, sequences=6, concepts=2, emissions=3, longest=6, partial=True):
    lengths = rng.integers(1, longest + 1, sequences)
    size = int(lengths.sum())
    correct = rng.choice([0.0, 0.4, 1.0] if partial else [0.0, 1.0], size)
    return Attempts(
        starts=np.concatenate([[0], np.cumsum(lengths)]),
        concept=rng.integers(0, concepts, sequences),
        emission=rng.integers(0, emissions, size),
        correct=correct,
    )


def enumerated(a, p):
    """Return log likelihood and expected counts by going through all paths, one by one."""
    names = ("initial", "learn", "forget", "guess", "slip")
    tables = {name: np.zeros((len(getattr(p, name)), 2)) for name in names}
    total = 0.0
    for q, k in enumerate(a.concept):
        rows = range(a.starts[q], a.starts[q + 1])
        chances, paths = [], list(itertools.product((0, 1), repeat=len(rows)))
        for path in paths:
            chance = p.initial[k] if path[0] else 1.0 - p.initial[k]
            for before, after in itertools.pairwise(path):
                up = p.learn[k] if not before else 1.0 - p.forget[k]
                chance *= up if after else 1.0 - up
            for state, r in zip(path, rows, strict=True):
                e, y = a.emission[r], a.correct[r]
                right = 1.0 - p.slip[e] if state else p.guess[e]
                chance *= right**y * (1.0 - right) ** (1.0 - y)
            chances.append(chance)
        total += np.log(sum(chances))
        for path, chance in zip(paths, np.array(chances) / sum(chances), strict=True):
            tables["initial"][k] += chance * np.array([path[0], 1.0])
            for before, after in itertools.pairwise(path):
                moved = np.array([float(before != after), 1.0])
                tables["forget" if before else "learn"][k] += chance * moved
            for state, r in zip(path, rows, strict=True):
                y = a.correct[r]
                counted = (1.0 - y, 1.0) if state else (y, 1.0)
                tables["slip" if state else "guess"][a.emission[r]] += chance * np.array(counted)
    return total, tables


@pytest.mark.parametrize("seed", range(5))
def test_expected_counts_are_those_of_all_hidden_paths(seed):
    rng = np.random.default_rng(seed)
    a, p = attempts(rng), rates(rng, 2, 3)

    found = bkt_em._expected(a, p)

    total, tables = enumerated(a, p)
    assert found.log_likelihood == pytest.approx(total, rel=1e-12)
    for name, table in tables.items():
        assert getattr(found, name) == pytest.approx(table, abs=1e-12), name


@pytest.mark.parametrize("hold", [0.0, 4.0])
def test_a_step_is_the_slow_one(hold):
    rng = np.random.default_rng(7)
    a, p = attempts(rng, sequences=12), rates(rng, 2, 3)

    found, _ = fit_rates(a, centre=p, hold=hold, largest=0.5, steps=1, tolerance=0.0)

    _, tables = enumerated(a, p)
    for name, table in tables.items():
        centre = getattr(p, name)
        wanted = (table[:, 0] + hold * centre) / (table[:, 1] + hold)
        most = 0.5 if name in ("guess", "slip") else 1.0 - bkt_em.LEAST
        wanted = np.clip(wanted, bkt_em.LEAST, most)
        assert getattr(found, name) == pytest.approx(wanted, abs=1e-12), name


@pytest.mark.parametrize("hold", [0.0, 5.0])
@pytest.mark.parametrize("seed", range(4))
def test_the_score_never_falls(seed, hold):
    rng = np.random.default_rng(seed)
    a = attempts(rng, sequences=60, longest=15)

    _, scores = fit_rates(
        a, centre=rates(rng, 2, 3), hold=hold, largest=0.5, steps=40, tolerance=-1.0
    )

    assert len(scores) == 40
    assert np.diff(scores).min() >= -1e-9


def drawn(rng, truth, *, sequences, length):
    """Return answers drawn from the model itself."""
    correct = np.empty((sequences, length))
    known = rng.random(sequences) < truth.initial[0]
    for t in range(length):
        right = np.where(known, 1.0 - truth.slip[0], truth.guess[0])
        correct[:, t] = rng.random(sequences) < right
        known = known | (rng.random(sequences) < truth.learn[0])
    return Attempts(
        starts=np.arange(sequences + 1) * length,
        concept=np.zeros(sequences, dtype=np.int64),
        emission=np.zeros(sequences * length, dtype=np.int64),
        correct=correct.ravel(),
    )


def one(initial, learn, guess, slip):
    return Rates(*(np.array([v]) for v in (initial, learn, 0.0, guess, slip)))


def test_it_finds_the_rates_that_answers_were_drawn_from():
    truth = one(0.3, 0.15, 0.2, 0.1)
    a = drawn(np.random.default_rng(0), truth, sequences=4000, length=12)

    found, _ = fit_rates(
        a, centre=one(0.5, 0.3, 0.3, 0.3), hold=1.0, largest=0.5, steps=300, tolerance=1e-9
    )

    for name in ("initial", "learn", "guess", "slip"):
        assert getattr(found, name)[0] == pytest.approx(getattr(truth, name)[0], abs=0.03), name


def test_guess_and_slip_stay_below_their_bound():
    # Learners who get worse: without a bound "known" would come to mean "mostly wrong".
    a = Attempts(
        starts=np.arange(51) * 4,
        concept=np.zeros(50, dtype=np.int64),
        emission=np.zeros(200, dtype=np.int64),
        correct=np.tile([1.0, 1.0, 0.0, 0.0], 50),
    )

    found, scores = fit_rates(
        a, centre=one(0.5, 0.1, 0.3, 0.3), hold=0.0, largest=0.5, steps=100, tolerance=-1.0
    )

    assert found.guess[0] <= 0.5
    assert found.slip[0] <= 0.5
    assert found.forget[0] == 0.0
    assert np.diff(scores).min() >= -1e-9
