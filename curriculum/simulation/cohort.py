"""A cohort of simulated learners: their response log and their true parameters."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from curriculum.errors import CurriculumError
from curriculum.simulation.answering import SLOWEST_ANSWER_S
from curriculum.simulation.course import ItemTruth, SimulatedCourse, draw_item_truth
from curriculum.simulation.learner import SimulatedLearner, SimulatedResponse
from curriculum.simulation.population import Population, Traits
from curriculum.simulation.records import Cohort, collect_responses
from curriculum.simulation.teaching import Teacher, draw_session_starts

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class CohortUnusable(CurriculumError):
    """The cohort asked for is empty or its numbers of answers make no range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Calendar:
    """When one learner practises: session starts (epoch seconds), answers in all, the end."""

    entry: int
    starts: list[float]
    target: int
    end_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Life:
    """One learner's way through the calendar."""

    learner: SimulatedLearner
    calendar: _Calendar
    responses: list[SimulatedResponse]
    snapshot_at: list[float]
    levels: list[FloatArray]
    reference_probs: list[FloatArray]
    bank_probs: list[FloatArray]


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortPlan:
    """How much a cohort practises, and where its learners join.

    Attributes:
        weeks: length of the calendar.
        answers: fewest and most answers of a learner (fewer only if the calendar cuts).
        late_entry_prob: share of learners who join somewhere in the first 60 % of the
            course instead of at its beginning; earlier concepts were taught elsewhere.
        snapshot_after: numbers of answers at which the true states are recorded.
    """

    weeks: float = 6.0
    answers: tuple[int, int] = (60, 120)
    late_entry_prob: float = 0.4
    snapshot_after: tuple[int, ...] = (40,)


def simulate_cohort(
    course: SimulatedCourse,
    *,
    learners: int,
    seed: int,
    end_at: float,
    plan: CohortPlan | None = None,
    population: Population | None = None,
    truth: ItemTruth | None = None,
) -> Cohort:
    """Return the log and the truth of a cohort; the same arguments give the same cohort.

    A learner depends only on the seed and its own index, so a larger cohort begins with the
    smaller one.

    Args:
        course: concepts, prerequisites, items.
        learners: how many.
        seed: fixes everything.
        end_at: the calendar ends here and no answer is later, epoch seconds.
        plan: amounts; the default plan if None.
        population: global parameters; the default population if None.
        truth: true item parameters; drawn from `seed` if None.

    Raises:
        CohortUnusable: no learners, or `plan.answers` is no range of positive numbers.
    """
    plan = plan or CohortPlan()
    if learners < 1 or not 1 <= plan.answers[0] <= plan.answers[1]:
        raise CohortUnusable(f"{learners} learners with {plan.answers} answers make no cohort.")
    population = population or Population()
    truth = truth or draw_item_truth(course, seed=seed)
    references = reference_items(course, truth=truth)
    lives = []
    for index in range(learners):
        rng = np.random.default_rng([seed, 1, index])
        calendar = _draw_calendar(course, plan=plan, end_at=end_at, rng=rng)
        learner = SimulatedLearner.draw(
            course,
            truth=truth,
            start_at=calendar.starts[0],
            rng=rng,
            population=population,
            entry=calendar.entry,
        )
        lives.append(
            _live(
                learner,
                calendar=calendar,
                stops=plan.snapshot_after,
                references=references,
                rng=rng,
            )
        )
    return _collect(lives, snapshot_after=plan.snapshot_after, references=references)


def reference_items(course: SimulatedCourse, *, truth: ItemTruth) -> IntArray:
    """Return per concept the item of median true difficulty (the lower one of two), or -1."""
    chosen = np.full(course.n_concepts, -1, dtype=np.int64)
    for concept, bank in enumerate(course.items_by_concept):
        if bank:
            by_difficulty = sorted(bank, key=lambda item: float(truth.difficulty[item]))
            chosen[concept] = by_difficulty[(len(bank) - 1) // 2]
    return chosen


def _draw_calendar(
    course: SimulatedCourse,
    *,
    plan: CohortPlan,
    end_at: float,
    rng: np.random.Generator,
) -> _Calendar:
    """Return where a learner joins, when it practises and how much."""
    late = rng.random() < plan.late_entry_prob
    entry = int(rng.integers(max(int(0.6 * course.n_concepts), 1))) if late else 0
    target = int(rng.integers(plan.answers[0], plan.answers[1] + 1))
    per_session = rng.uniform(4.0, 9.0)
    n_sessions = min(max(round(target / per_session), 1), int(plan.weeks * 7))
    starts = draw_session_starts(n=n_sessions, end_at=end_at, weeks=plan.weeks, rng=rng)
    return _Calendar(entry=entry, starts=starts, target=target, end_at=end_at)


def _live(
    learner: SimulatedLearner,
    *,
    calendar: _Calendar,
    stops: Sequence[int],
    references: IntArray,
    rng: np.random.Generator,
) -> _Life:
    """Let one learner practise through all sessions."""
    life = _Life(
        learner=learner, calendar=calendar, responses=[],
        snapshot_at=[], levels=[], reference_probs=[], bank_probs=[],
    )  # fmt: skip
    teacher = Teacher(
        learner.course,
        entry=calendar.entry,
        patience=int(rng.integers(5, 9)),
        wanted=int(rng.integers(2, 4)),
    )
    left = calendar.target
    for index, start in enumerate(calendar.starts):
        at = start
        share = -(-left // (len(calendar.starts) - index))
        left -= share
        for _ in range(share):
            if at + SLOWEST_ANSWER_S > calendar.end_at:
                break
            response = learner.answer(teacher.choose(rng=rng), at, rng)
            teacher.record(response.item, correct=response.correct)
            life.responses.append(response)
            if len(life.responses) in stops:
                _record_truth(life, references=references)
            at = response.answered_at + rng.uniform(4.0, 40.0)  # reads the feedback
    while len(life.levels) < len(stops):
        _record_truth(life, references=references)
    return life


def _record_truth(life: _Life, *, references: IntArray) -> None:
    """Note the true states right after the last answer."""
    at = life.responses[-1].answered_at
    life.snapshot_at.append(at)
    life.levels.append(life.learner.levels(at=at))
    successes = life.learner.success_probs(at=at)
    banks = life.learner.course.items_by_concept
    life.reference_probs.append(
        np.array([successes[item] if item >= 0 else np.nan for item in references])
    )
    life.bank_probs.append(
        np.array([successes[list(bank)].mean() if bank else np.nan for bank in banks])
    )


def _collect(
    lives: Sequence[_Life], *, snapshot_after: tuple[int, ...], references: IntArray
) -> Cohort:
    """Return the lives as arrays."""
    first = lives[0].learner
    traits = Traits(
        **{
            one.name: np.array([getattr(life.learner.traits, one.name)[0] for life in lives])
            for one in fields(Traits)
        }
    )
    return Cohort(
        course=first.course,
        truth=first.truth,
        population=first.population,
        responses=collect_responses([life.responses for life in lives]),
        entry=np.array([life.calendar.entry for life in lives], dtype=np.int64),
        start_at=np.array([life.calendar.starts[0] for life in lives]),
        traits=traits,
        snapshot_after=snapshot_after,
        snapshot_at=np.array([life.snapshot_at for life in lives]),
        levels=np.array([life.levels for life in lives]),
        final_levels=np.array([life.learner.levels(at=life.calendar.end_at) for life in lives]),
        reference_items=references,
        reference_probs=np.array([life.reference_probs for life in lives]),
        bank_probs=np.array([life.bank_probs for life in lives]),
        misconceptions=tuple(life.learner.misconceptions for life in lives),
    )
