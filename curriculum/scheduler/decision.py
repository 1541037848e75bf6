"""What a decision is, and the receipt from which it can be explained and recomputed."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curriculum.scheduler.standing import Mode

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Fact = float | int | str | bool | None

RECEIPT_VERSION = 2
DIGITS = 6
# More candidates than that are summed up: the receipt stays a few KB however large the arm.
MOST_CANDIDATES = 40
MOST_ARMS = 60
TERM_DIGITS = 4


class ReasonCode(StrEnum):
    """Why this item; stable, the tutor says each in one sentence."""

    LEARN_NEW = "learn-new"
    PRACTISE = "practise"
    REVIEW_DUE = "review-due"
    PROBE = "probe"
    # A new learner is placed: a few items from anywhere.
    PLACEMENT = "placement"
    STEP_BACK = "step-back"
    # Failed several times with nothing to step back to: see one worked before trying again.
    WORKED_EXAMPLE = "worked-example"
    BACKFILL = "backfill"
    TEACHER_PICK = "teacher-pick"
    ASKED_AGAIN = "asked-again"
    EXPLORE = "explore"
    PILOT = "pilot"


class FinishCode(StrEnum):
    """Why there is no next item; stable."""

    ALL_MASTERED = "all-mastered"
    ASSIGNMENT_EMPTY = "assignment-empty"
    EXHAUSTED_FOR_NOW = "exhausted-for-now"
    LIMIT_REACHED = "limit-reached"
    CLOSED = "closed"
    # Many answers without mastery: the teacher takes over.
    STUCK = "stuck"
    # As many items were given as the teacher wants.
    QUOTA_USED = "quota-used"
    # No waiting helps: somebody has to unban, publish or write an item.
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why this item, with the facts a sentence needs."""

    code: ReasonCode
    facts: dict[str, Fact]


@dataclass(frozen=True, slots=True, eq=False)
class ArmReport:
    """The A open arms with everything that was weighed, by concept id.

    Attributes:
        concept_ids, modes: what each arm is.
        scores, propensities: [A] by the policy, and with the uniform part.
        gains, minutes: [A] as in `ArmTable`.
        terms: what the scores are made of, [A] each.
        errors: [A] standard errors of simulated shares, else None.
        chosen: which arm was drawn.
    """

    concept_ids: IntArray
    modes: tuple[Mode, ...]
    scores: FloatArray
    propensities: FloatArray
    gains: FloatArray
    minutes: FloatArray
    terms: dict[str, FloatArray]
    errors: FloatArray | None
    chosen: int

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values: all arms in teaching order, of very many the likeliest only."""
        shown = np.arange(len(self.scores))
        if len(shown) > MOST_ARMS:
            ranked = np.argsort(-self.propensities, kind="stable")[: MOST_ARMS - 1]
            shown = np.sort(ranked if self.chosen in ranked else np.append(ranked, self.chosen))
        others = 1.0 - float(self.propensities[shown].sum())
        stated = {
            "concept": self.concept_ids[shown].tolist(),
            "mode": [self.modes[arm]._value_ for arm in shown.tolist()],
            "score": _rounded(self.scores[shown]),
            "propensity": _rounded(self.propensities[shown]),
            "terms": dict(zip(self.terms, self._rounded_terms(shown), strict=True)),
            "others": len(self.scores) - len(shown),
            "others_propensity": max(_round(others), 0.0),
        }
        if self.errors is not None:
            stated["propensity_error"] = _rounded(self.errors[shown])
        return stated

    def _rounded_terms(self, shown: IntArray) -> list[list[float]]:
        if not self.terms:
            return []
        rows = np.stack([values[shown] for values in self.terms.values()])
        rounded: list[list[float]] = np.round(rows, TERM_DIGITS).tolist()
        return rounded


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """The next item.

    Attributes:
        item_id: the chosen item.
        concept_id, mode: the chosen arm.
        reason: for people.
        propensity: chance of exactly this (arm, item) in this situation.
        arm_propensity: chance of this arm.
        arms: all open arms.
        candidate_ids, candidate_probs: the items of the chosen arm and the chance of each
            given the arm, likeliest first.
        removed: items removed, by the first rule that did.
        relaxed: rules relaxed because nothing was eligible.
        seed, policy_version: with the situation, all that is needed to decide again.
        rules: digest of the settings (`rules.digest_of`).
        policy: version of the policy that was asked.
        epsilon: weight of the uniform part.
        exploring: why nothing may be drawn at random, or None.
        explored: the item was drawn at random.
        fallback: why the teacher's sequence stood in for the policy, or None.
        placing: the item places a new learner; the policy was not asked.
        stuck_ids: concepts handed over to the teacher, also those not worked on now.
        features: [F] what a learnt policy sees of the chosen arm (`features.FEATURES`).
    """

    item_id: int
    concept_id: int
    mode: Mode
    reason: Reason
    propensity: float
    arm_propensity: float
    arms: ArmReport
    candidate_ids: IntArray
    candidate_probs: FloatArray
    removed: dict[str, int]
    relaxed: tuple[str, ...]
    seed: int
    policy_version: str
    rules: str
    policy: str
    epsilon: float
    exploring: str | None
    explored: bool
    fallback: str | None
    placing: bool
    stuck_ids: IntArray
    features: FloatArray

    def receipt(self) -> dict[str, Any]:
        """Return what is stored: a few KB of JSON values, numbers to six digits."""
        shown = slice(None, MOST_CANDIDATES)
        rest = self.candidate_probs[MOST_CANDIDATES:]
        return {
            "v": RECEIPT_VERSION,
            "item": self.item_id,
            "concept": self.concept_id,
            "mode": self.mode.value,
            "reason": {"code": self.reason.code.value, **_rounded_facts(self.reason.facts)},
            "propensity": _round(self.propensity),
            "arm_propensity": _round(self.arm_propensity),
            "arms": self.arms.to_dict(),
            "candidates": {
                "item": self.candidate_ids[shown].tolist(),
                "prob": _rounded(self.candidate_probs[shown]),
                "others": len(rest),
                "others_prob": _round(float(rest.sum())),
            },
            "removed": dict(self.removed),
            "relaxed": list(self.relaxed),
            "seed": self.seed,
            "policy_version": self.policy_version,
            "rules": self.rules,
            "policy": self.policy,
            "epsilon": _round(self.epsilon),
            "exploring": self.exploring,
            "explored": self.explored,
            "fallback": self.fallback,
            "placing": self.placing,
            "stuck": self.stuck_ids.tolist(),
            "features": np.round(self.features, TERM_DIGITS).tolist(),
        }


@dataclass(frozen=True, slots=True)
class Finish:
    """No next item, for a stated reason.

    Attributes:
        code: the reason.
        next_at: epoch seconds when it is worth asking again, or None if waiting alone
            changes nothing.
        facts: what the sentence needs.
        removed, relaxed, seed, policy_version, rules: as in `Decision`.
        placing: the learner might have been placed, had anything been given.
        stuck_ids: as in `Decision`.
    """

    code: FinishCode
    next_at: float | None
    facts: dict[str, Fact]
    removed: dict[str, int]
    relaxed: tuple[str, ...]
    seed: int
    policy_version: str
    rules: str
    placing: bool = False
    stuck_ids: tuple[int, ...] = ()

    def receipt(self) -> dict[str, Any]:
        """Return what is stored, as JSON values."""
        return {
            "v": RECEIPT_VERSION,
            "finish": self.code.value,
            "next_at": self.next_at,
            "facts": _rounded_facts(self.facts),
            "removed": dict(self.removed),
            "relaxed": list(self.relaxed),
            "seed": self.seed,
            "policy_version": self.policy_version,
            "rules": self.rules,
            "placing": self.placing,
            "stuck": list(self.stuck_ids),
        }


def _round(value: float) -> float:
    return round(float(value), DIGITS)


def _rounded(values: FloatArray) -> list[float]:
    rounded: list[float] = np.round(values, DIGITS).tolist()
    return rounded


def _rounded_facts(facts: dict[str, Fact]) -> dict[str, Fact]:
    return {
        name: _round(value) if isinstance(value, float) else value for name, value in facts.items()
    }
