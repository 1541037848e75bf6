"""A mistake anywhere in the choice ends no lesson: the expert order stands in, and is told."""

import numpy as np
import pytest

from curriculum.bandits import make_policy
from curriculum.scheduler import (
    Finish,
    InvalidRules,
    ReceiptDiffers,
    Rules,
    decide,
    find_distribution,
    replay,
)
from curriculum.scheduler.rules import digest_of
from tests.curriculum.scheduler.factories import (
    DAY,
    NOW,
    knows,
    make_bank,
    make_situation,
    recent,
)

STEPS = {
    "planner": "curriculum.scheduler.horizon.plan",
    "gains": "curriculum.scheduler.arms.look_ahead",
    "items' weights": "curriculum.scheduler.arms._item_weights",
    "trials": "curriculum.scheduler.deciding.list_trials",
}
RULES = {
    "assess": "curriculum.scheduler.deciding.assess",
    "the goal's finish": "curriculum.scheduler.deciding.find_goal_finish",
    "eligibility": "curriculum.scheduler.deciding.find_eligible",
    "reason": "curriculum.scheduler.reporting.explain",
    "features": "curriculum.scheduler.reporting.describe_arm",
}


def broken(*_, **__):
    raise ZeroDivisionError("injected")


def a_situation(**changes):
    """Three open concepts and a date that a plan is made for."""
    pilot = np.arange(12) == 3
    bank = make_bank(requires=(), operational=~pilot, pilot=pilot)
    fields = {
        "closes_at": NOW + 2 * DAY,
        "study_minutes": 20.0,
        "pilot_share": 0.1,
        **knows("seen", "new", "new"),
        **changes,
    }
    return make_situation(bank, **fields)


@pytest.mark.parametrize("name", STEPS)
def test_a_broken_step_gives_the_expert_order_among_what_the_rules_left(monkeypatch, name):
    situation = a_situation(banned=frozenset({104}))
    firm = a_situation(banned=frozenset({104}), rules=Rules(epsilon=0.0), pilot_share=0.0)
    expert = decide(firm, seed=0, policy=make_policy("expert-order"))
    monkeypatch.setattr(STEPS[name], broken)

    chosen = decide(situation, seed=4)

    assert chosen.propensity == 1.0
    assert chosen.receipt()["fallback"] == "ZeroDivisionError: injected"
    assert chosen.item_id == expert.item_id == 105
    assert (chosen.removed["banned"], chosen.explored, chosen.epsilon) == (1, False, 0.0)
    assert find_distribution(situation).joint.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("name", RULES)
def test_broken_rules_give_the_goals_items_in_order(monkeypatch, name):
    goal = np.array([False, True, True])
    situation = a_situation(
        goal=goal, banned=frozenset({104}), recent=recent((105, DAY, 1.0), (106, 60.0, 1.0))
    )
    monkeypatch.setattr(RULES[name], broken)

    for seed in range(20):
        chosen = decide(situation, seed=seed)

        assert chosen.propensity == 1.0
        assert "injected" in chosen.receipt()["fallback"]
        # The banned one, and in the second concept those answered before, are passed over.
        assert chosen.item_id == 107


def test_broken_rules_never_give_what_may_not_be_given(monkeypatch):
    monkeypatch.setattr(RULES["assess"], broken)
    situation = a_situation(banned=frozenset(range(100, 112)))

    finish = decide(situation, seed=1)

    assert isinstance(finish, Finish)
    assert "injected" in finish.receipt()["facts"]["fallback"]


def test_the_kill_switch_skips_gains_and_plan(monkeypatch):
    asked = []
    for step in STEPS.values():
        monkeypatch.setattr(step, lambda *_, **__: asked.append(1))

    chosen = decide(a_situation(rules=Rules(kill_switch=True)), seed=3)

    assert (chosen.fallback, chosen.propensity, asked) == ("kill-switch", 1.0, [])


class TestRulesInTheReceipt:
    @pytest.mark.parametrize("at", [NOW, NOW - 60.0])
    def test_other_rules_are_named_first(self, at):
        """For an item, and for a finish: the assignment opens now."""
        made = a_situation(rules=Rules(temperature=0.25), at=at, opens_at=NOW)
        later = a_situation(rules=Rules(temperature=0.9), at=at, opens_at=NOW)
        receipt = decide(made, seed=2).receipt()

        assert replay(made, receipt=receipt).receipt() == receipt
        with pytest.raises(ReceiptDiffers) as differs:
            replay(later, receipt=receipt)
        assert differs.value.facts["field"] == "rules"

    def test_a_receipt_without_them_is_made_again(self):
        receipt = decide(a_situation(), seed=2).receipt()
        del receipt["rules"]

        replay(a_situation(), receipt=receipt)

    def test_each_setting_counts_but_the_kill_switch(self):
        changed = {Rules()}
        plain = Rules().to_dict()
        for name, value in plain.items():
            if isinstance(value, dict):
                options = [{name: {**value, inner: one / 2}} for inner, one in value.items()]
            else:
                options = [{name: value * 2}, {name: value / 2}]
            for option in options:
                try:
                    changed.add(Rules.from_dict({**plain, **option}))
                except InvalidRules:
                    continue
        assert len({digest_of(rules) for rules in changed}) == len(changed) > 40
        assert digest_of(Rules(kill_switch=True)) == digest_of(Rules())
