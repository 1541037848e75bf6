"""A class with a clock, and ways to make somebody in it need their teacher."""

import datetime as dt
import uuid

import pytest

from tests.factories import AT, make_assignment, make_class, make_course, make_learner, make_user
from tests.tutor.histories import tracer_of
from tests.tutor.responses.test_tallies import write
from tutor.alerts import selectors, services
from tutor.alerts.thresholds import DEFAULTS, NAMES
from tutor.classes import services as class_services
from tutor.classes.models import Enrolment
from tutor.outlook import engine
from tutor.outlook.models import Forecast
from tutor.practice.models import PracticeSession, SetAside, TeacherNote
from tutor.responses.models import HintRequest
from tutor.scheduling.models import Decision
from tutor.tracing.models import AwardStep, TracerVersion

DAY = dt.timedelta(days=1)
MINUTE = dt.timedelta(minutes=1)


class School:
    """The class at a moment that a test moves on."""

    def __init__(self, organisation):
        self.course = make_course(organisation=organisation, at=AT - 30 * DAY)
        self.teacher = make_user(organisation=organisation, role="teacher", name="Thea Teacher")
        self.colleague = make_user(organisation=organisation, role="teacher", name="Cole League")
        self.classroom = make_class(course=self.course, users=[self.teacher, self.colleague])
        self.now = AT

    def join(self, name="", *, ago=20):
        learner = make_learner(organisation=self.classroom.organisation, name=name)
        class_services.enrol(classroom=self.classroom, learners=[learner])
        Enrolment.objects.filter(learner=learner).update(created_at=AT - ago * DAY)
        return learner

    def version(self, slug="add-two"):
        return self.course.items.select_related("current__item__course").get(slug=slug).current

    def concept(self, slug="adding"):
        return self.course.concepts.get(slug=slug)

    def answer(self, learner, times=1, *, ago=dt.timedelta(hours=1), slug="add-two", **fields):
        """So many answers, a minute apart, the last one `ago`."""
        found = []
        for number in range(times):
            at = self.now - ago - (times - 1 - number) * MINUTE
            found.append(write(learner, self.version(slug), answered_at=at, **fields))
        return found

    def decide(self, learner, *, stuck_on=(), ago=dt.timedelta(hours=1)):
        return Decision.objects.create(
            learner=learner,
            course=self.course,
            at=self.now - ago,
            item_version=self.version(),
            course_revision=1,
            seed=1,
            reason="learn",
            receipt={"stuck": [one.pk for one in stuck_on]},
        )

    def ask(self, learner, text="I am lost", *, ago=dt.timedelta(minutes=20)):
        return TeacherNote.objects.create(
            learner=learner,
            client_key=uuid.uuid4(),
            at=self.now - ago,
            session=self.sitting(learner),
            text=text,
        )

    def sitting(self, learner):
        found = PracticeSession.objects.filter(learner=learner).first()
        return found or PracticeSession.objects.create(
            learner=learner,
            course=self.course,
            planned_items=5,
            current=self.decide(learner, ago=2 * DAY),
            started_at=self.now,
        )

    def put_off(self, learner, *, ago=DAY):
        return SetAside.objects.create(
            learner=learner,
            client_key=uuid.uuid4(),
            at=self.now - ago,
            session=self.sitting(learner),
            decision=self.decide(learner, ago=ago),
            kind="unlearnt",
        )

    def forecast(self, learner, assignment, *, ago=dt.timedelta(hours=3), chance=None):
        at = self.now - ago
        goal = engine.practicable(tracer_of(self.course))
        return Forecast.objects.create(
            learner=learner,
            assignment=assignment,
            at=at,
            chance=chance,
            low=chance,
            high=chance,
            is_at_risk=True,
            facts={
                "goal": engine.name_goal(goal),
                "days_left": (assignment.due_at - at) / DAY,
                "left": 2,
                "wanted": 3,
                "behind": 0.4,
                "recent": 20,
                "idle_days": 4.0,
                "days_per_week": 1.0,
                "answers_per_day": 2.0,
            },
            drivers=[["idle", -1.2], ["practice", -0.5]],
            change={"later_days": 6},
        )

    def assign(self, **fields):
        given = {"due_at": AT + 14 * DAY, "opens_at": AT - 10 * DAY, **fields}
        return make_assignment(classroom=self.classroom, **given)

    def award(self, learner, *slugs):
        for slug in slugs:
            [response] = self.answer(learner, ago=30 * DAY)
            AwardStep.objects.create(
                learner=learner,
                concept=self.concept(slug),
                percent=70,
                step=AwardStep.Step.AWARD,
                response=response,
                tracer=TracerVersion.objects.get(course=self.course),
                lower_prob=0.8,
                met_rule=True,
                at=AT - 30 * DAY,
                given_at=AT - 30 * DAY,
            )

    def skim(self, learner, times, *, seconds=1):
        for number in range(times):
            ago = (times - number) * MINUTE
            at, shown = self.now - ago, self.decide(learner, ago=ago).public_id
            for level in (1, 2, 3):
                HintRequest.objects.create(
                    learner=learner,
                    presentation=shown,
                    level=level,
                    at=at - dt.timedelta(seconds=seconds * (3 - level)),
                )
            write(learner, self.version(), answered_at=at, hints_seen=3, presentation=shown)

    def needs(self):
        self.classroom.course.refresh_from_db()
        found = selectors.find_needs(classrooms=[self.classroom], at=self.now)
        return found[self.classroom.pk]

    def kinds(self, learner=None):
        """The reasons of a learner, or of the class as a whole, the most urgent first."""
        return [
            alert.kind.value
            for need in self.needs()
            if need.learner == learner
            for alert in need.alerts
        ]

    def alert(self, learner=None):
        [need] = [need for need in self.needs() if need.learner == learner]
        return need.lead

    def act(self, learner=None, what=None, *, actor=None, **fields):
        """Do something about what stands now."""
        [need] = [need for need in self.needs() if need.learner == learner]
        return services.record_action(
            classroom=self.classroom,
            actor=actor or self.teacher,
            kind=need.lead.kind,
            what=what or ("talked" if learner else "taught"),
            at=self.now,
            learner=learner,
            evidence=need.evidence,
            **fields,
        )

    def wait(self, **span):
        self.now += dt.timedelta(**span)

    def limits(self, *, off=(), **values):
        given = {name: getattr(DEFAULTS, name) for name in NAMES} | values
        return services.set_thresholds(
            classroom=self.classroom, actor=self.teacher, at=self.now, values=given, off=off
        )


@pytest.fixture
def school(organisation):
    return School(organisation)
