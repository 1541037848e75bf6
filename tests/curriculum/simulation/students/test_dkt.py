"""The network as a learner: stepped in numpy, trained on another simulator's answers."""

import numpy as np
import pytest

from curriculum.simulation.drawn_course import CourseShape, draw_course
from curriculum.simulation.student import Kind
from curriculum.simulation.students import dkt, make_simulator
from curriculum.simulation.timetable import DAY_S, FIRST_DAY_S, Timetable
from curriculum.simulation.tracer import response_log, teach
from kt_models.models.base import Fitting
from kt_models.models.dkt import Dkt, DktConfig
from kt_models.training.training_config import TrainingConfig


@pytest.fixture(scope="module")
def taught():
    course = draw_course(seed=4, shape=CourseShape(concepts=4, items_each=4))
    teacher = make_simulator("pfa", course, seed=4)
    return course, teacher, teach(teacher, learners=40, seed=4, timetable=Timetable(minutes=20.0))


@pytest.fixture(scope="module")
def model(taught):
    course, _, log = taught
    fitted = Dkt(DktConfig(hidden=8, width=6, training=TrainingConfig(epochs=2, positions=512)))
    fitted.fit(response_log([log], course), Fitting(seed=1))
    return fitted


def test_a_student_expects_what_the_network_expects(taught, model):
    course, teacher, _ = taught
    student = dkt.DktStudent(
        course=course,
        truth=teacher.enrol.truth,
        pace=0.0,
        weights=dkt.lay_out_network(model, course),
    )
    names = [model.vocabulary.item_keys.index(str(row)) for row in range(len(course.items))]
    states, at = model.init(1), FIRST_DAY_S
    for turn, item in enumerate((3, 3, 0, 15, 7)):
        student.read(item, correct=turn % 2 == 0, at=at, elapsed=20.0)
        states = model.update(
            states,
            item=names[item],
            correct=float(turn % 2 == 0),
            shown_at=at,
            answered_at=at + 20.0,
        )
        at += 60.0 if turn != 2 else 2 * DAY_S
    # What the network itself says, before the recalibration that judging models adds.
    asked = model.vocabulary.questions(np.array(names), learners=1, shown_at=np.array([at + DAY_S]))
    expected = model._ask(states, asked)

    np.testing.assert_allclose(student.success_probs(at=at + DAY_S), expected, atol=2e-6)


def test_networks_of_other_seeds_are_other_learners(taught, monkeypatch):
    _, teacher, _ = taught
    monkeypatch.setattr(dkt, "EPOCHS", 3)
    monkeypatch.setattr(dkt, "TAUGHT_LEARNERS", 40)
    first, second = dkt.make_dkt_simulators(
        teacher, numbers=(1, 2), seed=0, timetable=Timetable(minutes=20.0)
    )

    def expects(simulator, seed):
        student = simulator.enrol(FIRST_DAY_S, np.random.default_rng(seed))
        return student.success_probs(at=FIRST_DAY_S)

    assert (first.name, second.name, first.kind) == ("dkt-1", "dkt-2", Kind.LEARNING)
    np.testing.assert_array_equal(expects(first, 3), expects(first, 3))
    assert not np.allclose(expects(first, 3), expects(second, 3))
    # They begin with somebody's answers, so they differ from one another.
    assert not np.allclose(expects(first, 3), expects(first, 4))
