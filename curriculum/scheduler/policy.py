"""How arms are rated and drawn: the one interface of all policies, and the one of set weights."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from curriculum.scheduler.arms import ArmTable, Choices
from curriculum.scheduler.errors import InvalidRating
from curriculum.scheduler.rules import Rules

FloatArray = NDArray[np.float64]
# What the rounding of a sum of chances may leave.
SUM_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Rating:
    """What a policy says of A arms and their Q (arm, item) pairs.

    Attributes:
        scores: [A] the higher the better; for the receipt, and for the choice where
            exploration is off.
        shares: [A] chance of each arm, before the uniform part; not negative, sums to 1.
        within: [Q] chance of each item given its arm, or None for those of `Choices.within`.
        shares_error: [A] standard error of the shares where they are simulated, else None.
        terms: what the scores are made of, [A] each by name; for the receipt.
    """

    scores: FloatArray
    shares: FloatArray
    within: FloatArray | None = None
    shares_error: FloatArray | None = None
    terms: Mapping[str, FloatArray] = field(default_factory=dict)

    def require_sound(self, choices: Choices) -> None:
        """Refuse what is no distribution over these arms and items.

        Raises:
            InvalidRating: a shape, a value or a sum is wrong.
        """
        size = len(choices.arms.concept)
        _require_values("scores", self.scores, size)
        _require_chances("shares", self.shares, size)
        if abs(float(self.shares.sum()) - 1.0) > SUM_TOLERANCE:
            raise InvalidRating(f"The shares sum to {self.shares.sum()}: give a sum of 1.")
        if self.within is not None:
            _require_chances("within", self.within, len(choices.arm))
            sums = np.bincount(choices.arm, weights=self.within, minlength=size)
            if (np.abs(sums - 1.0) > SUM_TOLERANCE).any():
                raise InvalidRating("The chances within an arm do not sum to 1.")


class Policy(Protocol):
    """Rates the open arms.

    It is a pure function: what was learnt from many learners is part of its version, and what
    it makes of one learner comes from the situation. So a receipt can be decided again.
    """

    @property
    def name(self) -> str:
        """Return what the policy is called in `curriculum.bandits.POLICIES`."""
        ...

    @property
    def version(self) -> str:
        """Return name and content: policies of equal version rate alike."""
        ...

    def rate(self, choices: Choices) -> Rating:
        """Return scores and shares of one or more arms."""
        ...


def rate_pairs(choices: Choices, *, log_weight: FloatArray, scores: FloatArray) -> Rating:
    """Return the rating that draws pairs by their weights.

    An item that is in several arms has its weight once, shared by these.

    Args:
        choices: the arms and their items.
        log_weight: [Q] logarithms of weights; -inf for never, not for all.
        scores: [Q] the best of an arm becomes its score.
    """
    size = len(choices.arms.concept)
    weight = np.exp(log_weight - log_weight.max()) / np.bincount(choices.item)[choices.item]
    weight /= weight.sum()
    shares = np.bincount(choices.arm, weights=weight, minlength=size)
    best = np.full(size, -np.inf)
    np.maximum.at(best, choices.arm, scores)
    # The arms' own chances where no item of the arm has any: they are never used.
    within = choices.within.copy()
    some = shares[choices.arm] > 0.0
    within[some] = weight[some] / shares[choices.arm[some]]
    return Rating(scores=best, shares=shares / shares.sum(), within=within)


def version_of(name: str, parameters: Mapping[str, Any]) -> str:
    """Return the name and a digest of the parameters, which are JSON values."""
    text = json.dumps(parameters, sort_keys=True, separators=(",", ":"))
    return f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


class GainSoftmax:
    """Weigh what an arm teaches, saves and follows, by fixed weights; softmax over the scores.

    The softmax follows SEC (arXiv:2505.14970), its reward does not: |outcome - expected| aims at
    coin flips, while the signed expected gain, less its uncertainty, aims at learning.
    """

    name = "gain-softmax"
    version = "gain-softmax-2"

    def rate(self, choices: Choices) -> Rating:
        """Return the weighted sums and their capped softmax."""
        terms = weigh(choices.arms, rules=choices.situation.rules)
        scores = np.sum(list(terms.values()), axis=0)
        return Rating(
            scores=scores, shares=capped_softmax(scores, rules=choices.situation.rules), terms=terms
        )


def weigh(arms: ArmTable, *, rules: Rules) -> dict[str, FloatArray]:
    """Return the terms of the score by name, [A] each; the score is their sum."""
    weights = rules.weights
    gain = arms.gain / arms.minutes
    largest = float(np.abs(gain).max())
    return {
        "gain": weights.gain * (gain / largest if largest > 0.0 else gain),
        "retention": weights.retention * arms.retention,
        "recency": -weights.recency * arms.recency,
        "order": weights.order * arms.order,
        "step_back": weights.step_back * arms.step_back,
    }


def capped_softmax(scores: FloatArray, *, rules: Rules) -> FloatArray:
    """Return the softmax at `rules.temperature`, no share above `rules.top_share`.

    What the cap takes from the top goes to the others in proportion, in closed form. A single
    arm takes all.
    """
    top = int(scores.argmax())
    shares = np.exp((scores - scores[top]) / rules.temperature)
    shares /= shares.sum()
    if len(scores) == 1 or shares[top] <= rules.top_share:
        return np.asarray(np.maximum(shares, np.finfo(np.float64).tiny))
    # From the scores again: the others may have vanished beside the top.
    others = np.delete(scores, top)
    rest = np.exp((others - others.max()) / rules.temperature)
    rest *= (1.0 - rules.top_share) / rest.sum()
    capped: FloatArray = np.insert(rest, top, rules.top_share)
    return capped


def _require_values(name: str, values: FloatArray, size: int) -> None:
    if values.shape != (size,) or not np.isfinite(values).all():
        raise InvalidRating(f"{name} has shape {values.shape} or is not finite: give [{size}].")


def _require_chances(name: str, values: FloatArray, size: int) -> None:
    _require_values(name, values, size)
    if size and values.min() < 0.0:
        raise InvalidRating(f"{name} has a negative chance: {values.min()}.")
