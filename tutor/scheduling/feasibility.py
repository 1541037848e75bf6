"""Whether teachers' rules can be kept: what a set of them makes impossible. Pure, numpy only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from tutor.content.selectors import CourseBank, bits_of
from tutor.scheduling import wishes
from tutor.scheduling.plans import RULES, Wish, item_bank

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that the rules ask for and cannot have.

    Attributes:
        rule: the row that cannot be kept; 0 for one that is not stored yet, -1 for all of them.
        text: what is missing, a sentence for the teacher.
    """

    rule: int
    text: str


@dataclass(frozen=True, slots=True)
class Names:
    """What things are called: item id -> slug, concept id -> name."""

    items: Mapping[int, str]
    concepts: Mapping[int, str]

    def item(self, pk: int) -> str:
        """Return an item's name in quotation marks."""
        return f"“{self.items.get(pk, pk)}”"

    def concept(self, pk: int) -> str:
        """Return a concept's name in quotation marks."""
        return f"“{self.concepts.get(pk, pk)}”"


def find_problems(
    rules: Sequence[Wish], *, bank: CourseBank, names: Names, goal: Sequence[int] = ()
) -> list[Problem]:
    """Return what cannot be kept of the rules that hold together for somebody.

    Args:
        rules: those that hold.
        bank: the course as it is now.
        names: for the words.
        goal: concept ids that are worked on; empty: the whole course.
    """
    allowed = find_allowed(rules, bank=bank)
    attained = find_attainable(rules, bank=bank, allowed=allowed)
    found = [
        Problem(rule.pk, text)
        for rule in rules
        if rule.kind == "pin"
        for text in _of_pin(rule, rules, bank, names, allowed, attained)
    ]
    orders = [rule for rule in rules if rule.kind == "order"]
    turned = [problem for rule in orders for problem in _of_order(rule, bank, names)]
    found += turned or _of_orders(orders, bank, names)
    if not (allowed & _of_goal(bank, goal)).any():
        found.append(Problem(-1, "Nothing would be left to give."))
    return found


def find_locked(
    rules: Sequence[Wish],
    *,
    bank: CourseBank,
    names: Names,
    goal: Sequence[int],
    reached: Bools | None = None,
) -> list[Problem]:
    """Return what an assignment asks for that the rules lock: it needs what they keep away.

    Practice without an assignment goes on with what else there is; whoever keeps a topic out of a
    course wants what builds on it out too.

    Args:
        rules: those that hold together.
        bank: the course as it is now, with K concepts.
        names: for the words.
        goal: concept ids of the assignment.
        reached: [K] what all whom it concerns have reached already; None: nothing.
    """
    start = np.zeros(len(bank.concept_ids), dtype=np.bool_) if reached is None else reached
    allowed = find_allowed(rules, bank=bank)
    attained, without = (
        wishes.find_attainable(bank, allowed=some, attained=start, too_few=too_few)
        for some, too_few in (
            (allowed, _with_small_quota(rules, bank)),
            (find_allowed((), bank=bank), None),
        )
    )
    found = []
    for index in [bank.index_of_concept[pk] for pk in goal if pk in bank.index_of_concept]:
        root = _missing_below(bank, index, allowed, attained)
        if without[index] and not attained[index] and root is not None:
            late, early = (names.concept(int(bank.concept_ids[i])) for i in (index, root))
            found.append(Problem(-1, f"{late} needs {early}, which could not be reached"))
    return found


def _missing_below(bank: CourseBank, index: int, allowed: Bools, attained: Bools) -> int | None:
    """Return what a concept's allowed items lack in the end; None where they lack nothing."""
    root = None
    while True:
        rows = np.flatnonzero(allowed & (bank.concepts == index).any(axis=1))
        needed = _lacking(bank, rows, attained) if len(rows) else []
        if not needed:
            return root
        root = index = bank.index_of_concept[needed[0]]


def _of_goal(bank: CourseBank, goal: Sequence[int]) -> Bools:
    if not goal:
        return np.ones(len(bank.item_ids), dtype=np.bool_)
    wanted = [bank.index_of_concept[pk] for pk in goal if pk in bank.index_of_concept]
    return np.asarray(np.isin(bank.concepts, wanted).any(axis=1))


def find_allowed(rules: Sequence[Wish], *, bank: CourseBank) -> Bools:
    """Return [N] the items in use that the rules let through for good."""
    barred = bits_of({name for rule in rules if rule.kind == "bar" for name in rule.value})
    return wishes.allowed_of(bank, banned=wishes.items_banned(rules, bank=bank), barred=barred)


def find_attainable(rules: Sequence[Wish], *, bank: CourseBank, allowed: Bools) -> Bools:
    """Return [K] the concepts that somebody new could reach with what is allowed.

    A concept of which the course has no item in use counts as known, as it does in a choice; one
    with a quota below what reaching it takes cannot be reached.
    """
    return wishes.find_attainable(
        bank,
        allowed=allowed,
        attained=np.zeros(len(bank.concept_ids), dtype=np.bool_),
        too_few=_with_small_quota(rules, bank),
    )


def _with_small_quota(rules: Sequence[Wish], bank: CourseBank) -> Bools:
    found = np.zeros(len(bank.concept_ids), dtype=np.bool_)
    for rule in rules:
        index = bank.index_of_concept.get(rule.concept_id or 0)
        if rule.kind == "quota" and index is not None:
            found[index] |= rule.value < RULES.prerequisite_evidence
    return found


def _of_pin(
    pin: Wish,
    rules: Sequence[Wish],
    bank: CourseBank,
    names: Names,
    allowed: Bools,
    attained: Bools,
) -> list[str]:
    if pin.item_id is None:
        what, own = (
            names.concept(pin.concept_id or 0),
            sorted(wishes.carrying(bank, pin.concept_id)),
        )
    else:
        what, own = f"The question {names.item(pin.item_id)}", [pin.item_id]
    rows = np.array([bank.index_of_item[pk] for pk in own if pk in bank.index_of_item], dtype=int)
    if not bank.operational[rows].any():
        return [f"{what} cannot be given first: it is not in use."]
    if not allowed[rows].any():
        cause = why_not(rules, bank, rows)
        return [f"{what} cannot be given first: {cause}."]
    needed = _lacking(bank, rows[allowed[rows]], attained)
    if needed:
        before = " and ".join(names.concept(pk) for pk in needed)
        return [f"{what} cannot be given first: it needs {before}, which could not be reached."]
    return []


def why_not(rules: Sequence[Wish], bank: CourseBank, rows: npt.NDArray[np.int64]) -> str:
    """Return why the rules let none of these items through."""
    barred = bits_of({name for rule in rules if rule.kind == "bar" for name in rule.value})
    if ((bank.needs[rows] & barred) != 0).all():
        return "it needs what the learner cannot be given"
    return "it is banned"


def _lacking(bank: CourseBank, rows: npt.NDArray[np.int64], attained: Bools) -> list[int]:
    """Return ids of the prerequisites out of reach of the item that lacks the fewest."""
    requires = item_bank(bank).requires
    missing = []
    for row in rows:
        own = bank.concepts[row][bank.concepts[row] >= 0]
        needed = requires[own].any(axis=0) & ~attained
        missing.append(bank.concept_ids[needed].tolist())
    return min(missing, key=len)


def _of_order(rule: Wish, bank: CourseBank, names: Names) -> list[Problem]:
    """Return the first pair of an order that the course's prerequisites turn round."""
    below = item_bank(bank).prerequisites
    turns = [bank.index_of_concept[pk] for pk in rule.value if pk in bank.index_of_concept]
    for place, first in enumerate(turns):
        for later in turns[place + 1 :]:
            if later in below[first]:
                early, late = (names.concept(int(bank.concept_ids[i])) for i in (first, later))
                text = f"{early} cannot come before {late}: it builds on it."
                return [Problem(rule.pk, text)]
    return []


def _of_orders(orders: Sequence[Wish], bank: CourseBank, names: Names) -> list[Problem]:
    """Return of each order the first pair that the others, with the prerequisites, turn round.

    Each would wait for the other, and neither come.
    """
    below = item_bank(bank).prerequisites
    turns = {
        rule.pk: [bank.index_of_concept[pk] for pk in rule.value if pk in bank.index_of_concept]
        for rule in orders
    }
    named = {concept for concepts in turns.values() for concept in concepts}
    after = {one: {other for other in named if one in below[other]} for one in named}
    for concepts in turns.values():
        for first, later in pairwise(concepts):
            after[first].add(later)
    found = []
    for pk, concepts in turns.items():
        for first, later in pairwise(concepts):
            if first in _following(later, after):
                early, late = (names.concept(int(bank.concept_ids[i])) for i in (first, later))
                text = f"{early} cannot come before {late}: another order turns them round."
                found.append(Problem(pk, text))
                break
    return found


def _following(concept: int, after: Mapping[int, set[int]]) -> set[int]:
    """Return all that comes after a concept, directly or by others."""
    found: set[int] = set()
    waiting = [concept]
    while waiting:
        fresh = after[waiting.pop()] - found
        found |= fresh
        waiting += fresh
    return found
