"""Which runs a learning curve is made of, and what they say together."""

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kt_models.data.splits import NothingToSplit
from kt_models.evaluation import metrics
from kt_models.evaluation.power_law import MoreLearners, more_learners
from kt_models.evaluation.protocols import Trial
from kt_models.runs.predictions import read_answers

# Each size is about twice the one before.
STEP = 2.0
FEWEST = 5


@dataclass(frozen=True, slots=True)
class Point:
    """One run of a learning curve.

    Attributes:
        size: training learners.
        seed: who they are, and the seed of the fit.
        trial: with those alone to learn from.
        folder: of the run.
    """

    size: int
    seed: int
    trial: Trial
    folder: Path


def points(trial: Trial, out: Path, *, sizes: int, seeds: Sequence[int]) -> Iterator[Point]:
    """Yield the runs, small ones first; of one seed, the fewer learners are among the more.

    Args:
        trial: its test answers are the same for all runs.
        out: folder of the runs.
        sizes: how many sizes, the greatest being all training learners.
        seeds: one run per size and seed.

    Raises:
        NothingToSplit: the smallest size would be too small to learn from.
    """
    count = len(trial.train.learner_keys)
    chosen = [round(count / STEP**k) for k in range(sizes - 1, -1, -1)]
    if chosen[0] < FEWEST:
        raise NothingToSplit(
            f"{sizes} sizes from {count} training learners begin at {chosen[0]}; "
            f"name fewer sizes, so that the first has {FEWEST}."
        )
    for size in chosen:
        for seed in seeds:
            order = np.random.default_rng([seed, 7]).permutation(count)
            some = trial.train.only_learners(np.sort(order[:size]))
            path = out / f"learners-{size}" / f"seed-{seed}"
            yield Point(size, seed, dataclasses.replace(trial, train=some), path)


def report(done: Sequence[Point], *, gain: float, seed: int, resamples: int = 500) -> MoreLearners:
    """Return what finished runs say about further learners.

    Args:
        done: the runs of a curve, all of them finished.
        gain: of log loss, in nats.
        seed: of the bootstrap.
        resamples: of it.

    Raises:
        RunUnreadable: a run left no predictions.
        TooFewSizes: fewer than three sizes.
    """
    by_size: dict[int, list[NDArray[np.float64]]] = {}
    counts = np.zeros(0)
    for point in done:
        answers = read_answers(point.folder)
        losses = metrics.log_losses(answers.correct, answers.prob)
        _, member = np.unique(answers.learner, return_inverse=True)
        by_size.setdefault(point.size, []).append(np.bincount(member, losses).astype(float))
        counts = np.bincount(member).astype(float)
    return more_learners(
        [np.stack(runs) for runs in by_size.values()],
        sizes=list(by_size),
        counts=counts,
        gain=gain,
        seed=seed,
        resamples=resamples,
    )


def to_json(found: MoreLearners) -> Mapping[str, Any]:
    """Return the report as JSON values; what is unbounded is null."""
    values = dataclasses.asdict(found)
    for name in ("needed", "low", "high"):
        values[name] = None if math.isinf(values[name]) else values[name]
    return values | {"verdict": found.verdict()}
