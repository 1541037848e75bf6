"""One student under one policy: sessions, decisions, answers, and what an examiner sees."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from curriculum.scheduler import Finish, Policy, Situation, find_distribution
from curriculum.simulation.desk import Answered, Choice, Classroom, Desk
from curriculum.simulation.errors import PolicyFailed
from curriculum.simulation.student import Student

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(slots=True, eq=False)
class Outcome:
    """One student's way. T answers, N items, K concepts; all chances are true ones.

    Attributes:
        before, after, delayed: mean success over the concepts before the first session, at the
            test and at the delayed test; 0..1. `right_after` is the same in the last second.
        minutes: spent on answers.
        answers: how many.
        exposures: [N] answers to each item.
        over_minutes: minutes spent on items all of whose concepts were known already.
        known_at: [K] minutes of practice after which a concept first was known; 0 if from the
            start, nan if never.
        closed_unknown: [K] the tracer held the concept for mastered at the end, and it was not
            known at the test.
    """

    before: float
    after: float = np.nan
    delayed: float = np.nan
    right_after: float = np.nan
    minutes: float = 0.0
    answers: int = 0
    exposures: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    over_minutes: float = 0.0
    known_at: FloatArray = field(default_factory=lambda: np.zeros(0))
    closed_unknown: BoolArray = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))


class Listener(Protocol):
    """Hears of every choice before it is answered, and of every answer."""

    def chosen(self, choice: Choice) -> None:
        """Take a choice; the student has not answered yet."""
        ...

    def answered(self, answered: Answered) -> None:
        """Take what came of the last choice."""
        ...


def practise(
    room: Classroom, policy: Policy, *, index: int, listener: Listener | None = None
) -> Outcome:
    """Return how student `index` fares under a policy.

    The student's traits and the noise of their answers come from the class's seed and the index
    alone, so that policies are compared on the same students. Between sessions a teacher sees to
    whoever is stuck, so that a concept given up opens again in the next one.

    Raises:
        PolicyFailed: the policy raised or rated unsoundly; a tutor would go on without it.
    """
    traits, noise, draws = (np.random.default_rng([room.seed, 4, index, part]) for part in range(3))
    starts = room.timetable.starts()
    desk = Desk(room, room.simulator.enrol(starts[0], traits))
    outcome = Outcome(before=desk.level(starts[0]))
    outcome.exposures = np.zeros(room.bank.n_items, dtype=np.int64)
    known = desk.known(starts[0])
    outcome.known_at = np.where(known, 0.0, np.nan)
    at = starts[0]
    for start in starts:
        at, ends_at = start, start + room.timetable.session_s
        desk.attempts[:] = 0
        while at < ends_at:
            situation = desk.situation(at, ends_at=ends_at)
            choice = _choose(situation, policy, student=desk.student, rng=draws)
            if choice is None:
                break
            if listener is not None:
                listener.chosen(choice)
            item, state = choice.item, desk.state
            seconds = desk.answer(choice, at=at, rng=noise)
            at += seconds
            if listener is not None:
                listener.answered(desk.compare(state, at=at, minutes=seconds / 60.0))
            known = _note(outcome, desk, item=item, seconds=seconds, at=at, known=known)
    _examine(outcome, desk, at=at, last_start=starts[-1])
    return outcome


def _choose(
    situation: Situation, policy: Policy, *, student: Student, rng: np.random.Generator
) -> Choice | None:
    """Return what is given next, or None for nothing; drawn as `scheduler.decide` does."""
    chances = find_distribution(situation, policy=policy)
    if isinstance(chances, Finish):
        return None
    if chances.fallback is not None:
        raise PolicyFailed(f"{policy.name} failed: {chances.fallback}", policy=policy.name)
    explored_at, drawn_at = rng.random(2)
    explored = bool(explored_at < chances.epsilon)
    edges = (chances.choices.uniform if explored else chances.scored).cumsum()
    pair = int(edges.searchsorted(drawn_at * edges[-1], side="right"))
    return Choice(situation, chances, pair, explored, student)


def _note(
    outcome: Outcome, desk: Desk, *, item: int, seconds: float, at: float, known: BoolArray
) -> BoolArray:
    """Add one answer to the outcome; return what is known after it."""
    minutes = seconds / 60.0
    outcome.minutes += minutes
    outcome.answers += 1
    outcome.exposures[item] += 1
    if known[list(desk.concepts[item])].all():
        outcome.over_minutes += minutes
    known = desk.known(at)
    outcome.known_at[known & np.isnan(outcome.known_at)] = outcome.minutes
    return known


def _examine(outcome: Outcome, desk: Desk, *, at: float, last_start: float) -> None:
    timetable, rules = desk.room.timetable, desk.room.rules
    test_at = last_start + timetable.test_days * 86_400.0
    outcome.right_after = desk.level(at)
    outcome.after = desk.level(test_at)
    outcome.delayed = desk.level(last_start + timetable.delayed_days * 86_400.0)
    seen = desk.situation(test_at, ends_at=test_at)
    mastered = (seen.concept_lower_prob >= rules.mastery_threshold) & (
        seen.evidence_n >= rules.mastery_evidence
    )
    outcome.closed_unknown = mastered & ~desk.known(test_at)
