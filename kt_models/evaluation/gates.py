"""Whether a pool of a network and the filter may be used: conditions, each with its figures.

All are judged on learners whom neither has learnt from. Where chance could make a condition fail,
the bound says how much of it is allowed for.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from kt_models.evaluation import metrics, resampling
from kt_models.evaluation.metrics import FloatArray

# Fewer held-out answers, or learners, decide nothing: a difference of two thousandths of a nat,
# what a network usually adds, is then within chance.
FEWEST_ANSWERS = 1000
FEWEST_LEARNERS = 20
# A class is judged by itself from here on; smaller ones are judged together.
FEWEST_IN_CLASS = 200
FEWEST_LEARNERS_IN_CLASS = 5
# Nats by which a class may be worse before anybody would notice.
TOLERATED_LOSS = 0.001
# Expected calibration error above what chance alone makes of answers drawn from the predictions.
TOLERATED_CALIBRATION = 0.02
# Standard errors around 0.5 within which the AUC of coin tosses has to lie, and how often it does.
COIN_ERRORS = 3.5
# Of a class being called worse though it is not, over all classes together.
ERROR_RATE = 0.05
DRAWS = 200


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition.

    Attributes:
        name: stable, for programs.
        passed: whether it is met.
        value: what was found; null where there is no figure.
        bound: what it is held against.
        n: answers behind it.
        words: the same for a person.
        details: further figures, JSON values.
    """

    name: str
    passed: bool
    value: float | None
    bound: float
    n: int
    words: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Answers of learners whom nobody has learnt from, and what was expected of each, [R].

    Attributes:
        correct: 0 to 1.
        learner: index of the learner.
        group: index of the class in `groups`.
        groups: names of the classes.
        by_filter, by_deep, pooled: P(right), each before the answer was known.
    """

    correct: FloatArray
    learner: NDArray[np.int64]
    group: NDArray[np.int64]
    groups: Sequence[str]
    by_filter: FloatArray
    by_deep: FloatArray
    pooled: FloatArray


def score(held: HeldOut, *, seed: int = 0) -> dict[str, dict[str, Any]]:
    """Return filter, deep, pool -> figures with 95 % intervals from resampling learners.

    `auc`, `log_loss`, `brier`, `ece` as [value, low, high] (the AUC is null where all answers are
    of one kind), `n` answers, `learners`.
    """
    told = {"filter": held.by_filter, "deep": held.by_deep, "pool": held.pooled}
    return {name: _figures(held, prob, seed) for name, prob in told.items()}


def _figures(held: HeldOut, prob: FloatArray, seed: int) -> dict[str, Any]:
    found: dict[str, Any] = {"n": len(prob), "learners": len(np.unique(held.learner))}
    for name, metric in (
        ("auc", metrics.auc),
        ("log_loss", metrics.log_loss),
        ("brier", metrics.brier),
        ("ece", metrics.calibration_error),
    ):
        try:
            one = resampling.by_learner(
                metric, correct=held.correct, prob=prob, learner=held.learner, seed=seed
            )
        except metrics.OneKindOfAnswer:
            found[name] = None
            continue
        found[name] = [one.value, one.low, one.high]
    return found


def enough_answers(held: HeldOut) -> Gate:
    """Return whether there are enough held-out answers, of enough learners, to judge by."""
    learners, count = len(np.unique(held.learner)), len(held.correct)
    return Gate(
        name="enough-answers",
        passed=count >= FEWEST_ANSWERS and learners >= FEWEST_LEARNERS,
        value=count,
        bound=FEWEST_ANSWERS,
        n=count,
        words=(
            f"{count} answers of {learners} learners were kept aside to judge by; it takes "
            f"{FEWEST_ANSWERS} of {FEWEST_LEARNERS}."
        ),
        details={"learners": learners, "fewest_learners": FEWEST_LEARNERS},
    )


def gain(held: HeldOut, *, seed: int = 0) -> Gate:
    """Return whether the pool has less log loss than the filter, beyond doubt by learner."""
    found = resampling.paired(
        metrics.log_loss,
        correct=held.correct,
        prob=held.pooled,
        other=held.by_filter,
        learner=held.learner,
        seed=seed,
    )
    return Gate(
        name="gain",
        passed=found.high < 0.0,
        value=found.value,
        bound=0.0,
        n=len(held.correct),
        words=(
            f"With the network the log loss changes by {found.value:+.4f} nats an answer (95 % "
            f"interval {found.low:+.4f} to {found.high:+.4f}); it has to fall beyond doubt."
        ),
        details={"low": found.low, "high": found.high},
    )


def calibration(held: HeldOut, *, seed: int = 0) -> Gate:
    """Return whether the pool's chances are what happens.

    The expected calibration error is above 0 by chance alone. What it is on answers drawn from the
    very predictions is taken off, and the rest may be no larger than `TOLERATED_CALIBRATION`, or
    than the filter's own.
    """
    ours, by_chance = _excess(held.correct, held.pooled, seed)
    filters, _ = _excess(held.correct, held.by_filter, seed)
    bound = max(TOLERATED_CALIBRATION, filters)
    return Gate(
        name="calibration",
        passed=ours <= bound,
        value=ours,
        bound=bound,
        n=len(held.correct),
        words=(
            f"Chances and outcomes differ by {ours + by_chance:.3f} on average, of which "
            f"{by_chance:.3f} is chance; {bound:.3f} above chance is allowed (the filter: "
            f"{filters:.3f})."
        ),
        details={"ece": ours + by_chance, "by_chance": by_chance, "filter": filters},
    )


def _excess(correct: FloatArray, prob: FloatArray, seed: int) -> tuple[float, float]:
    rng = np.random.default_rng(seed)
    drawn = [
        metrics.calibration_error((rng.random(len(prob)) < prob).astype(float), prob)
        for _ in range(DRAWS)
    ]
    by_chance = float(np.mean(drawn))
    return metrics.calibration_error(correct, prob) - by_chance, by_chance


def classes(held: HeldOut) -> Gate:
    """Return whether no class is served worse with the network than without, beyond doubt.

    In each class the losses of pool and filter are paired by answer and summed by learner; the
    mean difference has a one-sided Student interval over its learners, shared out over the
    classes (Bonferroni), whose lower end may not lie above `TOLERATED_LOSS`. Classes with too few
    answers or learners are judged together.
    """
    difference = metrics.log_losses(held.correct, held.pooled)
    difference = difference - metrics.log_losses(held.correct, held.by_filter)
    names, place = _judged_groups(held)
    rows = [
        _of_class(name, difference[place == k], held.learner[place == k], len(names))
        for k, name in enumerate(names)
    ]
    judged = [row for row in rows if row["low"] is not None]
    worse = [row for row in judged if row["low"] > TOLERATED_LOSS]
    highest = max((row["low"] for row in judged), default=None)
    if worse:
        told = "; ".join(f"{row['name']}: {row['mean']:+.4f} nats" for row in worse)
        words = f"With the network some would be served worse than without: {told}."
    else:
        words = f"None of {len(judged)} classes is served worse with the network beyond doubt."
        left = len(rows) - len(judged)
        words += f" {left} could not be judged for want of answers." if left else ""
    return Gate(
        name="classes",
        passed=not worse,
        value=highest,
        bound=TOLERATED_LOSS,
        n=len(difference),
        words=words,
        details={"classes": rows},
    )


def _judged_groups(held: HeldOut) -> tuple[list[str], NDArray[np.int64]]:
    """Return the names of the classes judged, and which one each answer belongs to."""
    names: list[str] = []
    place = np.full(len(held.group), -1, dtype=np.int64)
    for k, name in enumerate(held.groups):
        own = held.group == k
        learners = len(np.unique(held.learner[own]))
        if own.sum() >= FEWEST_IN_CLASS and learners >= FEWEST_LEARNERS_IN_CLASS:
            place[own] = len(names)
            names.append(name)
    if (place < 0).any():
        place[place < 0] = len(names)
        names.append("smaller classes together")
    return names, place


def _of_class(
    name: str, difference: FloatArray, learner: NDArray[np.int64], classes: int
) -> dict[str, Any]:
    """Return mean difference in nats with the ends of its interval, null for want of learners."""
    member = np.unique(learner, return_inverse=True)[1]
    sums, sizes = np.bincount(member, difference), np.bincount(member)
    count, total = len(sizes), int(sizes.sum())
    mean = float(sums.sum() / total)
    row = {"name": name, "n": total, "learners": count, "mean": mean, "low": None, "high": None}
    if count < FEWEST_LEARNERS_IN_CLASS or total < FEWEST_IN_CLASS:
        return row
    spread = math.sqrt(count / (count - 1) * float(np.sum((sums - mean * sizes) ** 2))) / total
    reach = float(student.ppf(1.0 - ERROR_RATE / classes, count - 1)) * spread
    return row | {"low": mean - reach, "high": mean + reach}


def coin_tosses(
    correct: FloatArray, told: Mapping[str, FloatArray], *, name: str, of_what: str
) -> Gate:
    """Return whether predictions of coin tosses sort them no better than chance.

    Whoever sorts them has seen them. The AUC of n0 heads and n1 tails sorted blindly has the
    standard error sqrt((n0 + n1 + 1) / (12 n0 n1)) (Mann & Whitney, 1947).

    Args:
        correct: [R] the tosses, 0 or 1.
        told: by whom -> [R] what was predicted, each before the toss was known.
        name: of the gate.
        of_what: what was done, for the words.
    """
    heads = int((correct > 0.5).sum())
    error = math.sqrt((len(correct) + 1) / (12.0 * heads * (len(correct) - heads)))
    found = {who: metrics.auc(correct, prob) for who, prob in told.items()}
    worst = max(found.values(), key=lambda auc: abs(auc - 0.5))
    bound = COIN_ERRORS * error
    figures = ", ".join(f"{who} {auc:.3f}" for who, auc in found.items())
    return Gate(
        name=name,
        passed=abs(worst - 0.5) <= bound,
        value=worst,
        bound=bound,
        n=len(correct),
        words=(
            f"{of_what} the AUC is {figures}; without a leak it is 0.5, give or take {bound:.3f}."
        ),
        details={"auc": found},
    )


def latency(*, ms_per_learner: float, budget_ms: float, batch: int) -> Gate:
    """Return whether a learner's answer is taken in and the next ones predicted in time."""
    return Gate(
        name="latency",
        passed=ms_per_learner <= budget_ms,
        value=ms_per_learner,
        bound=budget_ms,
        n=batch,
        words=(
            f"One answer taken in and the next ones predicted takes {ms_per_learner:.2f} ms a "
            f"learner in a batch of {batch}; {budget_ms:.0f} ms are allowed."
        ),
    )
