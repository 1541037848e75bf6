"""One student under one policy: sessions, decisions, answers, and what an examiner sees."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from curriculum.scheduler import (
    Distribution,
    Finish,
    ItemBank,
    Policy,
    RecentAnswers,
    Rules,
    Situation,
    find_distribution,
)
from curriculum.scheduler.situation import Exploration, Memory
from curriculum.simulation.errors import PolicyFailed
from curriculum.simulation.student import Simulator, Student
from curriculum.simulation.timetable import Timetable
from curriculum.simulation.tracer import Tracer
from kt_models.streaming import psi_filter, psi_survey

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

# True success, averaged over a concept's items, from which the concept is known well enough.
KNOWN = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class Classroom:
    """What the students of a class have in common.

    Attributes:
        simulator: who they are.
        bank: the course as the scheduler sees it.
        tracer: what estimates them.
        rules: of the scheduler.
        timetable: when they practise and are examined.
        seed: student i is the same student under every policy.
    """

    simulator: Simulator
    bank: ItemBank
    tracer: Tracer
    rules: Rules
    timetable: Timetable
    seed: int


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
        decisions: one per answer, if asked for.
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


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """What was decided, seen from outside: for logs of decisions.

    Attributes:
        situation: what it was decided on.
        chances: of every eligible pair of arm and item.
        pair: row of the pair that was drawn.
        explored: whether it was drawn at random.
        student: the student, as they are at that moment.
    """

    situation: Situation
    chances: Distribution
    pair: int
    explored: bool
    student: Student

    @property
    def item(self) -> int:
        """The chosen item."""
        return int(self.chances.choices.item[self.pair])

    @property
    def mode(self) -> int:
        """Code of what the item is given for."""
        choices = self.chances.choices
        return int(choices.arms.mode[choices.arm[self.pair]])


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """What came of a choice, as the tracer sees it right after the answer.

    Attributes:
        before, after: mastery of the concepts without and with the answer, at one moment.
        minutes: the time it took.
    """

    before: psi_filter.ConceptEstimates
    after: psi_filter.ConceptEstimates
    minutes: float


class Listener(Protocol):
    """Hears of every choice before it is answered, and of every answer."""

    def chosen(self, choice: Choice) -> None:
        """Take a choice; the student has not answered yet."""
        ...

    def answered(self, answered: Answered) -> None:
        """Take what came of the last choice."""
        ...


class _Desk:
    """A student at work: the student's truth, and the tracer's view of it."""

    def __init__(self, room: Classroom, student: Student) -> None:
        self.room = room
        self.student = student
        self.state = psi_filter.init(room.tracer.parameters)
        self.concepts = [item.concepts for item in room.simulator.course.items]
        self.mastered_before = np.zeros(room.bank.n_concepts, dtype=np.bool_)
        self.attempts = np.zeros(room.bank.n_concepts, dtype=np.int64)
        self.item_ids: list[int] = []
        self.at: list[float] = []
        self.correct: list[float] = []
        self.modes: list[int] = []
        self.explored = 0
        self._mean = concept_means(room.simulator)

    def situation(self, at: float, *, ends_at: float) -> Situation:
        """Return what the scheduler is told at a moment of a session."""
        room, rules, tracer = self.room, self.room.rules, self.room.tracer
        seen = psi_survey.survey(self.state, tracer.parameters, tracer.layout, at=at)
        concepts = seen.concepts
        mastered = self._mastered(concepts)
        self.mastered_before |= mastered
        self.attempts[mastered] = 0
        return Situation(
            bank=room.bank,
            goal=np.ones(room.bank.n_concepts, dtype=np.bool_),
            logit_mean=seen.items.logit_mean,
            logit_var=seen.items.logit_var,
            prob=seen.items.prob,
            expected_gain=seen.gains,
            concept_prob=concepts.prob,
            concept_lower_prob=concepts.lower_prob,
            evidence_n=concepts.evidence_n,
            concept_last_at=seen.last_at,
            mastered_before=self.mastered_before.copy(),
            at=at,
            policy_version="simulated",
            recent=RecentAnswers(
                np.array(self.item_ids, dtype=np.int64),
                np.array(self.at),
                np.array(self.correct),
                np.array(self.modes, dtype=np.int8),
            ),
            rules=rules,
            minutes_left=max(ends_at - at, 1.0) / 60.0,
            item_minutes=tracer.minutes,
            memory=self._memory(concepts),
            attempts=self.attempts.copy(),
            exploration=Exploration(explored=self.explored),
        )

    def _mastered(self, concepts: psi_filter.ConceptEstimates) -> BoolArray:
        rules = self.room.rules
        sure = concepts.lower_prob >= rules.mastery_threshold
        return sure & (concepts.evidence_n >= rules.mastery_evidence)

    def _memory(self, concepts: psi_filter.ConceptEstimates) -> Memory:
        """Return how the tracer expects concepts to fade and grow."""
        parameters, state = self.room.tracer.parameters, self.state
        practised = np.zeros(self.room.bank.n_concepts)
        practised[state.concept_ids] = state.practice_counts
        base = state.ability_mean + self.room.tracer.concept_offsets
        return Memory(
            base=base,
            level=concepts.logit_mean - base,
            var=concepts.logit_var,
            practised=practised,
            tau_days=parameters.decay_tau_days,
            power=parameters.decay_power,
            gain_rho=parameters.gain_rho,
        )

    def known(self, at: float) -> BoolArray:
        """Return [K] whether each concept is known well enough."""
        return np.asarray(self._mean @ self.student.success_probs(at=at) >= KNOWN)

    def level(self, at: float) -> float:
        """Return the mean over concepts of the mean true success on their items."""
        return float((self._mean @ self.student.success_probs(at=at)).mean())

    def answer(self, choice: Choice, *, at: float, rng: np.random.Generator) -> float:
        """Let the student answer and the tracer see it; return the seconds it took."""
        item = choice.item
        given = self.student.answer(item, at=at, rng=rng)
        done_at = at + given.seconds
        self.state = psi_filter.update(
            self.state,
            self.room.tracer.parameters,
            concept_ids=self.concepts[item],
            item_offset=float(self.room.tracer.offsets[item]),
            correct=float(given.correct),
            at=done_at,
            assisted=given.assisted,
        )
        self.attempts[list(self.concepts[item])] += 1
        self.item_ids.append(item)
        self.at.append(done_at)
        self.correct.append(float(given.correct))
        self.modes.append(choice.mode)
        self.explored += choice.explored
        return given.seconds

    def compare(self, before: psi_filter.FilterState, *, at: float, minutes: float) -> Answered:
        """Return mastery at `at` by an earlier state and by the present one."""
        tracer = self.room.tracer
        earlier, now = (
            psi_survey.survey(state, tracer.parameters, tracer.layout, at=at).concepts
            for state in (before, self.state)
        )
        return Answered(before=earlier, after=now, minutes=minutes)


def concept_means(simulator: Simulator) -> FloatArray:
    """Return [K, N] the matrix that averages item values over each concept's own items."""
    banks = simulator.course.items_by_concept
    means = np.zeros((len(banks), len(simulator.course.items)))
    for concept, items in enumerate(banks):
        means[concept, list(items)] = 1.0 / max(len(items), 1)
    return means


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
    desk = _Desk(room, room.simulator.enrol(starts[0], traits))
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
    outcome: Outcome, desk: _Desk, *, item: int, seconds: float, at: float, known: BoolArray
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


def _examine(outcome: Outcome, desk: _Desk, *, at: float, last_start: float) -> None:
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
