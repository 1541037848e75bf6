"""What to expect of an item that few or none have answered, learnt from the items that are known.

A ridge regression of known difficulties on what is known beforehand: an author's guess, the
item's concept, features of its text, the difficulty that an artificial crowd found
(arXiv:2408.05326). How strongly each kind is believed, and how sure the whole is, is judged by
leaving out each known item in turn, so a useless source is shrunk to nothing. Needs numpy only.
"""

import dataclasses
import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curriculum.irt.errors import ImpossibleSetting

Floats = NDArray[np.float64]

# A prior is never believed more than this, whatever it promised on other items: logits.
LEAST_SD = 0.7
# Without known items to learn from: the sd of the difficulties of a bank.
UNTRIED_SD = 1.0
# How far rewording an item may move its difficulty: logits.
REWORDED_SD = 0.5
ENOUGH_KNOWN = 20
_PENALTIES = (0.3, 3.0, 30.0, 300.0, math.inf)
# Sources are tuned in turn; twice through them is where it stands still.
_ROUNDS = 2


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of prior knowledge about I items.

    Attributes:
        name: for people.
        columns: [I, F] numbers; nan where it says nothing, which counts as the average.
    """

    name: str
    columns: Floats


@dataclass(frozen=True, slots=True)
class ItemPriors:
    """What is expected of I items.

    Attributes:
        mean: [I] logits.
        sd: [I] at least `LEAST_SD`.
        sources: names of the sources that are believed.
        tried_on: known items that it was learnt from and tried on.
        rmse: of the items left out in turn, their own errors included; nan where untried.
        rmse_without: the same if every item is taken for the mean one.
    """

    mean: Floats
    sd: Floats
    sources: tuple[str, ...]
    tried_on: int
    rmse: float
    rmse_without: float


def concept_source(concept: NDArray[np.int64]) -> Source:
    """Return the source that knows each item's concept, [I] 0 and up, -1 for none."""
    width = int(concept.max(initial=-1)) + 1
    columns = (concept[:, None] == np.arange(width)).astype(np.float64)
    return Source("concept", columns)


def learn_priors(
    *, sources: tuple[Source, ...], difficulty: Floats, se: Floats, guess: Floats | None = None
) -> ItemPriors:
    """Return what to expect of every item.

    A known item's own difficulty is never part of what is expected of it.

    Args:
        sources: what is known beforehand.
        difficulty: [I] calibrated, logits; nan where unknown.
        se: [I] its standard error.
        guess: [I] an author's difficulty on a logit scale, which serves, moved to the mean of the
            known items, while fewer than `ENOUGH_KNOWN` are known.

    Raises:
        ImpossibleSetting: a source has another number of items.
    """
    count = len(difficulty)
    if any(source.columns.shape[:1] != (count,) for source in sources):
        raise ImpossibleSetting("Every source needs one row per item.")
    known = np.isfinite(difficulty) & np.isfinite(se)
    if known.sum() < ENOUGH_KNOWN:
        return _untried(difficulty, known, guess)
    weight = 1.0 / (se[known] ** 2 + LEAST_SD**2)
    target = difficulty[known]
    blocks = [_standardised(source.columns, known) for source in sources]
    penalties = _tune([block[known] for block in blocks], target, weight)
    design = _design(blocks, penalties, size=count)
    left_out = _leave_one_out(design[known], target, weight)
    mean = design @ _solve(design[known], target, weight)
    mean[known] = left_out
    wrong = target - left_out
    sd = max(math.sqrt(max(float(np.mean(wrong**2 - se[known] ** 2)), 0.0)), LEAST_SD)
    believed = [s.name for s, penalty in zip(sources, penalties, strict=True) if penalty < math.inf]
    return ItemPriors(
        mean=mean,
        sd=np.full(count, sd),
        sources=tuple(believed),
        tried_on=int(known.sum()),
        rmse=float(np.sqrt(np.mean(wrong**2))),
        rmse_without=float(np.sqrt(np.mean(_without(target) ** 2))),
    )


def inherit(
    priors: ItemPriors,
    parent: NDArray[np.int64],
    difficulty: Floats,
    se: Floats,
    *,
    fitted_sd: float,
) -> ItemPriors:
    """Return the priors with those of reworded items from the item that each was made from.

    It passes on what it has come to by its own answers, give or take `REWORDED_SD`, where that is
    surer than what was learnt from other items.

    Args:
        priors: of I items.
        parent: [I] place of the item that each was made from, always an earlier one; -1 for none.
        difficulty: [I] as fitted; nan where nobody answered.
        se: [I] of that; nan likewise.
        fitted_sd: sd of the prior that it was fitted with.
    """
    mean, sd = priors.mean.copy(), priors.sd.copy()
    for k in np.flatnonzero(parent >= 0).tolist():
        own = slice(parent[k], parent[k] + 1)
        before, before_se = pool(
            difficulty=difficulty[own],
            se=se[own],
            fitted_sd=fitted_sd,
            prior_mean=mean[own],
            prior_sd=sd[own],
        )
        changed = math.hypot(float(before_se[0]), REWORDED_SD)
        if changed < sd[k]:
            mean[k], sd[k] = float(before[0]), changed
    return dataclasses.replace(priors, mean=mean, sd=sd)


def pool(
    *, difficulty: Floats, se: Floats, fitted_sd: float, prior_mean: Floats, prior_sd: Floats
) -> tuple[Floats, Floats]:
    """Return [I] difficulties and standard errors from answers and prior together, by precision.

    The fit's own weak prior N(0, fitted_sd) is taken out first, so that none is counted twice.

    Args:
        difficulty: [I] as fitted; nan where nobody answered.
        se: [I] of that; nan likewise.
        fitted_sd: sd of the prior that it was fitted with.
        prior_mean: [I].
        prior_sd: [I].
    """
    known = np.isfinite(difficulty) & np.isfinite(se)
    precision = np.where(known, 1.0 / np.where(known, se, 1.0) ** 2, 0.0)
    # An item all got right: its error is that of the prior alone, up to rounding.
    by_answers = np.maximum(precision - 1.0 / fitted_sd**2, 0.0)
    moment = np.where(known, precision * np.where(known, difficulty, 0.0), 0.0)
    by_prior = 1.0 / prior_sd**2
    total = by_answers + by_prior
    return (moment + by_prior * prior_mean) / total, np.sqrt(1.0 / total)


def _untried(difficulty: Floats, known: NDArray[np.bool_], guess: Floats | None) -> ItemPriors:
    count = len(difficulty)
    author = np.zeros(count) if guess is None else guess
    centre = float((difficulty - author)[known].mean()) if known.any() else 0.0
    if guess is not None and not known.any():
        centre = -float(author.mean()) if count else 0.0
    return ItemPriors(
        mean=author + centre,
        sd=np.full(count, UNTRIED_SD),
        sources=("author",) if guess is not None else (),
        tried_on=0,
        rmse=math.nan,
        rmse_without=math.nan,
    )


def _standardised(columns: Floats, known: NDArray[np.bool_]) -> Floats:
    """Return the columns with mean 0 and sd 1 over the known items; silent cells are average."""
    inside = columns[known]
    there = np.isfinite(inside)
    size = np.maximum(there.sum(axis=0), 1)
    mean = np.where(there, inside, 0.0).sum(axis=0) / size
    apart = np.where(np.isfinite(columns), columns - mean, 0.0)
    spread = np.sqrt((apart[known] ** 2).sum(axis=0) / size)
    return np.asarray(np.divide(apart, spread, out=np.zeros_like(apart), where=spread > 1e-9))


def _design(blocks: list[Floats], penalties: tuple[float, ...], *, size: int) -> Floats:
    """Return the mean and the blocks side by side, each over the root of its penalty.

    One ridge of 1 then serves for all; the mean is as good as free.
    """
    parts = [block / math.sqrt(p) for block, p in zip(blocks, penalties, strict=True)]
    return np.concatenate([np.full((size, 1), 1e3), *parts], axis=1)


def _solve(design: Floats, target: Floats, weight: Floats) -> Floats:
    left = (design.T * weight) @ design + np.eye(design.shape[1])
    return np.asarray(np.linalg.solve(left, (design.T * weight) @ target))


def _leave_one_out(design: Floats, target: Floats, weight: Floats) -> Floats:
    """Return what each item's others say of it: the closed form with the hat matrix's diagonal."""
    left = (design.T * weight) @ design + np.eye(design.shape[1])
    hat = np.einsum("ij,ji->i", design, np.linalg.solve(left, design.T)) * weight
    fitted = design @ _solve(design, target, weight)
    return np.asarray((fitted - hat * target) / np.maximum(1.0 - hat, 1e-6))


def _without(target: Floats) -> Floats:
    """Return how far each item lies from the mean of the others."""
    size = len(target)
    return np.asarray((target - target.mean()) * size / (size - 1))


def _tune(blocks: list[Floats], target: Floats, weight: Floats) -> tuple[float, ...]:
    penalties = [math.inf] * len(blocks)
    for _, k in itertools.product(range(_ROUNDS), range(len(blocks))):
        losses = []
        for penalty in _PENALTIES:
            penalties[k] = penalty
            design = _design(blocks, tuple(penalties), size=len(target))
            wrong = target - _leave_one_out(design, target, weight)
            losses.append(float(weight @ wrong**2))
        penalties[k] = _PENALTIES[int(np.argmin(losses))]
    return tuple(penalties)
