"""ALP-GMM at the level of a cohort: draw tasks where learners' success has been changing."""

import dataclasses
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from curriculum.bandits.base import BasePolicy
from curriculum.scheduler.arms import Choices
from curriculum.scheduler.policy import Rating, rate_pairs
from curriculum.scheduler.situation import Situation

FloatArray = NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class AlpGmm(BasePolicy):
    """Pick a Gaussian by its mean absolute learning progress, then an item by its density.

    Portelas, Colas, Hofmann and Oudeyer 2019 (arXiv:1910.07224), fitted by `fit_alp_gmm` on the
    answers of a cohort: one learner's are too few for it. A task is (expected logit of success,
    place of its concept in the course, 0..1). The published method draws a point of the plane;
    here its density over the eligible items is drawn from, which has a closed form. Without a fit
    it is uniform.

    Attributes:
        means: G points of the plane.
        covariances: G symmetric 2 x 2 matrices, as (xx, xy, yy).
        progress: G mean absolute learning progresses, not negative.
        random_share: chance of a uniform draw instead (`random_task_ratio` of the paper's code).
    """

    name: ClassVar[str] = "alp-gmm"
    means: tuple[tuple[float, float], ...] = ()
    covariances: tuple[tuple[float, float, float], ...] = ()
    progress: tuple[float, ...] = ()
    random_share: float = 0.2

    def check(self) -> None:
        """Refuse lists of different lengths and what is no covariance."""
        same = len(self.means) == len(self.covariances) == len(self.progress)
        self.require(holds=same, what="means, covariances and progress differ in length")
        self.require(holds=min(self.progress, default=0.0) >= 0.0, what="progress is negative")
        sound = all(xx > 0.0 and xx * yy > xy * xy for xx, xy, yy in self.covariances)
        self.require(holds=sound, what="a covariance is not positive definite")
        self.require(holds=0.0 <= self.random_share <= 1.0, what="random_share: 0..1")

    def rate(self, choices: Choices) -> Rating:
        """Return the mixture over items; an arm's score is its likeliest item's."""
        uniform = choices.uniform * np.bincount(choices.item)[choices.item]
        chance = uniform
        if sum(self.progress) > 0.0:
            points = task_points(
                choices.situation, item=choices.item, concept=choices.arms.concept[choices.arm]
            )
            learnt = self._mixture(points)
            chance = self.random_share * uniform + (1.0 - self.random_share) * learnt
        log_weight = np.log(np.maximum(chance, np.finfo(np.float64).tiny))
        return rate_pairs(choices, log_weight=log_weight, scores=chance)

    def _mixture(self, points: FloatArray) -> FloatArray:
        """Return [Q] chances: each Gaussian's share, spread over the points by its density."""
        chance = np.zeros(len(points))
        for mean, covariance, progress in zip(
            self.means, self.covariances, self.progress, strict=True
        ):
            log_density = -0.5 * _squared_distance(points, mean, covariance)
            density = np.exp(log_density - log_density.max())
            chance += progress / sum(self.progress) * density / density.sum()
        return chance


def task_points(
    situation: Situation, *, item: NDArray[np.int64], concept: NDArray[np.int64]
) -> FloatArray:
    """Return [Q, 2]: the logit of success, and the concept's place in the course."""
    place = concept / max(situation.bank.n_concepts - 1, 1)
    return np.stack([situation.logit_mean[item], place], axis=1)


def _squared_distance(
    points: FloatArray, mean: tuple[float, float], covariance: tuple[float, float, float]
) -> FloatArray:
    xx, xy, yy = covariance
    x, y = points[:, 0] - mean[0], points[:, 1] - mean[1]
    return np.asarray((yy * x * x - 2.0 * xy * x * y + xx * y * y) / (xx * yy - xy * xy))
