"""Logs for tests: random ones, and ones whose truth is known."""

import numpy as np

from kt_models.data.log import ResponseLog, build_log

DAY = 86_400.0


def random_log(rng, *, learners=20, answers=50, items=15, concepts=5) -> ResponseLog:
    """Return learners x answers random answers; right or wrong has no pattern."""
    size = learners * answers
    of_item = [
        tuple(
            f"k{k}" for k in rng.choice(concepts, size=rng.integers(1, 4), replace=False).tolist()
        )
        for _ in range(items)
    ]
    item = rng.integers(0, items, size)
    answered_at = 1.6e9 + rng.exponential(0.05 * DAY, (learners, answers)).cumsum(axis=1).ravel()
    return build_log(
        learners=[f"l{k:03d}" for k in np.repeat(np.arange(learners), answers)],
        items=[f"i{k}" for k in item],
        concepts=[of_item[k] for k in item],
        correct=rng.integers(0, 2, size).astype(float),
        answered_at=answered_at,
        shown_at=answered_at - rng.exponential(60.0, size),
        assisted=rng.random(size) < 0.2,
    )
