"""A learner before a goal as numbers: only what is known at the moment of the look."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curriculum.outlook.histories import DAY_S, Answer, Look

FloatArray = NDArray[np.float64]

# Days and answers that "lately" means.
RECENT_DAYS = 14.0
RECENT_ANSWERS = 20
# A concept that lies further below mastery than this many logits is out of reach all the same.
FARTHEST = 6.0

NAMES = (
    "left",
    "reached_share",
    "gap_mean",
    "gap_max",
    "sd_mean",
    "untouched_share",
    "evidence",
    "ability",
    "answers_per_day",
    "days_per_week",
    "right_share",
    "trend",
    "help_share",
    "idle",
    "pace",
    "on_goal_share",
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a learner and a goal at a look.

    Attributes:
        look: the goal and the moment.
        left: ids of what is left of the goal: of several that would do, the nearest.
        gaps: logits from each one's 5 % quantile of mastery to the threshold; above 0 below it.
        sds: standard deviation of each one's logit.
        evidence: answers that measured each.
        ability: logit of the learner's ability, mean.
        before: all answers before the look, oldest first.
        reached_before: when concepts were reached, of any goal, ascending, epoch seconds.
        reached_goal: when those of the goal were.
    """

    look: Look
    left: tuple[int, ...]
    gaps: tuple[float, ...]
    sds: tuple[float, ...]
    evidence: tuple[int, ...]
    ability: float
    before: Sequence[Answer]
    reached_before: tuple[float, ...]
    reached_goal: tuple[float, ...]

    @property
    def days_known(self) -> float:
        """Days over which habits can be told: since the first answer, 1 to `RECENT_DAYS`."""
        if not self.before:
            return RECENT_DAYS
        return min(max((self.look.at - self.before[0].at) / DAY_S, 1.0), RECENT_DAYS)

    @property
    def lately(self) -> list[Answer]:
        """The answers of the last `RECENT_DAYS`."""
        since = self.look.at - RECENT_DAYS * DAY_S
        first = len(self.before)
        while first and self.before[first - 1].at >= since:
            first -= 1
        return list(self.before[first:])

    @property
    def answers_per_day(self) -> float:
        """Answers a day lately."""
        return len(self.lately) / self.days_known

    @property
    def days_per_week(self) -> float:
        """Days a week lately on which there was an answer, counted back from the look, 0..7."""
        # The day before the look is day 1, to its very end.
        days = {math.ceil((self.look.at - answer.at) / DAY_S) for answer in self.lately}
        return min(7.0 * len(days) / max(self.days_known, 7.0), 7.0)

    @property
    def help_share(self) -> float:
        """Share of the last answers that were given after help."""
        recent = self.before[-RECENT_ANSWERS:]
        return sum(answer.assisted for answer in recent) / max(len(recent), 1)

    @property
    def idle_days(self) -> float:
        """Days since the last answer; since the goal opened where there is none."""
        last_at = self.before[-1].at if self.before else self.look.goal.opens_at
        return max(self.look.at - last_at, 0.0) / DAY_S


def describe(standing: Standing) -> list[float]:
    """Return the features in the order of `NAMES`; nan where nothing of the goal is left.

    Counts and spans go in as log(1 + x): the tenth answer a day changes less than the second.
    """
    if not standing.left:
        return [math.nan] * len(NAMES)
    goal = standing.look.goal
    gaps = [min(gap, FARTHEST) for gap in standing.gaps]
    size = len(standing.left)
    recent = standing.before[-RECENT_ANSWERS:]
    newer, older = standing.before[-10:], standing.before[-20:-10]
    right = _right_share(recent)
    left = set(standing.left)
    return [
        math.log1p(size),
        1.0 - size / goal.wanted,
        sum(gaps) / size,
        max(gaps),
        sum(standing.sds) / size,
        sum(n == 0 for n in standing.evidence) / size,
        sum(math.log1p(n) for n in standing.evidence) / size,
        standing.ability,
        math.log1p(standing.answers_per_day),
        standing.days_per_week,
        right,
        _right_share(newer) - _right_share(older) if older else 0.0,
        standing.help_share,
        math.log1p(standing.idle_days),
        math.log1p(_lately_reached(standing) / standing.days_known * 7.0),
        sum(bool(left & set(answer.concept_ids)) for answer in recent) / max(len(recent), 1),
    ]


def _right_share(answers: Sequence[Answer]) -> float:
    """Return the share that was right without help, drawn to a half by two answers."""
    right = sum(answer.correct for answer in answers if not answer.assisted)
    return (right + 1.0) / (len(answers) + 2.0)


def _lately_reached(standing: Standing) -> int:
    since = standing.look.at - RECENT_DAYS * DAY_S
    return sum(at >= since for at in standing.reached_before)
