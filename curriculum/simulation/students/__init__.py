"""The models of learning, one file each, and how to make a simulator of one.

`SIMULATORS` names those that need numpy only; the networks are made by `dkt_students`.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from curriculum.simulation.course import ItemTruth, SimulatedCourse, draw_item_truth
from curriculum.simulation.student import Kind, Simulator, Student
from curriculum.simulation.students.bkt import BktPopulation
from curriculum.simulation.students.controls import NoisePopulation, StaticPopulation
from curriculum.simulation.students.dash import DashPopulation
from curriculum.simulation.students.efc import EfcPopulation
from curriculum.simulation.students.growth import GrowthPopulation
from curriculum.simulation.students.hlr import HlrPopulation
from curriculum.simulation.students.kss import KssPopulation
from curriculum.simulation.students.pfa import PfaPopulation
from curriculum.simulation.students.psi_kt import PsiKtPopulation

__all__ = ["LEARNING", "SIMULATORS", "make_simulator"]


class Population(Protocol):
    """A class of populations: made once per course and seed, then called for every student."""

    def __call__(
        self, course: SimulatedCourse, truth: ItemTruth, *, seed: int
    ) -> Callable[[float, np.random.Generator], Student]:
        """Return what enrols students."""
        ...


LEARNING: dict[str, Population] = {
    "bkt": BktPopulation,
    "pfa": PfaPopulation,
    "psi-kt": PsiKtPopulation,
    "efc": EfcPopulation,
    "hlr": HlrPopulation,
    "dash": DashPopulation,
    "kss": KssPopulation,
    "growth": GrowthPopulation,
}
CONTROLS: dict[str, Population] = {"noise": NoisePopulation, "static": StaticPopulation}
SIMULATORS = LEARNING | CONTROLS


def make_simulator(name: str, course: SimulatedCourse, *, seed: int) -> Simulator:
    """Return a simulator by name; its items' true parameters are its own.

    Raises:
        KeyError: no such simulator.
    """
    number = list(SIMULATORS).index(name) if name in SIMULATORS else -1
    population = SIMULATORS[name]
    # Authors err, and each simulator's items in their own way: offsets fitted elsewhere are off.
    truth = draw_item_truth(course, seed=seed * 1_000 + number)
    return Simulator(
        name=name,
        kind=Kind.LEARNING if name in LEARNING else Kind.CONTROL,
        course=course,
        enrol=population(course, truth, seed=seed),
    )
