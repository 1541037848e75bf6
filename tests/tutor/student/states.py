"""Every student page in every state that it has, by the test client."""

import datetime as dt
import uuid
from collections.abc import Iterator

from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from tests.factories import (
    answer_current,
    make_assignment,
    make_class,
    make_course,
    make_organisation,
    make_pictured,
    make_user,
    start_session,
)
from tests.tutor.histories import record, trace, versions_of
from tutor.accounts.models import User
from tutor.classes import services as class_services
from tutor.common import clock
from tutor.config.failures import server_error
from tutor.content import grading
from tutor.content import selectors as content_selectors
from tutor.content.models import Concept, Course, ItemVersion
from tutor.practice import selectors as practice_selectors
from tutor.practice.models import PracticeSession
from tutor.scheduling.models import Decision

AROUND = ("home", "map", "progress", "reviews", "how")
DAY = dt.timedelta(days=1)
SEED = 7
State = tuple[str, HttpResponse]


class Visitor:
    """A student at the small course, and what they are shown."""

    def __init__(self, client: Client, *, course: Course | None = None) -> None:
        """Enrol somebody new; without a course, at the small one of a school of its own."""
        self.client = client
        self.course = course or make_course(
            organisation=make_organisation(slug=f"school-{uuid.uuid4().hex[:8]}")
        )
        self.user: User = self.enrol()

    def enrol(self, role: str = User.Role.STUDENT) -> User:
        """Have another account of the school."""
        return make_user(
            organisation=self.course.organisation,
            name="Sam Student",
            # An installation that is kept has those of an earlier walk.
            username=f"{role}-{uuid.uuid4().hex[:8]}",
            role=role,
        )

    @property
    def names(self) -> set[str]:
        """What stands on pages and is no word of theirs."""
        concepts = set(self.course.concepts.values_list("name", flat=True))
        return {"Sam Student", "Sam", self.course.title, "7b", "Sheet", *concepts}

    def get(self, name: str, *arguments: object, **query: str) -> HttpResponse:
        return self.client.get(reverse(f"student:{name}", args=arguments), query)

    def post(self, name: str, *arguments: object, **form: object) -> HttpResponse:
        """Send a form and follow to the page that it leads to."""
        address = reverse(f"student:{name}", args=arguments)
        return self.client.post(address, {"client_key": uuid.uuid4(), **form}, follow=True)

    def walk(self) -> Iterator[State]:
        """Visit everything."""
        yield from self.at_the_door()
        self.client.force_login(self.user)
        yield "without a class", self.get("home")
        self.join()
        yield from ((f"{name} new", self.get(name)) for name in AROUND)
        yield from self.choose()
        yield from self.practise_around()
        yield from self.practise()
        yield from ((f"{name} begun", self.get(name)) for name in AROUND)
        yield from self.stop()
        yield from self.see_pictures()
        yield from self.come_back()
        yield "a goal beyond a week", self.post("goal", days="9")
        yield "a broken form", self.post("skip", uuid.uuid4(), client_key="x")
        yield "no such question", self.get("answered", uuid.uuid4())

    def come_back(self) -> Iterator[State]:
        """See how it stands after weeks, as somebody who has been there all the time."""
        self.user = self.enrol()
        self.client.force_login(self.user)
        self.join()
        self.have_mastered()
        yield from ((f"{name} after weeks", self.get(name)) for name in AROUND)
        for slug in self.course.concepts.values_list("slug", flat=True):
            yield f"concept {slug}", self.get("concept", self.course.slug, slug)
        yield "no such topic", self.get("concept", self.course.slug, "none")

    def teach(self) -> Iterator[State]:
        """See what the teacher of the class sees."""
        classroom = make_class(course=self.course, users=[self.user], name="7b")
        teacher = self.enrol(User.Role.TEACHER)
        class_services.admit_users(classroom=classroom, users=[teacher])
        decision = Decision.objects.filter(learner=self.user.learner).exclude(item_version=None)
        self.client.force_login(teacher)
        of_class, of_learner = [classroom.public_id], self.user.learner.pseudonym
        pages = dict.fromkeys(("classroom", "steering", "trust", "rules"), of_class)
        pages |= {"classes": [], "learner": [*of_class, of_learner]}
        if latest := decision.last():
            pages["receipt"] = [*of_class, of_learner, latest.public_id]
        for name, given in pages.items():
            yield f"teacher {name}", self.client.get(reverse(f"teacher:{name}", args=given))

    def leave_stuck(self) -> dict[str, str]:
        """End a session as the tutor ends it for somebody stuck; say whose, and who teaches them.

        That it is ended there is a matter of choosing questions, and tested with that. Another
        session of theirs shows a picture.
        """
        session = self.start()
        PracticeSession.objects.filter(pk=session.pk).update(
            finished_at=clock.now(), finish_reason="stuck"
        )
        teacher = User.objects.filter(
            organisation=self.course.organisation, role=User.Role.TEACHER
        ).latest("pk")
        return {
            "student": self.user.username,
            "teacher": teacher.username,
            "session": str(session.public_id),
            "pictured": str(self.look_at_a_picture().public_id),
        }

    def at_the_door(self) -> Iterator[State]:
        client = self.client
        cache.clear()
        yield "sign-in", client.get("/sign-in/")
        wrong = {"username": "x", "password": "y"}
        for _ in range(10):
            refused = client.post("/sign-in/", wrong)
        yield "wrong password", refused
        yield "too many tries", client.post("/sign-in/", wrong)
        cache.clear()
        yield "nothing there", client.get("/nothing/")
        yield "forged", Client(enforce_csrf_checks=True).post("/sign-in/")
        yield "a fault", server_error(refused.wsgi_request)

    def join(self) -> None:
        """Be in a class with assignments: one due, one open without end, one closed."""
        classroom = make_class(course=self.course, users=[self.user], name="7b")
        at = clock.now()
        for days in (3, None, -2):
            make_assignment(
                classroom=classroom,
                at=at - 9 * DAY,
                title="Sheet",
                due_at=None if days is None else at + days * DAY,
            )

    def start(self, seed: int = 1) -> PracticeSession:
        return start_session(
            learner=self.user.learner, course=self.course, at=clock.now(), draw_seed=seed
        )

    def choose(self) -> Iterator[State]:
        """A topic of one's choice, and a sitting planned in minutes until they are over."""
        topic = self.course.concepts.get(slug="naming")
        self.post("start", topic=f"{self.course.slug}/{topic.slug}")
        for name in ("topic", "minutes", "minutes over"):
            if name == "minutes":
                start_session(
                    learner=self.user.learner, course=self.course, at=clock.now(), minutes=20
                )
            session = PracticeSession.objects.get(learner=self.user.learner, finished_at=None)
            if name == "minutes over":
                PracticeSession.objects.filter(pk=session.pk).update(
                    started_at=clock.now() - dt.timedelta(minutes=8), planned_minutes=7
                )
            yield f"question {name}", self.get("practise", session.public_id)
            yield f"today with {name}", self.get("home")
        self.post("finish", session.public_id)
        yield "summary of minutes", self.get("summary", session.public_id)

    def practise_around(self) -> Iterator[State]:
        """What may be done with a question beside answering it."""
        session = self.start()
        shown = session.current.public_id
        yield "report", self.get("report", shown)
        self.post("report", shown, kind="unclear")
        yield "reported", self.get("report", shown, said="yes")
        yield "ask the teacher", self.get("stuck", session.public_id)
        yield "note sent", self.get("stuck", session.public_id, said="yes")
        self.post("unlearnt", shown)
        yield "new to you", self.get("example", shown)
        for _ in range(3):
            session.refresh_from_db()
            if session.finished_at is None:
                self.post("skip", session.current.public_id)
                yield "skipped", self.get("practise", session.public_id)
        session.refresh_from_db()
        if session.finished_at is None:
            self.post("finish", session.public_id)
        yield "stopped before an answer", self.get("summary", session.public_id)

    def practise(self) -> Iterator[State]:
        """Questions of every kind with everything that an answer leads to."""
        for version in self.choose_versions():
            session = self.start()
            show_instead(session, version)
            shown = practice_selectors.get_presentation(
                learner=self.user.learner, public_id=session.current.public_id
            )
            yield from self.answer(session, shown)

    def look_at_a_picture(self) -> PracticeSession:
        """Have a question before oneself that shows a picture wider than a phone."""
        session = self.start()
        plain = next(version for version in versions_of(self.course) if version.kind == "number")
        show_instead(session, make_pictured(version=plain))
        return session

    def see_pictures(self) -> Iterator[State]:
        """A question with a picture, and what comes of it, as somebody else."""
        self.user = self.enrol()
        self.client.force_login(self.user)
        self.join()
        session = self.look_at_a_picture()
        shown = session.current.public_id
        yield "question picture", self.get("practise", session.public_id)
        # The version is new to the tracer: the answer is not traced, and nothing more is asked.
        record(
            learner=self.user.learner,
            course=self.course,
            version=session.current.item_version,
            presentation=shown,
            answer={"text": "-777"},
            is_correct=False,
            credit=0.0,
            answered_at=clock.now(),
        )
        yield "answered picture", self.get("answered", shown)
        self.post("finish", session.public_id)

    def choose_versions(self) -> list[ItemVersion]:
        """Return one question of each kind, the one with most to show, and one without steps."""
        found: dict[str, tuple[int, ItemVersion]] = {}
        for version in versions_of(self.course):
            item = content_selectors.get_rendered_item(version_id=version.pk, seed=SEED)
            richness = len(item.steps) + len(item.hints) + len(item.wrong) + len(item.choices)
            key = version.kind if item.steps or version.kind != "number" else "plain number"
            if key not in found or richness > found[key][0]:
                found[key] = (richness, version)
        return [version for _, version in found.values()]

    def answer(self, session, shown) -> Iterator[State]:
        kind, presentation = shown.item.kind, session.current.public_id
        # Of a text anything is an answer but nothing.
        unreadable = {"kind": kind, "text": "" if kind == "text" else "?,?", "choice": "none"}
        yield f"question {kind}", self.get("practise", session.public_id)
        yield f"today with {kind}", self.get("home")
        yield f"unreadable {kind}", self.post("answer", presentation, **unreadable)
        yield f"reads as {kind}", self.get("preview", presentation, text="1/2(")
        for level in range(1, len(shown.rungs) + 1):
            yield f"rung {level} {kind}", self.post("hint", presentation, level=level)
            if shown.rungs[level - 1] == "steps":
                yield "unreadable step", self.post("step", presentation, step=1, text="?!")
                yield "wrong step", self.post("step", presentation, step=1, text="-777")
                for number, step in enumerate(shown.item.steps, start=1):
                    right = grading.right_answer(step)
                    yield "right step", self.post("step", presentation, step=number, **right)
        mistakes = grading.anticipated_answers(shown.item)
        if mistakes:
            given = form_of(mistakes[0][1])
            yield f"misconception {kind}", self.post("answer", presentation, kind=kind, **given)
        else:
            answer_current(session, right=False, at=clock.now())
            yield f"wrong {kind}", self.get("answered", presentation)
        yield f"unreadable again {kind}", self.post("retry", presentation, **unreadable)
        again = form_of(grading.right_answer(shown.item))
        yield f"right in the end {kind}", self.post("retry", presentation, kind=kind, **again)
        session.refresh_from_db()
        if session.finished_at is None:
            following = session.current.public_id
            answer_current(session, right=True, at=clock.now())
            yield "right", self.get("answered", following)
        yield "all answered", self.get("practise", session.public_id)
        if session.finished_at is None:
            self.post("finish", session.public_id)
        yield "summary", self.get("summary", session.public_id)

    def stop(self) -> Iterator[State]:
        """Every way in which a session may have ended."""
        session = self.start(seed=99)
        self.post("finish", session.public_id)
        for reason in ("stuck", "blocked", "set-aside", "all-mastered", "limit-reached"):
            PracticeSession.objects.filter(pk=session.pk).update(finish_reason=reason)
            yield f"help {reason}", self.get("stuck", session.public_id)
            yield f"summary {reason}", self.get("summary", session.public_id)

    def have_mastered(self) -> None:
        """Have three topics behind oneself: mastered days apart, and one of them failed since."""
        concepts = list(self.course.concepts.order_by("position")[:3])
        for concept in concepts:
            for days in (40, 38, 9):
                self.record(concept, right=True, days=days)
        for days in (3, 2):
            self.record(concepts[0], right=False, days=days)

    def record(self, concept: Concept, *, right: bool, days: int) -> None:
        """Answer eight questions on a topic so many days ago."""
        # Those with pictures may be new to the tracer; see `see_pictures`.
        found = ItemVersion.objects.filter(concepts=concept, picture_links=None)
        versions = list(found.order_by("pk"))
        for number in range(8):
            response = record(
                learner=self.user.learner,
                course=self.course,
                version=versions[number % len(versions)],
                answered_at=clock.now() - days * DAY + dt.timedelta(minutes=number),
                is_correct=right,
                credit=float(right),
            )
            trace(response, course=self.course)


def show_instead(session: PracticeSession, version: ItemVersion) -> None:
    """Have this item wait in the session, as if it had been chosen."""
    shown = Decision.objects.get(pk=session.current_id)
    shown.pk, shown.public_id, shown._state.adding = None, uuid.uuid4(), True
    shown.item_version, shown.item_seed = version, SEED
    shown.save()
    session.current = shown
    PracticeSession.objects.filter(pk=session.pk).update(current=shown)


def form_of(answer: dict[str, object]) -> dict[str, object]:
    """Return the fields of a form that give this answer."""
    if "right" in answer:
        return {"right": "yes" if answer["right"] else "no"}
    if "text" in answer:
        return answer
    return {"choice": answer.get("choices", answer.get("choice"))}
