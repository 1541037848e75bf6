"""What teachers' rules come to for one learner at one moment. Data in and data out, numpy only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from tutor.common.cache import new_cache
from tutor.content.selectors import CourseBank, bits_of
from tutor.scheduling.plans import RULES, Conduct, Exploration, Plan, Wish, item_bank

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

DAY_S = 86_400.0
# Kinds of which answers since they were set are counted.
COUNTING = frozenset({"pin", "quota"})
# An answer never takes the place of a pin that holds until its concept is mastered.
NEVER = float("inf")


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What is known of the learner, K concepts as in the course's bank.

    Attributes:
        reached, mastered: [K].
        item_ids, at: [R] answers since the oldest wish and more, oldest first; epoch seconds.
    """

    reached: Bools
    mastered: Bools
    item_ids: Ints
    at: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """The wishes as the scheduler takes them; see `curriculum.scheduler.Situation`.

    Attributes:
        minutes_a_day: practice to be expected until the date.
        barred: bits of what the learner cannot be given.
        longest: answers after which a sitting ends.
        time_factor: how much longer an item takes the learner, at least 1.
    """

    pinned: frozenset[int] = frozenset()
    pinned_since: Mapping[int, float] = field(default_factory=dict)
    banned: frozenset[int] = frozenset()
    quota_left: Ints | None = None
    due_at: float | None = None
    minutes_a_day: float | None = None
    longest: int | None = None
    barred: int = 0
    time_factor: float = 1.0
    is_flagged: bool = False
    in_test: bool = False


UNBOUNDED = Bounds()


def bounds_of(
    rules: Sequence[Wish],
    bank: CourseBank,
    *,
    lower_prob: Floats,
    evidence_n: Ints,
    item_ids: Ints,
    answered_at: Floats,
    at: float,
) -> Bounds:
    """Return what teachers' rules come to for a learner.

    Args:
        rules: those that hold for the learner.
        bank: the course, with K concepts.
        lower_prob, evidence_n: [K] the learner's mastery, its 5 % quantile, and answers behind it.
        item_ids, answered_at: [R] the learner's answers, oldest first, epoch seconds.
        at: now, epoch seconds.
    """
    known = Known(
        reached=is_reached(lower_prob, evidence_n),
        mastered=(lower_prob >= RULES.mastery_threshold) & (evidence_n >= RULES.mastery_evidence),
        item_ids=item_ids,
        at=answered_at,
    )
    return bound(rules, bank=bank, known=known, at=at)


def is_reached(lower_prob: Floats, evidence_n: Ints) -> Bools:
    """Return [K] the concepts that others may build on, as the choice sees them."""
    enough = evidence_n >= RULES.prerequisite_evidence
    return np.asarray((lower_prob >= RULES.prerequisite_threshold) & enough)


def exploration_of(bounds: Bounds, conduct: Conduct, *, explored: int = 0) -> Exploration:
    """Return what random draws are allowed: the class's say, and the teacher's for this learner."""
    return Exploration(
        allowed=conduct.explores,
        in_test=bounds.in_test,
        flagged=bounds.is_flagged,
        explored=explored,
    )


def bound(wishes: Sequence[Wish], *, bank: CourseBank, known: Known, at: float) -> Bounds:
    """Return what the wishes come to. `at` is now, epoch seconds.

    What two wishes say of one thing, the stricter one decides.
    """
    by_kind: dict[str, list[Wish]] = {}
    for wish in wishes:
        by_kind.setdefault(wish.kind, []).append(wish)

    def values(kind: str) -> list[Any]:
        return [wish.value for wish in by_kind.get(kind, ())]

    quota_left = _quota_left(by_kind.get("quota", ()), bank, known)
    banned = items_banned(wishes, bank=bank)
    barred = bits_of({name for names in values("bar") for name in names})
    pinned = _pins(by_kind.get("pin", ()), bank, known)
    order = by_kind.get("order", ())
    turned: frozenset[int] = frozenset()
    if order:
        allowed = allowed_of(bank, banned=banned, barred=barred)
        turned = _out_of_turn(order, bank, known, allowed, quota_left)
    return Bounds(
        pinned=frozenset(pinned),
        pinned_since=pinned,
        banned=banned | turned,
        quota_left=quota_left,
        due_at=min((date for date in values("exam") if date > at), default=None),
        minutes_a_day=min(values("minutes"), default=None),
        longest=longest_of(wishes),
        barred=barred,
        time_factor=max(values("time"), default=1.0),
        is_flagged="steady" in by_kind,
        in_test="test" in by_kind,
    )


def fields_of(bounds: Bounds, plan: Plan, *, at: float) -> dict[str, Any]:
    """Return the fields of a situation that teachers' rules set, but for random draws."""
    deadline = bounds.due_at or plan.closes_at
    study = None
    if bounds.minutes_a_day is not None and deadline is not None:
        # The sitting that is going on counts as a day of practice.
        study = bounds.minutes_a_day * max((deadline - at) / DAY_S, 1.0)
    limits = [most for most in (plan.planned, bounds.longest) if most is not None]
    left = plan.minutes_left
    return {
        "pinned": bounds.pinned,
        "pinned_since": bounds.pinned_since,
        "banned": bounds.banned,
        "barred_features": bounds.barred,
        "quota_left": bounds.quota_left,
        "due_at": bounds.due_at,
        "study_minutes": study,
        "session_limit": min(limits, default=None),
        # Who needs longer for an item has fewer of them left.
        "minutes_left": None if left is None else max(left, 0.0) / bounds.time_factor,
    }


def items_banned(wishes: Sequence[Wish], *, bank: CourseBank) -> frozenset[int]:
    """Return the ids of the items that the wishes ban, themselves or by a concept."""
    found: set[int] = set()
    for wish in wishes:
        if wish.kind == "ban":
            found.update(_items_of(wish, bank))
    return frozenset(found)


def allowed_of(bank: CourseBank, *, banned: frozenset[int], barred: int) -> Bools:
    """Return [N] the items in use that are neither banned nor need what is barred."""
    is_banned = np.isin(bank.item_ids, list(banned))
    return np.asarray(bank.operational & ~is_banned & ((bank.needs & barred) == 0))


def find_attainable(
    bank: CourseBank, *, allowed: Bools, attained: Bools, too_few: Bools | None = None
) -> Bools:
    """Return [K] the concepts that could be reached by what is allowed.

    A concept of which the course has no item in use counts as known, as it does in a choice.

    Args:
        bank: the course, with K concepts and N items.
        allowed: [N] items that may be given for good.
        attained: [K] what is reached already.
        too_few: [K] concepts of which too little may be given.
    """
    items = item_bank(bank)
    attained = attained | items.assumed
    while True:
        waiting = (items.requires & ~attained).any(axis=1)
        open_now = allowed & ~items.any_concept(waiting)
        shown = np.zeros(items.n_concepts, dtype=np.bool_)
        shown[items.pair_concept[open_now[items.pair_item]]] = True
        after = attained | (shown if too_few is None else shown & ~too_few)
        if (after == attained).all():
            return np.asarray(attained)
        attained = after


def longest_of(wishes: Sequence[Wish]) -> int | None:
    """Return after how many answers the wishes end a sitting; None where they do not."""
    return min((wish.value for wish in wishes if wish.kind == "length"), default=None)


def first_counted(wishes: Sequence[Wish]) -> float | None:
    """Return since when answers count for some wish, epoch seconds; None where they do not."""
    return min((wish.at for wish in wishes if wish.kind in COUNTING), default=None)


def _items_of(wish: Wish, bank: CourseBank) -> frozenset[int]:
    if wish.item_id is not None:
        return frozenset({wish.item_id})
    return carrying(bank, wish.concept_id)


@dataclass(frozen=True, slots=True)
class _Sets:
    """The items of each concept, by concept id."""

    carrying: Mapping[int, frozenset[int]]


_sets = new_cache(capacity=32)


def _sets_of(bank: CourseBank) -> _Sets:
    return _sets.get((bank.course_id, bank.revision), lambda: _make_sets(bank))


def _make_sets(bank: CourseBank) -> _Sets:
    return _Sets(
        carrying={
            pk: frozenset(bank.item_ids[(bank.concepts == index).any(axis=1)].tolist())
            for pk, index in bank.index_of_concept.items()
        },
    )


def carrying(bank: CourseBank, concept_id: int | None) -> frozenset[int]:
    """Return the ids of the items with the concept."""
    return _sets_of(bank).carrying.get(concept_id or 0, frozenset())


def _pins(wishes: Sequence[Wish], bank: CourseBank, known: Known) -> dict[int, float]:
    """Return item id -> the time from which an answer fulfils the pin, of the unfulfilled ones.

    An item holds until it is answered, a concept until it is mastered.
    """
    found: dict[int, float] = {}
    for wish in wishes:
        if wish.item_id is None:
            index = bank.index_of_concept.get(wish.concept_id or 0)
            if index is not None and not known.mastered[index]:
                found |= dict.fromkeys(_items_of(wish, bank), NEVER)
        elif not ((known.item_ids == wish.item_id) & (known.at >= wish.at)).any():
            found.setdefault(wish.item_id, wish.at)
    return found


def _quota_left(wishes: Sequence[Wish], bank: CourseBank, known: Known) -> Ints | None:
    """Return [K] how many more items of each concept are wanted, -1 for any number."""
    if not wishes:
        return None
    left = np.full(len(bank.concept_ids), -1, dtype=np.int64)
    for wish in wishes:
        index = bank.index_of_concept.get(wish.concept_id or 0)
        if index is None:
            continue
        own = carrying(bank, wish.concept_id)
        since = known.item_ids[known.at >= wish.at].tolist()
        rest = max(int(wish.value) - sum(pk in own for pk in since), 0)
        left[index] = rest if left[index] < 0 else min(left[index], rest)
    return left


def _out_of_turn(
    wishes: Sequence[Wish],
    bank: CourseBank,
    known: Known,
    allowed: Bools,
    quota_left: Ints | None,
) -> frozenset[int]:
    """Return the items with a concept whose turn has not come.

    A concept's turn comes when each before it is reached, or has nothing left that may be given:
    to this learner, and with its prerequisites within reach.
    """
    found: set[int] = set()
    sets = _sets_of(bank)
    if quota_left is not None:
        used = np.flatnonzero(quota_left == 0)
        allowed = allowed & ~np.isin(bank.concepts, used).any(axis=1)
    attainable = find_attainable(bank, allowed=allowed, attained=known.reached)
    may = frozenset(bank.item_ids[allowed].tolist())
    for wish in wishes:
        waits = False
        for pk in wish.value:
            index = bank.index_of_concept.get(pk)
            if index is None:
                continue
            if waits:
                found |= sets.carrying[pk]
            open_still = attainable[index] and not may.isdisjoint(sets.carrying[pk])
            waits = waits or (not known.reached[index] and open_still)
    return frozenset(found)
