"""Which items may be given: one small function per rule, in a fixed order.

Each returns [N] the items it removes, or None where it can be told at once that there are none:
most rules mostly remove none. A removed item is counted under the first rule that removes it,
whatever the later ones say.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curriculum.scheduler.guards import exposure_limits
from curriculum.scheduler.situation import Situation
from curriculum.scheduler.standing import CLOSED, REVIEW, Standing

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
Rule = Callable[[Situation, Standing], BoolArray | None]


@dataclass(frozen=True, slots=True, eq=False)
class Eligibility:
    """What the rules left.

    Attributes:
        eligible: [N].
        removed: how many items each rule was the first to remove; rules that removed none
            are left out.
        relaxed: the rules relaxed that had removed something, in the order of the ladder.
        open_concepts: [K] concepts whose arms may be taken; every eligible item carries one.
        triable: [N] what every rule lets through but those of use and of exposure, none relaxed;
            None where the rules were not asked.
    """

    eligible: BoolArray
    open_concepts: BoolArray
    removed: dict[str, int]
    relaxed: tuple[str, ...]
    triable: BoolArray | None = None


def not_operational(situation: Situation, _: Standing) -> BoolArray:
    """Remove drafts and withdrawn items."""
    return ~situation.bank.operational


def outside_assignment(situation: Situation, standing: Standing) -> BoolArray | None:
    """Remove items of which no concept is wanted."""
    # Every item has a concept.
    return None if standing.wanted.all() else ~situation.bank.any_concept(standing.wanted)


def banned(_: Situation, standing: Standing) -> BoolArray | None:
    """Remove what the teacher does not want given."""
    return standing.banned


def set_aside(_: Situation, standing: Standing) -> BoolArray | None:
    """Remove what the learner has put off for this session."""
    return standing.set_aside


def quota_used(situation: Situation, _: Standing) -> BoolArray | None:
    """Remove items with a concept of which the teacher wants no more given."""
    if situation.quota_left is None:
        return None
    return situation.bank.any_concept(situation.quota_left == 0)


def accommodation(situation: Situation, _: Standing) -> BoolArray | None:
    """Remove items that demand what this learner cannot be given."""
    if not situation.barred_features:
        return None
    return np.asarray((situation.bank.features & situation.barred_features) != 0)


def time_left(situation: Situation, _: Standing) -> BoolArray | None:
    """Remove items that are expected to take longer than the sitting still lasts."""
    left = situation.minutes_left
    if left is None:
        return None
    if situation.item_minutes is None:
        too_long = situation.rules.minutes_per_item > left
        return np.full(situation.bank.n_items, too_long, dtype=np.bool_)
    return situation.item_minutes > left


def prerequisite_not_reached(_: Situation, standing: Standing) -> BoolArray:
    """Remove items with a concept of which a direct prerequisite is not reached."""
    return standing.locked


def stepping_back(situation: Situation, standing: Standing) -> BoolArray | None:
    """Remove items of a concept failed on repeatedly, while its prerequisites are practised."""
    if not standing.held.any():
        return None
    return situation.bank.any_concept(standing.held)


def stuck(situation: Situation, standing: Standing) -> BoolArray | None:
    """Remove items of a concept with many answers and no mastery: the teacher takes over."""
    if not standing.stuck.any():
        return None
    return situation.bank.any_concept(standing.stuck)


def cool_down(situation: Situation, standing: Standing) -> BoolArray:
    """Remove items answered a short while ago."""
    rules, known = situation.rules, standing.recent_rows >= 0
    rows = standing.recent_rows[known]
    waits = np.where(situation.bank.is_template[rows], rules.template_cooldown_s, rules.cooldown_s)
    removed = _none(situation)
    removed[rows[situation.at - situation.recent.at[known] < waits]] = True
    return removed


def just_answered(situation: Situation, standing: Standing) -> BoolArray:
    """Remove only the item of the very last answer: the relaxed cool-down."""
    removed = _none(situation)
    if len(standing.recent_rows) and standing.recent_rows[-1] >= 0:
        removed[standing.recent_rows[-1]] = True
    return removed


def exposure_cap(situation: Situation, standing: Standing) -> BoolArray:
    """Remove items answered too often within the exposure window."""
    rows = standing.recent_rows[standing.recent_rows >= 0]
    removed = _none(situation)
    removed[rows] = standing.exposures[rows] >= exposure_limits(situation, rows)
    return removed


def difficulty_jump(situation: Situation, standing: Standing) -> BoolArray:
    """Remove items much harder than the hardest of the recent successes.

    An item with at least even odds is never a jump: after a run of easy reviews the next
    step would otherwise be out of reach.
    """
    rules = situation.rules
    window = slice(-rules.recent_answers, None)
    rows = standing.recent_rows[window]
    rows = rows[(situation.recent.correct[window] >= 0.5) & (rows >= 0)]
    hardest = float(situation.logit_mean[rows].min()) if len(rows) else 0.0
    return situation.logit_mean < min(hardest - rules.jump_logits, 0.0)


def concept_mastered(situation: Situation, standing: Standing) -> BoolArray:
    """Remove items whose wanted concepts are all mastered and not due for review."""
    return ~situation.bank.any_concept(standing.mode != CLOSED)


def over_exposed(situation: Situation, standing: Standing) -> BoolArray | None:
    """Remove items that too many comparable learners were given, but not what a teacher pinned.

    What is left of a concept counts too: see `_spare_the_last`.
    """
    if situation.exposure is None:
        return None
    resting = situation.exposure.resting
    return resting if standing.pinned_now is None else resting & ~standing.pinned_now


def same_concept(situation: Situation, standing: Standing) -> BoolArray | None:
    """Remove items that have no open concept but those of the last few answers."""
    if not standing.crowded.any():
        return None
    return ~situation.bank.any_concept((standing.mode != CLOSED) & ~standing.crowded)


def review_share(situation: Situation, standing: Standing) -> BoolArray | None:
    """Remove items that would be reviews while these have had their share."""
    if not standing.reviews_full:
        return None
    others = (standing.mode != CLOSED) & (standing.mode != REVIEW) & ~standing.crowded
    return ~situation.bank.any_concept(others)


OVER_EXPOSED = "over-exposed"
NOT_OPERATIONAL = "not-operational"
RULES: tuple[tuple[str, Rule], ...] = (
    (NOT_OPERATIONAL, not_operational),
    ("outside-assignment", outside_assignment),
    ("banned", banned),
    ("set-aside", set_aside),
    ("quota-used", quota_used),
    ("accommodation", accommodation),
    ("time-left", time_left),
    ("prerequisite-not-reached", prerequisite_not_reached),
    ("stepping-back", stepping_back),
    ("stuck", stuck),
    ("cool-down", cool_down),
    ("exposure-cap", exposure_cap),
    ("difficulty-jump", difficulty_jump),
    ("concept-mastered", concept_mastered),
    (OVER_EXPOSED, over_exposed),
    ("same-concept", same_concept),
    ("review-share", review_share),
)
# To place a learner, an item from anywhere may be given.
ONCE_PLACED = frozenset(
    {"prerequisite-not-reached", "stepping-back", "stuck", "difficulty-jump", "concept-mastered"}
)
# Applied after the others and never relaxed: a pin waits for an item that may be given.
NOT_PINNED = "not-pinned"
# In the order in which they give way when nothing is eligible. Reviews before the concept just
# practised: the rule of the review share counts the latter in.
LADDER: tuple[tuple[str, Rule | None], ...] = (
    (OVER_EXPOSED, None),
    ("review-share", None),
    ("same-concept", None),
    ("stepping-back", None),
    ("difficulty-jump", None),
    ("cool-down", just_answered),
)


def find_eligible(situation: Situation, standing: Standing) -> Eligibility:
    """Return what may be given, relaxing along the ladder only while that is nothing."""
    skipped = ONCE_PLACED if standing.placing else frozenset()
    asked = [(name, rule(situation, standing)) for name, rule in RULES if name not in skipped]
    removals = {name: removal for name, removal in asked if removal is not None}
    triable = _pass_the_rest(situation, removals)
    _spare_the_last(situation, removals, triable)
    relaxed: list[str] = []
    eligible, removed = _apply(removals, situation.bank.n_items)
    for name, milder in LADDER:
        if eligible.any():
            break
        removal = removals.get(name)
        if removal is None or not removal.any():
            continue
        again = None if milder is None else milder(situation, standing)
        removals[name] = np.zeros_like(removal) if again is None else removal & again
        relaxed.append(name)
        eligible, removed = _apply(removals, situation.bank.n_items)
    if standing.pinned_now is not None and (eligible & standing.pinned_now).any():
        kept = eligible & standing.pinned_now
        if eligible.sum() > kept.sum():
            removed[NOT_PINNED] = int(eligible.sum() - kept.sum())
        eligible = kept
    open_concepts = _open_concepts(standing, relaxed)
    return Eligibility(eligible, open_concepts, removed, tuple(relaxed), triable)


def _pass_the_rest(situation: Situation, removals: dict[str, BoolArray]) -> BoolArray:
    """Return [N] what is removed by no rule, or by those of use and exposure alone."""
    passing = np.ones(situation.bank.n_items, dtype=np.bool_)
    for name, removal in removals.items():
        if name not in {NOT_OPERATIONAL, OVER_EXPOSED}:
            np.greater(passing, removal, out=passing)
    return passing


def _spare_the_last(
    situation: Situation, removals: dict[str, BoolArray], triable: BoolArray
) -> None:
    """Give back over-exposed items of concepts that have nothing else to be given, in place.

    What everybody gets is no reason to leave a concept out. The ladder looks at all that is left
    together, and would not notice.
    """
    resting = removals.get(OVER_EXPOSED)
    if resting is None or not resting.any():
        return
    bank = situation.bank
    free = triable & bank.operational
    before, left = (
        bank.concepts_of_sets(bank.sets_of(some)) for some in (free, np.greater(free, resting))
    )
    removals[OVER_EXPOSED] = resting & ~bank.any_concept(before & ~left)


def _apply(removals: dict[str, BoolArray], size: int) -> tuple[BoolArray, dict[str, int]]:
    """Return what no rule removes, and how many items each rule was the first to remove."""
    left, n_left = np.ones(size, dtype=np.bool_), size
    removed = {}
    for name, removal in removals.items():
        # What is left and not removed: for booleans that is "left > removal".
        np.greater(left, removal, out=left)
        still = int(np.count_nonzero(left))
        if still < n_left:
            removed[name], n_left = n_left - still, still
    return left, removed


def _open_concepts(standing: Standing, relaxed: list[str]) -> BoolArray:
    """Return [K] the concepts whose arms may be taken."""
    found = standing.mode != CLOSED
    if "same-concept" not in relaxed:
        found &= ~standing.crowded
    if standing.reviews_full and "review-share" not in relaxed:
        found &= standing.mode != REVIEW
    return np.asarray(found)


def _none(situation: Situation) -> BoolArray:
    return np.zeros(situation.bank.n_items, dtype=np.bool_)
