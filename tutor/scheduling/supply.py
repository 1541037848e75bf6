"""What an assignment asks for and cannot be given: concepts without questions. Pure, numpy only.

Of each concept the difficulty is named that a question would have to have, so that whoever has to
write it knows which one.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tutor.content.selectors import CourseBank
from tutor.scheduling import feasibility
from tutor.scheduling.feasibility import Names, Problem
from tutor.scheduling.plans import RULES, Wish

Floats = npt.NDArray[np.float64]


def find_missing(
    rules: Sequence[Wish],
    *,
    bank: CourseBank,
    names: Names,
    goal: Sequence[int],
    wanted: Floats | None = None,
) -> list[Problem]:
    """Return which concepts of a goal have no question that may be given.

    Args:
        rules: those that hold together for somebody.
        bank: the course as it is now, with K concepts.
        names: for the words.
        goal: concept ids; empty: the whole course, of which something has to be left.
        wanted: [K] the author's difficulty, in logits, of a question that somebody new to the
            concept answers right as often as one who learns it should; None where it is unknown.
    """
    allowed = feasibility.find_allowed(rules, bank=bank)
    if not goal:
        text = "The course has no question in use."
        return [] if allowed.any() else [Problem(-1, text if not rules else _NOTHING_LEFT)]
    found = []
    for pk in goal:
        index = bank.index_of_concept.get(pk)
        rows = (
            (bank.concepts == index).any(axis=1) if index is not None else bank.operational & False
        )
        if not (allowed & rows).any():
            in_use = np.flatnonzero(bank.operational & rows)
            text = (
                _taken_away(rules, bank, in_use)
                if len(in_use)
                else f"has no question in use: {_to_write(wanted, index)}"
            )
            found.append(Problem(-1, f"{names.concept(pk)} {text}"))
    return found


_NOTHING_LEFT = "Nothing would be left to give."


def _to_write(wanted: Floats | None, index: int | None) -> str:
    if wanted is None or index is None:
        return "write one first"
    target = RULES.targets.learn
    return (
        f"write one of difficulty {wanted[index]:+.1f} first, which {target:.0%} of those who are "
        "new to it answer right"
    )


def _taken_away(rules: Sequence[Wish], bank: CourseBank, rows: npt.NDArray[np.int64]) -> str:
    """Say which questions in use the rules keep away, and how hard these are."""
    levels = bank.difficulty[rows]
    low, high = f"{levels.min():+.1f}", f"{levels.max():+.1f}"
    hard = f"difficulty {low}" if low == high else f"difficulty {low} to {high}"
    many = (
        f"its only question ({hard})" if len(rows) == 1 else f"all {len(rows)} questions ({hard})"
    )
    return f"could not be given, {many}: {feasibility.why_not(rules, bank, rows)}"


def difficulty_wanted(*, bank: CourseBank, newcomer: Floats, offsets: Floats) -> Floats:
    """Return [K] the author's difficulty at which a newcomer learns best, logits.

    Args:
        bank: the course, with N items and K concepts.
        newcomer: [K] logit of success of somebody new on an item of offset 0.
        offsets: [N] logit offsets of the items, larger is easier.
    """
    # What the tracer makes of an author's 0: exact where nothing has been fitted yet.
    intercept = float(np.median(offsets + bank.difficulty)) if len(offsets) else 0.0
    target = RULES.targets.learn
    return np.asarray(intercept + newcomer - np.log(target / (1.0 - target)))
