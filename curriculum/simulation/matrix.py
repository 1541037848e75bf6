"""The robust evaluation matrix: every policy with every simulator's students, at equal minutes.

After Doroudi, Aleven and Brunskill 2017: a policy is only believed to teach better if it does so
for learners of several different kinds, none of which it was fitted to.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curriculum.scheduler import Policy, Rules
from curriculum.simulation.course import SimulatedCourse
from curriculum.simulation.desk import Classroom
from curriculum.simulation.drawn_course import CourseShape, bank_of, draw_course
from curriculum.simulation.errors import MatrixUnusable, UnknownSimulator
from curriculum.simulation.measures import Figure, measure
from curriculum.simulation.practising import Listener, Outcome, practise
from curriculum.simulation.student import Kind, Simulator
from curriculum.simulation.students import LEARNING, SIMULATORS, make_simulator
from curriculum.simulation.students.dkt import make_dkt_simulators
from curriculum.simulation.timetable import Timetable
from curriculum.simulation.tracer import LEARNERS_EACH, TaughtLog, Tracer, fit_tracer, teach

FloatArray = npt.NDArray[np.float64]

# Networks learn from this one's students, so it is left out with them.
DKT_TEACHER = "growth"
DKT_NUMBERS = (1, 2, 3)
DKT_NAMES = tuple(f"dkt-{number}" for number in DKT_NUMBERS)
NAMES = (*LEARNING, *DKT_NAMES, *(name for name in SIMULATORS if name not in LEARNING))

Progress = Callable[[str], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a matrix is made of.

    Attributes:
        simulators: names, out of `NAMES`.
        learners: per simulator; the same ones under every policy.
        seed: of the course, the items, the learners, everything.
        timetable: minutes, sessions and tests.
        shape: of the course.
        rules: of the scheduler, for all policies alike.
        places: newcomers are placed first, under every policy.

    Raises:
        UnknownSimulator: on construction.
        MatrixUnusable: on construction, fewer than two learners or no simulator.
    """

    simulators: tuple[str, ...] = NAMES
    learners: int = 100
    seed: int = 0
    timetable: Timetable = dataclasses.field(default_factory=Timetable)
    shape: CourseShape = dataclasses.field(default_factory=CourseShape)
    rules: Rules = dataclasses.field(default_factory=Rules)
    places: bool = False

    def __post_init__(self) -> None:
        for name in self.simulators:
            if name not in NAMES:
                raise UnknownSimulator(
                    f"There is no simulator {name}: choose from {', '.join(NAMES)}.", name=name
                )
        if self.learners < 2 or not self.simulators:
            raise MatrixUnusable(
                f"{self.learners} learners of {len(self.simulators)} simulators: "
                "give at least 2 learners and 1 simulator."
            )
        if self.seed < 0:
            raise MatrixUnusable(f"Seed {self.seed}: give a whole number from 0.")


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """One policy with one simulator's students.

    Attributes:
        simulator, policy: names.
        kind: of the simulator.
        figures: by name, see `measures.NAMES`.
        outcomes: learner by learner; the same learners under all policies of a simulator.
    """

    simulator: str
    policy: str
    kind: Kind
    figures: Mapping[str, Figure]
    outcomes: tuple[Outcome, ...]

    @property
    def gains(self) -> FloatArray:
        """[learners] what each gained until the test: the figure that policies are judged by."""
        return np.array([one.after - one.before for one in self.outcomes])


def draw_matrix(
    plan: Plan,
    policies: Mapping[str, Policy],
    *,
    progress: Progress | None = None,
    listen: Callable[[str, str, int], Listener] | None = None,
) -> list[Cell]:
    """Return the cells in the order of `NAMES`; the same for the same plan and policies.

    Args:
        plan: what to simulate.
        policies: by name.
        progress: told what was just done; `count_steps` times.
        listen: given simulator, policy and learner, returns who hears of every choice.
    """
    tell = progress or _say_nothing
    cells = []
    for room in open_rooms(plan, progress=tell):
        for name, policy in policies.items():
            outcomes: list[Outcome] = []
            for index in range(plan.learners):
                listener = listen(room.simulator.name, name, index) if listen else None
                outcomes.append(practise(room, policy, index=index, listener=listener))
                tell(f"{room.simulator.name}, {name}")
            cells.append(_cell(room, name, outcomes))
    return sorted(cells, key=lambda cell: NAMES.index(cell.simulator))


def count_steps(plan: Plan, policies: int) -> int:
    """Return how many times `draw_matrix` will report progress."""
    return len(plan.simulators) * (1 + policies * plan.learners)


def open_rooms(plan: Plan, *, progress: Progress | None = None) -> Iterator[Classroom]:
    """Yield a class of each simulator, with a tracer that has not met its like."""
    tell = progress or _say_nothing
    course = draw_course(seed=plan.seed, shape=plan.shape)
    bank = bank_of(course)
    logs = _teach_all(course, plan)
    tracers: dict[frozenset[str], Tracer] = {}
    for simulator in _simulators(course, plan):
        known = frozenset(logs) - _kin(simulator.name)
        if known not in tracers:
            chosen = [log for name, log in logs.items() if name in known]
            tracers[known] = fit_tracer(chosen, course, seed=plan.seed)
        tell(f"{simulator.name}, tracer")
        yield Classroom(
            simulator=simulator,
            bank=bank,
            tracer=tracers[known],
            rules=plan.rules,
            timetable=plan.timetable,
            seed=plan.seed,
            places=plan.places,
        )


def _kin(name: str) -> frozenset[str]:
    """Return what a tracer may not be fitted on if it shall meet this simulator's students."""
    return frozenset({name, DKT_TEACHER}) if name in DKT_NAMES else frozenset({name})


def _teach_all(course: SimulatedCourse, plan: Plan) -> dict[str, TaughtLog]:
    return {
        name: teach(
            make_simulator(name, course, seed=plan.seed),
            learners=LEARNERS_EACH,
            seed=plan.seed,
            timetable=Timetable(),
        )
        for name in LEARNING
    }


def _simulators(course: SimulatedCourse, plan: Plan) -> Iterator[Simulator]:
    for name in plan.simulators:
        if name in SIMULATORS:
            yield make_simulator(name, course, seed=plan.seed)
    numbers = [number for number in DKT_NUMBERS if f"dkt-{number}" in plan.simulators]
    if numbers:
        teacher = make_simulator(DKT_TEACHER, course, seed=plan.seed)
        yield from make_dkt_simulators(
            teacher, numbers=numbers, seed=plan.seed, timetable=Timetable()
        )


def _cell(room: Classroom, policy: str, outcomes: Sequence[Outcome]) -> Cell:
    return Cell(
        simulator=room.simulator.name,
        policy=policy,
        kind=room.simulator.kind,
        figures=measure(outcomes, minutes=room.timetable.minutes, seed=room.seed),
        outcomes=tuple(outcomes),
    )


def _say_nothing(what: str) -> None:
    del what
