"""The list of work, and the commands."""

import datetime as dt
import threading

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.factories import AT, make_run, make_user
from tests.tutor.calibration.logs import a_course, answer_all
from tutor.accounts.models import AuditEntry
from tutor.calibration import promoting, queue, running, selectors, services, tasks, working
from tutor.calibration.errors import CalibrationBusy, RunRefused
from tutor.calibration.models import CalibrationJob, CalibrationRun
from tutor.common.alone import alone
from tutor.registry import selectors as registry_selectors

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

Kind, State = CalibrationJob.Kind, CalibrationJob.State


def the_job():
    return CalibrationJob.objects.latest("pk")


def live_number(course):
    pinned = registry_selectors.get_live_tracer(course_id=course.pk).body.get("calibration")
    return pinned and pinned["number"]


def test_a_night_s_work_ends_in_a_run_and_what_it_would_change(physics):
    assert services.ask_for_all(at=AT + dt.timedelta(hours=20)) == 1
    assert services.ask_for_all(at=AT + dt.timedelta(hours=20)) == 0
    assert working.work(at=AT) == 1

    job = the_job()
    assert (job.state, job.run.number, job.hundredths, job.tries) == (State.DONE, 1, 100, 1)
    assert any("operational" in line for line in job.difference)
    assert live_number(physics) is None
    assert working.work(at=AT) == 0


def test_the_tasks_do_what_the_list_says(physics, monkeypatch):
    monkeypatch.setattr("tutor.common.clock.now", lambda: AT + dt.timedelta(hours=20))

    assert tasks.work() == 0
    assert tasks.nightly() == 1
    assert tasks.work() == 1
    assert the_job().run.number == 1


def test_a_course_without_new_answers_is_left_alone(physics):
    assert services.ask_for_all(at=AT + dt.timedelta(days=9)) == 0


def test_using_a_run_and_going_back_are_jobs_too(physics, run):
    administrator = make_user(organisation=physics.organisation, role="administrator")

    services.ask_for(course=physics, kind=Kind.PROMOTE, run=run, at=AT, actor=administrator)
    working.work(at=AT)
    assert live_number(physics) == 1
    services.ask_for(course=physics, kind=Kind.ROLL_BACK, at=AT, actor=administrator)
    working.work(at=AT)
    assert live_number(physics) is None

    assert [entry.action for entry in AuditEntry.objects.order_by("pk")] == [
        "calibration.promote",
        "calibration.roll-back",
    ]
    assert the_job().difference == ["v1 is live again."]


def test_nothing_to_do_is_said_on_the_job(physics):
    for expected in (State.DONE, State.REFUSED):
        services.ask_for(course=physics, at=AT)
        working.work(at=AT)
        assert the_job().state == expected

    assert "No new first attempt" in the_job().problem


def test_only_one_job_at_a_time(physics, run, course):
    services.ask_for(course=physics, at=AT)

    with pytest.raises(CalibrationBusy):
        services.ask_for(course=physics, kind=Kind.ROLL_BACK, at=AT)
    with pytest.raises(RunRefused):
        services.ask_for(course=course, kind=Kind.PROMOTE, run=run, at=AT)


def test_what_another_worker_is_at_is_left_to_it(physics):
    services.ask_for(course=physics, at=AT)

    with alone(running.lock_name(physics)):
        assert working.work(at=AT) == 0

    assert the_job().tries == 0
    assert working.work(at=AT) == 1


def test_what_a_killed_worker_left_is_taken_up_and_not_for_ever(physics, monkeypatch):
    services.ask_for(course=physics, at=AT)

    def killed(*_, **__):
        raise SystemExit

    monkeypatch.setattr(services, "store_run", killed)
    for _ in range(2):
        with pytest.raises(SystemExit):
            working.work(at=AT)
    assert (the_job().state, the_job().tries, the_job().stage) == (State.RUNNING, 2, "storing")
    assert not CalibrationRun.objects.exists()
    with pytest.raises(SystemExit):
        working.work(at=AT)
    working.work(at=AT)
    assert the_job().state == State.REFUSED
    assert "broken off 3 times" in the_job().problem


def test_a_job_that_fails_leaves_the_others_theirs(physics, run, course, monkeypatch, caplog):
    services.ask_for(course=physics, at=AT)
    other = make_run(course=course)
    services.ask_for(course=course, kind=Kind.PROMOTE, run=other, at=AT)

    def broken(**_):
        raise ZeroDivisionError

    monkeypatch.setattr(running, "calibrate_held", broken)
    assert working.work(at=AT) == 2

    first, second = CalibrationJob.objects.order_by("pk")
    assert (first.state, second.state) == (State.REFUSED, State.DONE)
    assert "in the log" in first.problem
    assert "ZeroDivisionError" in caplog.text
    assert live_number(course) == other.number


def test_a_broker_that_is_down_is_no_error(physics, monkeypatch, caplog):
    def down(*_, **__):
        raise OSError

    monkeypatch.setattr(queue.current_app, "send_task", down)
    queue.nudge()

    assert "sweep will find" in caplog.text


class TestAlone:
    def test_is_one_at_a_time_and_free_afterwards(self):
        with alone("physics") as first, alone("physics") as second, alone("chemistry") as other:
            assert (first, second, other) == (True, False, True)
        with alone("physics") as again:
            assert again

    @pytest.mark.django_db(transaction=True)
    def test_holds_between_processes(self, monkeypatch, tmp_path):
        """Another process is played by another connection that knows nothing of ours."""
        if connection.vendor == "sqlite":
            monkeypatch.setitem(connection.settings_dict, "NAME", str(tmp_path / "tutor.sqlite3"))
        found = []

        def elsewhere():
            with alone("physics") as is_held:
                found.append(is_held)

        def elsewhere_and_close():
            elsewhere()
            connection.close()

        def ask():
            monkeypatch.setattr("tutor.common.alone._held", set())
            if connection.vendor == "sqlite":
                # In this thread, and without closing: the database in memory would go with it.
                elsewhere()
                return
            thread = threading.Thread(target=elsewhere_and_close)
            thread.start()
            thread.join()

        with alone("physics") as is_held:
            assert is_held
            ask()
        ask()

        assert found == [False, True]


class TestCommands:
    @pytest.mark.real_twin
    def test_lead_from_the_log_to_the_run_in_use_and_back(self, organisation, capsys):
        course = a_course(organisation=organisation, items=9)
        answer_all(course, learners=210)

        call_command("calibrate_course", course=course.slug)
        assert "1 of 9 item versions from 1890 first attempts" in capsys.readouterr().out
        call_command("promote_calibration", course=course.slug, dry_run=True)
        shown = capsys.readouterr().out
        assert "Nothing was changed." in shown
        assert "9 of 9 items move" in shown
        assert live_number(course) is None

        call_command("promote_calibration", course=course.slug)
        assert "calibration 1 is in use, by v2" in capsys.readouterr().out
        assert live_number(course) == 1
        call_command("rollback_calibration", course=course.slug)
        assert "v1 is live again, without a calibration" in capsys.readouterr().out
        assert live_number(course) is None

    def test_say_what_is_missing(self, physics, course, capsys):
        call_command("calibrate_course", course=course.slug)
        assert "Nobody has answered" in capsys.readouterr().out
        with pytest.raises(CommandError, match="Name one course"):
            call_command("promote_calibration")
        with pytest.raises(CommandError, match="calibrate_course makes one"):
            call_command("promote_calibration", course=physics.slug)
        with pytest.raises(CommandError, match="No other calibration"):
            call_command("rollback_calibration", course=physics.slug)
        with alone(running.lock_name(physics)), pytest.raises(CommandError, match="being calib"):
            call_command("calibrate_course", course=physics.slug)


def test_the_lock_is_shared_by_calibrating_and_promoting(physics, run):
    with alone(running.lock_name(physics)):
        with pytest.raises(CalibrationBusy):
            promoting.promote(course=physics, run=run, at=AT)
        with pytest.raises(CalibrationBusy):
            promoting.roll_back(course=physics, at=AT)


class TestKilledOrTwoAtOnce:
    @pytest.mark.parametrize("kind", [Kind.PROMOTE, Kind.ROLL_BACK])
    def test_other_workers_sweeps_burn_no_tries(self, course, kind):
        first = make_run(course=course)
        promoting.promote(course=course, run=first, at=AT)
        services.ask_for(course=course, kind=kind, run=make_run(course=course), at=AT)

        with alone(running.lock_name(course)):
            assert [working.work(at=AT) for _ in range(4)] == [0, 0, 0, 0]
        assert (the_job().state, the_job().tries) == (State.WAITING, 0)
        assert working.work(at=AT) == 1
        assert the_job().state == State.DONE

    def test_a_last_try_under_way_is_not_called_broken_off(self, course):
        services.ask_for(course=course, kind=Kind.PROMOTE, run=make_run(course=course), at=AT)
        for _ in range(3):
            services.begin_job(job=the_job(), at=AT)

        with alone(running.lock_name(course)):
            assert working.work(at=AT) == 0
        assert the_job().state == State.RUNNING

    def test_what_another_worker_has_ended_is_not_done_again(self, course, monkeypatch):
        promoting.promote(course=course, run=make_run(course=course), at=AT)
        services.ask_for(course=course, kind=Kind.ROLL_BACK, at=AT)
        seen_before = list(selectors.list_open_jobs())
        working.work(at=AT)

        monkeypatch.setattr(selectors, "list_open_jobs", lambda: seen_before)
        assert working.work(at=AT) == 0
        assert live_number(course) is None

    @pytest.mark.parametrize("where", ["at the switch", "after it"])
    def test_a_killed_way_back_does_not_lead_back_again(self, course, monkeypatch, where):
        def killed(**_):
            raise SystemExit

        promoting.promote(course=course, run=make_run(course=course), at=AT)
        services.ask_for(course=course, kind=Kind.ROLL_BACK, at=AT)
        if where == "at the switch":
            monkeypatch.setattr(services, "end_job", killed)
        else:
            monkeypatch.setattr("tutor.common.cache.clear_all", killed)
        with pytest.raises(SystemExit):
            working.work(at=AT)
        assert live_number(course) == (1 if where == "at the switch" else None)
        monkeypatch.undo()
        working.work(at=AT)

        assert live_number(course) is None
        assert (the_job().state, the_job().difference) == (State.DONE, ["v1 is live again."])

    def test_a_calibration_killed_at_the_difference_goes_on_there(self, physics, monkeypatch):
        def killed(**_):
            raise SystemExit

        services.ask_for(course=physics, at=AT)
        monkeypatch.setattr(working, "difference_of", killed)
        with pytest.raises(SystemExit):
            working.work(at=AT)
        assert the_job().run.number == 1
        monkeypatch.undo()
        working.work(at=AT)

        assert (the_job().state, the_job().problem) == (State.DONE, "")
        assert any("operational" in line for line in the_job().difference)
        assert CalibrationRun.objects.count() == 1
