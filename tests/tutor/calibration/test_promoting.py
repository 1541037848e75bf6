"""From a run to the next item and back."""

import datetime as dt

import pytest

from tests.factories import AT, make_learner, start_session
from tests.tutor.calibration.logs import a_course, answer_all
from tutor.calibration import engine, promoting, running
from tutor.registry import selectors as registry_selectors
from tutor.scheduling.models import Decision
from tutor.tracing.models import LearnerState

pytestmark = pytest.mark.django_db

EM = engine.Settings(engine=engine.Engine.EM)


def chances(learner, course):
    """What the next choice would be drawn from, and with which chances."""
    course.refresh_from_db()
    start_session(learner=learner, course=course, at=AT + dt.timedelta(days=1))
    decision = Decision.objects.latest("pk")
    return decision.receipt["candidates"], decision.propensity, decision.tracer_id


def test_promoted_run_changes_the_next_item_s_chances_and_rollback_restores_them(organisation):
    course = a_course(organisation=organisation)
    answer_all(course)
    # One newcomer for each look, so that all three stand at the same place.
    newcomers = [make_learner(organisation=organisation) for _ in range(3)]
    before = chances(newcomers[0], course)

    run = running.calibrate_course(course=course, at=AT, settings=EM)
    assert chances(newcomers[0], course)[2] == before[2]
    promoting.promote(course=course, run=run, at=AT)
    during = chances(newcomers[1], course)
    promoting.roll_back(course=course, at=AT)
    after = chances(newcomers[2], course)

    assert during[0] != before[0]
    assert after == before
    assert "calibration" not in registry_selectors.get_live_tracer(course_id=course.pk).body
    assert LearnerState.objects.filter(tracer=during[2]).count() == 220
