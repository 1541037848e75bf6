"""Goals drawn from logs, which name no assignments: so many more concepts in four weeks."""

from collections.abc import Collection, Iterable, Sequence

import numpy as np

from curriculum.outlook.following import Traced
from curriculum.outlook.histories import DAY_S, Answer, Look, more_concepts, openings

PERIOD_DAYS = 28.0
# Days after the opening at which a goal is looked at.
LOOK_DAYS = (1.0, 7.0, 14.0, 21.0)


def moments_of(answers: Sequence[Answer]) -> list[float]:
    """Return when a learner's drawn goals are looked at, epoch seconds."""
    return [
        opens_at + days * DAY_S
        for opens_at in openings(answers, days=PERIOD_DAYS)
        for days in LOOK_DAYS
    ]


def usual_pace(traced: Iterable[Traced]) -> int:
    """Return how many concepts are reached in the middle period that was seen through; 1 at least.

    A goal of so many is reached about as often as it is missed.
    """
    counts = [
        sum(opens_at <= at < opens_at + PERIOD_DAYS * DAY_S for at in own.reached_at.values())
        for own in traced
        for opens_at in openings(own.answers, days=PERIOD_DAYS)
        if own.last_at >= opens_at + PERIOD_DAYS * DAY_S
    ]
    return max(int(np.median(counts)), 1) if counts else 1


def drawn_looks(
    traced: Traced, concept_ids: Collection[int], *, more: int, until: float
) -> list[Look]:
    """Return a learner's looks at goals of `more` concepts, one goal after the other.

    Args:
        traced: with the states at `moments_of` the answers.
        concept_ids: of the course.
        more: how many more concepts each goal wants.
        until: end of the log, epoch seconds: from then on nothing could be seen of anybody.
    """
    looks = []
    for opens_at in openings(traced.answers, days=PERIOD_DAYS):
        goal = more_concepts(
            sorted(concept_ids), traced.reached_at, more=more, opens_at=opens_at, days=PERIOD_DAYS
        )
        if goal is not None:
            looks += [Look(goal, opens_at + days * DAY_S) for days in LOOK_DAYS]
    return [look for look in looks if look.at < until]
