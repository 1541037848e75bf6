"""Makes tests/data/obp_estimates.json: the same decisions estimated by the Open Bandit Pipeline.

obp 0.4.1 is the newest version that installs on Python 3.11. It wants other versions of its
libraries than the locks have, so it is run once, in an environment of its own that sees ours:

    python3.11 -m venv OBP
    echo "$PWD/.venv/lib/python3.11/site-packages" > OBP/lib/python3.11/site-packages/ours.pth
    OBP/bin/pip install --no-deps obp==0.4.1 seaborn
    PYTHONPATH=. OBP/bin/python -W ignore -m tests.curriculum.evaluation.against_obp

The decisions have 2 to 4 arms of 4: obp knows no sleeping arms, so an absent one has no chance and
an expected reward of 0.
"""

import json
from pathlib import Path

import numpy as np

from curriculum.evaluation import DecisionLog, Target
from curriculum.evaluation.estimators import cross_fitted_rewards
from curriculum.scheduler.features import FEATURES

FIXTURE = Path(__file__).parents[2] / "data" / "obp_estimates.json"
DECISIONS, LEARNERS, ARMS = 1_200, 60, 4


def make_decisions(seed):
    """A log with sleeping arms, a target, and [n, 4] places of the open arms (-1 for none)."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, ARMS + 1, DECISIONS)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    values = rng.standard_normal((starts[-1], len(FEATURES)))
    logged, target = np.empty(starts[-1]), np.empty(starts[-1])
    places = np.full((DECISIONS, ARMS), -1)
    chosen = np.empty(DECISIONS, dtype=np.int64)
    for row, size in enumerate(sizes):
        span = slice(starts[row], starts[row + 1])
        logged[span] = rng.dirichlet(np.full(size, 2.0)) * 0.9 + 0.1 / size
        target[span] = rng.dirichlet(np.full(size, 1.0))
        places[row, rng.permutation(ARMS)[:size]] = np.arange(span.start, span.stop)
        chosen[row] = span.start + rng.choice(size, p=logged[span] / logged[span].sum())
    reward = values[chosen, :3].sum(axis=1) * 0.2 + rng.standard_normal(DECISIONS)
    log = DecisionLog(
        learner=np.sort(rng.integers(LEARNERS, size=DECISIONS)),
        propensity=logged[chosen],
        chosen=chosen,
        starts=starts,
        within=np.ones(DECISIONS),
        uniform=1.0 / sizes,
        epsilon=np.full(DECISIONS, 0.1),
        temperature=np.full(DECISIONS, 0.25),
        top_share=np.full(DECISIONS, 0.8),
        left_to_chance=np.ones(DECISIONS, dtype=bool),
        arm_propensity=logged,
        arm_uniform=np.repeat(1.0 / sizes, sizes),
        features=FEATURES,
        values=values,
        targets={"other": (target[chosen], target)},
        reward=reward,
        reward_kind=np.full(DECISIONS, "made"),
        policies=("made",),
    )
    return log, Target("other", target[chosen], target), places


def estimate_by_obp(seed):
    """IPS, SNIPS and DR of obp, the last with our cross-fitted rewards."""
    from obp.ope import (  # noqa: PLC0415 - only where it is installed
        DoublyRobust,
        InverseProbabilityWeighting,
        SelfNormalizedInverseProbabilityWeighting,
    )

    log, target, places = make_decisions(seed)
    open_ = places >= 0
    predicted = cross_fitted_rewards(log, seed=seed)
    shared = {
        "reward": log.reward,
        "action": (places == log.chosen[:, None]).argmax(axis=1),
        "pscore": log.propensity,
        "action_dist": np.where(open_, target.arms[places], 0.0)[:, :, None],
        "position": np.zeros(DECISIONS, dtype=int),
    }
    expected = np.where(open_, predicted[places], 0.0)[:, :, None]
    return {
        "ips": float(InverseProbabilityWeighting().estimate_policy_value(**shared)),
        "snips": float(SelfNormalizedInverseProbabilityWeighting().estimate_policy_value(**shared)),
        "dr": float(
            DoublyRobust().estimate_policy_value(**shared, estimated_rewards_by_reg_model=expected)
        ),
    }


def main():
    """Write the fixture."""
    import obp  # noqa: PLC0415

    found = {
        "source": f"obp {obp.__version__}, https://github.com/st-tech/zr-obp",
        "made_by": "python -m tests.curriculum.evaluation.against_obp",
        "estimates": {str(seed): estimate_by_obp(seed) for seed in range(5)},
    }
    FIXTURE.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
