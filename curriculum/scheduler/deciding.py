"""The scheduler's one decision: which item next, or why none."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curriculum.scheduler.arms import Choices, list_choices
from curriculum.scheduler.decision import ArmReport, Decision, Finish
from curriculum.scheduler.eligibility import Eligibility, find_eligible
from curriculum.scheduler.errors import ReceiptDiffers
from curriculum.scheduler.expert import follow_expert
from curriculum.scheduler.exploration import take_the_best, why_not_explore
from curriculum.scheduler.features import describe_arm
from curriculum.scheduler.finish import (
    explain_nothing_eligible,
    find_early_finish,
    find_goal_finish,
)
from curriculum.scheduler.placement import rate_by_information
from curriculum.scheduler.policy import GainSoftmax, Policy, Rating
from curriculum.scheduler.reasons import explain
from curriculum.scheduler.situation import Situation
from curriculum.scheduler.standing import MODES, Standing, assess
from curriculum.scheduler.trials import list_trials

FloatArray = NDArray[np.float64]
FIRST_POLICY = GainSoftmax()
KILL_SWITCH = "kill-switch"
# The one reason against random draws that leaves the policy's own chances as they are.
CAPPED = "capped"
MOST_ERROR_TEXT = 200


@dataclass(frozen=True, slots=True, eq=False)
class Distribution:
    """The chances of every eligible (arm, item) pair, Q of them, before the draw.

    Attributes:
        choices: the pairs.
        rating: what the policy said of the arms.
        scored: [Q] chance of each pair under the policy.
        joint: [Q] chance of each pair, with the uniform part; sums to 1 less the pilot share.
        epsilon: weight of the uniform part.
        exploring: why nothing is drawn at random, or None where something may be.
        fallback: why the teacher's sequence stands in for the policy, or None.
        trials: the items of the pilot that may be tried out, with their own chances; None where
            there are none, and the pilot share is 0 then.
    """

    choices: Choices
    rating: Rating
    scored: FloatArray
    joint: FloatArray
    standing: Standing
    found: Eligibility
    epsilon: float
    exploring: str | None
    fallback: str | None
    trials: "Distribution | None" = None


def find_distribution(
    situation: Situation, *, seed: int = 0, policy: Policy = FIRST_POLICY
) -> Distribution | Finish:
    """Return the chances of all that may be given, or why nothing may.

    For off-policy work: what another policy would have done in the same situation. The seed
    changes nothing but what a `Finish` says of itself.
    """
    early = find_early_finish(situation, seed=seed)
    if early is not None:
        return early
    standing = assess(situation)
    done = find_goal_finish(situation, standing, seed=seed)
    if done is not None:
        return done
    found = find_eligible(situation, standing)
    if not found.eligible.any():
        return explain_nothing_eligible(situation, standing, found, seed=seed)
    choices = list_choices(situation, standing, found)
    rating, fallback = _rate(choices, policy)
    off = why_not_explore(situation)
    epsilon = situation.rules.epsilon if off is None and fallback is None else 0.0
    shares = rating.shares
    if off not in {None, CAPPED} and fallback is None:
        shares = take_the_best(rating.scores)
    within = choices.within if rating.within is None else rating.within
    scored = shares[choices.arm] * within
    joint = (1.0 - epsilon) * scored + epsilon * choices.uniform
    trials = None
    if off is None and fallback is None:
        trials = _find_trials(situation, standing, found)
    if trials is not None:
        joint *= 1.0 - situation.pilot_share
    return Distribution(
        choices, rating, scored, joint, standing, found, epsilon, off, fallback, trials
    )


def _find_trials(
    situation: Situation, standing: Standing, found: Eligibility
) -> Distribution | None:
    """Return the chances of the pilot's items, which add up to the pilot share."""
    choices = list_trials(situation, standing, found)
    if choices is None:
        return None
    arms, uniform = len(choices.arms.concept), choices.uniform
    shares = np.bincount(choices.arm, weights=uniform, minlength=arms).astype(np.float64)
    rating = Rating(scores=np.zeros(arms), shares=shares)
    joint = situation.pilot_share * uniform
    return Distribution(choices, rating, uniform, joint, standing, found, 0.0, None, None)


def _rate(choices: Choices, policy: Policy) -> tuple[Rating, str | None]:
    """Return the policy's rating, or the teacher's sequence and why it stands in."""
    if choices.situation.rules.kill_switch:
        return follow_expert(choices), KILL_SWITCH
    if choices.standing.placing:
        return rate_by_information(choices), None
    try:
        rating = policy.rate(choices)
        rating.require_sound(choices)
    except Exception as error:  # noqa: BLE001 a lesson must not end by a policy's mistake
        cause = f"{type(error).__name__}: {error}"[:MOST_ERROR_TEXT]
        return follow_expert(choices), cause
    return rating, None


def decide(situation: Situation, *, seed: int, policy: Policy = FIRST_POLICY) -> Decision | Finish:
    """Return the next item, or why there is none; equal seeds give equal answers.

    Never raises for a situation that could be built, and never draws an item that a rule
    removed. A policy that fails is replaced by the teacher's sequence, with propensity 1.
    """
    chances = find_distribution(situation, seed=seed, policy=policy)
    if isinstance(chances, Finish):
        return chances
    explored_at, drawn_at, tried_at = np.random.default_rng(seed).random(3)
    trials = chances.trials
    if trials is not None and tried_at < situation.pilot_share:
        pair = _draw(trials.joint, drawn_at)
        return _report(situation, trials, policy.version, pair=pair, explored=True, seed=seed)
    explored = bool(explored_at < chances.epsilon)
    pair = _draw(chances.choices.uniform if explored else chances.scored, drawn_at)
    return _report(situation, chances, policy.version, pair=pair, explored=explored, seed=seed)


def replay(
    situation: Situation, *, receipt: dict[str, Any], policy: Policy = FIRST_POLICY
) -> Decision | Finish:
    """Decide again from a stored receipt's seed.

    Raises:
        ReceiptDiffers: the new receipt is not equal to the stored one.
    """
    again = decide(situation, seed=receipt["seed"], policy=policy)
    fresh = again.receipt()
    for name in fresh.keys() | receipt.keys():
        if fresh.get(name) != receipt.get(name):
            raise ReceiptDiffers(
                f"Deciding again gives another {name}.",
                field=name,
                stored=receipt.get(name),
                fresh=fresh.get(name),
            )
    return again


def _draw(chances: FloatArray, at: float) -> int:
    """Return the index that the number `at` of [0, 1) falls on."""
    edges = chances.cumsum()
    # Times the last edge, which is 1 only up to rounding; the draw thus never falls beyond.
    return int(edges.searchsorted(at * edges[-1], side="right"))


def _report(
    situation: Situation,
    chances: Distribution,
    policy: str,
    *,
    pair: int,
    explored: bool,
    seed: int,
) -> Decision:
    choices, bank = chances.choices, situation.bank
    arms, arm, item = choices.arms, int(choices.arm[pair]), int(choices.item[pair])
    concept = int(arms.concept[arm])
    arm_propensities: FloatArray = np.bincount(choices.arm, weights=chances.joint).astype(float)
    siblings = np.flatnonzero((choices.arm == arm) & (chances.joint > 0.0))
    likeliest = siblings[np.argsort(-chances.joint[siblings], kind="stable")]
    return Decision(
        item_id=int(bank.item_ids[item]),
        concept_id=int(bank.concept_ids[concept]),
        mode=MODES[arms.mode[arm]],
        reason=explain(situation, chances.standing, concept=concept, item=item, explored=explored),
        propensity=float(chances.joint[pair]),
        arm_propensity=float(arm_propensities[arm]),
        arms=_report_arms(situation, chances, arm_propensities, chosen=arm),
        candidate_ids=bank.item_ids[choices.item[likeliest]],
        candidate_probs=chances.joint[likeliest] / arm_propensities[arm],
        removed=chances.found.removed,
        relaxed=chances.found.relaxed,
        seed=seed,
        policy_version=situation.policy_version,
        policy=policy,
        epsilon=chances.epsilon,
        exploring=chances.exploring,
        explored=explored,
        fallback=chances.fallback,
        placing=chances.standing.placing,
        stuck_ids=bank.concept_ids[chances.standing.stuck],
        features=describe_arm(choices, arm),
    )


def _report_arms(
    situation: Situation, chances: Distribution, propensities: FloatArray, *, chosen: int
) -> ArmReport:
    arms, rating = chances.choices.arms, chances.rating
    return ArmReport(
        concept_ids=situation.bank.concept_ids[arms.concept],
        modes=tuple(MODES[code] for code in arms.mode.tolist()),
        scores=rating.scores,
        propensities=propensities,
        gains=arms.gain,
        minutes=arms.minutes,
        terms=dict(rating.terms),
        errors=rating.shares_error,
        chosen=chosen,
    )
