"""A student at work: what the student knows, and what the tracer and the scheduler see of it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curriculum.scheduler import (
    Distribution,
    ItemBank,
    RecentAnswers,
    Rules,
    Situation,
)
from curriculum.scheduler.situation import Exploration, Memory
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
        places: newcomers are placed by a few items from anywhere first.
    """

    simulator: Simulator
    bank: ItemBank
    tracer: Tracer
    rules: Rules
    timetable: Timetable
    seed: int
    places: bool = False


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


class Desk:
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
            placing=room.places,
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
