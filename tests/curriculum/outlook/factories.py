"""Learners whose hazard is known, and histories of answers."""

import numpy as np

from curriculum.outlook.features import NAMES
from curriculum.outlook.hazard import EDGES
from curriculum.outlook.histories import DAY_S, Answer, Tracing
from curriculum.outlook.looks import Looks
from kt_models.streaming.psi_parameters import FilterParameters

START = 1_000_000.0
TRACING = Tracing(FilterParameters(), {1: 0.5, 2: 0.5, 3: 0.5})
# Log odds a day of an average learner, and what one standard deviation of two features adds.
BASE, WEIGHTS = -3.0, {"gap_mean": -1.0, "days_per_week": 0.6}


def drawn(*, learners: int = 300, each: int = 4, seed: int = 0, lost: float = 0.02) -> Looks:
    """Looks of learners whose chance a day is known; each day some are lost from sight."""
    rng = np.random.default_rng(seed)
    n = learners * each
    features = rng.standard_normal((n, len(NAMES)))
    features[:, NAMES.index("days_per_week")] = rng.uniform(0.0, 7.0, n)
    features[:, NAMES.index("idle")] = rng.uniform(0.0, 2.0, n)
    daily = 1.0 / (1.0 + np.exp(-(BASE + truth(features))))
    days = rng.geometric(daily).astype(float) - rng.uniform(0.0, 1.0, n)
    gone = rng.exponential(1.0 / lost, n)
    reached = days <= gone
    return Looks(
        features=features,
        days=np.minimum(days, gone),
        reached=reached,
        days_left=rng.choice([7.0, 14.0, 21.0, 27.0], n),
        learner=np.repeat(np.arange(learners), each),
        behind=rng.uniform(-1.0, 1.0, n),
        pace_days=rng.uniform(1.0, 100.0, n),
        usual_days=rng.uniform(1.0, 100.0, n),
    )


def truth(features):
    """What the features add to the log odds of a day."""
    scaled = (features[:, NAMES.index("days_per_week")] - 3.5) / (7.0 / np.sqrt(12.0))
    return WEIGHTS["gap_mean"] * features[:, NAMES.index("gap_mean")] + (
        WEIGHTS["days_per_week"] * scaled
    )


def true_chance(features, days):
    """The chance of reaching the goal within so many whole days."""
    daily = 1.0 / (1.0 + np.exp(-(BASE + truth(features))))
    return 1.0 - (1.0 - daily) ** days


def answers(rights, *, concept=1, start=START, gap=DAY_S / 2, assisted=False):
    """Answers half a day apart, right (1) or wrong (0)."""
    return [
        Answer(start + place * gap, (concept,), float(right), assisted, 0.5)
        for place, right in enumerate(rights)
    ]


__all__ = ["EDGES", "START", "TRACING", "answers", "drawn", "true_chance", "truth"]
