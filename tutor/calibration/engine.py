"""The door to `curriculum.irt`: a log in, what a run says of every item out. For workers only."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from curriculum.errors import CurriculumError
from curriculum.irt.anchoring import ANCHOR_SE, Known, choose_anchors, gates_of_scale
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
from curriculum.irt.parameters import bank_of
from curriculum.irt.population import Population
from curriculum.irt.responses import select_first_attempts
from curriculum.irt.run import MAY_ANCHOR, CalibrationRun, Engine, Flag, Gate, Settings
from curriculum.irt.text_features import NAMES, text_features
from kt_models.api import ResponseLog

__all__ = [
    "MAY_ANCHOR",
    "Beforehand",
    "Calibrated",
    "CurriculumError",
    "Decided",
    "Engine",
    "Inputs",
    "ItemModel",
    "Known",
    "Population",
    "Settings",
    "abilities_by_other_answers",
    "calibrate_log",
    "crowd_difficulty",
    "describe_texts",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# Flags of an item whose difficulty on the run's scale its answers do not tell.
UNKNOWN = frozenset({Flag.NEGATIVE, Flag.ALL_RIGHT, Flag.ALL_WRONG, Flag.DISCONNECTED})


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
class Decided:
    """What a person has decided about an item, on the reference's scale.

    Attributes:
        difficulty, se: logits at the common slope.
        is_held: whether it is used whatever the answers say.
    """

    difficulty: float
    se: float
    is_held: bool


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a calibration is made from beside the log.

    Attributes:
        settings: model, engine, priors, seed.
        beforehand: what is known of the items.
        guessing: chances of guessing by item, for the 3PL.
        decided: what persons have decided about items: those hold no scale, and where a new version
            follows one it starts from there.
        groups: group by learner, for the comparison of groups; None for none.
    """

    settings: Settings
    beforehand: Beforehand
    guessing: Mapping[str, float]
    decided: Mapping[str, Decided]
    groups: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A run, with the priors of all N items and the pooled figures.

    Attributes:
        run: as the library gives it; its items are those of the log.
        gates: the run's, and those of the scale that it stands on.
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
    inputs: Inputs,
    reference: Known | None,
    in_use: bool,
    earlier: Known | None,
    progress: Callable[[str], object],
) -> Calibrated:
    """Return the calibration of a course's log, on the scale of the reference.

    With too few items in common, or a reference of another model, it stands on a scale of its own,
    and a gate says so.

    Args:
        log: the course's.
        inputs: what it is made from beside the log.
        reference: the run whose scale the new one shall be on.
        in_use: whether it is the one that learners' estimates rest on.
        earlier: the run to start from.
        progress: called with the name of each step before it begins.

    Raises:
        CurriculumError: no unassisted first attempt, or a setting or figure that cannot be.
    """
    settings, decided = inputs.settings, inputs.decided
    asked: dict[str, Any] = {}
    if reference is not None and reference.model is settings.model and reference.holds_a_scale:
        asked["anchors"] = choose_anchors(reference, among=_seen(log) - decided.keys())
        asked["anchors_learners"] = reference.population
    always: dict[str, Any] = {
        "settings": settings,
        "earlier": None if earlier is None else earlier.bank(),
        "guessing_by_item": inputs.guessing,
        "groups": inputs.groups,
        "progress": progress,
    }
    try:
        run = calibrate(log, **always, **asked)
    except TooFewAnchors:
        run = calibrate(log, **always)
    progress("weighing what was expected beforehand")
    gates = (*run.gates, *gates_of_scale(run, reference, in_use=in_use))
    # On a scale of its own the run knows nothing of what was decided on another one.
    return _with_priors(
        run, inputs.beforehand, reference, gates, {} if run.link is None else decided
    )


def _seen(log: ResponseLog) -> frozenset[str]:
    counts = np.bincount(log.item, minlength=len(log.item_keys))
    return frozenset(name for name, n in zip(log.item_keys, counts, strict=True) if n)


def _with_priors(
    run: CalibrationRun,
    beforehand: Beforehand,
    reference: Known | None,
    gates: tuple[Gate, ...],
    decided: Mapping[str, Decided],
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
        told[k] = not set(one.flags) & UNKNOWN and one.item not in decided
    usable = told & (error < 2.0 * ANCHOR_SE)
    priors = learn_priors(
        sources=beforehand.sources(),
        difficulty=np.where(usable, difficulty, np.nan),
        se=error,
        guess=beforehand.author,
    )
    learnt_sd = priors.sd
    priors = _inherited(
        priors, beforehand, difficulty, error, decided, fitted_sd=run.settings.priors.difficulty_sd
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
        gates=gates,
        priors=priors,
        se=se,
        difficulty=pooled,
        pooled_se=pooled_se,
        slope=common.slope,
        learnt_sd=learnt_sd,
    )


def _inherited(
    priors: ItemPriors,
    beforehand: Beforehand,
    difficulty: Floats,
    error: Floats,
    decided: Mapping[str, Decided],
    *,
    fitted_sd: float,
) -> ItemPriors:
    """Return the priors with those of reworded items, which start from what was decided, if any."""
    rows = [k for k, name in enumerate(beforehand.items) if name in decided]
    mean, sd, own, own_error = priors.mean.copy(), priors.sd.copy(), difficulty.copy(), error.copy()
    for k in rows:
        one = decided[beforehand.items[k]]
        mean[k], sd[k] = one.difficulty, one.se
        if one.is_held:
            own[k] = own_error[k] = np.nan
    passed_on = inherit(
        dataclasses.replace(priors, mean=mean, sd=sd),
        beforehand.parent,
        own,
        own_error,
        fitted_sd=fitted_sd,
    )
    # Of the items themselves the run says what it would say without: so it can be lifted again.
    passed_on.mean[rows], passed_on.sd[rows] = priors.mean[rows], priors.sd[rows]
    return passed_on


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
