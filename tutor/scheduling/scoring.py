"""Which of two estimates did better on the same answers, with what chance makes of the difference.

The network has earned its weight where filter and network together lose less than the filter alone;
what is known of a learner, where it loses less than the difficulty of the item alone.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tutor.scheduling import tallies
from tutor.scheduling.tallies import Tally
from tutor.scheduling.trust import Floats, Ints, Outcomes, log_losses

# Chances no further apart are the same, written otherwise.
SAME = 1e-9


class Compared(Protocol):
    """Two estimates held against each other: `difference` is of the judged one less the other."""

    @property
    def n(self) -> int:
        """Answers."""

    @property
    def learners(self) -> int:
        """Whose answers they are."""

    @property
    def difference(self) -> float:
        """Mean difference of the log losses, nats: above 0 the judged one does harm."""

    @property
    def error(self) -> float:
        """Its standard error, learners drawn as a whole; nan for fewer than two."""


@dataclass(frozen=True, slots=True)
class Score:
    """How well chances were stated, on the same answers, where the network had a say.

    Attributes:
        n: answers, of `learners`.
        live, deep, pooled: mean log loss of each, nats.
        difference: of pooled less live: below 0 the network helps.
        error: its standard error, learners drawn as a whole; nan for fewer than two.
    """

    n: int
    learners: int
    live: float
    deep: float
    pooled: float
    difference: float
    error: float


@dataclass(frozen=True, slots=True)
class PersonalScore:
    """How well chances were stated from what is known of learners, and from difficulty alone.

    Attributes:
        n: answers, of `learners`.
        difficulty: mean log loss of a chance for which nothing is known of the learner, nats.
        personal: of the estimate that counts: the filter's, pooled where the network counts.
        difference: of personal less difficulty: below 0 knowing the learner helps.
        error: its standard error, learners drawn as a whole; nan for fewer than two.
    """

    n: int
    learners: int
    difficulty: float
    personal: float
    difference: float
    error: float


def tally_network(outcomes: Outcomes, *, moments: Collection[float] = ()) -> Tally:
    """Return the losses of filter, network and both, where the network had a say.

    Without weight both are the filter's, and their difference of 0 is no evidence for anything.
    """
    own = outcomes.only(np.isfinite(outcomes.deep) & (outcomes.weight > 0.0))
    return _tally(own, (own.live, own.deep, own.pooled), moments)


def tally_personal(outcomes: Outcomes, *, moments: Collection[float] = ()) -> Tally:
    """Return the losses of difficulty, of the filter, and of filter and network.

    Where nothing was known of the learner yet all are the same, and no evidence.
    """
    own = outcomes.only(np.isfinite(outcomes.difficulty))
    own = own.only(np.abs(own.live - own.difficulty) > SAME)
    pooled = np.where(np.isfinite(own.pooled), own.pooled, own.live)
    return _tally(own, (own.difficulty, own.live, pooled), moments)


def _tally(own: Outcomes, chances: tuple[Floats, ...], moments: Collection[float]) -> Tally:
    return tallies.tally(
        learner_id=own.learner_id,
        concept_id=own.concept_id,
        at=own.at,
        losses=np.stack([log_losses(prob, own.credit) for prob in chances], axis=1),
        moments=list(moments),
    )


def score(outcomes: Outcomes) -> Score | None:
    """Return how well the estimates did where the network had a say; None where it never had."""
    return score_network(tally_network(outcomes))


def score_by_concept(outcomes: Outcomes) -> dict[int, Score]:
    """Return concept id -> score, for the concepts of which the network had a say."""
    cells = tally_network(outcomes)
    found = {
        pk: score_network(cells.only(cells.concept_id == pk))
        for pk in np.unique(cells.concept_id).tolist()
    }
    return {pk: own for pk, own in found.items() if own is not None}


def score_network(cells: Tally) -> Score | None:
    """Return the score of what `tally_network` gave; None for no answer."""
    if not len(cells):
        return None
    difference, error = _compare(cells.losses[:, 2] - cells.losses[:, 0], cells)
    live, deep, pooled = (cells.losses.sum(axis=0) / cells.n.sum()).tolist()
    return Score(int(cells.n.sum()), _learners(cells), live, deep, pooled, difference, error)


def score_personal(
    cells: Tally, *, distrusted: frozenset[int | None] = frozenset()
) -> PersonalScore | None:
    """Return the score of what `tally_personal` gave; None for no answer.

    Args:
        cells: of one place.
        distrusted: concepts of which the network does not count there; None among them: of all.
    """
    if not len(cells):
        return None
    difficulty, live, pooled = cells.losses.T
    concepts = [pk for pk in distrusted if pk is not None]
    alone = np.isin(cells.concept_id, concepts) | (None in distrusted)
    personal = np.where(alone, live, pooled)
    difference, error = _compare(personal - difficulty, cells)
    count = int(cells.n.sum())
    return PersonalScore(
        n=count,
        learners=_learners(cells),
        difficulty=float(difficulty.sum()) / count,
        personal=float(personal.sum()) / count,
        difference=difference,
        error=error,
    )


def _learners(cells: Tally) -> int:
    return len(np.unique(cells.learner_id))


def _compare(sums: Floats, cells: Tally) -> tuple[float, float]:
    return clustered_mean(sums, cells.learner_id, counts=cells.n)


def clustered_mean(
    values: Floats, cluster: Ints, *, counts: Ints | None = None
) -> tuple[float, float]:
    """Return the mean of values and its standard error, clusters drawn as a whole.

    The sandwich of a mean (Liang & Zeger, 1986, doi 10.1093/biomet/73.1.13) with the usual factor
    G / (G - 1) for G clusters; nan for fewer than two.

    Args:
        values: (C,) sums of values.
        cluster: (C,) what they belong to.
        counts: (C,) of how many values each is the sum; one by default.
    """
    held = np.ones(len(values)) if counts is None else counts
    size = float(held.sum())
    mean = float(values.sum()) / size
    _, place = np.unique(cluster, return_inverse=True)
    sums = np.bincount(place, weights=values - mean * held)
    clusters = len(sums)
    if clusters < 2:
        return mean, float("nan")
    spread = float(sums @ sums) * clusters / (clusters - 1)
    return mean, float(np.sqrt(spread)) / size
