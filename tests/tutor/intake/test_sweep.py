"""Nothing is left lying: neither work that nobody does nor files that nobody needs."""

import datetime as dt
import os
import uuid

import pytest

from tests.tutor.intake import bringing
from tests.tutor.intake.bringing import finish, kept, plan, start, work
from tests.tutor.responses.importing.logs import made_up_rows
from tutor.common import clock
from tutor.intake import claims, storage, tasks
from tutor.intake.models import State
from tutor.intake.sweep import sweep

pytestmark = pytest.mark.django_db


def with_reject(learners=2):
    rows = made_up_rows(learners=learners)
    return [*rows, {**rows[0], "correct": "maybe"}]


class TestWork:
    def test_is_asked_for_while_nobody_is_at_it(self, bring, nudges):
        waiting, idle = bring(), plan(bring())
        begun, at = bring(), clock.now()
        claims.take(upload_id=begun.pk, token=uuid.uuid4())

        sweep(at=at)
        assert nudges == [waiting.pk]
        nudges.clear()
        bringing.age(claims.DEAD_AFTER)
        sweep(at=at)

        assert sorted(nudges) == sorted([waiting.pk, begun.pk])
        assert idle.state == State.PLANNED

    def test_of_a_worker_from_the_future_is_done_anew(self, bring, nudges):
        begun, at = bring(), clock.now()
        claims.take(upload_id=begun.pk, token=uuid.uuid4())
        nudges.clear()

        # The database's clock has been set back since.
        bringing.age(-dt.timedelta(hours=1))
        sweep(at=at)

        assert nudges == [begun.pk]
        assert claims.take(upload_id=begun.pk, token=uuid.uuid4()) is not None

    def test_is_not_taken_by_machines_whose_clocks_differ(self, bring, nudges, monkeypatch):
        """Three such thefts, and the import was given back for want of memory."""
        begun, present = bring(), clock.of_database()
        nudges.clear()
        monkeypatch.setattr(clock, "of_database", lambda: present)
        held = claims.take(upload_id=begun.pk, token=uuid.uuid4())
        ahead, behind = present + dt.timedelta(minutes=5), present - dt.timedelta(minutes=5)

        assert held.show_life(at=behind, stage="reading", done=1, total=2)
        monkeypatch.setattr(clock, "now", lambda: ahead)
        sweep(at=ahead)
        assert nudges == []
        assert not tasks.work_on(upload_id=begun.pk)
        assert held.show_life(at=behind, stage="reading", done=2, total=2)
        begun.refresh_from_db()
        assert begun.tries == 1

    def test_is_taken_by_the_task(self, bring):
        upload = bring()

        assert tasks.work_on(upload_id=upload.pk, of_newer_code=True)

        upload.refresh_from_db()
        assert upload.state == State.MAPPING
        assert not tasks.work_on(upload_id=upload.pk)
        assert tasks.sweep_uploads() == 0


class TestFiles:
    def test_that_nobody_touches_are_deleted_after_the_days_set(self, bring, folder, settings):
        settings.UPLOAD_KEEP_DAYS = 3
        upload = plan(bring(with_reject()))
        moved = upload.moved_at

        sweep(at=moved + dt.timedelta(days=3))
        assert len(kept(folder)) == 2
        sweep(at=moved + dt.timedelta(days=3, seconds=1))

        upload.refresh_from_db()
        assert upload.state == State.EXPIRED
        assert kept(folder) == []
        assert (upload.look["sample"], upload.rejects["first"]) == ([], [])

    def test_of_rejects_stay_as_long_after_an_import(self, bring, folder):
        upload = finish(bring(with_reject()))

        sweep(at=upload.moved_at + dt.timedelta(days=7))
        assert kept(folder) == [upload.rejects_name]
        sweep(at=upload.moved_at + dt.timedelta(days=7, seconds=1))

        upload.refresh_from_db()
        assert kept(folder) == []
        assert upload.state == State.IMPORTED
        assert upload.rejects["count"] == 1

    def test_of_an_import_whose_worker_died_before_deleting(self, bring, folder):
        upload = finish(bring())
        upload.stored_name = storage.new_name("spring.csv")
        storage.path_of(upload.stored_name).write_text("left")
        upload.save()

        sweep(at=clock.now())

        assert kept(folder) == []

    def test_that_no_upload_names_go_after_a_day(self, bring, folder):
        upload = work(bring())
        stray, fresh = folder / "stray.csv", folder / "fresh.csv"
        for path in (stray, fresh):
            path.write_text("x")
        at = clock.now()
        old = at.timestamp() - 90_000
        for path in (stray, storage.path_of(upload.stored_name)):
            os.utime(path, (old, old))

        sweep(at=at)

        assert kept(folder) == sorted([upload.stored_name, "fresh.csv"])

    def test_of_work_under_way_are_left_alone(self, bring, folder):
        upload = start(plan(bring()))

        sweep(at=upload.moved_at + dt.timedelta(days=100))

        upload.refresh_from_db()
        assert upload.state == State.IMPORTING
        assert kept(folder) == [upload.stored_name]
