"""The settings of the scheduler: thresholds, cool-downs, targets and weights.

They are ordinary numbers that a policy version fixes; nothing here is learnt.
"""

import dataclasses
import functools
import hashlib
import json
import math
from dataclasses import dataclass, field
from typing import Any, Self

from curriculum.scheduler.errors import InvalidRules

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Targets:
    """The success probability that an item should have, by the mode it is given in."""

    learn: float = 0.75
    practise: float = 0.80
    review: float = 0.88
    # Information p(1-p) is within 10 % of its maximum at .65, without making half of them fail.
    probe: float = 0.65


@dataclass(frozen=True, slots=True)
class Weights:
    """What counts how much in an arm's score.

    The expected gain is scaled so that the best arm has 1: the weights thus mean the same for
    a tracer with large gains and one with small ones.

    Attributes:
        gain: expected gain of goal-weighted mastery.
        gain_sd: standard deviations taken off the gain (an uncertain gain is worth less).
        unlock: added to a concept's goal weight if all unreached goals need it.
        retention: a review whose concept is fully forgotten or overdue.
        recency: taken off right after the concept was practised; halves every `recency_s`.
        order: the first of the open concepts in teaching order; the last gets 0.
        step_back: a prerequisite opened after repeated failure.
    """

    gain: float = 1.0
    gain_sd: float = 0.5
    unlock: float = 1.0
    retention: float = 0.8
    recency: float = 0.5
    recency_s: float = 600.0
    order: float = 0.25
    step_back: float = 2.0


@dataclass(frozen=True, slots=True)
class Rules:
    """All settings of one policy version.

    Attributes:
        prerequisite_threshold: a concept is reached when the 5 % quantile of its success
            probability is at least this: we are 95 % sure that the learner is likelier right
            than wrong. With the filter's default parameters, a new learner who answers 80 %
            right gets there after 6 answers (median; 12 at the 90 % quantile), one with 40
            earlier answers after 3. A threshold of .6 would take 9 (24) and 4.
        prerequisite_evidence: answers on the concept below which it is never called reached.
        mastery_threshold: the same quantile at which a concept is mastered.
        mastery_evidence: answers below which it is never called mastered.
        review_after_days: a mastered concept is due after so many days unseen.
        recall_due: a fact is due for review when its chance of recall has sunk to this.
        review_min_days: a decayed concept is due only after so many days: before that a
            wrong answer, not forgetting, moved the estimate.
        cooldown_s: seconds before the same item comes again.
        template_cooldown_s: the same for a template, which comes with other numbers.
        max_exposures, template_max_exposures: answers to one item within `exposure_days`.
        jump_logits: an item is too hard if its success logit is below 0 and more than this
            below the hardest of the recent successes.
        recent_answers: how many of the last answers "recent" means (successes, failures).
        fails_to_step_back: consecutive failures on a concept that open its prerequisites.
        answers_to_return: answers on prerequisites after which the concept opens again.
        band_low, band_high: outside this success rate over the recent answers the targets
            move by `band_shift` towards easier or harder items.
        target_sd: how far from its target an item's success probability may lie.
        repeat_factor: each exposure of an item multiplies its chance within the arm by this. With
            0.1 simulated learners gained more than with 0.5 in 4 kinds of 9 and less in 2, mostly
            within the error of 16 to 20 learners: what was seen teaches and tells less.
        epsilon: share of decisions drawn uniformly over all eligible items.
        temperature: of the softmax over arms, whose best gain counts as 1. With 0.1 learners of a
            fresh course gained no more, and logs support fewer policies.
        top_share: the largest share of the softmax that one of several arms may take.
        minutes_per_item: expected minutes of an item of which nothing is known.
        minutes_per_day: minutes of practice a day to expect before a date.
        retention_days: what is learnt should still be known so many days on, where no date says
            when it has to be.
        plan_answers: with a date no more answers ahead than these, a plan is made over all.
        stuck_after: answers on a concept without mastery after which the learner is stuck on it:
            its items stop, and the teacher is told.
        review_share: of the recent answers, the share of reviews from which on no more come.
        same_concept_run: answers in a row on a concept, unless it is being learnt, after which
            another one comes.
        max_exposure_rate: share of comparable learners above which an item rests, unless
        exposure_spread: so many times what its concept's items are given on average is more.
        exposure_learners: fewer comparable learners say nothing of how exposed an item is.
        max_explored: items drawn at random for one learner within the exposure window.
        no_explore_days: nothing is drawn at random in the last days before a date.
        placement_items: the most items that place a new learner.
        placement_error: standard error of the ability, logits, at which placing ends earlier.
        kill_switch: the teacher's sequence instead of any policy.
    """

    prerequisite_threshold: float = 0.50
    prerequisite_evidence: int = 3
    mastery_threshold: float = 0.70
    mastery_evidence: int = 4
    review_after_days: float = 7.0
    review_min_days: float = 1.0
    recall_due: float = 0.9
    cooldown_s: float = DAY_S
    template_cooldown_s: float = 600.0
    max_exposures: int = 3
    template_max_exposures: int = 20
    exposure_days: float = 30.0
    jump_logits: float = 1.0
    recent_answers: int = 10
    fails_to_step_back: int = 3
    answers_to_return: int = 2
    band_low: float = 0.5
    band_high: float = 0.95
    band_shift: float = 0.05
    target_sd: float = 0.08
    repeat_factor: float = 0.1
    epsilon: float = 0.05
    temperature: float = 0.25
    top_share: float = 0.8
    minutes_per_item: float = 1.0
    minutes_per_day: float = 15.0
    retention_days: float = 14.0
    plan_answers: int = 60
    stuck_after: int = 15
    review_share: float = 0.3
    same_concept_run: int = 3
    max_exposure_rate: float = 0.25
    exposure_spread: float = 2.0
    exposure_learners: int = 10
    max_explored: int = 20
    no_explore_days: float = 1.0
    placement_items: int = 8
    placement_error: float = 0.5
    kill_switch: bool = False
    targets: Targets = field(default_factory=Targets)
    weights: Weights = field(default_factory=Weights)

    def __post_init__(self) -> None:
        """Refuse settings under which a propensity could be 0 or undefined.

        Raises:
            InvalidRules: a setting is not finite or outside its range.
        """
        groups = (self, self.targets, self.weights)
        for name, value in (
            (entry.name, getattr(group, entry.name))
            for group in groups
            for entry in dataclasses.fields(group)
            if entry.name not in {"targets", "weights"}
        ):
            low, high = _RANGES.get(name, (0.0, math.inf))
            if not (math.isfinite(value) and low <= value <= high):
                raise InvalidRules(
                    f"{name} = {value}: give a number from {low} to {high}.", setting=name
                )
        # What is mastered must count as reached, or a closed concept could lock others.
        if (
            self.mastery_threshold < self.prerequisite_threshold
            or self.mastery_evidence < self.prerequisite_evidence
        ):
            raise InvalidRules("Mastery asks for less than a prerequisite does.")

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as nested plain values, for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, settings: dict[str, Any]) -> Self:
        """Return the rules that `to_dict` wrote; settings left out keep their default.

        Raises:
            InvalidRules: a setting is unknown or outside its range.
        """
        plain = dict(settings)
        try:
            targets = Targets(**plain.pop("targets", {}))
            weights = Weights(**plain.pop("weights", {}))
            return cls(**plain, targets=targets, weights=weights)
        except TypeError as error:
            raise InvalidRules(f"Unknown setting: {error}.") from error


@functools.lru_cache(maxsize=64)
def digest_of(rules: Rules) -> str:
    """Return twelve hexadecimal digits that are equal for equal settings, and else differ.

    The kill switch is left out: it is no setting of how a policy chooses, and a receipt tells it
    by its `fallback`.
    """
    settings = rules.to_dict()
    del settings["kill_switch"]
    text = json.dumps(settings, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


_PROBABILITY = (0.0, 1.0)
_RANGES: dict[str, tuple[float, float]] = {
    "prerequisite_threshold": _PROBABILITY,
    "mastery_threshold": (1e-6, 1.0),
    "review_after_days": (1e-6, math.inf),
    "max_exposures": (1, math.inf),
    "template_max_exposures": (1, math.inf),
    "recent_answers": (1, 100),
    "fails_to_step_back": (1, 100),
    "band_low": _PROBABILITY,
    "band_high": _PROBABILITY,
    "band_shift": (0.0, 0.5),
    # Below .02 an item 1.0 from its target would underflow to an impossible draw.
    "target_sd": (0.03, 1.0),
    "repeat_factor": (0.001, 1.0),
    "epsilon": _PROBABILITY,
    "temperature": (0.01, 100.0),
    "top_share": (0.5, 1.0),
    "learn": _PROBABILITY,
    "practise": _PROBABILITY,
    "review": _PROBABILITY,
    "probe": _PROBABILITY,
    "recency_s": (1e-3, math.inf),
    "minutes_per_item": (1e-3, math.inf),
    "minutes_per_day": (1e-3, math.inf),
    "retention_days": (1e-3, math.inf),
    "stuck_after": (1, math.inf),
    "recall_due": (0.5, 0.999),
    "review_share": _PROBABILITY,
    "same_concept_run": (1, 100),
    "max_exposure_rate": _PROBABILITY,
    "exposure_spread": (1.0, math.inf),
    "exposure_learners": (1, math.inf),
    "placement_error": (1e-3, math.inf),
}
