"""What every model of learning keeps to, whatever its equations."""

import numpy as np
import pytest

from curriculum.simulation.drawn_course import draw_course
from curriculum.simulation.student import Kind
from curriculum.simulation.students import LEARNING, SIMULATORS, make_simulator
from tests.curriculum.simulation.students.conftest import DAY_S, START


@pytest.fixture(scope="module")
def drawn():
    return draw_course(seed=3)


def practise(simulator, *, seed, answers=60):
    """Practise items in teaching order over three days; return student and answers."""
    rng = np.random.default_rng(seed)
    student = simulator.enrol(START, rng)
    at, given = START, []
    size = len(simulator.course.items)
    for turn in range(answers):
        at += DAY_S if turn and turn % 20 == 0 else 0.0
        given.append(student.answer(turn * size // answers, at=at, rng=rng))
        at += given[-1].seconds
    return student, given, at


@pytest.mark.parametrize("name", SIMULATORS)
def test_chances_are_chances_and_looking_changes_nothing(name, drawn):
    student, given, at = practise(make_simulator(name, drawn, seed=1), seed=2)
    probs = student.success_probs(at=at)
    student.success_probs(at=at + 30 * DAY_S)

    assert probs.shape == (len(drawn.items),)
    assert ((probs >= 0.0) & (probs <= 1.0)).all()
    np.testing.assert_array_equal(student.success_probs(at=at), probs)
    assert all(3.0 < one.seconds < 700.0 for one in given)


@pytest.mark.parametrize("name", SIMULATORS)
def test_equal_seeds_give_equal_students(name, drawn):
    first, given, at = practise(make_simulator(name, drawn, seed=1), seed=5)
    again, same, _ = practise(make_simulator(name, drawn, seed=1), seed=5)
    _, different, _ = practise(make_simulator(name, drawn, seed=1), seed=6)

    assert given == same
    np.testing.assert_array_equal(first.success_probs(at=at), again.success_probs(at=at))
    assert given != different


@pytest.mark.parametrize("name", SIMULATORS)
def test_answers_come_out_as_often_as_the_chances_say(name, drawn):
    # Hints lift the answer of a growing student, and daily form moves it: those are misfits of
    # that model alone.
    simulator = make_simulator(name, drawn, seed=1)
    expected, right = 0.0, 0
    for seed in range(400):
        rng = np.random.default_rng([9, seed])
        student = simulator.enrol(START, rng)
        item = seed % len(drawn.items)
        expected += student.success_probs(at=START)[item]
        right += student.answer(item, at=START, rng=rng).correct

    assert abs(right - expected) / 400 < (0.09 if name == "growth" else 0.05)


@pytest.mark.parametrize("name", SIMULATORS)
def test_practice_teaches_where_there_is_something_to_learn(name, drawn):
    simulator = make_simulator(name, drawn, seed=1)
    gains = []
    for seed in range(12):
        before = simulator.enrol(START, np.random.default_rng(seed)).success_probs(at=START).mean()
        student, _, at = practise(simulator, seed=seed)
        gains.append(student.success_probs(at=at).mean() - before)

    if simulator.kind is Kind.CONTROL:
        assert gains == [0.0] * 12
    else:
        assert np.mean(gains) > 0.05


@pytest.mark.parametrize("name", LEARNING)
def test_memory_models_forget_and_the_others_do_not(name, drawn):
    simulator = make_simulator(name, drawn, seed=1)
    lost = []
    for seed in range(12):
        student, _, at = practise(simulator, seed=seed)
        now, later = (student.success_probs(at=at + days * DAY_S).mean() for days in (0.0, 30.0))
        lost.append(now - later)

    if name in {"bkt", "pfa", "kss"}:
        assert lost == [0.0] * 12
    else:
        assert np.mean(lost) > 0.005


def test_items_of_two_simulators_differ_around_what_the_authors_said(drawn):
    first, second = (make_simulator(name, drawn, seed=1).enrol for name in ("pfa", "dash"))

    a, b = first.truth.difficulty, second.truth.difficulty
    authored = np.array([item.difficulty for item in drawn.items])
    assert not np.allclose(a, b)
    assert np.corrcoef(a - authored, b - authored)[0, 1] < 0.4
    assert np.corrcoef(a, authored)[0, 1] > 0.6
