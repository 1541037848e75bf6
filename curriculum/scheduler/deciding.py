"""The scheduler's one decision: which item next, or why none."""

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curriculum.scheduler.arms import list_choices, list_in_order
from curriculum.scheduler.decision import (
    Decision,
    Finish,
    FinishCode,
)
from curriculum.scheduler.distribution import Distribution
from curriculum.scheduler.eligibility import Eligibility, find_eligible
from curriculum.scheduler.errors import ReceiptDiffers
from curriculum.scheduler.expert import follow_expert
from curriculum.scheduler.exploration import take_the_best, why_not_explore
from curriculum.scheduler.finish import (
    explain_nothing_eligible,
    find_early_finish,
    find_goal_finish,
    find_stuck_ids,
)
from curriculum.scheduler.placement import rate_by_information
from curriculum.scheduler.policy import GainSoftmax, Policy, Rating
from curriculum.scheduler.reporting import report
from curriculum.scheduler.rules import digest_of
from curriculum.scheduler.situation import Situation
from curriculum.scheduler.stand_in import stand_in_order
from curriculum.scheduler.standing import Standing, assess
from curriculum.scheduler.trials import estimate_trials, list_trials

FloatArray = NDArray[np.float64]
FIRST_POLICY = GainSoftmax()
KILL_SWITCH = "kill-switch"
# The one reason against random draws that leaves the policy's own chances as they are.
CAPPED = "capped"
MOST_ERROR_TEXT = 200


def find_distribution(
    situation: Situation, *, seed: int = 0, policy: Policy = FIRST_POLICY
) -> Distribution | Finish:
    """Return the chances of all that may be given, or why nothing may.

    For off-policy work: what another policy would have done in the same situation. The seed
    changes nothing but what a `Finish` says of itself.
    """
    try:
        left = _apply_rules(situation, seed=seed)
    except Exception as error:  # noqa: BLE001 a lesson must not end by a rule's mistake
        return _stand_in(situation, seed=seed, cause=_name(error))
    if isinstance(left, Finish):
        return left
    if situation.rules.kill_switch:
        return _follow_order(situation, *left, cause=KILL_SWITCH)
    try:
        return _ask(situation, *left, policy)
    except Exception as error:  # noqa: BLE001 nor by a policy's or the planner's
        return _follow_order(situation, *left, cause=_name(error))


def _apply_rules(situation: Situation, *, seed: int) -> tuple[Standing, Eligibility] | Finish:
    """Return where the learner stands and what may be given, or why nothing may."""
    early = find_early_finish(situation, seed=seed)
    if early is not None:
        return _with_stuck(situation, early)
    standing = assess(situation)
    done = find_goal_finish(situation, standing, seed=seed)
    if done is not None:
        return done
    found = find_eligible(situation, standing)
    if not found.eligible.any():
        return explain_nothing_eligible(situation, standing, found, seed=seed)
    return standing, found


def _with_stuck(situation: Situation, early: Finish) -> Finish:
    """Return a finish that needs no look at the learner with what they are stuck on, if known."""
    try:
        stuck_ids = find_stuck_ids(situation, assess(situation))
    except Exception:  # noqa: BLE001 a sitting that is over ends, whatever a rule makes of it
        return early
    return dataclasses.replace(early, stuck_ids=stuck_ids)


def _ask(
    situation: Situation, standing: Standing, found: Eligibility, policy: Policy
) -> Distribution:
    """Return the chances under the policy; raises whatever goes wrong in it."""
    choices = list_choices(situation, standing, found)
    if standing.placing:
        rating = rate_by_information(choices)
    else:
        rating = policy.rate(choices)
        rating.require_sound(choices)
    off = why_not_explore(situation)
    # What places is drawn among the most telling items already: nothing else is drawn meanwhile.
    epsilon = situation.rules.epsilon if off is None and not standing.placing else 0.0
    shares = rating.shares if off in {None, CAPPED} else take_the_best(rating.scores)
    within = choices.within if rating.within is None else rating.within
    scored = shares[choices.arm] * within
    joint = (1.0 - epsilon) * scored + epsilon * choices.uniform
    may_try = off is None and not standing.placing
    trials = _find_trials(situation, standing, found) if may_try else None
    if trials is not None:
        joint *= 1.0 - situation.pilot_share
    return Distribution(choices, rating, scored, joint, standing, found, epsilon, off, None, trials)


def _follow_order(
    situation: Situation, standing: Standing, found: Eligibility, *, cause: str
) -> Distribution:
    """Return the teacher's sequence among what the rules left, with certainty; no estimate."""
    choices = list_in_order(situation, standing, found)
    rating = follow_expert(choices)
    within = choices.within if rating.within is None else rating.within
    joint = rating.shares[choices.arm] * within
    off = why_not_explore(situation)
    return Distribution(choices, rating, joint, joint, standing, found, 0.0, off, cause)


def _stand_in(situation: Situation, *, seed: int, cause: str) -> Distribution | Finish:
    """Return the teacher's sequence where not even the rules could be applied."""
    standing, found = stand_in_order(situation)
    if found.eligible.any():
        return _follow_order(situation, standing, found, cause=cause)
    return Finish(
        code=FinishCode.BLOCKED,
        next_at=None,
        facts={"waiting_items": 0, "fallback": cause},
        removed={},
        relaxed=(),
        seed=seed,
        policy_version=situation.policy_version,
        rules=digest_of(situation.rules),
        placing=situation.placing,
    )


def _name(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:MOST_ERROR_TEXT]


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


def decide(situation: Situation, *, seed: int, policy: Policy = FIRST_POLICY) -> Decision | Finish:
    """Return the next item, or why there is none; equal seeds give equal answers.

    An exception in the policy, in the gains or the planner gives the teacher's sequence with
    propensity 1 among the items that the rules left. One in the rules themselves, or in the
    telling of reason and features, gives it among the goal's items that may ever be given
    (`stand_in`). The receipt's `fallback` names the error. With the kill switch neither policy
    nor planner is asked.
    """
    chances = find_distribution(situation, seed=seed, policy=policy)
    if isinstance(chances, Finish):
        return chances
    try:
        return _draw_one(situation, chances, policy, seed)
    except Exception as error:  # noqa: BLE001 see above
        instead = _stand_in(situation, seed=seed, cause=_name(error))
    if isinstance(instead, Finish):
        return instead
    return _draw_one(situation, instead, policy, seed)


def _draw_one(situation: Situation, chances: Distribution, policy: Policy, seed: int) -> Decision:
    explored_at, drawn_at, tried_at = np.random.default_rng(seed).random(3)
    trials = chances.trials
    if trials is not None and tried_at < situation.pilot_share:
        pair = _draw(trials.joint, drawn_at)
        told = estimate_trials(situation, trials.standing, trials.found, trials.choices)
        trials = dataclasses.replace(trials, choices=told)
        return report(situation, trials, policy.version, pair=pair, explored=True, seed=seed)
    explored = bool(explored_at < chances.epsilon)
    pair = _draw(chances.choices.uniform if explored else chances.scored, drawn_at)
    return report(situation, chances, policy.version, pair=pair, explored=explored, seed=seed)


def replay(
    situation: Situation, *, receipt: dict[str, Any], policy: Policy = FIRST_POLICY
) -> Decision | Finish:
    """Decide again from a stored receipt's seed.

    Raises:
        ReceiptDiffers: the new receipt is not equal to the stored one. Other settings than those
            it was made under are named first, as `rules`, whatever else differs by them.
    """
    again = decide(situation, seed=receipt["seed"], policy=policy)
    fresh = again.receipt()
    names = fresh.keys() | receipt.keys()
    if "rules" not in receipt:
        # Receipts did not always say; those of a finish not whether the learner was placed, or
        # what they were stuck on.
        names -= {"rules"}
    if "finish" in receipt and "placing" not in receipt:
        names -= {"placing"}
    if "finish" in receipt and "stuck" not in receipt:
        names -= {"stuck"}
    for name in sorted(names, key=lambda name: (name != "rules", name)):
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
