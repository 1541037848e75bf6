import numpy as np
import pytest

from curriculum.simulation.knowledge import Knowledge
from curriculum.simulation.population import INSIGHT, Population, Traits, draw_traits
from tests.curriculum.simulation.factories import DAY_S, NOON, chain_course

ROWS = 20_000


def traits_of(*, rows=ROWS, ability=0.0, rate=0.2, forgetting=1.0):
    full = {
        "ability": ability, "rate": rate, "forgetting": forgetting,
        "slip": 0.0, "hint": 0.0, "fatigue": 0.0, "pace": 0.0,
    }  # fmt: skip
    return Traits(**{name: np.full(rows, value) for name, value in full.items()})


def knowledge_of(*, population=None, traits=None, entry=0, seed=0):
    knowledge = Knowledge(
        course=chain_course(),
        population=population or Population(),
        traits=traits or traits_of(),
        entry=entry,
        start_at=NOON,
    )
    rng = np.random.default_rng(seed)
    knowledge.reveal([1], rng=rng)
    return knowledge, rng


class TestReveal:
    def test_inherits_part_of_the_prerequisite(self):
        population = Population(deviation_sd=0.6, inheritance=0.5)
        knowledge, _ = knowledge_of(population=population)

        parent, child = knowledge.deviation[:, 0], knowledge.deviation[:, 1]

        assert np.corrcoef(parent, child)[0, 1] == pytest.approx(0.5, abs=0.03)
        assert child.std() == pytest.approx(0.6, abs=0.02)

    def test_draws_nothing_twice(self):
        knowledge, rng = knowledge_of()
        before = knowledge.deviation[:, 1].copy()

        knowledge.reveal([0, 1], rng=rng)

        assert np.array_equal(knowledge.deviation[:, 1], before)

    def test_gives_schooling_to_concepts_before_the_entry_only(self):
        population = Population(schooling=1.2, ceiling=9.0)
        knowledge, _ = knowledge_of(population=population, entry=1)

        taught = knowledge.level(0, at=NOON) - knowledge.deviation[:, 0]
        new = knowledge.level(1, at=NOON) - knowledge.deviation[:, 1]

        assert taught.mean() == pytest.approx(1.2, abs=0.02)
        assert np.all(new == 0.0)


class TestPractise:
    @pytest.mark.parametrize("population", [Population(), INSIGHT])
    def test_gains_on_average_the_share_of_the_headroom(self, population):
        knowledge, rng = knowledge_of(population=population)
        before = knowledge.level(0, at=NOON)

        knowledge.practise(0, at=NOON, correct=True, rng=rng)

        gained = knowledge.level(0, at=NOON) - before
        assert gained.mean() == pytest.approx(0.2 * 2.5, abs=0.015)
        assert gained.min() >= 0.0

    def test_is_gated_by_the_prerequisite(self):
        knowledge, rng = knowledge_of()
        gate = knowledge.gate(1, at=NOON)
        weakest = np.argsort(knowledge.level(0, at=NOON))
        before = knowledge.level(1, at=NOON)

        knowledge.practise(1, at=NOON, correct=True, rng=rng)

        gained = knowledge.level(1, at=NOON) - before
        low, high = weakest[: ROWS // 4], weakest[-ROWS // 4 :]
        assert gained[low].mean() == pytest.approx(0.5 * gate[low].mean(), rel=0.05)
        assert gained[high].mean() > 1.8 * gained[low].mean()

    def test_teaches_less_by_a_wrong_answer(self):
        right, rng = knowledge_of()
        wrong, _ = knowledge_of()

        right.practise(0, at=NOON, correct=True, rng=rng)
        wrong.practise(0, at=NOON, correct=False, rng=rng)

        gains = [(one.level(0, at=NOON) - one.deviation[:, 0]).mean() for one in (right, wrong)]
        assert gains[1] / gains[0] == pytest.approx(0.7, abs=0.03)

    def test_never_passes_the_ceiling(self):
        knowledge, rng = knowledge_of(traits=traits_of(rate=0.9))

        for minute in range(20):
            knowledge.practise(0, at=NOON + 60 * minute, correct=True, rng=rng)

        practised = knowledge.level(0, at=NOON + 1_200) - knowledge.deviation[:, 0]
        assert practised.max() <= 2.5 + 1e-9


class TestForgetting:
    def retained_after(self, days, *, spaced):
        knowledge, rng = knowledge_of()
        pause = DAY_S * 7 if spaced else 60.0
        knowledge.practise(0, at=NOON, correct=True, rng=rng)
        knowledge.practise(0, at=NOON + pause, correct=True, rng=rng)
        then = NOON + pause
        start = knowledge.level(0, at=then) - knowledge.deviation[:, 0]
        end = knowledge.level(0, at=then + days * DAY_S) - knowledge.deviation[:, 0]
        return end.mean() / start.mean()

    def test_loses_the_fresh_part_first_and_the_stable_part_slowly(self):
        p = Population()
        knowledge, rng = knowledge_of()
        knowledge.practise(0, at=NOON, correct=True, rng=rng)
        gain = knowledge.level(0, at=NOON) - knowledge.deviation[:, 0]

        later = knowledge.level(0, at=NOON + 10 * DAY_S) - knowledge.deviation[:, 0]

        share = p.spaced_share  # the first practice counts as rested
        kept = share * np.exp(-10 / p.stable_days) + (1 - share) * np.exp(-10 / p.fresh_days)
        assert later == pytest.approx(gain * kept)

    def test_keeps_more_of_spaced_practice(self):
        assert self.retained_after(20, spaced=True) > self.retained_after(20, spaced=False) + 0.05

    def test_is_quicker_for_quick_forgetters(self):
        quick, rng = knowledge_of(traits=traits_of(forgetting=3.0))
        slow, _ = knowledge_of(traits=traits_of(forgetting=0.5))
        for one in (quick, slow):
            one.practise(0, at=NOON, correct=True, rng=rng)

        levels = [one.level(0, at=NOON + 5 * DAY_S).mean() for one in (quick, slow)]

        assert levels[0] < levels[1] - 0.05


def test_resample_copies_traits_and_states_together():
    rng = np.random.default_rng(5)
    knowledge, _ = knowledge_of(traits=draw_traits(Population(), rows=50, rng=rng))
    knowledge.practise(1, at=NOON, correct=True, rng=rng)
    rows = rng.integers(50, size=50)
    expected = knowledge.level(1, at=NOON + DAY_S)[rows]

    knowledge.resample(rows)

    assert np.array_equal(knowledge.level(1, at=NOON + DAY_S), expected)


def test_an_item_of_two_concepts_meets_nearly_the_weaker_level():
    knowledge, _ = knowledge_of()
    both = np.array([knowledge.level(k, at=NOON) for k in (0, 1)])

    met = knowledge.item_level((0, 1), at=NOON)

    assert np.all(met <= both.mean(axis=0) + 1e-12)
    assert np.all(met >= both.min(axis=0))
