"""An administrator manages their own organisation in Django's admin and sees nothing of another."""

import uuid

import pytest
from django.contrib import admin
from django.urls import reverse

from tests.factories import (
    AT,
    answer_current,
    make_assignment,
    make_class,
    make_course,
    make_organisation,
    make_run,
    make_upload,
    make_user,
    set_scheduling,
    start_session,
)
from tutor.accounts.administration import OrganisationAdmin, ReadOnlyAdmin
from tutor.accounts.models import AuditEntry, Learner, User
from tutor.alerts.models import AlertAction, AlertThresholds
from tutor.alerts.thresholds import DEFAULTS, NAMES
from tutor.calibration import overrides
from tutor.calibration import services as calibration_services
from tutor.calibration.models import CalibratedCourse, ItemLife
from tutor.classes.models import Assignment, Classroom
from tutor.content.models import Concept
from tutor.outlook.models import Forecast, OutlookVersion
from tutor.practice.models import ItemReport, SetAside, TeacherNote
from tutor.registry.models import Network, SwitchJob, TracedCourse, TracerVersion, TrainingJob
from tutor.scheduling import steering
from tutor.scheduling.models import (
    Decision,
    DelayedProbe,
    GroupComparison,
    ItemExposure,
    SteeringRule,
    StuckRelease,
)
from tutor.tracing.models import DeepStanding, DueLearner, FilterStanding

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


class School:
    def __init__(self):
        self.organisation = make_organisation()
        self.administrator = make_user(organisation=self.organisation, role="administrator")
        self.teacher = make_user(organisation=self.organisation, role="teacher")
        self.student = make_user(organisation=self.organisation)
        self.course = make_course(organisation=self.organisation)
        self.classroom = make_class(course=self.course, users=[self.teacher, self.student])
        self.assignment = make_assignment(classroom=self.classroom)
        make_upload(actor=self.administrator)
        session = start_session(learner=self.student.learner, course=self.course)
        self.response = answer_current(session).response
        said = {"learner": self.student.learner, "client_key": uuid.uuid4(), "at": AT}
        self.report = ItemReport.objects.create(**said, decision=session.current, kind="other")
        self.note = TeacherNote.objects.create(**said, session=session)
        self.set_aside = SetAside.objects.create(
            **said, session=session, decision=session.current, kind="skip"
        )
        self.run = make_run(course=self.course)
        self.scheduling = set_scheduling(self.classroom)
        self.policy = steering.store_policy_version(
            course=self.course,
            policy="gain-softmax",
            parameters={},
            minutes={},
            provenance={},
            at=AT,
        )
        steering.promote_policy(version=self.policy, at=AT, reason="")
        steering.note_night(course=self.course, at=AT, found=[])
        learner, shown = self.student.learner, Decision.objects.latest("pk")
        concept = Concept.objects.filter(course=self.course).first()
        self.probe = DelayedProbe.objects.create(
            learner=learner,
            course=self.course,
            concept=concept,
            practised=shown,
            due_at=AT,
            expires_at=AT,
        )
        self.release = StuckRelease.objects.create(
            learner=learner, concept=concept, evidence_n=3, at=AT, released_by=self.teacher
        )
        self.rule = SteeringRule.objects.create(
            classroom=self.classroom, kind="pin", concept=concept, at=AT
        )
        self.comparison = GroupComparison.objects.create(
            course=self.course, at=AT, by="class", body={}
        )
        self.exposure = ItemExposure.objects.create(
            course=self.course, day=AT.date(), learners=0, given={}
        )
        tracer = TracerVersion.objects.get(course=self.course)
        self.network = Network.objects.create(
            course=self.course, number=1, model="m", description={}, weights=b"", provenance={}
        )
        asked = {"course": self.course, "asked_at": AT}
        self.training = TrainingJob.objects.create(model="cakt-item", **asked)
        self.switch = SwitchJob.objects.create(kind="compare", tracer=tracer, **asked)
        self.due = DueLearner.objects.create(learner=learner, course=self.course, since=AT)
        stands = {"course": self.course, "classroom": self.classroom, "tracer": tracer, "at": AT}
        self.standings = [
            kind.objects.create(counts=False, evidence={"n": 100}, **stands)
            for kind in (DeepStanding, FilterStanding)
        ]
        self.outlook = OutlookVersion.objects.create(
            course=self.course,
            tracer=tracer,
            at=AT,
            body={},
            evidence={},
            provenance={},
            counts=True,
        )
        self.forecast = Forecast.objects.create(
            learner=learner, assignment=self.assignment, at=AT, is_at_risk=False, facts={}
        )
        self.thresholds = AlertThresholds.objects.create(
            classroom=self.classroom, at=AT, **{name: getattr(DEFAULTS, name) for name in NAMES}
        )
        self.alert_action = AlertAction.objects.create(
            classroom=self.classroom,
            learner=learner,
            actor=self.teacher,
            at=AT,
            seen_at=AT,
            kind="help",
            what="talked",
            text="For those who teach the class alone",
        )
        self.job = calibration_services.ask_for(course=self.course, at=AT)
        self.decided = overrides.set_difficulty(
            version=self.run.items.first().version,
            difficulty=0.5,
            se=0.3,
            actor=self.administrator,
            reason="New.",
        )
        self.change = calibration_services.set_status(
            item=self.course.items.latest("pk"),
            status="pilot",
            actor=self.administrator,
            reason="New.",
        )

    def rows(self):
        """One row of every model in the admin."""
        return {
            "accounts.organisation": self.organisation,
            "accounts.user": self.student,
            "accounts.learner": self.student.learner,
            "classes.classroom": self.classroom,
            "classes.assignment": self.assignment,
            "content.course": self.course,
            "content.concept": Concept.objects.filter(course=self.course).first(),
            "content.item": self.response.item_version.item,
            "responses.response": self.response,
            "practice.itemreport": self.report,
            "practice.teachernote": self.note,
            "practice.setaside": self.set_aside,
            "registry.tracerversion": TracerVersion.objects.get(course=self.course),
            "registry.promotion": self.course.promotions.get(),
            "registry.tracedcourse": TracedCourse.objects.get(pk=self.course.pk),
            "registry.network": self.network,
            "registry.trainingjob": self.training,
            "registry.switchjob": self.switch,
            "tracing.duelearner": self.due,
            "tracing.deepstanding": self.standings[0],
            "tracing.filterstanding": self.standings[1],
            "outlook.outlookversion": self.outlook,
            "outlook.forecast": self.forecast,
            "alerts.alertthresholds": self.thresholds,
            "alerts.alertaction": self.alert_action,
            "scheduling.decision": Decision.objects.filter(course=self.course).first(),
            "scheduling.classscheduling": self.scheduling,
            "scheduling.policyversion": self.policy,
            "scheduling.policypromotion": self.policy.promotions.get(),
            "scheduling.policynight": self.course.policy_nights.get(),
            "scheduling.delayedprobe": self.probe,
            "scheduling.stuckrelease": self.release,
            "scheduling.steeringrule": self.rule,
            "scheduling.groupcomparison": self.comparison,
            "scheduling.itemexposure": self.exposure,
            "content.statuschange": self.change,
            "calibration.calibrationrun": self.run,
            "calibration.itemcalibration": self.run.items.first(),
            "calibration.calibrationjob": self.job,
            "calibration.difficultyoverride": self.decided,
            "calibration.calibratedcourse": CalibratedCourse.objects.get(pk=self.course.pk),
            "calibration.itemlife": ItemLife.objects.get(pk=self.change.item_id),
            "intake.upload": self.administrator.uploads.get(),
            "practice.practicesession": self.student.learner.sessions.get(),
        }


@pytest.fixture
def schools():
    return School(), School()


def page(row, kind="change"):
    names = (row._meta.app_label, row._meta.model_name)
    return reverse("admin:{}_{}_{}".format(*names, kind), args=[row.pk] if kind == "change" else [])


class TestEveryModel:
    # Nothing of theirs is made by practising: they come from commands.
    WITHOUT_ROWS = {"accounts.auditentry", "responses.logimport"}

    def test_is_scoped_to_an_organisation(self):
        own = {
            label
            for model, found in admin.site._registry.items()
            if isinstance(found, OrganisationAdmin | ReadOnlyAdmin)
            for label in [model._meta.label_lower]
        }
        others = {model._meta.label_lower for model in admin.site._registry} - own

        # The tokens' admin keeps to Django's permissions, which only superusers have.
        assert others <= {"authtoken.tokenproxy"}

    def test_shows_its_own_rows_and_not_those_of_another(self, schools, client):
        own, other = schools
        client.force_login(own.administrator)
        theirs = other.rows()

        assert set(theirs) | self.WITHOUT_ROWS == {
            model._meta.label_lower
            for model, found in admin.site._registry.items()
            if isinstance(found, OrganisationAdmin | ReadOnlyAdmin)
        }
        for label, row in own.rows().items():
            listed = client.get(page(row, "changelist"))
            shown = {found.pk for found in listed.context["cl"].result_list}
            assert row.pk in shown, label
            assert theirs[label].pk not in shown, label
            found = client.get(page(row))
            assert found.status_code == 200, label
            # What teachers write is for those who teach the class.
            assert "For those who teach" not in found.content.decode(), label
            # Django sends to the start of the admin what it does not find.
            assert client.get(page(theirs[label])).status_code == 302, label

    def test_offers_only_choices_of_its_own(self, schools, client):
        own, other = schools
        client.force_login(own.administrator)

        form = client.get(page(own.assignment)).context["adminform"].form
        adding = client.get(page(own.classroom, "add")).context["adminform"].form

        offered = set(form.fields["concepts"].queryset.values_list("course", flat=True))
        assert offered == {own.course.pk}
        assert list(adding.fields["course"].queryset) == [own.course]
        found = client.get(
            reverse("admin:autocomplete"),
            {
                "app_label": "classes",
                "model_name": "enrolment",
                "field_name": "learner",
                "term": "Student",
            },
        ).json()["results"]
        assert {entry["id"] for entry in found} == {str(own.student.learner.pk)}
        assert str(other.student.learner.pk) not in {entry["id"] for entry in found}


class TestWhoMayIn:
    @pytest.mark.parametrize("who", ["student", "teacher"])
    def test_turns_everybody_else_away(self, who, client):
        client.force_login(getattr(School(), who))

        assert client.get("/admin/", follow=True).status_code == 404

    def test_asks_the_stranger_to_sign_in(self, client):
        assert client.get("/admin/", follow=True).redirect_chain[-1][0].startswith("/sign-in/")

    def test_shows_everything_to_whoever_runs_the_installation(self, schools, client):
        client.force_login(User.objects.create_superuser("root", password="x"))

        for school in schools:
            for label, row in school.rows().items():
                assert client.get(page(row)).status_code == 200, label

    def test_leads_whoever_runs_the_installation_to_the_admin(self, client):
        client.force_login(User.objects.create_superuser("root", password="x"))

        assert client.get("/", follow=True).redirect_chain[-1][0] == "/admin/"


class TestChanging:
    def test_makes_a_student_with_a_learner_in_the_own_organisation(self, schools, client):
        own, other = schools
        client.force_login(own.administrator)

        sent = client.post(
            reverse("admin:accounts_user_add"),
            {
                "username": "new",
                "usable_password": "true",
                "password1": "a long pass phrase",
                "password2": "a long pass phrase",
                "role": "student",
                "organisation": other.organisation.pk,
                "is_superuser": "on",
            },
        )

        assert sent.status_code == 302
        made = User.objects.get(username="new")
        assert (made.organisation, made.is_superuser) == (own.organisation, False)
        assert Learner.objects.get(user=made).organisation == own.organisation

    def test_does_not_raise_anybody_to_superuser(self, schools, client):
        own, _ = schools
        client.force_login(own.administrator)
        fields = {"username": own.teacher.username, "role": "teacher", "is_active": "on"}

        sent = client.post(page(own.teacher), {**fields, "is_superuser": "on", "is_staff": "on"})

        own.teacher.refresh_from_db()
        assert sent.status_code == 302
        assert not own.teacher.is_superuser
        assert not own.teacher.is_staff

    def test_makes_an_assignment_and_drops_what_was_cached(self, schools, client):
        own, _ = schools
        client.force_login(own.administrator)
        before = own.course.revision

        sent = client.post(page(own.assignment, "add"), assignment_fields(own))

        own.course.refresh_from_db()
        assert sent.status_code == 302
        assert Assignment.objects.filter(classroom=own.classroom, title="Later").exists()
        assert own.course.revision > before

    def test_refuses_a_class_and_concepts_of_another_organisation(self, schools, client):
        own, other = schools
        client.force_login(own.administrator)
        stranger = Concept.objects.filter(course=other.course).first()

        elsewhere = client.post(
            page(own.assignment, "add"), assignment_fields(own, classroom=other.classroom.pk)
        )
        strange = client.post(
            page(own.assignment, "add"), assignment_fields(own, concepts=[stranger.pk])
        )

        assert elsewhere.status_code == strange.status_code == 200
        assert elsewhere.context["errors"]
        assert strange.context["errors"]
        assert not Assignment.objects.filter(title="Later").exists()

    def test_keeps_a_class_that_answers_hang_on(self, schools, client):
        own, _ = schools
        start_session(learner=own.student.learner, course=own.course, assignment=own.assignment)
        client.force_login(own.administrator)
        delete = reverse("admin:classes_classroom_delete", args=[own.classroom.pk])

        client.post(delete, {"post": "yes"})

        assert Classroom.objects.filter(pk=own.classroom.pk).exists()

    def test_changes_nothing_that_only_grows(self, schools, client):
        own, _ = schools
        client.force_login(own.administrator)
        entries = AuditEntry.objects.count()

        for row in (own.response, own.rows()["scheduling.decision"]):
            assert client.post(page(row), {"is_correct": "on"}).status_code == 403
        assert client.get(reverse("admin:responses_response_add")).status_code == 403
        assert AuditEntry.objects.count() == entries


def assignment_fields(school, **changes):
    fields = {
        "classroom": school.classroom.pk,
        "title": "Later",
        "opens_at_0": "2026-03-01",
        "opens_at_1": "08:00:00",
        "items_per_session": 5,
    }
    return {**fields, **changes}
