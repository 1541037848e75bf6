"""What a worker does with an upload: once, whoever kills it and however often it is asked."""

import datetime as dt
import uuid

import pytest

from tests.tutor.intake import bringing
from tests.tutor.intake.bringing import finish, kept, plan, start, work
from tests.tutor.responses.importing.logs import made_up_rows
from tutor.common import clock
from tutor.common.heartbeat import Heartbeat
from tutor.intake import claims, services, steps, storage, usecases
from tutor.intake.errors import MovedOn
from tutor.intake.models import State, Upload
from tutor.responses.importing import apply, mapping
from tutor.responses.models import LogImport, Response

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


class PowerCut(BaseException):
    """Ends a worker wherever it is."""


class TestLook:
    def test_guesses_the_columns_and_waits_for_the_person(self, bring):
        content = bringing.csv_of(made_up_rows(), delimiter=";", titles=bringing.FOREIGN)

        upload = work(bring(content=content))

        assert upload.state == State.MAPPING
        assert upload.look["format"] == "csv"
        assert upload.look["header"] == list(bringing.FOREIGN.values())
        assert upload.look["sample"][0][:2] == ["student 0", "question 2"]
        assert upload.mapping["columns"]["learner"] == "Schüler"
        assert upload.problem == ""

    def test_says_why_it_cannot_be_read_by_the_name_the_person_knows(self, bring):
        upload = work(bring(content=b"\xff\xfe\x00broken\x00\x00", name="Klasse 7b.csv"))

        assert upload.state == State.MAPPING
        assert not upload.is_table
        assert "Klasse 7b.csv" in upload.problem
        assert upload.stored_name not in upload.problem

    def test_takes_the_columns_as_in_an_earlier_import_of_the_same_header(self, bring):
        rows = [{**row, "kurs": "a"} for row in made_up_rows(learners=3)]
        first = work(bring(rows))
        chosen = mapping.from_dict(first.mapping).changed(keep=("kurs",), time_zone="Europe/Rome")
        services.plan(upload=first, actor=first.uploaded_by, mapping=chosen, at=clock.now())
        finish(work(first))
        assert first.state == State.IMPORTED

        again = work(bring([{**row, "kurs": "b"} for row in rows]))

        assert again.mapping == first.mapping
        assert "spring.csv" in again.look["notes"][0]

    def test_of_another_school_suggests_nothing(self, bring, tmp_path, quiet):
        from tests.factories import make_organisation, make_user  # noqa: PLC0415

        rows = [{**row, "kurs": "a"} for row in made_up_rows(learners=3)]
        finish(bring(rows))
        stranger = make_user(organisation=make_organisation(), role="administrator")

        other = work(bringing.bring(actor=stranger, folder=tmp_path, rows=rows))

        assert not any("spring.csv" in note for note in other.look["notes"])


class TestPlan:
    def test_counts_and_writes_nothing(self, bring):
        rows = made_up_rows()
        rows += [{**rows[0], "correct": "maybe"}, {**rows[1], "correct": "=1+1"}]

        upload = plan(bring(rows))

        assert upload.state == State.PLANNED
        assert (upload.plan["answers"], upload.plan["learners_new"]) == (600, 24)
        assert upload.rejects["count"] == upload.plan["rejects"] == 2
        assert upload.rejects["reasons"][0]["field"] == "correct"
        assert [row["value"] for row in upload.rejects["first"]] == ["maybe", "=1+1"]
        assert storage.path_of(upload.rejects_name).exists()
        assert Response.objects.count() == LogImport.objects.count() == 0

    def test_of_nothing_that_can_be_taken_says_why_and_keeps_the_rejects(self, bring, folder):
        rows = [{**row, "correct": "maybe"} for row in made_up_rows(learners=2)]

        upload = plan(bring(rows))

        assert upload.state == State.MAPPING
        assert "Nothing to import" in upload.problem
        assert upload.rejects["count"] == 50
        assert kept(folder) == sorted([upload.stored_name, upload.rejects_name])

    def test_made_anew_leaves_no_file_of_the_old_one(self, bring, folder):
        rows = made_up_rows(learners=2)
        upload = plan(bring([*rows, {**rows[0], "correct": "maybe"}]))
        services.change_mapping(upload=upload, at=clock.now())

        plan(upload)

        assert kept(folder) == sorted([upload.stored_name, upload.rejects_name])


class TestImport:
    def test_writes_what_the_plan_said_and_forgets_the_file(self, bring, folder):
        upload = finish(bring())

        assert upload.state == State.IMPORTED
        assert Response.objects.count() == upload.rows_added == upload.plan["answers"] == 600
        assert upload.course.slug == "spring"
        assert upload.run.finished_at is not None
        assert kept(folder) == []
        assert (upload.stored_name, upload.look["sample"]) == ("", [])
        assert bringing.acts() == [
            *("log-uploaded", "log-import-planned", "log-import-started", "log-imported")
        ]

    def test_keeps_the_rejects_for_a_while(self, bring, folder):
        rows = made_up_rows(learners=2)

        upload = finish(bring([*rows, {**rows[0], "correct": "maybe"}]))

        assert kept(folder) == [upload.rejects_name]

    def test_cut_off_goes_on_and_doubles_nothing(self, bring, monkeypatch):
        monkeypatch.setattr(apply, "CHUNK", 100)
        upload = start(plan(bring()))

        def cut(_, stage, done, total):
            if stage == usecases.Stage.WRITING and done >= 200:
                raise PowerCut

        with monkeypatch.context() as patch:
            patch.setattr(Heartbeat, "tell", cut)
            with pytest.raises(PowerCut):
                work(upload)
        assert 0 < Response.objects.count() < 600
        assert not steps.work_on(upload_id=upload.pk, token=uuid.uuid4(), now=clock.now)
        bringing.age(claims.DEAD_AFTER)

        work(upload)

        upload.refresh_from_db()
        assert upload.state == State.IMPORTED
        assert Response.objects.count() == upload.rows_added == 600

    def test_that_ends_three_workers_is_given_back_with_a_reason(self, bring, monkeypatch):
        upload = start(plan(bring()))

        def cut(**_):
            raise PowerCut

        with monkeypatch.context() as patch:
            patch.setattr(usecases, "import_log", cut)
            for _ in range(claims.MOST_TRIES):
                with pytest.raises(PowerCut):
                    work(upload)
                bringing.age(2 * claims.DEAD_AFTER)
        work(upload)

        assert upload.state == State.PLANNED
        assert "memory" in upload.problem
        assert finish(upload).state == State.IMPORTED

    def test_shows_the_plan_again_where_it_is_another_by_now(self, bring):
        rows = made_up_rows()
        first = plan(bring(rows))
        finish(bring(rows[:400], title="x"))
        Upload.objects.filter(pk=first.pk).update(course_slug="x")
        first.refresh_from_db()

        refused = work(start(first))

        assert refused.state == State.PLANNED
        assert "something has changed" in refused.problem
        assert refused.plan["answers_known"] == 400
        assert Response.objects.count() == 400
        assert work(start(refused)).state == State.IMPORTED
        assert Response.objects.count() == 600

    def test_given_back_in_the_middle_shows_what_is_left_to_do(self, bring, monkeypatch):
        monkeypatch.setattr(apply, "CHUNK", 100)
        upload = start(plan(bring()))

        def fail(_, stage, done, total):
            if stage == usecases.Stage.WRITING and done >= 200:
                raise ZeroDivisionError

        with monkeypatch.context() as patch:
            patch.setattr(Heartbeat, "tell", fail)
            work(upload)
        assert upload.state == State.PLANNED
        written = Response.objects.count()

        again = work(start(upload))

        assert again.state == State.PLANNED
        assert again.plan["answers_known"] == written > 0
        assert work(start(again)).rows_added == 600 - written
        assert Response.objects.count() == 600

    def test_can_be_cancelled_until_the_first_answer_and_not_after(self, bring, monkeypatch):
        upload = start(plan(bring()))
        run = usecases.import_log

        def cancelled_while_reading(*, on_plan, **given):
            def agree(found):
                services.cancel(upload=upload, actor=upload.uploaded_by, at=clock.now())
                return on_plan(found)

            return run(on_plan=agree, **given)

        with monkeypatch.context() as patch:
            patch.setattr(usecases, "import_log", cancelled_while_reading)
            work(upload)

        assert upload.state == State.PLANNED
        assert Response.objects.count() == 0
        Upload.objects.filter(pk=start(upload).pk).update(writing_at=clock.now())
        with pytest.raises(MovedOn):
            services.cancel(upload=upload, actor=upload.uploaded_by, at=clock.now())

    def test_that_fails_on_our_side_says_so_and_logs_it(self, bring, monkeypatch, caplog):
        upload = start(plan(bring()))

        def fail(**_):
            raise ZeroDivisionError

        with monkeypatch.context() as patch:
            patch.setattr(usecases, "import_log", fail)
            work(upload)

        assert upload.state == State.PLANNED
        assert "went wrong on our side" in upload.problem
        assert "ZeroDivisionError" in caplog.text
        assert work(start(upload)).state == State.IMPORTED

    def test_of_the_same_file_again_adds_nothing(self, bring):
        first = finish(bring())

        again = finish(bring(course=first.course))

        assert (again.rows_added, again.plan["answers_known"]) == (0, 600)
        assert Response.objects.count() == 600


class TestClaim:
    def test_is_given_to_one_worker(self, bring):
        upload = bring()

        first = claims.take(upload_id=upload.pk, token=uuid.uuid4())
        second = claims.take(upload_id=upload.pk, token=uuid.uuid4())

        assert first is not None
        assert second is None

    def test_is_lost_to_another_worker_after_a_minute_without_a_sign_of_life(self, bring):
        upload, at = bring(), clock.now()
        first = claims.take(upload_id=upload.pk, token=uuid.uuid4())
        bringing.age(dt.timedelta(seconds=50))
        assert first.show_life(at=at, stage="reading", done=1, total=2)

        bringing.age(dt.timedelta(seconds=50))
        assert claims.take(upload_id=upload.pk, token=uuid.uuid4()) is None
        bringing.age(dt.timedelta(seconds=11))
        assert claims.take(upload_id=upload.pk, token=uuid.uuid4()) is not None

        assert not first.show_life(at=at, stage="", done=0, total=0)
        assert not first.finish(to=State.MAPPING, at=at)
        assert not first.note(problem="x")

    def test_is_void_at_once_for_the_only_worker_that_starts(self, bring):
        upload, idle = bring(), plan(bring())
        dead = claims.take(upload_id=upload.pk, token=uuid.uuid4())

        assert claims.void_all() == 1

        assert not dead.is_held()
        assert claims.take(upload_id=upload.pk, token=uuid.uuid4()) is not None
        assert Upload.objects.get(pk=idle.pk).state == State.PLANNED

    def test_ends_when_the_person_discards(self, bring, folder):
        upload = bring()
        claim = claims.take(upload_id=upload.pk, token=uuid.uuid4())

        services.discard(upload=upload, actor=upload.uploaded_by, at=clock.now())

        assert not claim.finish(to=State.MAPPING, at=clock.now())
        assert kept(folder) == []
        assert claims.take(upload_id=upload.pk, token=uuid.uuid4()) is None
