"""How good probabilities are: AUC, log loss, Brier score, accuracy, calibration.

Intervals by learner are in `kt_models.evaluation.resampling`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kt_models.errors import KTModelError, ShapeMismatch

FloatArray = NDArray[np.float64]
Metric = Callable[[FloatArray, FloatArray, FloatArray], float]

# A model that is certain and wrong pays for it, but not without end.
CERTAIN = 1e-9
CALIBRATION_BINS = 20
# First answers of the bins of AUC by position: a tutor's first minutes, sessions, terms.
POSITIONS = (0, 1, 5, 10, 20, 50, 100, 200, 500, 1000)


class OneKindOfAnswer(KTModelError):
    """AUC needs both right and wrong answers."""


def auc(correct: FloatArray, prob: FloatArray, weight: FloatArray | None = None) -> float:
    """Return P(a right answer was given a higher probability than a wrong one), ties half.

    Args:
        correct: [R]; above 0.5 counts as right.
        prob: [R].
        weight: [R] times each answer counts; once by default.

    Raises:
        OneKindOfAnswer: all answers are right, or all are wrong.
    """
    _require_same_length(correct, prob)
    ranking = Ranking.of(correct, prob)
    return ranking.auc(np.ones(len(prob)) if weight is None else weight)


@dataclass(frozen=True, slots=True)
class Ranking:
    """Answers sorted by probability once, so that many weightings can be asked cheaply.

    Attributes:
        order: [R] answers from the lowest probability to the highest.
        right: [R] 1 for right and 0 for wrong, in that order.
        first: [R] the place where the run of probabilities equal to this one begins.
        after: [R] the place where it has ended.
    """

    order: NDArray[np.int64]
    right: FloatArray
    first: NDArray[np.int64]
    after: NDArray[np.int64]

    @classmethod
    def of(cls, correct: FloatArray, prob: FloatArray) -> "Ranking":
        """Return the ranking of [R] answers by [R] probabilities."""
        order = np.argsort(prob, kind="stable")
        starts = _runs(prob[order])
        ends = np.append(starts[1:], len(prob))
        right = (correct[order] > 0.5).astype(float)
        return cls(order, right, np.repeat(starts, ends - starts), np.repeat(ends, ends - starts))

    def auc(self, weight: FloatArray) -> float:
        """Return the AUC where answer r counts weight[r] times.

        Raises:
            OneKindOfAnswer: those that count are all right or all wrong.
        """
        return self.auc_in_order(weight[self.order])

    def auc_in_order(self, ranked: FloatArray) -> float:
        """Return the AUC where the answer order[k] counts ranked[k] times; raises as `auc`."""
        rights = ranked * self.right
        wrong_before = np.concatenate([[0.0], np.cumsum(ranked - rights)])
        pairs = rights.sum() * wrong_before[-1]
        if not pairs:
            raise OneKindOfAnswer("AUC needs both right and wrong answers among those scored.")
        # Of wrong answers that were told the same, half count as below.
        below = wrong_before[self.first] + wrong_before[self.after]
        return float(0.5 * (rights @ below) / pairs)


def log_loss(correct: FloatArray, prob: FloatArray, weight: FloatArray | None = None) -> float:
    """Return the mean of -log P(the answer that came), in nats; partial credit counts in part."""
    return _mean(log_losses, correct, prob, weight)


def brier(correct: FloatArray, prob: FloatArray, weight: FloatArray | None = None) -> float:
    """Return the mean squared difference of probability and answer."""
    return _mean(squared_errors, correct, prob, weight)


def accuracy(correct: FloatArray, prob: FloatArray, weight: FloatArray | None = None) -> float:
    """Return the share of answers on whose side of a half the probability lies.

    A probability of a half is half right, whatever came. Beside it belongs `majority_rate`, which
    a model reaches that looks at nothing.
    """
    return _mean(hits, correct, prob, weight)


def log_losses(correct: FloatArray, prob: FloatArray) -> FloatArray:
    """Return [R] what each answer adds to the log loss."""
    sure = np.clip(prob, CERTAIN, 1.0 - CERTAIN)
    return np.asarray(-correct * np.log(sure) - (1.0 - correct) * np.log1p(-sure))


def squared_errors(correct: FloatArray, prob: FloatArray) -> FloatArray:
    """Return [R] what each answer adds to the Brier score."""
    return np.asarray((correct - prob) ** 2)


def hits(correct: FloatArray, prob: FloatArray) -> FloatArray:
    """Return [R] what each answer adds to the accuracy."""
    side = np.sign(prob - 0.5) * np.where(correct > 0.5, 1.0, -1.0)
    return np.asarray(0.5 * (1.0 + side))


# What is a mean over answers is summed per learner once, and resampled as sums.
PER_ANSWER: dict[Metric, Callable[[FloatArray, FloatArray], FloatArray]] = {
    log_loss: log_losses,
    brier: squared_errors,
    accuracy: hits,
}


def majority_rate(correct: FloatArray) -> float:
    """Return the share of the kind of answer that is commoner."""
    right = float(np.mean(correct > 0.5))
    return max(right, 1.0 - right)


def calibration_error(
    correct: FloatArray, prob: FloatArray, weight: FloatArray | None = None
) -> float:
    """Return the expected calibration error over 20 bins that hold equally many answers.

    It is the mean over answers of |mean probability - share right| of the answer's bin (Naeini,
    Cooper & Hauskrecht 2015). Random labels do not make it large: it says nothing of sorting.
    """
    _require_same_length(correct, prob)
    times = np.ones(len(prob)) if weight is None else weight
    bins = _bins(prob, CALIBRATION_BINS)
    sums = np.bincount(bins, times * (correct - prob), minlength=CALIBRATION_BINS)
    return float(np.abs(sums).sum() / times.sum())


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """One point of a reliability diagram.

    Attributes:
        n: answers in the bin.
        prob: mean probability given to them.
        right: share of them that was right.
    """

    n: int
    prob: float
    right: float


def reliability(
    correct: FloatArray, prob: FloatArray, *, bins: int = CALIBRATION_BINS
) -> tuple[ReliabilityBin, ...]:
    """Return the reliability diagram: bins of equally many answers from unlikely to likely.

    Equal probabilities are in one bin, so there may be fewer bins than asked for.
    """
    _require_same_length(correct, prob)
    place = _bins(prob, bins)
    count = np.bincount(place, minlength=bins)
    sums = [np.bincount(place, values, minlength=bins) for values in (prob, correct)]
    return tuple(
        ReliabilityBin(int(n), float(p / n), float(c / n))
        for n, p, c in zip(count, *sums, strict=True)
        if n
    )


@dataclass(frozen=True, slots=True)
class PositionBin:
    """AUC of the answers at some places of learners' histories.

    Attributes:
        first: least number of earlier answers.
        last: greatest number of earlier answers; None for no limit.
        n: answers there.
        auc: of them; None where all of them are right, or all wrong, or there is none.
    """

    first: int
    last: int | None
    n: int
    auc: float | None


def auc_by_position(
    correct: FloatArray,
    prob: FloatArray,
    position: NDArray[np.int64],
    *,
    edges: tuple[int, ...] = POSITIONS,
) -> tuple[PositionBin, ...]:
    """Return the AUC by how many answers the learner gave before.

    Args:
        correct: [R].
        prob: [R].
        position: [R] answers of the same learner before.
        edges: first positions of the bins, rising from 0; the last bin is open.
    """
    _require_same_length(correct, prob)
    place = np.searchsorted(edges, position, side="right") - 1
    lasts = [*(edge - 1 for edge in edges[1:]), None]
    found = []
    for number, (first, last) in enumerate(zip(edges, lasts, strict=True)):
        here = place == number
        found.append(PositionBin(first, last, int(here.sum()), find_auc(correct[here], prob[here])))
    return tuple(found)


def find_auc(correct: FloatArray, prob: FloatArray) -> float | None:
    """Return the AUC, or None where there is no answer, or one kind of answer."""
    right = int((correct > 0.5).sum())
    return auc(correct, prob) if 0 < right < len(correct) else None


def _mean(
    per_answer: Callable[[FloatArray, FloatArray], FloatArray],
    correct: FloatArray,
    prob: FloatArray,
    weight: FloatArray | None,
) -> float:
    _require_same_length(correct, prob)
    return float(np.average(per_answer(correct, prob), weights=weight))


def _runs(ranked: FloatArray) -> NDArray[np.int64]:
    """Return the first places of runs of equal values."""
    return np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]]))


def _bins(prob: FloatArray, bins: int) -> NDArray[np.int64]:
    """Return [R] the bin of each answer: equally many in each, equal probabilities together.

    To split those who were told the same, in the order of the rows, would compare learners.
    """
    order = np.argsort(prob, kind="stable")
    starts = _runs(prob[order])
    ends = np.append(starts[1:], len(prob))
    place = np.empty(len(prob), dtype=np.int64)
    place[order] = np.repeat(starts * bins // len(prob), ends - starts)
    return place


def _require_same_length(correct: FloatArray, prob: FloatArray) -> None:
    if correct.shape != prob.shape or not len(prob):
        raise ShapeMismatch(f"{len(correct)} answers and {len(prob)} probabilities: give as many.")
