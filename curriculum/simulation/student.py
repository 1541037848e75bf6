"""The small interface between a simulated learner and whoever teaches it.

A `Student` answers an item at a time and can be examined at any moment without being changed.
A `Simulator` enrols students; its models of learning differ in structure, not only in numbers,
so that a policy that is good in all of them is not good by agreeing with one (Doroudi, Aleven
and Brunskill 2017, the robust evaluation matrix).
"""

import abc
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, final

import numpy as np
import numpy.typing as npt

from curriculum.simulation.course import ItemTruth, SimulatedCourse

FloatArray = npt.NDArray[np.float64]

SECONDS_SD = 0.3
PACE_SD = 0.25
FASTEST_S, SLOWEST_S = 3.0, 300.0
# What an item takes beside the answer itself: reading the feedback, longer after a mistake.
FEEDBACK_S, CORRECTION_S = 5.0, 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a student gave.

    Attributes:
        correct: the outcome.
        seconds: time it took, feedback included.
        assisted: whether help was taken before answering.
    """

    correct: bool
    seconds: float
    assisted: bool = False


class Student(Protocol):
    """One simulated learner; times are epoch seconds and must not decrease between answers."""

    def answer(self, item: int, *, at: float, rng: np.random.Generator) -> Answer:
        """Answer an item of the course presented at `at`, and learn from it."""
        ...

    def success_probs(self, *, at: float) -> FloatArray:
        """Return [items] the true P(unassisted right answer) at `at`, changing nothing.

        `at` may lie after the last answer: what is forgotten until then is forgotten.
        """
        ...


class Kind(StrEnum):
    """What a simulator is good for."""

    LEARNING = "learning"
    # Nothing can be learnt: every policy must show a gain of nought.
    CONTROL = "control"


@dataclass(frozen=True, slots=True)
class Simulator:
    """A population of students of one course.

    Attributes:
        name: stable, as on the command line.
        kind: whether there is anything to learn.
        course: what is taught; its items' true parameters are the simulator's own.
        enrol: draws a new student, who joins at an epoch second.
    """

    name: str
    kind: Kind
    course: SimulatedCourse
    enrol: Callable[[float, np.random.Generator], Student]


class PacedStudent(abc.ABC):
    """A student whose answers are Bernoulli and take log-normal time."""

    def __init__(self, *, course: SimulatedCourse, truth: ItemTruth, pace: float) -> None:
        """Keep what is common to all.

        Args:
            course: the course.
            truth: the items' true parameters in this simulator.
            pace: the learner's offset of log answering time.
        """
        self.course = course
        self.truth = truth
        self.pace = pace

    @final
    def answer(self, item: int, *, at: float, rng: np.random.Generator) -> Answer:
        """Draw the outcome and the time, and learn from the outcome."""
        prob = float(self.success_probs(at=at)[item])
        # Both are drawn first, so that learning may take as many numbers as it likes.
        outcome, noise = rng.random(), rng.standard_normal()
        correct = bool(outcome < prob)
        log_s = float(self.truth.log_seconds[item]) + self.pace + SECONDS_SD * float(noise)
        thinking = float(np.clip(np.exp(log_s), FASTEST_S, SLOWEST_S))
        self.learn(item, correct=correct, at=at, rng=rng)
        return Answer(correct, thinking + FEEDBACK_S + (0.0 if correct else CORRECTION_S))

    @abc.abstractmethod
    def success_probs(self, *, at: float) -> FloatArray:
        """Return [items] the true P(unassisted right answer)."""

    @abc.abstractmethod
    def learn(self, item: int, *, correct: bool, at: float, rng: np.random.Generator) -> None:
        """Change the state by one answer."""


def draw_pace(rng: np.random.Generator) -> float:
    """Return a learner's offset of log answering time."""
    return float(PACE_SD * rng.standard_normal())
