"""A newcomer is placed before a date too, by nothing drawn at random, and by no fallback."""

import json

import numpy as np
import pytest

from curriculum.scheduler import Memory, ReceiptDiffers, Rules, decide, find_distribution, replay
from tests.curriculum.scheduler.factories import DAY, NOW, make_bank, make_situation

CHAIN = make_bank(n_concepts=6, requires=[(below, below + 1) for below in range(5)])


def newcomer(**changes):
    size = CHAIN.n_concepts
    memory = Memory(
        base=np.zeros(size), level=np.zeros(size), var=np.full(size, 0.3),
        practised=np.zeros(size), tau_days=3.0, power=0.1,
    )  # fmt: skip
    return make_situation(CHAIN, **{"memory": memory, "placing": True, **changes})


@pytest.mark.parametrize("days", [4.0, 2.0, 0.5])
def test_a_date_ahead_leaves_every_number_finite(days):
    situation = newcomer(due_at=NOW + days * DAY)

    for seed in range(5):
        chosen = decide(situation, seed=seed)

        assert (chosen.reason.code, chosen.fallback) == ("placement", None)
        assert json.loads(json.dumps(chosen.receipt(), allow_nan=False)) == chosen.receipt()
        assert np.isfinite(chosen.arms.gains).all()


def test_what_is_not_finite_gives_the_order_instead(monkeypatch):
    told = "curriculum.scheduler.reporting.describe_arm"
    monkeypatch.setattr(told, lambda *_: np.array([0.5, np.nan]))

    chosen = decide(newcomer(), seed=1)

    assert "not finite" in chosen.fallback
    assert chosen.propensity == 1.0
    json.dumps(chosen.receipt(), allow_nan=False)


def test_nothing_is_drawn_at_random_meanwhile():
    placed = find_distribution(newcomer(rules=Rules(epsilon=0.5)))
    assert placed.epsilon == 0.0
    assert decide(newcomer(rules=Rules(epsilon=0.5)), seed=3).explored is False
    assert find_distribution(newcomer(placing=False, rules=Rules(epsilon=0.5))).epsilon == 0.5


def test_the_order_that_stands_in_places_nobody():
    chosen = decide(newcomer(rules=Rules(kill_switch=True)), seed=0)

    assert (chosen.fallback, chosen.reason.code) == ("kill-switch", "probe")


def test_a_finish_tells_whether_the_learner_was_placed():
    early = newcomer(opens_at=NOW + 60.0)
    receipt = decide(early, seed=1).receipt()
    other = newcomer(opens_at=NOW + 60.0, placing=False)

    assert receipt["placing"] is True
    with pytest.raises(ReceiptDiffers) as differs:
        replay(other, receipt=receipt)
    assert differs.value.facts["field"] == "placing"
    del receipt["placing"]
    replay(other, receipt=receipt)
