"""The log: appended to, never changed."""

import datetime as dt
import uuid

import pytest
from django.db import IntegrityError, transaction

from tests.factories import AT, make_learner
from tests.tutor.histories import an_answer, correct, record, versions_of
from tutor.common.append_only import RowIsFinal
from tutor.responses import selectors, services
from tutor.responses.errors import (
    AnsweredInTheFuture,
    AnswerStored,
    ArrivedTooLate,
    CorrectionInvalid,
)
from tutor.responses.models import HintRequest, Response

pytestmark = pytest.mark.django_db

MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def version(course):
    return versions_of(course)[0]


def fold_order(course, *learners):
    ids = [learner.pk for learner in learners] or None
    return [row.id for row in selectors.iterate_fold_rows(course_id=course.pk, learner_ids=ids)]


class TestRecordResponse:
    def test_keeps_all_that_was_said(self, learner, course, version):
        answer = an_answer(
            course=course,
            version=version,
            seed=77,
            answer={"text": "ä½ 7"},
            is_correct=False,
            credit=0.25,
            hints_seen=2,
            attempt=3,
            misconception="subtracted",
            presented_at=AT - MINUTE,
            elapsed_ms=4321,
            answered_at=AT,
            received_at=AT + MINUTE,
            presentation=uuid.uuid4(),
        )

        stored = Response.objects.get(
            pk=services.record_response(learner=learner, answer=answer).pk
        )

        assert stored.learner == learner
        assert {name: getattr(stored, name) for name in services.Answer.__slots__} == {
            name: getattr(answer, name) for name in services.Answer.__slots__
        }

    def test_refuses_a_client_key_that_names_another_answer(self, learner, course, version):
        key = uuid.uuid4()
        record(learner=learner, course=course, version=version, client_key=key)

        with pytest.raises(AnswerStored) as caught, transaction.atomic():
            record(learner=learner, course=course, version=version, client_key=key)
        assert caught.value.status == 409
        assert Response.objects.count() == 1

    def test_lets_two_learners_choose_the_same_key(self, learner, organisation, course, version):
        key = uuid.uuid4()
        for one in (learner, make_learner(organisation=organisation)):
            record(learner=one, course=course, version=version, client_key=key)

        assert Response.objects.count() == 2

    @pytest.mark.parametrize("fields", [{"credit": 1.5}, {"credit": -0.1}, {"attempt": 0}])
    def test_leaves_impossible_values_to_the_database(self, learner, course, version, fields):
        answer = an_answer(course=course, version=version, **fields)
        values = {name: getattr(answer, name) for name in services.Answer.__slots__}

        with pytest.raises(IntegrityError), transaction.atomic():
            Response.objects.create(learner=learner, **values)

    @pytest.mark.parametrize("fields", [{"credit": 1.5}, {"attempt": 0}])
    def test_does_not_take_another_refusal_for_a_repetition(self, learner, course, version, fields):
        with pytest.raises(IntegrityError), transaction.atomic():
            record(learner=learner, course=course, version=version, **fields)

    def test_refuses_an_attempt_given_already(self, learner, course, version):
        presentation = uuid.uuid4()
        record(learner=learner, course=course, version=version, presentation=presentation)

        with pytest.raises(AnswerStored), transaction.atomic():
            record(learner=learner, course=course, version=version, presentation=presentation)

    def test_is_final(self, learner, course, version):
        response = record(learner=learner, course=course, version=version)
        response.is_correct = False

        for act in (
            response.save,
            response.delete,
            Response.objects.all().delete,
            lambda: Response.objects.update(credit=0),
            lambda: learner.responses.all().delete(),
        ):
            with pytest.raises(RowIsFinal):
                act()
        assert Response.objects.get().is_correct


class TestCheckAnswerTime:
    def test_keeps_a_late_time(self):
        late = AT - services.LATE_WINDOW

        assert services.check_answer_time(answered_at=late, received_at=AT) == late

    def test_takes_a_clock_that_runs_ahead_a_little_as_now(self):
        ahead = AT + services.CLOCK_SKEW

        assert services.check_answer_time(answered_at=ahead, received_at=AT) == AT

    def test_refuses_the_future(self):
        ahead = AT + services.CLOCK_SKEW + dt.timedelta(seconds=1)

        with pytest.raises(AnsweredInTheFuture) as caught:
            services.check_answer_time(answered_at=ahead, received_at=AT)
        assert caught.value.facts["answered_at"] == ahead.isoformat()

    def test_refuses_what_is_too_late(self):
        late = AT - services.LATE_WINDOW - dt.timedelta(seconds=1)

        with pytest.raises(ArrivedTooLate, match="30 days"):
            services.check_answer_time(answered_at=late, received_at=AT)


class TestAppendNew:
    def test_leaves_out_what_is_there(self, learner, organisation, course, version):
        other = make_learner(organisation=organisation)
        key = uuid.uuid4()

        def rows():
            return [
                Response(
                    learner=one,
                    **{name: getattr(answer, name) for name in services.Answer.__slots__},
                )
                for one in (learner, other)
                for answer in [an_answer(course=course, version=version, client_key=key)]
            ]

        assert services.append_new(rows=rows()) == 2
        assert services.append_new(rows=rows()) == 0
        assert Response.objects.count() == 2


class TestFoldOrder:
    def test_is_by_time_and_then_by_arrival(self, learner, course, version):
        later = record(learner=learner, course=course, version=version, answered_at=AT + 2 * MINUTE)
        late = record(learner=learner, course=course, version=version, answered_at=AT)
        first, second = (
            record(learner=learner, course=course, version=version, answered_at=AT + MINUTE)
            for _ in range(2)
        )

        assert fold_order(course) == [late.pk, first.pk, second.pk, later.pk]

    def test_keeps_learners_together(self, learner, organisation, course, version):
        other = make_learner(organisation=organisation)
        mixed = [
            record(learner=one, course=course, version=version, answered_at=AT + n * MINUTE)
            for n, one in enumerate([other, learner, other, learner])
        ]

        assert fold_order(course) == [mixed[n].pk for n in (1, 3, 0, 2)]
        assert fold_order(course, other) == [mixed[0].pk, mixed[2].pk]


class TestRecordCorrection:
    def test_takes_the_place_of_the_row_it_corrects(self, learner, course, version):
        wrong = record(learner=learner, course=course, version=version, answered_at=AT)
        after = record(learner=learner, course=course, version=version, answered_at=AT + MINUTE)

        corrected = correct(wrong)

        assert corrected.pk > after.pk
        assert fold_order(course) == [corrected.pk, after.pk]
        wrong.refresh_from_db()
        assert wrong.is_correct
        assert (corrected.corrects, corrected.answered_at) == (wrong, wrong.answered_at)
        assert corrected.is_correct is False

    def test_is_stored_once_under_its_key(self, learner, course, version):
        wrong, key = record(learner=learner, course=course, version=version), uuid.uuid4()

        assert correct(wrong, client_key=key) == correct(wrong, client_key=key)
        assert Response.objects.count() == 2

    def test_is_refused_twice(self, learner, course, version):
        wrong = record(learner=learner, course=course, version=version)
        correct(wrong)

        with pytest.raises(CorrectionInvalid, match="already"):
            correct(wrong)

    def test_may_itself_be_corrected(self, learner, course, version):
        wrong = record(learner=learner, course=course, version=version)
        last = correct(correct(wrong), is_correct=True)

        assert fold_order(course) == [last.pk]

    def test_is_refused_for_another_learner(self, learner, organisation, course, version):
        wrong = record(learner=learner, course=course, version=version)

        with pytest.raises(CorrectionInvalid, match="another learner"):
            correct(wrong, learner=make_learner(organisation=organisation))

    def test_does_not_count_as_another_attempt(self, learner, course, version):
        presentation = uuid.uuid4()
        wrong = record(learner=learner, course=course, version=version, presentation=presentation)
        correct(wrong)

        found = selectors.list_for_presentation(learner_id=learner.pk, presentation=presentation)
        assert found == [wrong]


class TestRecordHint:
    def test_opens_a_rung_once(self, learner):
        presentation = uuid.uuid4()

        first = services.record_hint(learner=learner, presentation=presentation, level=1, at=AT)
        again = services.record_hint(
            learner=learner, presentation=presentation, level=1, at=AT + MINUTE
        )
        services.record_hint(learner=learner, presentation=presentation, level=2, at=AT)

        assert first == again
        assert HintRequest.objects.get(level=1).at == AT
        assert selectors.count_hints(presentation=presentation) == 2
        assert selectors.count_hints(presentation=uuid.uuid4()) == 0
