"""A trained network comes into use, is carried on by what comes later, and is left again."""

import dataclasses

import pytest
from django.core.management import CommandError, call_command

from tests.factories import AT, make_run
from tests.tutor.registry.conftest import TINY
from tests.tutor.tracing.test_promoting import live
from tutor.accounts.models import Learner
from tutor.calibration import promoting as calibration_promoting
from tutor.registry import jobs, learning, selectors, services, working
from tutor.registry.models import SwitchJob, TrainingJob
from tutor.tracing import adoption, promoting, switching
from tutor.tracing import selectors as tracing_selectors
from tutor.tracing.models import DeepPrediction, DeepState

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def candidate(physics, monkeypatch):
    """A version with a network that counts for much: of so small a log it would earn no weight."""
    judge = learning.release.judge

    def and_count_for_much(*arguments, **options):
        found = judge(*arguments, **options)
        pool = dataclasses.replace(found.pool, lags=(1.0, 1.0, 1.0, 1.0), aged=1.0, concepts=1.0)
        return dataclasses.replace(found, pool=pool)

    monkeypatch.setattr(learning.release, "judge", and_count_for_much)
    job = jobs.ask_for_training(course=physics, at=AT, settings=TINY)
    assert working.train(job_id=job.pk, now=lambda: AT)
    return TrainingJob.objects.get().candidate


def masteries(course):
    course.refresh_from_db()
    learners = list(Learner.objects.order_by("pk")[:5])
    found = tracing_selectors.list_masteries(learners=learners, course=course, at=AT)
    return {(pk, concept): one.prob for pk, own in found.items() for concept, one in own.items()}


def use(course, candidate):
    return promoting.promote(course=course, tracer=candidate, at=AT, forced_because="A test.")


def test_changes_everybody_s_estimates_and_the_way_back_restores_them(physics, candidate):
    adoption.give_tracer_and_fold(course=physics, at=AT)
    before = masteries(physics)

    version = use(physics, candidate)

    assert version == candidate == live(physics)
    assert DeepState.objects.filter(tracer=version).count() == 60
    assert DeepPrediction.objects.filter(tracer=version).count() == 60
    after = masteries(physics)
    assert all(after[pair] != before[pair] for pair in before)
    promoting.roll_back(course=physics, at=AT)
    assert masteries(physics) == before
    assert promoting.roll_back(course=physics, at=AT) == candidate
    assert masteries(physics) == after


def test_a_look_beforehand_counts_the_network_in(physics, candidate):
    adoption.give_tracer_and_fold(course=physics, at=AT)
    working.follow_up(at=AT)

    switching.work(at=AT)

    job = SwitchJob.objects.get()
    assert (job.kind, job.state) == (SwitchJob.Kind.COMPARE, "done")
    assert "The largest change of a probability is 0.00" not in job.difference[1]
    assert live(physics) != candidate


def test_a_refit_and_a_calibration_carry_it_on(physics, candidate):
    use(physics, candidate)
    run = make_run(course=physics)

    calibrated = calibration_promoting.promote(course=physics, run=run, at=AT)
    assert calibrated.body["deep"] == candidate.body["deep"]
    refitted = adoption.fit_and_adopt(course=physics, at=AT, reason="refitted")
    assert refitted.body["deep"] == candidate.body["deep"]
    assert refitted.body["calibration"]["run"] == run.pk
    back = calibration_promoting.roll_back(course=physics, at=AT)
    assert back.body["deep"] == candidate.body["deep"]
    assert "calibration" not in back.body


def test_is_laid_onto_what_is_live_by_then(physics, candidate):
    """Between training and use, a calibration came into use: it stays."""
    run = make_run(course=physics)
    calibration_promoting.promote(course=physics, run=run, at=AT)

    version = use(physics, candidate)

    assert version != candidate
    assert version.body["deep"] == candidate.body["deep"]
    assert version.body["calibration"]["run"] == run.pk
    assert version.provenance["network"] == 1
    # Of the gates of its training, not of a version of its own.
    assert "enough-answers" in selectors.list_failed_gates(tracer=version)


def test_of_a_network_that_nobody_judged_no_gate_is_passed(physics, candidate):
    deep = {**candidate.body["deep"], "network": 10**6}
    strange = services.store_tracer(
        course=physics, body={**candidate.body, "deep": deep}, provenance={}
    )

    assert selectors.list_failed_gates(tracer=strange) == ["not judged"]


class TestCommands:
    def train(self, course, *settings, **options):
        given = [
            *("hidden=8", "width=8", "attention=0", "window=16"),
            *("training.epochs=1", "training.positions=1024"),
        ]
        call_command("train_network", course=course.slug, set=[*given, *settings], **options)

    def test_train_look_use_and_go_back(self, physics, capsys):
        self.train(physics)
        said = capsys.readouterr().out
        assert "FAILED: 288 answers of 12 learners" in said
        assert "pool: AUC" in said
        assert "manage.py promote_tracer --number 2" in said
        with pytest.raises(CommandError, match="enough-answers"):
            call_command("promote_tracer", course=physics.slug)
        call_command("promote_tracer", course=physics.slug, force="A test.")
        assert "v2 is live." in capsys.readouterr().out
        call_command("rollback_tracer", course=physics.slug)
        assert "v1 is live again" in capsys.readouterr().out

    def test_a_training_that_was_cut_off_is_gone_on_with(self, physics, monkeypatch, capsys):
        def killed(*_, **__):
            raise SystemExit

        with monkeypatch.context() as patch:
            patch.setattr(learning.api, "fit_model", killed)
            with pytest.raises(SystemExit):
                self.train(physics)
        TrainingJob.objects.update(claim=None)  # its signs of life have grown old

        self.train(physics)

        assert "going on with the training of" in capsys.readouterr().out
        assert TrainingJob.objects.get().state == "done"

    def test_a_worker_may_do_it(self, physics, capsys):
        self.train(physics, in_worker=True)

        assert "asked for" in capsys.readouterr().out
        assert TrainingJob.objects.get().state == "waiting"

    def test_says_what_is_wrong(self, physics, course):
        with pytest.raises(CommandError, match="too few"):
            self.train(course)
        with pytest.raises(CommandError, match="write name=value"):
            self.train(physics, "hidden")
        with pytest.raises(CommandError, match="has no size"):
            self.train(physics, "size=1")
