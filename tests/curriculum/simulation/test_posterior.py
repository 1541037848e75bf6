"""The particle filter against sums over every hidden path, and against its own draws."""

import itertools

import numpy as np
import pytest

from curriculum.simulation import Population, simulate_cohort
from curriculum.simulation.posterior import History, World, history_of, infer_states, world_of
from tests.curriculum.simulation.factories import DAY_S, NOON, chain_course, exact_truth

# No traits but the ability, no forms: what is left can be summed exactly.
PLAIN = Population(
    learning="insight", rate=0.45, rate_log_sd=0.0, forgetting_log_sd=0.0, form_sd=0.0,
    fatigue_mean=1e-9, slip_mean=1e-9, hint_mean=1e-9,
)  # fmt: skip
COURSE = chain_course(concepts=2, items_each=3)
WORLD = World(course=COURSE, truth=exact_truth(COURSE), population=PLAIN)
STORY = [(0, 0.0, True), (3, 0.5, False), (1, 2.0, False), (4, 2.01, True), (5, 9.0, True)]


def history(story):
    items, days, outcomes = zip(*story, strict=True)
    return History(
        item=np.array(items),
        presented_at=NOON + DAY_S * np.array(days),
        correct=np.array(outcomes),
        hinted=np.zeros(len(story), dtype=bool),
        entry=0,
        start_at=NOON,
    )


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def moments_by_enumeration(story, *, until):
    """Return the posterior mean levels of both concepts, and the evidence.

    A grid over (ability, deviation of 0, own deviation of 1), times both outcomes of every
    insight. Written out from the model's description, sharing no code with it.
    """
    nodes, node_weights = np.polynomial.hermite_e.hermegauss(15)
    z = np.array(list(itertools.product(nodes, repeat=3)))
    prior = np.prod(np.array(list(itertools.product(node_weights, repeat=3))), axis=1)
    prior /= prior.sum()
    base = 0.9 * z[:, 0] + 0.6 * np.array([z[:, 1], 0.5 * z[:, 1] + np.sqrt(0.75) * z[:, 2]])
    total, sums = 0.0, np.zeros(2)
    for path in itertools.product((False, True), repeat=len(story)):
        weight = prior.copy()
        stable, fresh, moved = np.zeros(2), np.zeros(2), np.zeros(2)
        met: set[int] = set()
        for (item, day, correct), insight in zip(story, path, strict=True):
            k = item // 3

            def kept(one, day=day, stable=stable, fresh=fresh, moved=moved):
                gap = day - moved[one]
                return stable[one] * np.exp(-gap / 120), fresh[one] * np.exp(-gap / 3)

            level = base[k] + sum(kept(k))
            right = 0.1 + 0.9 * sigmoid(level - 0.3 * (item % 3 - 1))
            weight = weight * (right if correct else 1 - right)
            gate = 1.0
            if k == 1:
                gate = 0.15 + 0.85 * sigmoid(2.0 * (base[0] + sum(kept(0)) - 0.2))
            chance = np.minimum(gate * 0.45 * (1.0 if correct else 0.7) / 0.75, 1.0)
            weight = weight * (chance if insight else 1 - chance)
            slow, fast = kept(k)
            gain = 0.75 * (2.5 - slow - fast) if insight else 0.0
            rested = 1 - np.exp(-(day - moved[k])) if k in met else 1.0
            lasting = 0.45 + 0.35 * rested
            stable[k], fresh[k], moved[k] = slow + lasting * gain, fast + (1 - lasting) * gain, day
            met.add(k)
        total += weight.sum()
        for k in (0, 1):
            gap = until - moved[k]
            level = base[k] + stable[k] * np.exp(-gap / 120) + fresh[k] * np.exp(-gap / 3)
            sums[k] += weight @ level
    return sums / total, total


class TestInferStates:
    @pytest.mark.parametrize("flipped", [(), (0,), (1, 3)])
    def test_agrees_with_enumeration(self, flipped):
        story = [
            (item, day, correct ^ (position in flipped))
            for position, (item, day, correct) in enumerate(STORY)
        ]

        found = infer_states(
            history(story),
            world=WORLD,
            concepts=[0, 1],
            banks=[(1,), (4,)],
            at=NOON + 12 * DAY_S,
            particles=200_000,
            seed=1,
        )

        means, evidence = moments_by_enumeration(story, until=12.0)
        assert found.level_mean == pytest.approx(means, abs=0.02)
        assert found.log_evidence == pytest.approx(np.log(evidence), abs=0.02)

    def test_is_calibrated_on_learners_from_the_generator(self):
        # Hints, slips, forms, late entries, several concepts per item: all drawn, all unknown.
        cohort = simulate_cohort(chain_course(concepts=20), learners=120, seed=9, end_at=NOON)
        surprises, squares = [], []
        for learner in range(120):
            past = history_of(cohort, learner, answers=40)
            met = np.unique(past.item // 3).tolist()
            found = infer_states(
                past,
                world=world_of(cohort),
                concepts=met,
                banks=[],
                at=cohort.snapshot_at[learner, 0],
                particles=1_500,
                seed=2,
            )
            z = (cohort.levels[learner, 0, met] - found.level_mean) / found.level_sd
            surprises.append(z.mean())
            squares.append(np.mean(z**2))

        standard_error = np.std(surprises) / np.sqrt(120)
        assert abs(np.mean(surprises)) < 3 * standard_error
        assert np.mean(squares) == pytest.approx(1.0, abs=0.2)

    def test_repeats_itself_and_needs_the_outcomes(self):
        def mean_of(story, seed):
            return infer_states(
                history(story), world=WORLD, concepts=[0], banks=[(1,)],
                at=NOON + 9 * DAY_S, particles=500, seed=seed,
            ).level_mean[0]  # fmt: skip

        failed = [(item, day, False) for item, day, _ in STORY]

        assert mean_of(STORY, 3) == mean_of(STORY, 3)
        assert mean_of(STORY, 3) != mean_of(STORY, 4)
        assert mean_of(failed, 3) < mean_of(STORY, 3) - 0.5

    def test_takes_hints_as_a_sign_of_trouble(self):
        world = World(course=COURSE, truth=WORLD.truth, population=Population())
        plain = history(STORY)
        hinted = History(
            item=plain.item, presented_at=plain.presented_at, correct=plain.correct,
            hinted=np.ones(len(STORY), dtype=bool), entry=0, start_at=NOON,
        )  # fmt: skip

        means = [
            infer_states(
                one, world=world, concepts=[0], banks=[(1,)],
                at=NOON + 9 * DAY_S, particles=20_000, seed=0,
            ).prob_mean[0]
            for one in (plain, hinted)
        ]  # fmt: skip

        assert means[1] < means[0] - 0.05
