"""A course changes its tracer, or its items: estimates follow, states stay the fold of the log."""

import contextlib
import dataclasses
import datetime as dt
import threading
import time

import pytest
from django.db import connection

from tests.factories import (
    AT,
    answer_current,
    make_course,
    make_learner,
    make_organisation,
    small_course_spec,
    start_session,
)
from tests.tutor.histories import (
    all_equal,
    bulk_history,
    correct,
    record,
    trace,
    tracer_of,
    versions_of,
)
from tutor.content import services as content_services
from tutor.content.models import Course, ItemVersion
from tutor.registry import selectors as registry_selectors
from tutor.registry import services as registry_services
from tutor.registry.errors import TracerOfAnotherCourse
from tutor.registry.models import TracerVersion
from tutor.responses.models import Response
from tutor.tracing import adoption, rebuilding, selectors, services
from tutor.tracing.errors import NoTracer
from tutor.tracing.models import LearnerState

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)


def another_tracer(course, *, intercept=-0.4) -> TracerVersion:
    """A version that thinks less of everybody."""
    body = registry_selectors.get_live_tracer(course_id=course.pk).body
    offsets = dict.fromkeys(body["reference_offsets"], intercept)
    return registry_services.store_tracer(
        course=course,
        body={**body, "intercept": intercept, "reference_offsets": offsets},
        provenance={"fitted_on": "test"},
    )


def probs(learner, course):
    course.refresh_from_db()
    found = selectors.get_masteries(learner=learner, course=course, at=AT + 500 * HOUR)
    return {pk: mastery.prob for pk, mastery in found.items()}


class TestPriorTracer:
    def test_serves_where_nothing_was_fitted(self, learner, course):
        before = probs(learner, course)

        session = start_session(learner=learner, course=course)
        answer_current(session)

        assert all(0.4 < prob < 0.8 for prob in before.values())
        assert probs(learner, course) != before
        assert TracerVersion.objects.get().provenance["fitted_on"] == "prior"

    def test_is_given_once(self, course):
        services.give_prior_tracer(course=course, at=AT)

        assert TracerVersion.objects.count() == 1

    def test_is_missing_before_it_is_given(self, organisation):
        course = content_services.load_course(
            organisation=organisation, spec=small_course_spec()
        ).course

        with pytest.raises(NoTracer) as caught:
            tracer_of(course)
        assert caught.value.status == 503


class TestNewItemVersion:
    def test_changes_no_estimate_and_no_state(self, organisation, learner, course):
        for number, version in enumerate(versions_of(course)):
            response = record(
                learner=learner, course=course, version=version, answered_at=AT + number * HOUR
            )
            trace(response, course=course)
        before, state = probs(learner, course), bytes(LearnerState.objects.get().state)

        items = tuple(
            dataclasses.replace(item, solution="So it is.", difficulty=2.5)
            for item in small_course_spec().items
        )
        content_services.load_course(
            organisation=organisation,
            spec=dataclasses.replace(small_course_spec(), items=items),
        )

        assert ItemVersion.objects.filter(number=2).count() == len(items)
        assert probs(learner, course) == before
        list(rebuilding.fold(tracer=tracer_of(course), learner_ids=[learner.pk]))
        assert bytes(LearnerState.objects.get().state) == state

    def test_inherits_the_offset_of_the_version_before(self, organisation, course):
        old = versions_of(course)[0]
        body = registry_selectors.get_live_tracer(course_id=course.pk).body
        version = registry_services.store_tracer(
            course=course, body={**body, "item_offsets": {str(old.pk): 1.75}}, provenance={}
        )
        registry_services.promote(course=course, tracer=version, at=AT, reason="test")
        first, *others = small_course_spec().items

        content_services.load_course(
            organisation=organisation,
            spec=dataclasses.replace(
                small_course_spec(),
                items=(dataclasses.replace(first, solution="So.", difficulty=-3.0), *others),
            ),
        )

        new = ItemVersion.objects.get(item__slug=first.slug, number=2)
        tracer = tracer_of(course)
        assert tracer.offset_of_version[new.pk] == 1.75
        assert 1.75 in tracer.item_offsets


class TestAdopt:
    def test_switches_estimates_for_everybody(self, organisation, course):
        learners = [make_learner(organisation=organisation) for _ in range(3)]
        for learner in learners[:2]:
            bulk_history(learner=learner, course=course, size=25, seed=learner.pk)
        for _ in rebuilding.fold_everybody(tracer=tracer_of(course)):
            pass
        before = {learner: probs(learner, course) for learner in learners}

        version = another_tracer(course)
        adoption.adopt(course=course, version=version, at=AT, reason="test")

        for learner in learners:
            after = probs(learner, course)
            assert all(after[pk] != before[learner][pk] for pk in after)
        assert tracer_of(course).tracer_id == version.pk
        assert all_equal(course) == {learner.pk: True for learner in learners[:2]}

    def test_goes_on_under_the_new_tracer(self, learner, course):
        session = start_session(learner=learner, course=course)
        answer_current(session)

        adoption.adopt(course=course, version=another_tracer(course), at=AT, reason="test")
        outcome = answer_current(session)

        assert outcome.following.tracer.number == 2
        assert all_equal(course) == {learner.pk: True}

    def test_leaves_the_old_states_for_the_way_back(self, learner, course):
        first = registry_selectors.get_live_tracer(course_id=course.pk)
        bulk_history(learner=learner, course=course, size=10)
        for _ in rebuilding.fold_everybody(tracer=tracer_of(course)):
            pass
        before = probs(learner, course)

        adoption.adopt(course=course, version=another_tracer(course), at=AT, reason="test")
        adoption.adopt(course=course, version=first, at=AT, reason="rolled back")

        assert probs(learner, course) == before

    def test_refuses_a_tracer_of_another_course(self, course):
        other = make_course(organisation=make_organisation())
        strange = registry_selectors.get_live_tracer(course_id=other.pk)

        with pytest.raises(TracerOfAnotherCourse):
            registry_services.promote(course=course, tracer=strange, at=AT, reason="test")

    def test_sees_a_correction_that_came_while_everybody_was_folded(
        self, learner, course, monkeypatch
    ):
        bulk_history(learner=learner, course=course, size=10)
        for _ in rebuilding.fold_everybody(tracer=tracer_of(course)):
            pass
        fold_everybody = rebuilding.fold_everybody

        def and_correct(*, tracer):
            yield from fold_everybody(tracer=tracer)
            correct(Response.objects.filter(is_correct=True).first())

        monkeypatch.setattr(rebuilding, "fold_everybody", and_correct)
        adoption.adopt(course=course, version=another_tracer(course), at=AT, reason="test")

        assert all_equal(course) == {learner.pk: True}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
class TestAdoptWhileLearnersAnswer:
    """On SQLite the switch is the only writer; PostgreSQL lets answers come in beside it."""

    @pytest.fixture
    def learner(self):
        organisation = make_organisation()
        make_course(organisation=organisation)
        return make_learner(organisation=organisation)

    def adopt_with(self, course, learner, monkeypatch, *, owner, name):
        """Adopt a tracer while the learner answers at the moment `owner.name` is called."""
        session = start_session(learner=learner, course=course)
        answer_current(session)
        threads, original = [], getattr(owner, name)

        def answer():
            with contextlib.closing(connection):
                answer_current(session, at=AT + HOUR)

        def and_answer(*args, **kwargs):
            found = original(*args, **kwargs)
            if not threads:
                threads.append(threading.Thread(target=answer))
                threads[0].start()
                threads[0].join(0.5)
            return found

        version = another_tracer(course)
        monkeypatch.setattr(owner, name, and_answer)
        adoption.adopt(course=course, version=version, at=AT, reason="test")
        threads[0].join(20)

        assert learner.responses.count() == 2
        assert all_equal(course) == {learner.pk: True}

    def test_misses_no_answer_given_before_the_locks(self, learner, monkeypatch):
        course = Course.objects.get()
        self.adopt_with(course, learner, monkeypatch, owner=rebuilding, name="list_traced")

    def test_misses_no_answer_given_at_the_switch(self, learner, monkeypatch):
        course = Course.objects.get()
        self.adopt_with(course, learner, monkeypatch, owner=registry_services, name="promote")

    def test_misses_no_answer_given_while_the_log_is_counted(self, learner, monkeypatch):
        course = Course.objects.get()
        self.adopt_with(course, learner, monkeypatch, owner=rebuilding, name="list_behind")

    def test_waits_for_an_answer_under_way(self, learner, monkeypatch):
        course = Course.objects.get()
        session = start_session(learner=learner, course=course)
        answer_current(session)
        version, is_under_way = another_tracer(course), threading.Event()
        open_state, fold_everybody = services.open_state_of_course, rebuilding.fold_everybody

        def open_state_slowly(**arguments):
            found = open_state(**arguments)
            is_under_way.set()
            time.sleep(1)
            return found

        def answer():
            with contextlib.closing(connection):
                answer_current(session, at=AT + HOUR)

        thread = threading.Thread(target=answer)

        def fold_and_answer(*, tracer):
            yield from fold_everybody(tracer=tracer)
            thread.start()
            assert is_under_way.wait(10)

        monkeypatch.setattr(services, "open_state_of_course", open_state_slowly)
        monkeypatch.setattr(rebuilding, "fold_everybody", fold_and_answer)
        # The answer usually comes in in another process, which keeps what it has cached.
        monkeypatch.setattr(adoption.cache, "clear_all", lambda: None)
        adoption.adopt(course=course, version=version, at=AT, reason="test")
        thread.join(20)

        assert learner.responses.count() == 2
        assert all_equal(course) == {learner.pk: True}
