"""Simulated answers with known truth."""

from dataclasses import dataclass

import numpy as np

from curriculum.irt.curves import probability
from curriculum.irt.responses import Responses, responses_of_matrix
from kt_models.api import ResponseLog, build_log


@dataclass(frozen=True)
class Simulated:
    ability: np.ndarray
    difficulty: np.ndarray
    discrimination: np.ndarray
    matrix: np.ndarray
    responses: Responses


def simulate(
    *,
    seed: int,
    learners: int = 1000,
    items: int = 100,
    share: float = 0.2,
    sd_log_slope: float = 0.35,
    guessing: float = 0.0,
    mean: float = 0.0,
    sd: float = 1.0,
) -> Simulated:
    """Return answers of learners N(mean, sd) to items b ~ N(0, 1), of which a share is seen."""
    rng = np.random.default_rng(seed)
    ability = mean + sd * rng.normal(size=learners)
    difficulty = rng.normal(size=items)
    discrimination = np.exp(sd_log_slope * rng.normal(size=items))
    matrix = answer(ability, difficulty, discrimination, rng=rng, share=share, guessing=guessing)
    return Simulated(ability, difficulty, discrimination, matrix, responses_of_matrix(matrix))


def answer(ability, difficulty, discrimination, *, rng, share=1.0, guessing=0.0):
    """Return [L, I] answers, nan where not seen."""
    chance = probability(
        ability[:, None], difficulty=difficulty, discrimination=discrimination, guessing=guessing
    )
    matrix = (rng.random(chance.shape) < chance).astype(float)
    matrix[rng.random(chance.shape) >= share] = np.nan
    return matrix


def log_of(rows, **more) -> ResponseLog:
    """Return the log of (learner, item, correct) rows, in this order a second apart."""
    learners, items, correct = zip(*rows, strict=True)
    return build_log(
        learners=learners,
        items=items,
        concepts=[()] * len(rows),
        correct=np.array(correct, dtype=float),
        answered_at=more.pop("answered_at", 1.7e9 + np.arange(len(rows), dtype=float)),
        **more,
    )


def log_of_matrix(matrix) -> ResponseLog:
    """Return the log of a table of answers."""
    return log_of(
        [(f"l{i}", f"i{j}", matrix[i, j]) for i, j in np.argwhere(~np.isnan(matrix)).tolist()]
    )
