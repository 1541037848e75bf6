"""Each model against its equation, by closed form, enumeration or a plain twin."""

import itertools
import math

import numpy as np
import pytest

from curriculum.simulation import SimulatedLearner
from curriculum.simulation.students.bkt import Bkt, BktPopulation, BktStudent
from curriculum.simulation.students.dash import Dash, DashStudent
from curriculum.simulation.students.efc import EfcStudent
from curriculum.simulation.students.growth import GrowthStudent
from curriculum.simulation.students.hlr import Hlr, HlrStudent
from curriculum.simulation.students.kss import Kss, KssStudent
from curriculum.simulation.students.pfa import PfaStudent
from curriculum.simulation.students.psi_kt import PsiKt, PsiKtStudent
from tests.curriculum.simulation.students.conftest import DAY_S, START


def bkt(course, truth, *, known, transit=0.3, slip=0.1, locked=0.2):
    return BktStudent(
        course=course,
        truth=truth,
        pace=0.0,
        known=np.array(known),
        transit=np.full(3, transit),
        slip=np.full(7, slip),
        locked=locked,
    )


def bkt_sequence_prob(answers, *, known, transit, slip, guess):
    """P(answers) of one concept by summing over every path of hidden states."""
    total = 0.0
    for path in itertools.product([False, True], repeat=len(answers)):
        prob, now = 1.0, known
        for state, right in zip(path, answers, strict=True):
            prob *= float(state == now) if now else (transit if state else 1.0 - transit)
            # The state in which an answer is given is the one before learning from it.
            chance = 1.0 - slip if now else guess
            prob *= chance if right else 1.0 - chance
            now = state
        total += prob
    return total


def test_bkt_gives_every_sequence_as_often_as_enumeration_says(course, truth, rng):
    guess = float(truth.guess[0])
    counts = dict.fromkeys(itertools.product([False, True], repeat=3), 0)
    for _ in range(6_000):
        student = bkt(course, truth, known=[False] * 3)
        counts[tuple(student.answer(0, at=0.0, rng=rng).correct for _ in range(3))] += 1

    expected = {
        answers: bkt_sequence_prob(answers, known=False, transit=0.3, slip=0.1, guess=guess)
        for answers in counts
    }
    assert sum(expected.values()) == pytest.approx(1.0)
    chi_square = sum((counts[a] - 6_000 * p) ** 2 / (6_000 * p) for a, p in expected.items())
    assert chi_square < 18.5  # the 99 % quantile with 7 degrees of freedom


def test_bkt_learns_slowly_behind_an_unknown_prerequisite(course, truth, rng):
    def learnt(known):
        students = [bkt(course, truth, known=known) for _ in range(3_000)]
        for student in students:
            student.learn(2, correct=True, at=0.0, rng=rng)
        return np.mean([student.known[1] for student in students])

    assert learnt([True, False, False]) == pytest.approx(0.3, abs=0.03)
    assert learnt([False, False, False]) == pytest.approx(0.06, abs=0.015)


def test_bkt_needs_every_concept_of_an_item(course, truth):
    probs = bkt(course, truth, known=[True, False, False]).success_probs(at=0.0)

    np.testing.assert_allclose(probs[:2], 0.9)
    np.testing.assert_allclose(probs[2:], 0.2)  # the last one needs concepts 1 and 0


def test_bkt_population_never_knows_what_builds_on_the_unknown(course, truth):
    population = BktPopulation(course, truth, seed=1, model=Bkt(known=0.9))
    drawn = np.array([population(START, np.random.default_rng(seed)).known for seed in range(400)])

    assert not (drawn[:, 1] & ~drawn[:, 0]).any()
    assert drawn[:, 0].mean() == pytest.approx(0.9, abs=0.05)
    # Half of its parent's .9, where the parent is known.
    assert drawn[:, 1].mean() == pytest.approx(0.45 * 0.9, abs=0.07)


def test_pfa_adds_its_counts(course, truth, rng):
    student = PfaStudent(
        course=course,
        truth=truth,
        pace=0.0,
        easiness=np.linspace(-1.0, 1.0, 7),
        gain_right=np.array([0.3, 0.2, 0.1]),
        gain_wrong=np.array([0.05, 0.06, 0.07]),
    )
    for item, correct in ((0, True), (1, True), (0, False), (6, True)):
        student.learn(item, correct=correct, at=0.0, rng=rng)

    # Concept 0: three right and one wrong; concept 1: one right. The last item has both.
    first, second = 3 * 0.3 + 0.05, 0.2
    logit = np.log(student.success_probs(at=0.0) / (1.0 - student.success_probs(at=0.0)))
    assert logit[0] == pytest.approx(-1.0 + first)
    assert logit[6] == pytest.approx(1.0 + first + second)
    assert logit[4] == pytest.approx(-1.0 + 2.0 * 4 / 6)


def test_efc_follows_its_curve_item_by_item(course, truth, rng):
    student = EfcStudent(
        course=course,
        truth=truth,
        pace=0.0,
        forgetting=np.full(7, 0.3),
        strength=np.zeros(7),
        studied_at=np.full(7, START),
        slip=0.05,
    )
    for _ in range(2):
        student.learn(3, correct=False, at=START, rng=rng)
    probs = student.success_probs(at=START + 4 * DAY_S)

    assert probs[3] == pytest.approx(0.2 + 0.75 * math.exp(-0.3 * 4 / 2))
    np.testing.assert_allclose(np.delete(probs, 3), 0.2)  # neighbours learn nothing


def test_hlr_halves_after_a_half_life_that_outcomes_set(course, truth, rng):
    model = Hlr(by_difficulty=0.0, slip=0.0)
    student = HlrStudent(
        course=course,
        truth=truth,
        pace=0.0,
        base=np.full(3, -2.0),
        right=np.zeros(3),
        practised_at=np.full(3, -np.inf),
        model=model,
    )
    student.learn(0, correct=True, at=START, rng=rng)
    student.learn(0, correct=True, at=START, rng=rng)
    student.learn(2, correct=False, at=START, rng=rng)

    half = student.half_lives()
    assert half[0] == pytest.approx(2 ** (-2.0 + 1.4 * math.sqrt(3.0) - 0.1))
    assert half[1] == pytest.approx(2 ** (-2.0 + 1.4 - 0.1 * math.sqrt(2.0)))
    probs = student.success_probs(at=START + half[0] * DAY_S)
    assert probs[0] == pytest.approx(0.2 + 0.8 * 0.5)
    assert probs[4] == pytest.approx(0.2)  # never practised
    # An item of both concepts is recalled if both are.
    days = half[0]
    both = 0.5 * 2 ** (-days / half[1])
    assert probs[6] == pytest.approx(0.2 + 0.8 * both)


def test_dash_counts_within_windows(course, truth, rng):
    model = Dash()
    student = DashStudent(course=course, truth=truth, pace=0.0, ability=0.4, model=model)
    history = [(0, True, 40.0), (1, False, 10.0), (0, True, 3.0), (6, True, 0.5), (2, True, 0.01)]
    now = START + 50 * DAY_S
    for item, correct, age in history:
        student.learn(item, correct=correct, at=now - age * DAY_S, rng=rng)

    def practice(concept):
        total = 0.0
        for days, right, any_ in zip(
            model.window_days, model.weight_right, model.weight_any, strict=True
        ):
            inside = [
                correct
                for item, correct, age in history
                if concept in course.items[item].concepts and age < days
            ]
            total += right * math.log(1 + sum(inside)) + any_ * math.log(1 + len(inside))
        return total

    logit = 0.4 - truth.difficulty[6] + 0.5 * (practice(0) + practice(1))
    assert student.success_probs(at=now)[6] == pytest.approx(1.0 / (1.0 + math.exp(-logit)))
    assert practice(2) == 0.0
    np.testing.assert_allclose(student.practice(at=now), [practice(0), practice(1), 0.0])


def psi_kt(course, truth, **changes):
    model = PsiKt(**changes)
    return PsiKtStudent(
        course=course,
        truth=truth,
        pace=0.0,
        start_at=START,
        level=np.array([0.5, -0.5, -1.0]),
        traits=(0.2, 0.4, 0.3),
        model=model,
    )


def test_psi_kt_reverts_to_level_and_prerequisites(course, truth):
    student = psi_kt(course, truth)
    kept = math.exp(-0.2 * 3.0)

    expected = student.expected_state(at=START + 3 * DAY_S)
    assert expected[0] == pytest.approx(0.5)
    assert expected[1] == pytest.approx(kept * -0.5 + (1 - kept) * (-0.5 + 0.4 * 0.5))


def test_psi_kt_spreads_like_its_process(course, truth):
    ends = []
    for seed in range(1_500):
        student = psi_kt(course, truth, lift=0.0, volatility=0.5)
        student.lift = 0.0
        student.learn(0, correct=True, at=START + 3 * DAY_S, rng=np.random.default_rng(seed))
        ends.append(student.state[0])

    exact = 0.5 * math.sqrt((1.0 - math.exp(-2 * 0.2 * 3.0)) / (2 * 0.2))
    assert np.std(ends) == pytest.approx(exact, rel=0.05)
    assert np.mean(ends) == pytest.approx(0.5, abs=4 * exact / math.sqrt(1_500))


def test_psi_kt_practice_lifts_less_every_time(course, truth, rng):
    student = psi_kt(course, truth, volatility=0.0)
    for _ in range(2):
        student.learn(4, correct=True, at=START, rng=rng)

    lifted = 0.3 * (1.0 + 2.0**-0.3)
    assert student.level[2] == pytest.approx(-1.0 + lifted)
    assert student.state[2] == pytest.approx(-1.0 + 1.5 * lifted)


def kss(course, truth, level):
    return KssStudent(
        course=course, truth=truth, pace=0.0, level=np.array(level), rate=0.25, model=Kss()
    )


def test_kss_grows_behind_its_gate_and_promotes_by_halves(course, truth, rng):
    student = kss(course, truth, [4.0, 1.0, 0.0])
    student.learn(2, correct=True, at=0.0, rng=rng)

    rise = 0.25 * 4.0 * math.exp(-1.0 / 2.0)
    np.testing.assert_allclose(student.level, [4.0, 1.0 + rise, 0.5 * rise])


def test_kss_learns_nothing_out_of_place(course, truth, rng):
    student = kss(course, truth, [1.0, 0.0, 0.0])
    student.learn(0, correct=True, at=0.0, rng=rng)
    before = student.level.copy()
    student.learn(4, correct=True, at=0.0, rng=rng)  # two steps away
    np.testing.assert_array_equal(student.level, before)

    student.learn(2, correct=True, at=0.0, rng=rng)  # one step away
    assert student.level[1] > before[1]


def test_growth_sees_what_its_generator_sees(course, truth, rng):
    learner = SimulatedLearner.draw(course, truth=truth, start_at=START, rng=rng, entry=1)
    student = GrowthStudent(learner)
    at = START
    for item in (0, 3, 6, 2):
        at += student.answer(item, at=at, rng=rng).seconds

    later = at + 3 * DAY_S
    np.testing.assert_allclose(
        student.success_probs(at=later), learner.success_probs(at=later), rtol=1e-12
    )
