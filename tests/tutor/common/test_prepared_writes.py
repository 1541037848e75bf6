import datetime as dt
import uuid

import pytest
from django.db import IntegrityError, connection, transaction

from tests.factories import AT, make_course, make_learner, make_organisation, start_session
from tutor.common.append_only import RowIsFinal
from tutor.common.prepared import slot
from tutor.common.prepared_writes import PreparedInsert, PreparedUpdate
from tutor.practice.models import PracticeSession
from tutor.responses.models import HintRequest, Response
from tutor.scheduling.models import Decision
from tutor.tracing.bands import Band
from tutor.tracing.models import LearnerState

APPEND = PreparedInsert(Response)
MOVE = PreparedUpdate(
    lambda: PracticeSession.objects.filter(
        pk=slot("pk", PracticeSession, "id"),
        current=slot("answered", PracticeSession, "current"),
        finished_at__isnull=True,
    ),
    "n_answered",
    "current",
    "mastery_at_start",
    "finished_at",
)


@pytest.fixture
def learner():
    return make_learner(organisation=make_organisation())


@pytest.fixture
def course(learner):
    return make_course(organisation=learner.organisation)


@pytest.fixture
def session(learner, course):
    return start_session(learner=learner, course=course)


def answer_by(session, **fields):
    shown = session.current
    given = {
        "learner": session.learner,
        "client_key": uuid.uuid4(),
        "course": session.course,
        "item_version_id": shown.item_version_id,
        "answer": {"text": "3 % of ½"},
        "is_correct": True,
        "credit": 1.0,
        "answered_at": AT,
        "received_at": AT + dt.timedelta(microseconds=1),
        "source": "practice",
        "presentation": shown.public_id,
    }
    return Response(**(given | fields))


def columns(model, pk, *, without=()):
    """The row as the database has it, text and bytes and all."""
    names = [field.column for field in model._meta.concrete_fields if field.attname not in without]
    with connection.cursor() as cursor:
        listed = ", ".join(f'"{name}"' for name in names)
        cursor.execute(f"SELECT {listed} FROM {model._meta.db_table} WHERE id = %s", [pk])
        return dict(zip(names, map(_plain, cursor.fetchone()), strict=True))


def _plain(value):
    return bytes(value) if isinstance(value, memoryview) else value


def stored_both_ways(row, **differing):
    """The columns of a row stored by the ORM, and of its twin stored by a prepared insert."""
    model = type(row)
    values = {f.attname: getattr(row, f.attname) for f in model._meta.concrete_fields}
    values.pop("id")
    twin = PreparedInsert(model).run(model(**(values | differing)))
    row.save()
    without = {"id", *differing}
    return columns(model, row.pk, without=without), columns(model, twin.pk, without=without)


@pytest.mark.django_db
class TestPreparedInsert:
    def test_stores_an_answer_as_the_orm_does(self, session):
        by_orm, prepared = stored_both_ways(
            answer_by(session, elapsed_ms=1234, presented_at=AT), client_key=uuid.uuid4(), attempt=2
        )

        assert by_orm == prepared

    def test_stores_null_and_defaults_as_the_orm_does(self, session):
        by_orm, prepared = stored_both_ways(
            answer_by(session, presentation=None, answer=[None, {"a": 1.5}]),
            client_key=uuid.uuid4(),
        )

        assert by_orm == prepared
        assert prepared["presentation"] is None

    def test_converts_what_the_orm_converts(self, session):
        by_orm, prepared = stored_both_ways(
            answer_by(
                session,
                seed="12",
                credit=1,
                is_correct=1,
                source=Band.MASTERED,
                answered_at="2026-03-02T10:00:00+01:00",
                presentation=str(uuid.uuid4()),
            ),
            client_key=uuid.uuid4(),
            attempt=True + True,
        )

        assert by_orm == prepared

    def test_stores_a_decision_as_the_orm_does(self, session):
        chosen = Decision.objects.get(pk=session.current_id)
        chosen.pk, chosen.public_id, chosen._state.adding = None, uuid.uuid4(), True

        by_orm, prepared = stored_both_ways(chosen, public_id=uuid.uuid4())

        assert by_orm == prepared
        assert "candidates" in prepared["receipt"]

    def test_stores_bytes_as_the_orm_does(self, learner, session):
        state = LearnerState(
            learner=learner, tracer_id=session.current.tracer_id, state=b"\x00\xff%s", n_responses=3
        )
        other = make_learner(organisation=learner.organisation)

        by_orm, prepared = stored_both_ways(state, learner_id=other.pk)

        assert by_orm == prepared

    def test_gives_the_row_its_key(self, session):
        row = APPEND.run(answer_by(session))

        assert Response.objects.get().pk == row.pk
        assert not row._state.adding
        with pytest.raises(RowIsFinal):
            row.save()

    def test_refuses_a_row_that_is_stored(self, session):
        row = APPEND.run(answer_by(session))

        with pytest.raises(ValueError, match="stored already"):
            APPEND.run(row)
        assert Response.objects.count() == 1

    def test_leaves_a_broken_transaction_as_the_orm_does(self, session):
        APPEND.run(answer_by(session))

        with transaction.atomic():
            with pytest.raises(IntegrityError):
                APPEND.run(answer_by(session))
            assert connection.needs_rollback
            connection.set_rollback(True)

    def test_asks_once_and_compiles_once(self, session, django_assert_num_queries):
        APPEND.run(answer_by(session, presentation=None))
        compiled = APPEND._compiled[connection.vendor]

        with django_assert_num_queries(1):
            APPEND.run(answer_by(session, presentation=None))
        assert APPEND._compiled[connection.vendor] is compiled


@pytest.mark.django_db
class TestPreparedUpdate:
    def values(self, session, **fields):
        given = {
            "pk": session.pk,
            "answered": session.current_id,
            "n_answered": 7,
            "current": session.current_id,
            "mastery_at_start": {"1": 0.5},
            "finished_at": AT,
        }
        return given | fields

    def test_writes_what_an_update_writes(self, session):
        PracticeSession.objects.filter(pk=session.pk).update(
            n_answered=7, mastery_at_start={"1": 0.5}, finished_at=AT
        )
        by_orm = columns(PracticeSession, session.pk)
        PracticeSession.objects.filter(pk=session.pk).update(
            n_answered=0, mastery_at_start={}, finished_at=None
        )

        assert MOVE.run(**self.values(session)) == 1

        assert columns(PracticeSession, session.pk) == by_orm

    def test_writes_null(self, session):
        MOVE.run(**self.values(session, finished_at=None))

        session.refresh_from_db()
        assert (session.n_answered, session.finished_at) == (7, None)

    def test_leaves_alone_what_the_filter_leaves_out(self, session):
        before = columns(PracticeSession, session.pk)

        assert MOVE.run(**self.values(session, answered=session.current_id + 1)) == 0
        assert MOVE.run(**self.values(session, pk=session.pk + 1)) == 0

        assert columns(PracticeSession, session.pk) == before

    def test_wants_every_argument(self, session):
        with pytest.raises(KeyError):
            MOVE.run(pk=session.pk)

    def test_does_not_change_what_is_final(self, session):
        final = PreparedUpdate(
            lambda: HintRequest.objects.filter(pk=slot("pk", HintRequest, "id")), "level"
        )

        with pytest.raises(RowIsFinal):
            final.run(pk=1, level=2)
