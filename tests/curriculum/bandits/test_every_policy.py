"""What holds for every policy of the registry, before it has tests of its own."""

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curriculum.bandits import POLICIES, InvalidPolicy, UnknownPolicy, make_policy
from curriculum.scheduler import (
    Distribution,
    Exploration,
    Rating,
    Rules,
    decide,
    find_distribution,
    replay,
)
from curriculum.scheduler.features import describe_arms
from tests.curriculum.scheduler.factories import knows, make_bank, make_situation, recent
from tests.curriculum.scheduler.strategies import situations

seeds = st.integers(0, 2**63 - 1)


@pytest.fixture(params=POLICIES, scope="module")
def policy(request):
    return make_policy(request.param)


def an_open_course(**changes):
    """Three concepts that are all open, with answers on two of them."""
    bank = make_bank(requires=[])
    answers = recent(*[(100 + n % 8, 9_000 - 60 * n, float(n % 3 > 0)) for n in range(12)])
    fields = {
        "recent": answers,
        "prob": np.linspace(0.4, 0.9, bank.n_items),
        "rules": Rules(cooldown_s=0.0),
        **knows("seen", "seen", "new"),
    }
    return make_situation(bank, **{**fields, **changes})


class TestEveryPolicy:
    @settings(max_examples=20, deadline=None)
    @given(situation=situations(), seed=seeds)
    def test_gives_a_distribution_and_a_receipt_that_is_given_again(self, policy, situation, seed):
        chances = find_distribution(situation, policy=policy)
        first = decide(situation, seed=seed, policy=policy)
        stored = json.loads(json.dumps(first.receipt()))
        assert replay(situation, receipt=stored, policy=policy).receipt() == stored
        if isinstance(chances, Distribution):
            assert chances.fallback is None
            assert chances.joint.sum() == pytest.approx(1.0, abs=1e-9)
            assert (
                chances.joint >= (1.0 - 1e-12) * chances.epsilon * chances.choices.uniform
            ).all()
            assert first.propensity > 0.0

    def test_survives_json_with_the_same_version(self, policy):
        body = json.loads(json.dumps(policy.to_dict()))
        again = make_policy(policy.name, body)
        assert again == policy
        assert again.version == policy.version
        situation = an_open_course()
        ours, theirs = (find_distribution(situation, policy=one) for one in (policy, again))
        assert ours.joint.tolist() == theirs.joint.tolist()

    def test_is_named_in_the_receipt(self, policy):
        assert decide(an_open_course(), seed=1, policy=policy).receipt()["policy"] == policy.version

    def test_receipts_stay_small_and_their_terms_sum_to_the_score(self, policy):
        bank = make_bank(
            per_concept=5, n_concepts=150, requires=[], item_ids=np.arange(750) + 10**6
        )
        rng = np.random.default_rng(0)
        situation = make_situation(
            bank,
            prob=rng.uniform(0.3, 0.95, 750),
            concept_last_at=make_situation().at - rng.uniform(1e3, 1e6, 150),
            evidence_n=rng.integers(1, 9, 150),
        )
        if policy.name in {"linear-softmax", "thompson"}:
            policy = make_policy(policy.name, {"coefficients": rng.normal(size=20).tolist()})
        chosen = decide(situation, seed=1, policy=policy)
        assert chosen.fallback is None
        assert len(json.dumps(chosen.receipt())) < 8_192
        if policy.name in {"linear-softmax", "gain-softmax"}:
            total = np.sum(list(chosen.arms.terms.values()), axis=0)
            assert total == pytest.approx(chosen.arms.scores)

    def test_draws_as_often_as_it_says(self, policy):
        situation = an_open_course()
        chances = find_distribution(situation, policy=policy)
        draws = 250
        expected = {}
        for item, chance in zip(chances.choices.item, chances.joint, strict=True):
            name = int(situation.bank.item_ids[item])
            expected[name] = expected.get(name, 0.0) + draws * chance
        seen = dict.fromkeys(expected, 0)
        for seed in range(draws):
            seen[decide(situation, seed=seed, policy=policy).item_id] += 1
        chi_square = sum((seen[name] - e) ** 2 / e for name, e in expected.items())
        assert chi_square < 31.26  # the .999 quantile with 11 degrees of freedom

    def test_refuses_parameters_it_does_not_know(self, policy):
        with pytest.raises(InvalidPolicy, match=policy.name):
            make_policy(policy.name, {"no_such": 1})

    def test_without_exploration_the_best_arm_is_taken(self, policy):
        situation = an_open_course(exploration=Exploration(in_test=True))
        chosen = decide(situation, seed=0, policy=policy)
        assert (chosen.epsilon, chosen.exploring) == (0.0, "test")
        assert max(chosen.arms.propensities) == pytest.approx(1.0)
        assert chosen.arms.scores.argmax() == chosen.arms.propensities.argmax()


def test_the_receipt_has_the_chosen_arms_features():
    situation = an_open_course()
    chosen = decide(situation, seed=3)
    described = describe_arms(find_distribution(situation).choices)
    assert chosen.features == pytest.approx(described[chosen.arms.chosen])
    assert chosen.receipt()["features"] == pytest.approx(chosen.features, abs=1e-4)


def test_an_unknown_policy_is_refused_by_name():
    with pytest.raises(UnknownPolicy, match="no-such"):
        make_policy("no-such")


def test_parameters_change_the_version():
    assert make_policy("zpdes", {"window": 8}).version != make_policy("zpdes").version


class Broken:
    name = version = "broken"

    def __init__(self, rating):
        self.rating = rating

    def rate(self, choices):
        if isinstance(self.rating, Exception):
            raise self.rating
        return self.rating(choices)


class TestFallback:
    def check(self, policy, words, **changes):
        situation = an_open_course(**changes)
        chosen = decide(situation, seed=5, policy=policy)
        assert chosen.propensity == 1.0
        assert words in chosen.receipt()["fallback"]
        expert = make_policy("expert-order")
        firm = dataclasses.replace(situation, rules=Rules(cooldown_s=0.0, epsilon=0.0))
        assert chosen.item_id == decide(firm, seed=0, policy=expert).item_id

    def test_an_exception_gives_the_expert_order_and_its_name(self):
        self.check(Broken(ZeroDivisionError("by zero")), "ZeroDivisionError: by zero")

    @pytest.mark.parametrize(
        "shares", [[0.5, 0.5, np.nan], [0.5, 0.5, 0.5], [1.5, -0.5, 0.0], [1.0]]
    )
    def test_a_rating_that_is_no_distribution_counts_as_one(self, shares):
        def rate(choices):
            return Rating(scores=np.zeros(3), shares=np.array(shares))

        self.check(Broken(rate), "InvalidRating")

    def test_the_kill_switch_asks_no_policy(self):
        rules = Rules(cooldown_s=0.0, kill_switch=True)
        self.check(Broken(RuntimeError("asked")), "kill-switch", rules=rules)
