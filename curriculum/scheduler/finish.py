"""Why there is no next item, and when to ask again."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from curriculum.scheduler import eligibility, guards
from curriculum.scheduler.decision import Fact, Finish, FinishCode
from curriculum.scheduler.eligibility import Eligibility
from curriculum.scheduler.rules import DAY_S, digest_of
from curriculum.scheduler.situation import Situation
from curriculum.scheduler.standing import CLOSED, Standing

BoolArray = NDArray[np.bool_]
# Rules that time undoes by itself.
TEMPORARY = frozenset({"cool-down", "exposure-cap", *(name for name, _ in eligibility.LADDER)})


def find_early_finish(situation: Situation, *, seed: int) -> Finish | None:
    """Return the finish that needs no look at the learner: dates and session limit."""
    at, opens_at, closes_at = situation.at, situation.opens_at, situation.closes_at
    if closes_at is not None and at >= closes_at:
        return _finish(situation, seed, FinishCode.CLOSED, facts={"closed_at": closes_at})
    if opens_at is not None and at < opens_at:
        return _finish(
            situation, seed, FinishCode.CLOSED, next_at=opens_at, facts={"opens_at": opens_at}
        )
    limit = situation.session_limit
    if limit is not None and situation.session_position >= limit:
        return _finish(situation, seed, FinishCode.LIMIT_REACHED, facts={"answers": limit})
    return None


def find_goal_finish(situation: Situation, standing: Standing, *, seed: int) -> Finish | None:
    """Return the finish of an assignment without items, or with nothing left to learn."""
    if standing.pinned_now is not None and standing.pinned_now.any():
        return None
    bank = situation.bank
    goal = situation.goal & bank.practicable
    if not goal.any():
        facts = {"concepts": int(situation.goal.sum())}
        stuck_ids = find_stuck_ids(situation, standing)
        return _finish(
            *(situation, seed, FinishCode.ASSIGNMENT_EMPTY), facts=facts, stuck_ids=stuck_ids
        )
    if (standing.mode[goal] != CLOSED).any():
        return None
    due_at = situation.concept_last_at[goal].min() + situation.rules.review_after_days * DAY_S
    next_at = float(due_at) if np.isfinite(due_at) else None
    facts = {"concepts": int(goal.sum())}
    return _finish(
        *(situation, seed, FinishCode.ALL_MASTERED),
        next_at=next_at,
        facts=facts,
        stuck_ids=find_stuck_ids(situation, standing),
    )


def explain_nothing_eligible(
    situation: Situation, standing: Standing, found: Eligibility, *, seed: int
) -> Finish:
    """Return the finish after the whole ladder: wait, or have somebody act."""
    lasting = np.zeros(situation.bank.n_items, dtype=np.bool_)
    for name, rule in eligibility.RULES:
        if name not in TEMPORARY:
            removal = rule(situation, standing)
            if removal is not None:
                lasting |= removal
    waiting = np.flatnonzero(~lasting)
    free_at = [_free_at(situation, standing, int(row)) for row in waiting]
    code = FinishCode.EXHAUSTED_FOR_NOW if free_at else FinishCode.BLOCKED
    facts: dict[str, Fact] = {"waiting_items": len(free_at)}
    if "time-left" in found.removed:
        code = FinishCode.LIMIT_REACHED
        facts["minutes_left"] = situation.minutes_left
    elif not free_at and standing.stuck.any():
        code = FinishCode.STUCK
        facts |= hand_over(situation, standing)
    elif not free_at and "quota-used" in found.removed:
        code = FinishCode.QUOTA_USED
    return _finish(
        situation,
        seed,
        code,
        next_at=min(free_at, default=None),
        facts=facts,
        removed=found.removed,
        relaxed=found.relaxed,
        stuck_ids=find_stuck_ids(situation, standing),
    )


def find_stuck_ids(situation: Situation, standing: Standing) -> tuple[int, ...]:
    """Return the ids of all concepts that the teacher has to be told of, in teaching order."""
    return tuple(situation.bank.concept_ids[standing.handed_over].tolist())


def hand_over(situation: Situation, standing: Standing) -> dict[str, Fact]:
    """Return what the teacher is told of the first concept, in teaching order, that is stuck."""
    concept = int(np.flatnonzero(standing.stuck)[0])
    return {
        "stuck_concepts": int(standing.stuck.sum()),
        "concept_index": concept,
        "concept": int(situation.bank.concept_ids[concept]),
        "evidence_n": int(situation.evidence_n[concept]),
        "concept_prob": float(situation.concept_prob[concept]),
    }


def _free_at(situation: Situation, standing: Standing, row: int) -> float:
    """Return when cool-down and exposure cap both let the item go."""
    rules = situation.rules
    times = situation.recent.at[standing.recent_rows == row]
    is_template = bool(situation.bank.is_template[row])
    wait = rules.template_cooldown_s if is_template else rules.cooldown_s
    free_at = situation.at
    if len(times):
        free_at = max(free_at, float(times[-1]) + wait)
    window_s = rules.exposure_days * DAY_S
    own = guards.find_counted(situation, standing.recent_rows) & (standing.recent_rows == row)
    counted = situation.recent.at[own]
    surplus = len(counted) - int(guards.exposure_limits(situation, np.array([row]))[0])
    if surplus >= 0:
        free_at = max(free_at, float(counted[surplus]) + window_s)
    return free_at


def _finish(situation: Situation, seed: int, code: FinishCode, **details: Any) -> Finish:
    given = {"next_at": None, "facts": {}, "removed": {}, "relaxed": (), **details}
    return Finish(
        code=code,
        seed=seed,
        policy_version=situation.policy_version,
        rules=digest_of(situation.rules),
        placing=situation.placing,
        **given,
    )
