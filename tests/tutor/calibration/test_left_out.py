"""What does not count shapes nothing: neither the filter's fit, nor figures, nor the scale."""

import datetime as dt

import numpy as np
import pytest

from tests.factories import AT, make_learner, make_user
from tests.tutor.calibration.conftest import EM, column
from tests.tutor.calibration.logs import a_course, answer_all
from tests.tutor.histories import record, tracer_of, versions_of
from tutor.calibration import promoting, running, services
from tutor.calibration.models import CalibrationRun, ItemCalibration
from tutor.registry import training
from tutor.responses.models import Response
from tutor.tracing import adoption, selectors

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

LATER = AT + dt.timedelta(days=30)


@pytest.fixture
def administrator(organisation):
    return make_user(organisation=organisation, role="administrator")


def exclude(version, administrator):
    services.set_status(
        item=version.item, status="excluded", actor=administrator, reason="The key is wrong."
    )


def forget(**which):
    """Take answers out of the log, as if they had never been given."""
    Response._base_manager.filter(**which)._raw_delete(using="default")


def fitted(course):
    version = training.fit_filter(course=course, reference_offsets=lambda *_: {}, at=AT)
    return {name: version.body[name] for name in ("parameters", "intercept", "item_offsets")}


class TestExcludedItems:
    def test_leave_no_trace_in_a_calibration(self, organisation, administrator):
        course = a_course(organisation=organisation)
        answer_all(course, learners=120, wrong_key=2)
        upside_down = versions_of(course)[2]
        exclude(upside_down, administrator)

        run = running.calibrate_course(course=course, at=AT, settings=EM)

        own = run.items.get(version=upside_down)
        assert (own.n, own.seen, own.difficulty, own.flags) == (0, 0, None, ["excluded"])
        assert run.census["excluded"] == 120
        assert run.census["rows"] == 120 * 23
        names = ("difficulty", "difficulty_se", "discrimination", "prior_mean")
        found = [column(run, name) for name in names]
        # As if neither the answers nor the run, from which the next one would start, had been.
        forget(item_version=upside_down)
        ItemCalibration._base_manager.all()._raw_delete(using="default")
        CalibrationRun._base_manager.all()._raw_delete(using="default")
        without = running.calibrate_course(course=course, at=AT, settings=EM)
        for name, own in zip(names, found, strict=True):
            assert np.array_equal(own, column(without, name), equal_nan=True)
        assert run.fit["log_likelihood"] == without.fit["log_likelihood"]

    def test_hold_no_scale(self, physics, run, administrator):
        promoting.promote(course=physics, run=run, at=AT)
        answer_all(physics, learners=60, source="second", seed=5)
        second = running.calibrate_course(course=physics, at=LATER, settings=EM)
        anchor = second.items.filter(is_anchor=True).first().version
        exclude(anchor, administrator)

        third = running.calibrate_course(course=physics, at=LATER, settings=EM)

        assert third.reference == run
        assert not third.items.get(version=anchor).is_anchor
        assert anchor.pk not in {int(one["item"]) for one in third.link["anchors"]}
        assert third.items.filter(is_anchor=True).count() > 2

    def test_leave_no_trace_in_the_filter(self, organisation, administrator):
        course = a_course(organisation=organisation)
        answer_all(course, learners=40, wrong_key=2)
        upside_down, learner = versions_of(course)[2], Response.objects.first().learner
        before = fitted(course)
        exclude(upside_down, administrator)

        after = fitted(course)
        version = adoption.fit_and_adopt(course=course, at=AT, reason="test")

        assert after["parameters"] != before["parameters"]
        assert str(upside_down.pk) not in after["item_offsets"]
        assert version.provenance["left_out"] == 40
        # Nor does it count in anybody's mastery, though no calibration is in use.
        state = selectors.get_state(learner_id=learner.pk, tracer=tracer_of(course))
        assert state.filter.n == 23
        forget(item_version=upside_down)
        assert fitted(course) == after


class TestItemsOnTrial:
    def test_teach_the_filter_nothing(self, organisation):
        course = a_course(organisation=organisation)
        answer_all(course, learners=40)
        plain = fitted(course)
        tried = versions_of(course)[0]
        for _ in range(12):
            record(
                learner=make_learner(organisation=organisation),
                course=course,
                version=tried,
                is_pilot=True,
            )

        found = fitted(course)

        assert found == plain
        forget(is_pilot=True)
        assert fitted(course) == plain

    def test_are_calibrated_by_unassisted_first_attempts(self, physics):
        tried = versions_of(physics)[0]
        learners = [make_learner(organisation=physics.organisation) for _ in range(3)]
        for learner in learners:
            record(learner=learner, course=physics, version=tried, is_pilot=True)
        record(learner=learners[0], course=physics, version=tried, is_pilot=True, answered_at=LATER)
        helped = make_learner(organisation=physics.organisation)
        record(learner=helped, course=physics, version=tried, is_pilot=True, hints_seen=1)

        run = running.calibrate_course(course=physics, at=AT, settings=EM)

        assert run.items.get(version=tried).n == 220 + 3
        assert run.items.get(version=tried).seen == 220 + 5
