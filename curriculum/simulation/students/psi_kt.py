"""PSI-KT's states: noisy knowledge that reverts to a level which prerequisites pull along.

Zhou, Bamler, Wu and Tejero-Cantero 2024 (arXiv:2403.13179). Between two moments Δ days apart,
every concept's state z moves as an Ornstein-Uhlenbeck process with the learner's traits:

    z(t + Δ) ~ N(r z + (1 - r) target, volatility^2 (1 - r^2) / (2 reversion))
    r        = exp(-reversion Δ)
    target   = level + transfer * mean of the prerequisites' z
    P(right) = sigmoid(z - difficulty)

In the paper practice only reveals z. Here it also teaches, else no choice could matter: an answer
lifts the level that the concept reverts to, and z by the same amount at once; the lift is damped
by the answers before it. A right and a wrong answer teach alike.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from curriculum.simulation.course import ItemTruth, SimulatedCourse, needs_matrix
from curriculum.simulation.student import PacedStudent, draw_pace

FloatArray = npt.NDArray[np.float64]
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PsiKt:
    """Parameters of the population.

    Attributes:
        level_mean, level_sd: of the learners' long-term level, logits.
        reversion: median rate per day.
        reversion_log_sd: its spread between learners.
        volatility: logits per square root of a day.
        transfer: mean weight of the prerequisites.
        lift: median logits that the first answer on a concept teaches.
        lift_log_sd: its spread between learners.
        damping: the n-th answer teaches n^-damping of the first.
        fresh: how much more z rises at once than the level does, as a share of the lift.
    """

    level_mean: float = -1.2
    level_sd: float = 0.7
    reversion: float = 0.15
    reversion_log_sd: float = 0.4
    volatility: float = 0.2
    transfer: float = 0.5
    lift: float = 0.22
    lift_log_sd: float = 0.4
    damping: float = 0.3
    fresh: float = 0.5


@final
class PsiKtStudent(PacedStudent):
    """State and level of every concept."""

    def __init__(
        self,
        *,
        course: SimulatedCourse,
        truth: ItemTruth,
        pace: float,
        start_at: float,
        level: FloatArray,
        traits: tuple[float, float, float],
        model: PsiKt,
    ) -> None:
        """Start at the targets.

        Args:
            course: the course.
            truth: the items' true parameters; discrimination and guess are not used.
            pace: offset of log answering time.
            start_at: epoch seconds.
            level: [concepts] what each state reverts to without prerequisites, logits.
            traits: reversion, transfer and lift of this learner.
            model: the rest.
        """
        super().__init__(course=course, truth=truth, pace=pace)
        self.level = level
        self.reversion, self.transfer, self.lift = traits
        self.model = model
        self.at = start_at
        self.times = np.zeros(course.n_concepts)
        needs = needs_matrix(course)
        self._share = needs / needs.sum(axis=1, keepdims=True)
        self._pull = np.zeros((course.n_concepts, course.n_concepts))
        for concept, parents in enumerate(course.prerequisites):
            self._pull[concept, list(parents)] = 1.0 / max(len(parents), 1)
        self.state = level.copy()

    def expected_state(self, *, at: float) -> FloatArray:
        """Return [concepts] the mean of z at `at`."""
        kept = np.exp(-self.reversion * max(at - self.at, 0.0) / DAY_S)
        target = self.level + self.transfer * (self._pull @ self.state)
        return np.asarray(kept * self.state + (1.0 - kept) * target)

    def spread(self, *, at: float) -> float:
        """Return the standard deviation of z at `at`, the same for all concepts."""
        kept = np.exp(-2.0 * self.reversion * max(at - self.at, 0.0) / DAY_S)
        return float(self.model.volatility * np.sqrt((1.0 - kept) / (2.0 * self.reversion)))

    def success_probs(self, *, at: float) -> FloatArray:
        """Return the logistic of expected state and difficulty, the coming noise left out."""
        logit = self._share @ self.expected_state(at=at) - self.truth.difficulty
        return np.asarray(1.0 / (1.0 + np.exp(-logit)))

    def learn(self, item: int, *, correct: bool, at: float, rng: np.random.Generator) -> None:
        """Move all states to `at`, and lift what was practised."""
        del correct
        noise = self.spread(at=at) * rng.standard_normal(len(self.state))
        self.state = self.expected_state(at=at) + noise
        self.at = at
        for concept in self.course.items[item].concepts:
            self.times[concept] += 1.0
            taught = self.lift * self.times[concept] ** -self.model.damping
            self.level[concept] += taught
            self.state[concept] += (1.0 + self.model.fresh) * taught


class PsiKtPopulation:
    """Draws students."""

    def __init__(
        self, course: SimulatedCourse, truth: ItemTruth, *, seed: int, model: PsiKt | None = None
    ) -> None:
        """Draw how hard each concept is from the seed."""
        self.course, self.truth, self.model = course, truth, model or PsiKt()
        self.easiness = 0.5 * np.random.default_rng([seed, 14]).standard_normal(course.n_concepts)

    def __call__(self, start_at: float, rng: np.random.Generator) -> PsiKtStudent:
        """Return a new student."""
        model = self.model
        level = model.level_mean + model.level_sd * rng.standard_normal()
        own = 0.3 * rng.standard_normal(self.course.n_concepts)
        reversion = model.reversion * np.exp(model.reversion_log_sd * rng.standard_normal())
        lift = model.lift * np.exp(model.lift_log_sd * rng.standard_normal())
        transfer = model.transfer * 2.0 * rng.beta(4.0, 4.0)
        return PsiKtStudent(
            course=self.course,
            truth=self.truth,
            pace=draw_pace(rng),
            start_at=start_at,
            level=self.easiness + level + own,
            traits=(float(reversion), float(transfer), float(lift)),
            model=model,
        )
