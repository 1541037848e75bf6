"""The door to `curriculum.irt`: a log in, what a run says of every item out. For workers only."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from curriculum.irt.calibrating import calibrate
from curriculum.irt.common_slope import CommonSlope, at_common_slope
from curriculum.irt.crowd import LEAST_RESPONDENTS, calibrate_crowd
from curriculum.irt.errors import TooFewAnchors
from curriculum.irt.item_fit import abilities_without_item
from curriculum.irt.item_priors import (
    ItemPriors,
    Source,
    concept_source,
    inherit,
    learn_priors,
    pool,
)
from curriculum.irt.likelihood import design_of, posterior_on
from curriculum.irt.models import Fit, ItemModel
from curriculum.irt.parameters import ItemParameters, bank_of
from curriculum.irt.responses import select_first_attempts
from curriculum.irt.run import CalibrationRun, Engine, Flag, Gate, Settings
from curriculum.irt.text_features import NAMES, text_features
from kt_models.api import ResponseLog

__all__ = [
    "Beforehand",
    "Calibrated",
    "Engine",
    "ItemModel",
    "Known",
    "Settings",
    "abilities_by_other_answers",
    "calibrate_log",
    "crowd_difficulty",
    "describe_texts",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# A fifth of the bank, at least 20, has to hold a scale; half as many more are asked for, since some
# may have drifted. The others are free to become better known.
ANCHOR_SHARE = 0.3
ANCHORS = 30
ANCHOR_SE = 0.35
# Flags of an item that should not hold a scale.
NO_ANCHOR = frozenset(Flag) - {Flag.THIN, Flag.DEPENDENT}


@dataclass(frozen=True, slots=True)
class Known:
    """Items of an earlier run; I rows.

    Attributes:
        items: names.
        difficulty, se, discrimination, guessing: [I] on that run's scale.
        may_anchor: [I] whether the item is fit to hold the scale.
    """

    items: tuple[str, ...]
    difficulty: Floats
    se: Floats
    discrimination: Floats
    guessing: Floats
    may_anchor: npt.NDArray[np.bool_]

    def bank(self, rows: npt.NDArray[np.bool_] | None = None) -> ItemParameters | None:
        """Return the parameters of the items that have any, or of some rows; None for no item."""
        chosen = np.isfinite(self.difficulty) & np.isfinite(self.discrimination)
        if rows is not None:
            chosen &= rows
        if not chosen.any():
            return None
        names = [name for name, own in zip(self.items, chosen, strict=True) if own]
        return bank_of(
            names,
            difficulty=self.difficulty[chosen],
            discrimination=self.discrimination[chosen],
            guessing=self.guessing[chosen],
        )


@dataclass(frozen=True, slots=True)
class Beforehand:
    """What is known of the course's items before any answer; N items, seen or not.

    Attributes:
        items: names; those of the log are among them.
        author: [N] the author's difficulty, logits.
        concept: [N] main concept, 0 and up.
        text: [N, F] features of the text, nan where there is none.
        crowd: [N] difficulty that an artificial crowd found; nan where it was not asked.
        parent: [N] place of the version that an item's version followed, always an earlier one;
            -1 for a first version.
    """

    items: tuple[str, ...]
    author: Floats
    concept: Ints
    text: Floats
    crowd: Floats
    parent: Ints

    def sources(self) -> tuple[Source, ...]:
        """Return the kinds of prior knowledge."""
        found = [
            Source("author", self.author[:, None]),
            concept_source(self.concept),
            Source("text", self.text),
        ]
        if np.isfinite(self.crowd).any():
            found.append(Source("crowd", self.crowd[:, None]))
        return tuple(found)


def describe_texts(texts: Sequence[Mapping[str, Any]]) -> Floats:
    """Return the features of N items' texts, [N, F], each given as `text_features` takes it."""
    rows = [text_features(**text) for text in texts]
    return np.array(rows, dtype=np.float64).reshape(-1, len(NAMES))


def crowd_difficulty(answers: Floats) -> Floats:
    """Return [N] what a crowd found hard; nan throughout if it is too small to tell."""
    enough = len(answers) >= LEAST_RESPONDENTS
    return calibrate_crowd(answers) if enough else np.full(answers.shape[1], np.nan)


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A run, with the priors of all N items and the pooled figures.

    Attributes:
        run: as the library gives it; its items are those of the log.
        gates: the run's, and whether it is on the scale of the reference.
        priors: of the N items.
        se: by item of the run, that of the reference for an anchor.
        difficulty, pooled_se: [N] answers and prior together, at the common slope.
        slope: the common slope, per logit.
        learnt_sd: [N] sd of the priors before reworded items took theirs from the version before.
    """

    run: CalibrationRun
    gates: tuple[Gate, ...]
    priors: ItemPriors
    se: Mapping[str, float]
    difficulty: Floats
    pooled_se: Floats
    slope: float
    learnt_sd: Floats


def calibrate_log(
    log: ResponseLog,
    *,
    beforehand: Beforehand,
    settings: Settings,
    reference: Known | None,
    earlier: Known | None,
    guessing_by_item: Mapping[str, float],
    progress: Callable[[str], object],
) -> Calibrated:
    """Return the calibration of a course's log, on the scale of the reference.

    With too few items in common it stands on a scale of its own, and a gate says so.

    Raises:
        NothingToCalibrate: no unassisted first attempt.
    """
    anchors = None if reference is None else choose_anchors(reference, among=_seen(log))
    linked = Gate("on-the-scale", 1.0, 1.0, passed=True)
    warm = None if earlier is None else earlier.bank()
    try:
        run = calibrate(
            log,
            settings=settings,
            anchors=anchors,
            earlier=warm,
            guessing_by_item=guessing_by_item,
            progress=progress,
        )
    except TooFewAnchors:
        anchors = None
        run = calibrate(
            log,
            settings=settings,
            earlier=warm,
            guessing_by_item=guessing_by_item,
            progress=progress,
        )
    if reference is not None and anchors is None:
        linked = dataclasses.replace(linked, value=0.0, passed=False)
    progress("weighing what was expected beforehand")
    return _with_priors(run, beforehand, reference, linked)


def choose_anchors(known: Known, *, among: frozenset[str]) -> ItemParameters | None:
    """Return the items that hold the scale: well known, and spread over all difficulties."""
    fit = known.may_anchor & (known.se < ANCHOR_SE)
    fit &= np.array([name in among for name in known.items], dtype=bool)
    wanted = max(ANCHORS, int(np.ceil(ANCHOR_SHARE * len(among))))
    candidates = np.flatnonzero(fit)
    by_place = candidates[np.argsort(known.difficulty[candidates], kind="stable")]
    parts = np.array_split(by_place, min(wanted, len(by_place)) or 1)
    chosen = np.zeros(len(known.items), dtype=bool)
    chosen[[int(part[np.argmin(known.se[part])]) for part in parts if len(part)]] = True
    return known.bank(chosen)


def _seen(log: ResponseLog) -> frozenset[str]:
    counts = np.bincount(log.item, minlength=len(log.item_keys))
    return frozenset(name for name, n in zip(log.item_keys, counts, strict=True) if n)


def _with_priors(
    run: CalibrationRun, beforehand: Beforehand, reference: Known | None, linked: Gate
) -> Calibrated:
    known = {} if reference is None else dict(zip(reference.items, reference.se, strict=True))
    se = {
        one.item: float(known[one.item]) if one.anchor else one.difficulty_se for one in run.items
    }
    place = {name: k for k, name in enumerate(beforehand.items)}
    common = _common_slope(run, se)
    difficulty, error = (np.full(len(place), np.nan) for _ in range(2))
    told = np.zeros(len(place), dtype=bool)
    seen = [one for one in run.items if one.n]
    for one, own, own_se in zip(seen, common.difficulty, common.se, strict=True):
        k = place[one.item]
        difficulty[k], error[k] = own, own_se
        # To learn what authors and texts are worth it takes items whose difficulty is known.
        told[k] = not set(one.flags) & {Flag.NEGATIVE, Flag.ALL_RIGHT, Flag.ALL_WRONG}
    usable = told & (error < 2.0 * ANCHOR_SE)
    priors = learn_priors(
        sources=beforehand.sources(),
        difficulty=np.where(usable, difficulty, np.nan),
        se=error,
        guess=beforehand.author,
    )
    learnt_sd = priors.sd
    priors = inherit(
        priors, beforehand.parent, difficulty, error, fitted_sd=run.settings.priors.difficulty_sd
    )
    pooled, pooled_se = pool(
        difficulty=difficulty,
        se=error,
        fitted_sd=run.settings.priors.difficulty_sd,
        prior_mean=priors.mean,
        prior_sd=priors.sd,
    )
    return Calibrated(
        run=run,
        gates=(*run.gates, linked),
        priors=priors,
        se=se,
        difficulty=pooled,
        pooled_se=pooled_se,
        slope=common.slope,
        learnt_sd=learnt_sd,
    )


def _common_slope(run: CalibrationRun, se: Mapping[str, float]) -> CommonSlope:
    seen = [one for one in run.items if one.n]
    bank = bank_of(
        [one.item for one in seen],
        difficulty=[one.difficulty for one in seen],
        discrimination=[one.discrimination for one in seen],
        guessing=[one.guessing for one in seen],
    )
    return at_common_slope(
        bank,
        se=np.array([se[one.item] for one in seen]),
        n=np.array([one.n for one in seen], dtype=np.int64),
        population=run.population,
    )


def abilities_by_other_answers(log: ResponseLog, run: CalibrationRun) -> Floats:
    """Return [R] for each calibrated answer the learner's ability by all their others, logits."""
    responses, _ = select_first_attempts(log)
    place = {one.item: one for one in run.items}
    figures = [place[name] for name in responses.items]
    bank = bank_of(
        responses.items,
        # Items without an answer have no figures, and none of these answers is theirs.
        difficulty=[0.0 if np.isnan(one.difficulty) else one.difficulty for one in figures],
        discrimination=[
            1.0 if np.isnan(one.discrimination) else one.discrimination for one in figures
        ],
        guessing=[one.guessing for one in figures],
    )
    posterior = posterior_on(design_of(responses), bank, population=run.population)
    fit = Fit(bank, run.population, run.log_likelihood, run.iterations, converged=None)
    return abilities_without_item(responses, fit, posterior)
