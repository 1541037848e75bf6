"""From a drawn pair to the decision that is reported: arms, candidates, reason and features."""

import numpy as np
from numpy.typing import NDArray

from curriculum.scheduler.decision import ArmReport, Decision, Fact, Reason
from curriculum.scheduler.distribution import Distribution
from curriculum.scheduler.features import FEATURES, describe_arm
from curriculum.scheduler.reasons import OF_MODE, explain
from curriculum.scheduler.rules import digest_of
from curriculum.scheduler.situation import Situation
from curriculum.scheduler.standing import MODES

FloatArray = NDArray[np.float64]


def report(
    situation: Situation,
    chances: Distribution,
    policy: str,
    *,
    pair: int,
    explored: bool,
    seed: int,
) -> Decision:
    """Return the decision for a drawn pair, with all that its receipt tells."""
    choices, bank = chances.choices, situation.bank
    arms, arm, item = choices.arms, int(choices.arm[pair]), int(choices.item[pair])
    concept = int(arms.concept[arm])
    arm_propensities: FloatArray = np.bincount(choices.arm, weights=chances.joint).astype(float)
    first, last = choices.arm.searchsorted([arm, arm + 1])
    siblings = first + np.flatnonzero(chances.joint[first:last] > 0.0)
    likeliest = siblings[np.argsort(-chances.joint[siblings], kind="stable")]
    reason, features = _tell(situation, chances, pair=pair, explored=explored)
    return Decision(
        item_id=int(bank.item_ids[item]),
        concept_id=int(bank.concept_ids[concept]),
        mode=MODES[arms.mode[arm]],
        reason=reason,
        propensity=float(chances.joint[pair]),
        arm_propensity=float(arm_propensities[arm]),
        arms=_report_arms(situation, chances, arm_propensities, chosen=arm),
        candidate_ids=bank.item_ids[choices.item[likeliest]],
        candidate_probs=chances.joint[likeliest] / arm_propensities[arm],
        removed=chances.found.removed,
        relaxed=chances.found.relaxed,
        seed=seed,
        policy_version=situation.policy_version,
        rules=digest_of(situation.rules),
        policy=policy,
        epsilon=chances.epsilon,
        exploring=chances.exploring,
        explored=explored,
        fallback=chances.fallback,
        placing=chances.standing.placing,
        stuck_ids=bank.concept_ids[chances.standing.handed_over],
        features=features,
    )


def _tell(
    situation: Situation, chances: Distribution, *, pair: int, explored: bool
) -> tuple[Reason, FloatArray]:
    """Return the reason and the arm's features; in a fallback the plainest if these fail too."""
    choices = chances.choices
    arm, item = int(choices.arm[pair]), int(choices.item[pair])
    concept = int(choices.arms.concept[arm])
    try:
        reason = explain(
            situation,
            chances.standing,
            concept=concept,
            item=item,
            explored=explored,
            stood_in=chances.fallback is not None,
        )
        features = describe_arm(choices, arm)
        _require_finite(reason, features)
        return reason, features
    except Exception:
        if chances.fallback is None:
            raise
    mode = MODES[choices.arms.mode[arm]]
    known = int(situation.bank.concept_ids[concept])
    facts: dict[str, Fact] = {"concept_index": concept, "concept": known, "mode": mode.value}
    return Reason(OF_MODE[mode], facts), np.zeros(len(FEATURES))


def _require_finite(reason: Reason, features: FloatArray) -> None:
    """Refuse what no receipt can hold: JSON has no number that is not finite."""
    told = [value for value in reason.facts.values() if isinstance(value, float)]
    if not (np.isfinite(features).all() and np.isfinite(told).all()):
        raise FloatingPointError("A fact or a feature of the choice is not finite.")


def _report_arms(
    situation: Situation, chances: Distribution, propensities: FloatArray, *, chosen: int
) -> ArmReport:
    arms, rating = chances.choices.arms, chances.rating
    return ArmReport(
        concept_ids=situation.bank.concept_ids[arms.concept],
        modes=tuple(map(MODES.__getitem__, arms.mode.tolist())),
        scores=rating.scores,
        propensities=propensities,
        gains=arms.gain,
        minutes=arms.minutes,
        terms=dict(rating.terms),
        errors=rating.shares_error,
        chosen=chosen,
    )
