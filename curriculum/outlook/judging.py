"""A hazard fitted on some learners and held against rules of thumb on others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from curriculum.outlook import associations, scoring
from curriculum.outlook.explaining import HABITS
from curriculum.outlook.features import NAMES
from curriculum.outlook.fitting import TooFewLooks, fit_hazard
from curriculum.outlook.hazard import Hazard
from curriculum.outlook.looks import Looks

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

MODEL = "hazard"
# The rules of thumb, by their column of `Looks`.
PEERS = ("behind", "pace", "usual-pace")
PARTS = ("train", "valid", "test")
SHARES = (0.6, 0.2, 0.2)
# Days up to which times are compared.
HORIZON = 28.0
# Habits are advised within these quantiles of what was seen.
SEEN = (0.05, 0.95)


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Looks of the learners that are fitted on, chosen by, and judged by."""

    train: Looks
    valid: Looks
    test: Looks


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A fitted hazard with what is known of it.

    Attributes:
        hazard: fitted on the training learners.
        threshold: chance of missing the date from which on a learner is named as at risk, 0..1.
        ranges: habit's feature -> the lowest and highest value to advise.
        associations: feature -> shares that reached their goal, of training learners.
        evidence: figures on the test learners, as JSON values.
    """

    hazard: Hazard
    threshold: float
    ranges: dict[str, tuple[float, float]]
    associations: dict[str, associations.Association]
    evidence: dict[str, Any]


def split(looks: Looks, *, seed: int, among: NDArray[np.int64] | None = None) -> Parts:
    """Return the looks by learner: 60 % to fit, 20 % to choose the working point, 20 % to judge.

    Args:
        looks: of all.
        seed: of the draw.
        among: the learners to draw from; those with looks by default.
    """
    everyone = np.unique(looks.learner) if among is None else among
    learners = np.random.default_rng(seed).permutation(everyone)
    cuts = np.round(np.cumsum(SHARES)[:-1] * len(learners)).astype(int)
    train, valid, test = np.split(learners, cuts)
    return Parts(*(looks.only(np.isin(looks.learner, own)) for own in (train, valid, test)))


def fit_and_judge(parts: Parts, *, seed: int, resamples: int = 200) -> Judged:
    """Return the hazard with figures on learners that neither it nor the working point has met.

    Args:
        parts: of `split`.
        seed: of the resamples.
        resamples: cohorts drawn for each interval.

    Raises:
        TooFewLooks: too few learners or goals reached, or no date missed or met in a part.
    """
    hazard = fit_hazard(parts.train)
    _require_both(parts.train, parts.valid, parts.test)
    risks = {
        name: (risk_of(name, parts.valid, hazard), risk_of(name, parts.test, hazard))
        for name in (MODEL, *PEERS)
    }
    known = parts.valid.outcomes()
    thresholds = {
        name: scoring.best_threshold(~known.reached, valid, known.weight)
        for name, (valid, _) in risks.items()
    }
    figures = {
        name: _figures(name, parts, risk, thresholds[name], hazard, seed=seed, resamples=resamples)
        for name, (_, risk) in risks.items()
    }
    outcomes = parts.train.outcomes()
    return Judged(
        hazard=hazard,
        threshold=thresholds[MODEL],
        ranges=_ranges(parts.train),
        associations=associations.associate(
            hazard, parts.train, reached=outcomes.reached, weight=outcomes.weight
        ),
        evidence=_circumstances(parts)
        | {
            "methods": figures,
            "against": _against(parts, risks, seed=seed, resamples=resamples),
            "calibration": _calibration(parts.test, risks[MODEL][1]),
        },
    )


def risk_of(name: str, looks: Looks, hazard: Hazard) -> FloatArray:
    """Return [n] the risk of missing the date that a method names; the model's is a chance."""
    if name == MODEL:
        return 1.0 - hazard.chances(looks.features, looks.days_left)
    if name == "behind":
        return looks.behind
    days = looks.pace_days if name == "pace" else looks.usual_days
    return np.log(np.maximum(days, 0.01) / looks.days_left)


def expected_days(name: str, looks: Looks, hazard: Hazard) -> FloatArray | None:
    """Return [n] when the goal will have been reached; None of a method that does not say."""
    if name == MODEL:
        return hazard.medians(looks.features)
    return {"pace": looks.pace_days, "usual-pace": looks.usual_days}.get(name)


def as_chance(risk: FloatArray, train_risk: FloatArray, train: Looks) -> FloatArray:
    """Return [n] chances of missing the date that a rule's number stands for on training learners.

    By one logistic curve, so that a rule of thumb is not scored worse for not being a chance.
    """
    known = train.outcomes()
    curve = LogisticRegression(C=1e6, max_iter=1_000)
    kept = known.weight > 0.0
    curve.fit(train_risk[kept, None], ~known.reached[kept], sample_weight=known.weight[kept])
    return np.asarray(curve.predict_proba(risk[:, None])[:, 1])


def _figures(
    name: str,
    parts: Parts,
    risk: FloatArray,
    threshold: float,
    hazard: Hazard,
    *,
    seed: int,
    resamples: int,
) -> dict[str, Any]:
    """Return a method's figures on the test learners, each with its interval."""
    test = parts.test
    known = test.outcomes()
    missed, weight = ~known.reached, known.weight
    chance = risk
    if name != MODEL:
        chance = as_chance(risk, risk_of(name, parts.train, hazard), parts.train)
    scores: dict[str, scoring.Score] = {
        "average_precision": lambda w: scoring.average_precision(missed, risk, weight * w),
        "auc": lambda w: scoring.area_under_roc(missed, risk, weight * w),
        "precision": lambda w: (
            scoring.at_working_point(missed, risk, weight * w, threshold).precision
        ),
        "recall": lambda w: scoring.at_working_point(missed, risk, weight * w, threshold).recall,
        "brier": lambda w: scoring.brier(missed, chance, weight * w),
    }
    expected = expected_days(name, test, hazard)
    if expected is not None:
        scores |= _time_scores(test, expected)
    point = scoring.at_working_point(missed, risk, weight, threshold)
    return {
        "threshold": round(threshold, 4),
        "named": round(point.named, 4),
        **{
            key: _with_interval(score, test, seed=seed, resamples=resamples)
            for key, score in scores.items()
        },
    }


def _time_scores(test: Looks, expected: FloatArray) -> dict[str, scoring.Score]:
    seen = test.outcomes(HORIZON)
    return {
        "days_off": lambda w: scoring.absolute_error(test.days, expected, seen.weight * w, HORIZON),
        "concordance": scoring.concordance(test.days, test.reached, expected, seen.weight, HORIZON),
    }


def _with_interval(
    score: scoring.Score, looks: Looks, *, seed: int, resamples: int
) -> dict[str, Any]:
    """Return a figure with its interval; None where there is nobody to take a share of."""
    low, high = scoring.interval(score, looks.learner, resamples=resamples, seed=seed)
    value = score(np.ones(len(looks)))
    found = {"value": value, "low": low, "high": high}
    # Databases keep JSON, which knows no nan.
    return {key: round(one, 4) if np.isfinite(one) else None for key, one in found.items()}


def _against(
    parts: Parts,
    risks: Mapping[str, tuple[FloatArray, FloatArray]],
    *,
    seed: int,
    resamples: int,
) -> dict[str, Any]:
    """Return by how much the model's average precision exceeds each rule's, and whether surely."""
    known = parts.test.outcomes()
    missed, weight = ~known.reached, known.weight
    ours = risks[MODEL][1]
    found: dict[str, Any] = {}
    for name in PEERS:
        theirs = risks[name][1]
        told = _with_interval(
            lambda w, theirs=theirs: (  # type: ignore[misc]
                scoring.average_precision(missed, ours, weight * w)
                - scoring.average_precision(missed, theirs, weight * w)
            ),
            parts.test,
            seed=seed,
            resamples=resamples,
        )
        found[name] = told | {"beaten": told["low"] is not None and told["low"] > 0.0}
    return found


def _circumstances(parts: Parts) -> dict[str, Any]:
    known = parts.test.outcomes()
    lost = known.weight == 0.0
    missed = float(np.average(~known.reached, weights=known.weight))
    return {
        "learners": {name: len(np.unique(getattr(parts, name).learner)) for name in PARTS},
        "looks": {name: len(getattr(parts, name)) for name in PARTS},
        "missed": round(missed, 4),
        "lost_from_sight": round(float(lost.mean()), 4),
        "horizon_days": HORIZON,
    }


def _calibration(test: Looks, risk: FloatArray) -> list[list[float]]:
    """Return (low, high, n, said, came) of the chance to reach the goal."""
    known = test.outcomes()
    bins = scoring.calibrate(known.reached, 1.0 - risk, known.weight)
    return [[one.low, one.high, one.n, round(one.said, 4), round(one.came, 4)] for one in bins]


def _ranges(train: Looks) -> dict[str, tuple[float, float]]:
    found = {}
    for habit in HABITS:
        column = train.features[:, NAMES.index(habit.feature)]
        low, high = np.quantile(column, SEEN)
        found[habit.feature] = (float(low), float(high))
    return found


def _require_both(*parts: Looks) -> None:
    for own in parts:
        if not len(own):
            raise TooFewLooks("No looks to judge by: more learners are needed.")
        known = own.outcomes()
        here = known.reached[known.weight > 0.0]
        if here.all() or not here.any():
            told = f"{len(here)} outcomes, {int(here.sum())} of them reached"
            raise TooFewLooks(f"{told}: dates met and dates missed are needed to judge by.")
