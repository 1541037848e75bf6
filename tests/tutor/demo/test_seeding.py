"""The demo school: whole however its making was interrupted, and made once."""

import dataclasses
from collections import Counter

import numpy as np
import pytest
from django.contrib.auth.hashers import check_password

from tests.factories import AT, SMALL_COURSE
from tests.tutor.tracing.imports import PowerCut, cut_at
from tutor.accounts.models import AuditEntry, Learner, User
from tutor.classes.models import Assignment, Classroom, Enrolment
from tutor.content import grading
from tutor.content.models import Course, Item, ItemVersion
from tutor.content.selectors import get_rendered_item
from tutor.demo import accounts, cohort, seeding, truth
from tutor.registry.models import Promotion, TrainingJob
from tutor.responses.models import Response
from tutor.tracing.models import LearnerState

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

LEARNERS = 34
TABLES = (
    TrainingJob,
    *(User, Learner, Classroom, Enrolment, Assignment, Course, Item, ItemVersion),
    *(Response, Promotion, LearnerState, AuditEntry),
)


@pytest.fixture(autouse=True)
def small_school(monkeypatch, settings):
    """The demo with a small course, few learners beside the class, and quick passwords."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    monkeypatch.setattr(seeding, "COURSE_FOLDER", SMALL_COURSE)
    monkeypatch.setattr(cohort, "LEARNERS", LEARNERS)
    monkeypatch.setattr(cohort, "PLAN", dataclasses.replace(cohort.PLAN, answers=(12, 30)))
    monkeypatch.setattr(seeding, "CHUNK", 200)


def seed():
    told = []
    seeding.seed(
        at=AT,
        say=lambda what, total: told.append([what, total, 0]),
        progress=lambda parts: told[-1].__setitem__(2, told[-1][2] + parts),
    )
    return told


def counts():
    return {model.__name__: model.objects.count() for model in TABLES}


class TestSeed:
    def test_makes_a_class_at_different_stages_and_a_newcomer(self):
        seed()

        classroom = Classroom.objects.get()
        answered = Counter(Response.objects.values_list("learner__user__username", flat=True))
        enrolled = set(classroom.learners.values_list("user__username", flat=True))
        assert len(enrolled) == 31
        assert enrolled - set(answered) == {accounts.NEWCOMER}
        assert len({answered[name] for name in enrolled}) > 10
        assert classroom.teachers.get().username == accounts.TEACHER
        assert Learner.objects.filter(user=None).count() == LEARNERS - 30
        assert classroom.assignments.count() == 2

    def test_lets_in_those_whose_sign_in_is_shown_and_nobody_else(self):
        seed()

        for user in User.objects.all():
            shown = user.username in {sign_in.username for sign_in in accounts.SIGN_INS}
            assert user.has_usable_password() is shown
            if shown:
                assert check_password(accounts.password(user.username), user.password)

    def test_says_how_far_each_step_is(self):
        steps = seed()

        assert [what.split()[0] for what, _, _ in steps] == [
            *("Loading", "Creating", "Simulating", "Writing", "Fitting"),
        ]
        assert all(done == total for _, total, done in steps)

    def test_a_second_time_changes_nothing(self):
        seed()
        before = counts()

        assert seed() == []
        assert counts() == before

    @pytest.mark.parametrize(
        ("target", "call", "when"),
        [
            ("tutor.content.services.load_course", 1, "before"),
            ("tutor.content.services.load_course", 1, "after"),
            ("tutor.classes.services.create_assignment", 1, "after"),
            ("tutor.accounts.services.admit_learners", 1, "after"),
            ("tutor.responses.services.append_new", 2, "before"),
            ("tutor.responses.services.append_new", 2, "after"),
            ("tutor.registry.training.fit_filter", 1, "after"),
            ("tutor.registry.services.promote", 1, "before"),
            ("tutor.accounts.services.record_audit", 1, "before"),
            ("tutor.accounts.services.record_audit", 2, "before"),
        ],
    )
    def test_goes_on_where_it_was_cut_off(self, monkeypatch, target, call, when):
        with monkeypatch.context() as patch:
            cut_at(patch, target, call, when)
            with pytest.raises(PowerCut):
                seed()
        assert not seeding.is_done()

        seed()

        found = counts()
        assert found["User"] == 33
        assert found["Learner"] == LEARNERS + 1
        assert found["Enrolment"] == 31
        assert (found["Classroom"], found["Assignment"], found["Course"]) == (1, 2, 1)
        assert found["Item"] == found["ItemVersion"]
        # That a network was asked for, once, and that the school stands.
        assert found["AuditEntry"] == 2
        assert found["TrainingJob"] == 1
        # Every answer of the cohort is there, once, as it was simulated.
        compared = truth.compare()
        assert compared.learners == LEARNERS
        assert found["Response"] == Response.objects.values("client_key").distinct().count()
        assert set(
            LearnerState.objects.filter(tracer=Promotion.objects.latest("pk").tracer).values_list(
                "n_responses", flat=True
            )
        ) == set(Counter(Response.objects.values_list("learner", flat=True)).values())

    def test_every_stored_answer_is_graded_as_it_is_stored(self):
        seed()

        for response in Response.objects.order_by("pk")[::7]:
            item = get_rendered_item(version_id=response.item_version_id, seed=response.seed)
            grade = grading.grade(item, response.answer)
            assert (grade.is_correct, grade.credit) == (response.is_correct, response.credit)


class TestCompare:
    def test_finds_the_estimates_near_the_truth(self):
        seed()

        found = truth.compare()

        assert truth.correlation(found.estimate, found.on_bank) > 0.4
        assert truth.calibration_error(found.estimate, found.on_bank) < 0.1

    def test_without_a_demo_says_so(self):
        with pytest.raises(truth.NothingToCompare, match="seed_demo"):
            truth.compare()

    def test_refuses_a_log_that_is_not_the_cohorts(self, monkeypatch):
        seed()
        monkeypatch.setattr(cohort, "SEED", 5)

        with pytest.raises(truth.NothingToCompare, match="has changed"):
            truth.compare()


class TestMeasures:
    def test_calibration_error_is_the_distance_of_means_in_bins(self):
        estimate = np.linspace(0.0, 1.0, 100)

        assert truth.calibration_error(estimate, estimate) == 0.0
        assert truth.calibration_error(estimate, estimate + 0.1) == pytest.approx(0.1)
        half = np.where(estimate < 0.5, estimate + 0.1, estimate - 0.2)
        assert truth.calibration_error(estimate, half) == pytest.approx(0.15)

    def test_within_concepts_the_concepts_means_earn_nothing(self):
        concept = np.repeat([0, 1], 50)
        truth_of = concept + np.tile(np.linspace(0, 0.1, 50), 2)
        estimate = concept - np.tile(np.linspace(0, 0.1, 50), 2)

        assert truth.correlation(estimate, truth_of) > 0.9
        assert truth.correlation_within(estimate, truth_of, concept) == pytest.approx(-1.0)
