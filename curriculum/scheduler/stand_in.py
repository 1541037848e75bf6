"""Where the learner stands when that cannot be made out: everything of the goal, in order.

For a mistake in the rules or in an estimate they read. Only the items, their concepts, the goal
and the ids of the newest answers are looked at, so that whatever failed does not fail again.
"""

import numpy as np

from curriculum.scheduler import eligibility
from curriculum.scheduler.eligibility import Eligibility
from curriculum.scheduler.situation import Situation
from curriculum.scheduler.standing import CLOSED, LEARN, Standing

# What must never be given, whatever else is unknown.
HARD = (
    ("not-operational", eligibility.not_operational),
    ("banned", eligibility.banned),
    ("set-aside", eligibility.set_aside),
    ("quota-used", eligibility.quota_used),
    ("accommodation", eligibility.accommodation),
)


def stand_in_order(situation: Situation) -> tuple[Standing, Eligibility]:
    """Return every concept of the goal as being learnt, and every item of one that may be given.

    Of the rules remain those that need no estimate: not in use, banned, set aside, quota,
    accommodation; and the item of the last answer waits while there is another one.
    """
    bank, size = situation.bank, situation.bank.n_concepts
    no, unknown = np.zeros(size, dtype=np.bool_), np.full(size, np.nan)
    rows = bank.rows_of(situation.recent.item_ids)
    standing = Standing(
        **dict.fromkeys(("reached", "mastered", "backfill", "step_back", "held"), no),
        **dict.fromkeys(("failed", "stuck", "handed_over", "crowded"), no),
        days_since=np.full(size, np.inf),
        recall=unknown,
        wanted=situation.goal,
        reviews_full=False,
        placing=False,
        mode=np.where(situation.goal, LEARN, CLOSED).astype(np.int8),
        pinned_now=None,
        banned=np.isin(bank.item_ids, list(situation.banned)) if situation.banned else None,
        set_aside=np.isin(bank.item_ids, list(situation.set_aside))
        if situation.set_aside
        else None,
        locked=np.zeros(bank.n_items, dtype=np.bool_),
        recent_rows=rows,
        exposures=np.bincount(rows[rows >= 0], minlength=bank.n_items),
    )
    eligible = bank.any_concept(situation.goal)
    for _, rule in HARD:
        removal = rule(situation, standing)
        if removal is not None:
            eligible &= ~removal
    others = eligible & ~eligibility.just_answered(situation, standing)
    eligible = others if others.any() else eligible
    return standing, Eligibility(eligible, open_concepts=situation.goal, removed={}, relaxed=())
