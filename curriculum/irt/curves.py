"""Item characteristic curves and what an answer tells about ability (Birnbaum, 1968).

All arguments broadcast against each other: for Q abilities and I items pass theta as [Q, 1] and
the items' parameters as [I], and get [Q, I]. With guessing 0 this is the two-parameter model, with
one discrimination for all items the one-parameter model.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def logit(
    theta: ArrayLike, *, difficulty: ArrayLike, discrimination: ArrayLike
) -> NDArray[np.float64]:
    """Return discrimination * (theta - difficulty): the log odds of knowing the answer."""
    distance = np.subtract(theta, difficulty, dtype=np.float64)
    return np.asarray(np.multiply(discrimination, distance, dtype=np.float64))


def probability(
    theta: ArrayLike,
    *,
    difficulty: ArrayLike,
    discrimination: ArrayLike,
    guessing: ArrayLike = 0.0,
) -> NDArray[np.float64]:
    """Return the probability of a right answer, from `guessing` to 1.

    Args:
        theta: abilities in logits.
        difficulty: the ability at which half of those who do not guess know the answer.
        discrimination: slope there, above 0, per logit.
        guessing: chance of a right answer by guessing, 0 to below 1.
    """
    known = sigmoid(logit(theta, difficulty=difficulty, discrimination=discrimination))
    chance = np.asarray(guessing, dtype=np.float64)
    return np.asarray(chance + (1.0 - chance) * known)


def information(
    theta: ArrayLike,
    *,
    difficulty: ArrayLike,
    discrimination: ArrayLike,
    guessing: ArrayLike = 0.0,
) -> NDArray[np.float64]:
    """Return the Fisher information of one answer about ability, per squared logit.

    a² (1 - P) / P ((P - c) / (1 - c))², which is a² P (1 - P) without guessing (Lord, 1980, 5-9).
    """
    z = logit(theta, difficulty=difficulty, discrimination=discrimination)
    chance = np.asarray(guessing, dtype=np.float64)
    known, unknown = sigmoid(z), sigmoid(-z)
    right = chance + (1.0 - chance) * known
    slope = np.asarray(discrimination, dtype=np.float64)
    # Where nobody knows and nobody guesses, both right and known vanish, and their ratio is 1.
    share = np.divide(known, right, out=np.ones_like(right), where=right > 0.0)
    return np.asarray(slope**2 * (1.0 - chance) * unknown * known * share)


def log_chances(
    theta: NDArray[np.float64],
    *,
    difficulty: NDArray[np.float64],
    discrimination: NDArray[np.float64],
    guessing: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return [I, Q] logs of the chances of a right and of a wrong answer, without overflow.

    Args:
        theta: [Q] abilities.
        difficulty: [I].
        discrimination: [I].
        guessing: [I].
    """
    z = discrimination[:, None] * (theta - difficulty[:, None])
    wrong = -np.logaddexp(0.0, z)
    right = z + wrong
    if guessing.any():
        chance = guessing[:, None]
        some = np.where(chance > 0.0, chance, 0.5)
        guessed = np.logaddexp(np.log(some), np.log1p(-chance) + right)
        right, wrong = np.where(chance > 0.0, guessed, right), wrong + np.log1p(-chance)
    return right, wrong


def sigmoid(z: ArrayLike) -> NDArray[np.float64]:
    """Return 1 / (1 + exp(-z)) without overflow at either end."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * np.asarray(z, dtype=np.float64))))
