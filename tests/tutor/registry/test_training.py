"""A network is trained, judged, and made a candidate; whatever is killed on the way goes on."""

import datetime as dt
import uuid

import numpy as np
import pytest
from django.db.models import F

from kt_models.training import trainer
from tests.factories import AT, make_class
from tests.tutor.calibration.logs import a_course, answer_all
from tests.tutor.registry.conftest import TINY
from tutor.classes.models import Enrolment
from tutor.common import clock
from tutor.registry import (
    claims,
    jobs,
    learning,
    networks,
    selectors,
    snapshots,
    tasks,
    wording,
    working,
)
from tutor.registry.errors import GatesFailed, TrainingUnderWay
from tutor.registry.models import Network, SwitchJob, TracerVersion, TrainingJob
from tutor.responses.models import Response
from tutor.tracing import switching
from tutor.tracing.models import DeepPrediction, DeepState

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

State = TrainingJob.State


def now():
    return AT


def ask(course, **fields):
    return jobs.ask_for_training(course=course, at=AT, **{"settings": TINY, **fields})


def the_job():
    return TrainingJob.objects.latest("pk")


def weights(network):
    return networks.open_network(network.pk).arrays()


class TestTraining:
    def test_ends_in_a_candidate_that_uses_the_network(self, physics):
        told = []
        live = selectors.get_live_tracer(course_id=physics.pk)
        job = ask(physics)

        assert working.train(job_id=job.pk, now=now, tell=lambda *step: told.append(step))

        job.refresh_from_db()
        assert (job.state, job.problem, job.claim, job.tries) == (State.DONE, "", None, 1)
        assert job.snapshot["answers"] == 1440
        assert job.snapshot["newest_id"] == Response.objects.latest("pk").pk
        assert job.candidate.body["deep"]["network"] == job.network.pk
        assert job.candidate.body["deep"]["sha256"] == job.network.sha256
        assert {**job.candidate.body, "deep": None} == {**live.body, "deep": None}
        assert job.network.provenance["snapshot"]["sha256"] == job.snapshot["sha256"]
        assert selectors.get_live_tracer(course_id=physics.pk) == live
        stages = [stage for stage, *_ in told]
        assert stages[0] == learning.READING
        assert ("training network, 1 of 1", 2, 2) in told
        assert not list(working.folder_of(job.pk).parent.glob("*"))

    def test_says_what_was_measured_and_what_the_gates_say(self, physics):
        working.train(job_id=ask(physics).pk, now=now)

        job = the_job()
        for who in ("filter", "deep", "pool"):
            assert job.scores[who]["n"] == 288
            assert 0.3 < job.scores[who]["log_loss"][0] < 0.9
        assert [row["lag"] for row in job.scores["lags"]] == [0, 1, 2, 3]
        by_name = {gate["name"]: gate for gate in job.gates}
        assert set(by_name) == {
            *("enough-answers", "gain", "calibration", "classes"),
            *("random-labels", "random-labels-learnt", "latency"),
        }
        # Twelve learners were kept aside: far too few.
        assert not by_name["enough-answers"]["passed"]
        assert by_name["random-labels"]["passed"]
        assert by_name["random-labels-learnt"]["passed"]
        assert by_name["latency"]["passed"]
        assert all(gate["words"] for gate in job.gates)
        assert job.passed is False

    def test_what_failed_a_gate_is_used_with_a_reason_only(self, physics):
        working.train(job_id=ask(physics).pk, now=now)
        asked = {"course": physics, "tracer": the_job().candidate, "at": AT}

        with pytest.raises(GatesFailed, match="enough-answers"):
            jobs.ask_for_switch(kind=SwitchJob.Kind.PROMOTE, **asked)
        jobs.ask_for_switch(kind=SwitchJob.Kind.PROMOTE, forced_because="A trial.", **asked)

    def test_a_killed_one_goes_on_and_ends_with_the_same_weights(self, physics, monkeypatch):
        whole = ask(physics)
        working.train(job_id=whole.pk, now=now)
        expected = weights(the_job().network)
        run_epoch, epochs = trainer._Fit.run_epoch, []

        def cut_off(fit):
            figures = run_epoch(fit)
            epochs.append(figures)
            return figures

        def killed(fit):
            if epochs:
                raise SystemExit
            return cut_off(fit)

        job = ask(physics)
        with monkeypatch.context() as patch:
            patch.setattr(trainer._Fit, "run_epoch", killed)
            with pytest.raises(SystemExit):
                working.train(job_id=job.pk, now=now)
        job.refresh_from_db()
        assert (job.state, job.network) == (State.RUNNING, None)
        _age(2 * claims.DEAD_AFTER)
        monkeypatch.setattr(trainer._Fit, "run_epoch", cut_off)
        assert working.train(job_id=job.pk, now=now)

        job.refresh_from_db()
        found = weights(job.network)
        assert job.state == State.DONE
        # One before the kill, one after it, and two of the network that learns coin tosses.
        assert len(epochs) == 4
        assert {name: array.tobytes() for name, array in found.items()} == {
            name: array.tobytes() for name, array in expected.items()
        }

    def test_who_changes_class_meanwhile_costs_no_epoch(self, physics, monkeypatch):
        """Learners are dealt out by class: other classes would make other folds."""
        learners = sorted(set(Response.objects.values_list("learner", flat=True)))
        old, new = make_class(course=physics, name="old"), make_class(course=physics, name="new")
        for pk in learners[::2]:
            Enrolment.objects.create(classroom=old, learner_id=pk)
        run_epoch, epochs = trainer._Fit.run_epoch, []

        def cut_off(fit):
            if epochs:
                raise SystemExit
            epochs.append(fit)
            return run_epoch(fit)

        job = ask(physics)
        with monkeypatch.context() as patch:
            patch.setattr(trainer._Fit, "run_epoch", cut_off)
            with pytest.raises(SystemExit):
                working.train(job_id=job.pk, now=now)
        Enrolment.objects.filter(learner__in=learners[:20]).delete()
        for pk in learners[10:30]:
            Enrolment.objects.create(classroom=new, learner_id=pk)
        _age(2 * claims.DEAD_AFTER)

        def counted(fit):
            epochs.append(fit)
            return run_epoch(fit)

        monkeypatch.setattr(trainer._Fit, "run_epoch", counted)
        assert working.train(job_id=job.pk, now=now)
        assert the_job().state == State.DONE
        # One before the kill, one after it, and two of the network that learns coin tosses.
        assert len(epochs) == 4

    def test_a_later_try_reads_the_answers_of_the_first(self, physics, monkeypatch):
        job = ask(physics)
        with monkeypatch.context() as patch:
            patch.setattr(learning.api, "fit_model", _killed)
            with pytest.raises(SystemExit):
                working.train(job_id=job.pk, now=now)
        job.refresh_from_db()
        first = dict(job.snapshot)
        answer_all(physics, learners=5, seed=9, source="later")

        _age(2 * claims.DEAD_AFTER)
        working.train(job_id=job.pk, now=now)

        assert the_job().snapshot == first

    def test_what_breaks_its_worker_every_time_is_given_up(self, physics, monkeypatch):
        job = ask(physics)
        monkeypatch.setattr(learning.api, "fit_filter", _killed)
        for _ in range(3):
            with pytest.raises(SystemExit):
                working.train(job_id=job.pk, now=now)
            _age(2 * claims.DEAD_AFTER)
        assert working.train(job_id=job.pk, now=now)

        assert the_job().state == State.REFUSED
        assert "3 times" in the_job().problem


def _killed(*_, **__):
    raise SystemExit


class TestRefusals:
    def test_only_one_at_a_time_for_a_course(self, physics):
        ask(physics)

        with pytest.raises(TrainingUnderWay):
            ask(physics)

    def test_too_few_answers(self, course):
        working.train(job_id=ask(course).pk, now=now)

        assert the_job().state == State.REFUSED
        assert "too few" in the_job().problem
        assert not Network.objects.exists()

    @pytest.mark.parametrize(
        ("fields", "words"),
        [({"model": "bkt"}, "No network is called bkt"), ({"settings": {"size": 1}}, "no size")],
    )
    def test_what_kt_models_does_not_know(self, physics, fields, words):
        working.train(job_id=ask(physics, **fields).pk, now=now)

        assert the_job().state == State.REFUSED
        assert words in the_job().problem

    def test_a_fault_ends_the_job_and_not_the_worker(self, physics, monkeypatch, caplog):
        def broken(**_):
            raise ZeroDivisionError

        monkeypatch.setattr(learning, "learn", broken)
        assert working.work(now=now) == 0
        job = ask(physics)
        assert working.work(now=now) == 1

        job.refresh_from_db()
        assert "worker's log" in job.problem
        assert "ZeroDivisionError" in caplog.text


class TestClaims:
    def test_a_living_worker_s_training_is_left_to_it(self, physics):
        job = ask(physics)
        assert claims.take(job_id=job.pk, at=AT, token=_token(1))

        _age(dt.timedelta(seconds=30))
        assert claims.take(job_id=job.pk, at=AT, token=_token(2)) is None
        assert not selectors.list_trainings_to_take().exists()
        _age(claims.DEAD_AFTER)
        assert selectors.list_trainings_to_take().get() == job
        assert claims.take(job_id=job.pk, at=AT, token=_token(2))

    def test_machines_whose_clocks_differ_steal_nothing(self, physics, monkeypatch):
        """Three such thefts within an epoch, and the training was refused for want of memory."""
        job, present = ask(physics), clock.of_database()
        monkeypatch.setattr(clock, "of_database", lambda: present)
        first = claims.take(job_id=job.pk, at=present, token=_token(1))
        ahead, behind = present + dt.timedelta(minutes=5), present - dt.timedelta(minutes=5)

        assert first.show_life(at=behind, stage="x", done=1, total=2)
        monkeypatch.setattr(clock, "now", lambda: ahead)
        assert not selectors.list_trainings_to_take().exists()
        assert claims.take(job_id=job.pk, at=ahead, token=_token(2)) is None
        assert first.show_life(at=behind, stage="x", done=2, total=2)
        assert the_job().tries == 1

    def test_a_sign_of_life_from_the_future_is_none(self, physics):
        """The clock was set back: nobody would take the training for hours."""
        job = ask(physics)
        claims.take(job_id=job.pk, at=AT, token=_token(1))
        _age(-dt.timedelta(hours=5))

        assert claims.take(job_id=job.pk, at=AT, token=_token(2))

    def test_whoever_was_thought_dead_changes_nothing(self, physics):
        job = ask(physics)
        first = claims.take(job_id=job.pk, at=AT, token=_token(1))
        _age(2 * claims.DEAD_AFTER)
        claims.take(job_id=job.pk, at=AT, token=_token(2))

        assert not first.show_life(at=AT, stage="x", done=1, total=2)
        assert not first.finish(state=State.DONE, at=AT)
        assert the_job().state == State.RUNNING

    def test_a_starting_worker_takes_up_what_a_killed_one_left(self, physics):
        job = ask(physics)
        claims.take(job_id=job.pk, at=AT, token=_token(1))

        assert claims.void_silent(wait=lambda _: None) == 1
        assert claims.take(job_id=job.pk, at=AT, token=_token(2))
        assert claims.void_silent(wait=lambda _: None) == 1
        assert claims.void_silent(wait=lambda _: 1 / 0) == 0

    def test_a_starting_worker_leaves_a_command_s_training_alone(self, physics):
        held = claims.take(job_id=ask(physics).pk, at=AT, token=_token(1))

        def beat(_):
            held.show_life(at=AT + dt.timedelta(seconds=2), stage="x", done=1, total=2)

        assert claims.void_silent(wait=beat) == 0
        assert held.note(passed=True)

    def test_what_is_called_off_leaves_no_network(self, physics, monkeypatch):
        job = ask(physics)
        store = learning.store

        def and_call_off(**arguments):
            stored = store(**arguments)
            jobs.call_off(job=job, at=AT)
            return stored

        monkeypatch.setattr(learning, "store", and_call_off)
        assert not working.train(job_id=job.pk, now=now)

        assert the_job().state == State.RUNNING  # both were of one transaction here, and undone
        assert not Network.objects.exists()
        assert not TracerVersion.objects.filter(body__has_key="deep").exists()


def _token(number):
    return uuid.UUID(int=number)


def _age(by):
    """As if the last signs of life had been given so much earlier."""
    TrainingJob.objects.update(beat_at=F("beat_at") - by)


class TestSnapshots:
    def test_every_class_is_dealt_out_over_all_folds(self, physics):
        snapshot = snapshots.take(course=physics)
        group = np.repeat([0, 1, 2], [20, 25, 15])
        dealt = snapshots.deal_out(
            snapshots.Snapshot(snapshot.log, group, ["", "a", "b"], snapshot.pinned), seed=3
        )

        assert sorted(np.concatenate(dealt).tolist()) == list(range(60))
        for fold in dealt:
            counts = np.bincount(group[fold], minlength=3)
            assert np.all(np.abs(counts - np.array([4, 5, 3])) <= 1)

    def test_learners_are_of_the_class_that_they_joined_last(self, physics):
        learner = Response.objects.first().learner
        for room in (
            make_class(course=physics, name="old"),
            make_class(course=physics, name="new"),
        ):
            Enrolment.objects.create(classroom=room, learner=learner)

        snapshot = snapshots.take(course=physics)

        place = snapshot.log.learner_keys.index(str(learner.pk))
        assert snapshot.groups[snapshot.group[place]] == "new"
        assert snapshot.groups[0] == snapshots.NO_CLASS

    def test_leaves_out_what_does_not_count(self, physics):
        item = Response.objects.first().item_version.item
        type(item).objects.filter(pk=item.pk).update(status="excluded")

        snapshot = snapshots.take(course=physics)

        assert len(snapshot.log) == 1440 - 60
        assert snapshot.pinned["uncounted"] == [item.current_id]


class TestTask:
    def test_does_what_the_list_says_and_asks_for_a_look(self, physics, monkeypatch):
        monkeypatch.setattr("tutor.common.clock.now", now)

        assert tasks.train() == 0
        ask(physics)
        assert tasks.train() == 1

        switch = SwitchJob.objects.get()
        assert (switch.kind, switch.tracer) == (SwitchJob.Kind.COMPARE, the_job().candidate)
        assert tasks.train() == 0

    def test_uses_by_itself_what_passed_and_was_to_be_used(self, physics):
        working.train(job_id=ask(physics, is_to_be_used=True).pk, now=now)
        TrainingJob.objects.update(passed=True, gates=[])

        assert working.follow_up(at=AT) == 1
        assert working.follow_up(at=AT) == 0

        assert SwitchJob.objects.get().kind == SwitchJob.Kind.PROMOTE

    def test_the_same_network_of_a_second_training_is_used_too(self, physics):
        """The same log and seed give the same candidate, which somebody has looked at already."""
        working.train(job_id=ask(physics).pk, now=now)
        assert working.follow_up(at=AT) == 1
        SwitchJob.objects.update(state="done", finished_at=AT)

        later = AT + dt.timedelta(days=1)
        working.train(job_id=ask(physics, is_to_be_used=True).pk, now=lambda: later)
        first, second = TrainingJob.objects.order_by("pk")
        assert first.candidate == second.candidate
        TrainingJob.objects.filter(pk=second.pk).update(passed=True, gates=[])

        # Also where this machine's clock is behind that of whoever trained.
        assert working.follow_up(at=AT) == 1
        assert working.follow_up(at=AT) == 0
        assert SwitchJob.objects.latest("pk").kind == SwitchJob.Kind.PROMOTE

    def test_waits_while_another_switch_is_under_way(self, physics):
        working.train(job_id=ask(physics).pk, now=now)
        SwitchJob.objects.create(course=physics, kind="roll-back", asked_at=AT)

        assert working.follow_up(at=AT) == 0
        SwitchJob.objects.update(state="done")
        assert working.follow_up(at=AT) == 1


@pytest.mark.slow
def test_a_network_that_knows_more_passes_the_gates_and_comes_into_use(organisation):
    """Two kinds of learners, each good at what the other is bad at: nothing the filter can tell."""
    course = a_course(organisation=organisation)
    answer_all(course, learners=120, rounds=3, opposed=2.0)
    training = {"epochs": 12, "positions": 1024}
    job = ask(course, is_to_be_used=True, settings={**TINY, "training": training})

    assert working.train(job_id=job.pk, now=now)
    job.refresh_from_db()
    assert job.passed, "\n".join(wording.describe_gates(job.gates))
    pool, live = (job.scores[who]["log_loss"][0] for who in ("pool", "filter"))
    assert pool < live

    assert working.follow_up(at=AT) == 1
    assert switching.work(at=AT) == 1
    in_use = selectors.get_live_tracer(course_id=course.pk)
    assert selectors.network_of(in_use) == job.network_id
    assert DeepState.objects.filter(tracer=in_use).count() == 120
    assert DeepPrediction.objects.filter(tracer=in_use).exists()
