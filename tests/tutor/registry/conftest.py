"""A course with a log, and networks so small that they are trained in a second."""

import pytest

from tests.tutor.calibration.logs import a_course, answer_all
from tutor.common.heartbeat import Heartbeat
from tutor.registry import learning

TINY = {
    "hidden": 8,
    "width": 8,
    "attention": 0,
    "window": 16,
    "training": {"epochs": 2, "positions": 1024},
}


@pytest.fixture(autouse=True)
def _trainings(settings, tmp_path, monkeypatch):
    """Trainings in a folder of the test's own, of one network, without a second thread."""
    settings.TRAINING_DIR = tmp_path / "trainings"
    monkeypatch.setattr(learning, "TELLING_ANSWERS", 1)
    # It would wait for the test's own transaction.
    monkeypatch.setattr(Heartbeat, "_beat", lambda *_: None)


@pytest.fixture
def physics(organisation):
    """24 items that 60 learners answered, each by everybody."""
    course = a_course(organisation=organisation)
    answer_all(course, learners=60)
    return course
