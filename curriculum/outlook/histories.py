"""What a forecast is made from: answers in order, a goal with its dates, and moments to look."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from curriculum.scheduler import Rules
from kt_models.streaming.psi_parameters import FilterParameters

DAY_S = 86_400.0


class Answer(NamedTuple):
    """One answer of a learner.

    Attributes:
        at: epoch seconds.
        concept_ids: of its item, at least one.
        correct: 0 to 1.
        assisted: hints were seen before it, or it was a further try.
        offset: logit offset of the item.
        offset_var: its variance; inf where the answer does not count.
    """

    at: float
    concept_ids: tuple[int, ...]
    correct: float
    assisted: bool
    offset: float
    offset_var: float = 0.0


@dataclass(frozen=True, slots=True)
class Goal:
    """Concepts to be mastered by a date: all of an assignment's, or so many of a course's.

    Attributes:
        concept_ids: at least one.
        opens_at: epoch seconds.
        due_at: epoch seconds, later than `opens_at`.
        wanted: how many of them, from 1 to all.
    """

    concept_ids: tuple[int, ...]
    opens_at: float
    due_at: float
    wanted: int

    @classmethod
    def all_of(cls, concept_ids: Sequence[int], *, opens_at: float, due_at: float) -> "Goal":
        """Return the goal of mastering every one of the concepts."""
        return cls(tuple(concept_ids), opens_at, due_at, len(concept_ids))

    def reached_at(self, reached_at: Mapping[int, float]) -> float:
        """Return when the goal was reached, inf if never, from when its concepts were."""
        own = sorted(reached_at[pk] for pk in self.concept_ids if pk in reached_at)
        return own[self.wanted - 1] if len(own) >= self.wanted else math.inf


@dataclass(frozen=True, slots=True)
class Look:
    """A goal at a moment at which its outcome is to be forecast, epoch seconds."""

    goal: Goal
    at: float

    @property
    def days_left(self) -> float:
        """Days until the date; below 0 once it is over."""
        return (self.goal.due_at - self.at) / DAY_S

    @property
    def elapsed_share(self) -> float:
        """How much of the goal's time is over, 0..1."""
        span = self.goal.due_at - self.goal.opens_at
        return min(max((self.at - self.goal.opens_at) / span, 0.0), 1.0)


@dataclass(frozen=True, slots=True)
class Tracing:
    """By what it is told what a learner knows, and from when on a concept counts as reached.

    A concept is reached at the first answer on it after which the 5 % quantile of mastery is at
    least `lower_prob` and at least `evidence` answers have measured it: the rule by which the
    scheduler calls an assignment done. It stays reached.

    Attributes:
        parameters: the filter's scalars.
        reference_offsets: concept id -> logit offset of its reference item.
        lower_prob, evidence: see above.
    """

    parameters: FilterParameters
    reference_offsets: Mapping[int, float]
    lower_prob: float = field(default=Rules().mastery_threshold)
    evidence: int = field(default=Rules().mastery_evidence)

    @property
    def logit(self) -> float:
        """The threshold as a logit."""
        return math.log(self.lower_prob / (1.0 - self.lower_prob))


def openings(answers: Sequence[Answer], *, days: float) -> list[float]:
    """Return moments one period apart at which a goal could have been set: each with an answer.

    The first is the first answer, the next the first one `days` or more after that, and so on.
    """
    found: list[float] = []
    for answer in answers:
        if not found or answer.at >= found[-1] + days * DAY_S:
            found.append(answer.at)
    return found


def more_concepts(
    concept_ids: Sequence[int],
    reached_at: Mapping[int, float],
    *,
    more: int,
    opens_at: float,
    days: float,
) -> Goal | None:
    """Return the goal of mastering so many more of a course's concepts; None with too few left.

    Logs name no assignments, but this goal needs nothing that is not known when it opens.
    """
    left = tuple(pk for pk in concept_ids if reached_at.get(pk, math.inf) >= opens_at)
    if len(left) < more:
        return None
    return Goal(left, opens_at, opens_at + days * DAY_S, more)
