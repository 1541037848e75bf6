"""Expectation maximisation for two-state hidden Markov models, many concepts at once.

The Baum-Welch recursions (Rabiner 1989, section III) for the states not known (0) and known (1).
Beta priors make each step a maximum a posteriori one: rare concepts and items stay near the centre
that is given, and the penalised likelihood never falls.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kt_models.training.compiling import compiled

FloatArray = NDArray[np.float64]

# Nothing is certain: a rate of 0 or 1 could never be learnt away.
LEAST = 1e-4


@dataclass(frozen=True, slots=True)
class Rates:
    """Probabilities of K concepts and E emissions.

    Attributes:
        initial: [K] known before the first answer.
        learn: [K] not known -> known, after each answer.
        forget: [K] known -> not known, after each answer.
        guess: [E] right though not known.
        slip: [E] wrong though known.
    """

    initial: FloatArray
    learn: FloatArray
    forget: FloatArray
    guess: FloatArray
    slip: FloatArray


@dataclass(frozen=True, slots=True)
class Attempts:
    """Q sequences of a learner's answers on one concept, N answers in all.

    Attributes:
        starts: [Q + 1] bounds of the sequences.
        concept: [Q] whose `initial`, `learn` and `forget` hold.
        emission: [N] whose `guess` and `slip` hold.
        correct: [N] 0 to 1.
    """

    starts: NDArray[np.int64]
    concept: NDArray[np.int64]
    emission: NDArray[np.int64]
    correct: FloatArray


def fit_rates(
    attempts: Attempts,
    *,
    centre: Rates,
    hold: float,
    largest: float,
    steps: int,
    tolerance: float,
) -> tuple[Rates, list[float]]:
    """Return the rates of greatest penalised likelihood near `centre`, and that score by step.

    Args:
        attempts: what was observed.
        centre: where the search starts and the priors' modes; a forgetting of 0 stays 0.
        hold: pseudo-observations of the centre for every rate.
        largest: that guess and slip may be; at most 1/2 keeps "known" the better state.
        steps: at most.
        tolerance: gain of the score per answer below which a step is the last.
    """
    rates, scores = centre, list[float]()
    for _ in range(steps):
        counts = _expected(attempts, rates)
        scores.append(counts.log_likelihood + _log_prior(rates, centre, hold))
        if len(scores) > 1 and scores[-1] - scores[-2] < tolerance * len(attempts.correct):
            break
        rates = _maximised(counts, centre, hold, largest)
    return rates, scores


@dataclass(frozen=True, slots=True)
class _Counts:
    """Expected counts: [K, 2] and [E, 2] of (times it happened, times it could have)."""

    log_likelihood: float
    initial: FloatArray
    learn: FloatArray
    forget: FloatArray
    guess: FloatArray
    slip: FloatArray


def _expected(attempts: Attempts, rates: Rates) -> _Counts:
    concepts, emissions = len(rates.initial), len(rates.guess)
    sizes = (concepts, concepts, concepts, emissions, emissions)
    tables = _Tables(*(np.zeros((size, 2)) for size in sizes))
    longest = int(np.diff(attempts.starts).max(initial=0))
    room = _Room(np.empty((longest, 2)), np.empty((longest, 2)), np.empty(longest))
    observed = _Observed(attempts.starts, attempts.concept, attempts.emission, attempts.correct)
    table = _RateTable(rates.initial, rates.learn, rates.forget, rates.guess, rates.slip)
    log_likelihood = _forward_backward(observed, table, room, tables)
    return _Counts(float(log_likelihood), *tables)


def _maximised(counts: _Counts, centre: Rates, hold: float, largest: float) -> Rates:
    """Return the rates at the mode of their posteriors.

    Each is concave in its own rate, so cutting it to the allowed range gives the best there.
    """

    def mode(count: FloatArray, middle: FloatArray, most: float) -> FloatArray:
        found = (count[:, 0] + hold * middle) / np.maximum(count[:, 1] + hold, 1e-12)
        return np.clip(found, np.where(middle > 0.0, LEAST, 0.0), most)

    return Rates(
        initial=mode(counts.initial, centre.initial, 1.0 - LEAST),
        learn=mode(counts.learn, centre.learn, 1.0 - LEAST),
        forget=mode(counts.forget, centre.forget, 1.0 - LEAST),
        guess=mode(counts.guess, centre.guess, largest),
        slip=mode(counts.slip, centre.slip, largest),
    )


def _log_prior(rates: Rates, centre: Rates, hold: float) -> float:
    total = 0.0
    for field in dataclasses.fields(Rates):
        rate, middle = getattr(rates, field.name), getattr(centre, field.name)
        free = middle > 0.0
        p, m = rate[free], middle[free]
        total += float(np.sum(m * np.log(p) + (1.0 - m) * np.log1p(-p)))
    return hold * total


class _Observed(NamedTuple):
    """`Attempts` as compiled code reads them."""

    starts: NDArray[np.int64]
    concept: NDArray[np.int64]
    emission: NDArray[np.int64]
    correct: FloatArray


class _RateTable(NamedTuple):
    """`Rates` as compiled code reads them."""

    initial: FloatArray
    learn: FloatArray
    forget: FloatArray
    guess: FloatArray
    slip: FloatArray


class _Tables(NamedTuple):
    """The counts of `_Counts`, filled in place."""

    initial: FloatArray
    learn: FloatArray
    forget: FloatArray
    guess: FloatArray
    slip: FloatArray


class _Room(NamedTuple):
    """Room for the longest sequence: P(answer | state) and alpha [T, 2], scale [T]."""

    seen: FloatArray
    alpha: FloatArray
    scale: FloatArray


@compiled
def _forward_backward(observed: Any, rates: Any, room: Any, tables: Any) -> float:
    """Add expected counts to the tables and return the log likelihood."""
    total = 0.0
    for q in range(len(observed.starts) - 1):
        total += _forward(q, observed, rates, room)
        _backward(q, observed, rates, room, tables)
    return total


@compiled
def _forward(q: int, observed: Any, rates: Any, room: Any) -> float:
    """Fill the room: alpha is P(state | answers so far), scale P(answer | those before)."""
    first, k, total = observed.starts[q], observed.concept[q], 0.0
    seen, alpha = room.seen, room.alpha
    known = rates.initial[k]
    for t in range(observed.starts[q + 1] - first):
        y, e = observed.correct[first + t], observed.emission[first + t]
        guess, slip = rates.guess[e], rates.slip[e]
        # Partial credit counts as so much of a right answer, so much of a wrong one.
        seen[t, 0] = guess**y * (1.0 - guess) ** (1.0 - y)
        seen[t, 1] = (1.0 - slip) ** y * slip ** (1.0 - y)
        room.scale[t] = (1.0 - known) * seen[t, 0] + known * seen[t, 1]
        alpha[t, 0] = (1.0 - known) * seen[t, 0] / room.scale[t]
        alpha[t, 1] = known * seen[t, 1] / room.scale[t]
        total += np.log(room.scale[t])
        known = alpha[t, 0] * rates.learn[k] + alpha[t, 1] * (1.0 - rates.forget[k])
    return total


@compiled
def _backward(q: int, observed: Any, rates: Any, room: Any, tables: Any) -> None:
    """Add a sequence's expected counts; beta is P(later answers | state), scaled like alpha."""
    first, k = observed.starts[q], observed.concept[q]
    up, down = rates.learn[k], rates.forget[k]
    beta0 = beta1 = 1.0
    for t in range(observed.starts[q + 1] - first - 1, -1, -1):
        y, e = observed.correct[first + t], observed.emission[first + t]
        alpha0, alpha1 = room.alpha[t, 0], room.alpha[t, 1]
        tables.guess[e, 0] += alpha0 * beta0 * y
        tables.guess[e, 1] += alpha0 * beta0
        tables.slip[e, 0] += alpha1 * beta1 * (1.0 - y)
        tables.slip[e, 1] += alpha1 * beta1
        if t == 0:
            tables.initial[k, 0] += alpha1 * beta1
            tables.initial[k, 1] += 1.0
            break
        later0 = room.seen[t, 0] * beta0 / room.scale[t]
        later1 = room.seen[t, 1] * beta1 / room.scale[t]
        before0, before1 = room.alpha[t - 1, 0], room.alpha[t - 1, 1]
        beta0 = (1.0 - up) * later0 + up * later1
        beta1 = (1.0 - down) * later1 + down * later0
        tables.learn[k, 0] += before0 * up * later1
        tables.learn[k, 1] += before0 * beta0
        tables.forget[k, 0] += before1 * down * later0
        tables.forget[k, 1] += before1 * beta1
