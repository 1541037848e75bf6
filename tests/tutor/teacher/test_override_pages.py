"""What a teacher decides for learners, on the pages: set, seen by those it concerns, taken back."""

import datetime as dt

import pytest
from django.urls import reverse

from tests.factories import make_assignment, make_class, make_course, make_learner, make_user
from tests.tutor.pages import text
from tutor.classes import services as class_services
from tutor.classes.models import AssignmentOverride, StatedMastery
from tutor.common import clock
from tutor.scheduling.models import SteeringRule

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


@pytest.fixture
def ann(classroom):
    learner = make_learner(organisation=classroom.organisation, name="Ann Learner")
    class_services.enrol(classroom=classroom, learners=[learner])
    return learner


@pytest.fixture
def assignment(classroom):
    return make_assignment(
        classroom=classroom, at=clock.now(), title="Fractions", due_at=clock.now() + DAY
    )


def send(client, classroom, assignment, **form):
    address = reverse("teacher:override-set", args=[classroom.public_id])
    return client.post(address, {"assignment": assignment.public_id, **form}, follow=True)


def page_of(classroom, learner):
    return reverse("teacher:learner", args=[classroom.public_id, learner.pseudonym])


class TestLearnerPage:
    def test_an_excuse_stands_there_with_who_and_why_and_is_taken_back(
        self, client, classroom, ann, assignment
    ):
        form = {"do": "excuse", "learner": ann.pseudonym, "back": ann.pseudonym}

        shown = send(client, classroom, assignment, reason="was in hospital", **form)

        assert shown.redirect_chain[-1][0] == f"{page_of(classroom, ann)}#decisions"
        said = text(shown)
        assert "Excused from “Fractions”" in said
        assert "Tea Cher" in said
        assert "was in hospital" in said
        row = AssignmentOverride.objects.get()
        undo = reverse("teacher:override-undo", args=[classroom.public_id, row.pk])
        for _ in range(2):  # pressed twice
            after = text(client.post(undo, {"back": ann.pseudonym}, follow=True))
        assert after.count("Taken back: Excused from “Fractions”") == 1

    def test_another_date_is_told_to_the_learner_without_the_reason(
        self, client, classroom, ann, assignment
    ):
        until = (clock.now() + 5 * DAY).strftime("%Y-%m-%dT18:00")
        form = {"do": "date", "learner": ann.pseudonym, "back": ann.pseudonym, "date": until}

        shown = text(send(client, classroom, assignment, reason="moved house", **form))

        assert "“Fractions” until" in shown
        client.force_login(ann.user)
        told = text(client.get("/learn/"))
        assert "Your teacher gave you until" in told
        assert "moved house" not in told

    @pytest.mark.parametrize(
        ("form", "said"),
        [
            ({"do": "date", "date": "soon"}, "Write a date and time"),
            ({"do": "date", "date": "2001-01-01T10:00"}, "still to come"),
            ({"do": "else"}, "Choose what is to be done"),
            ({"do": "excuse", "topic": "x\x00y"}, "no topic"),
        ],
    )
    def test_what_cannot_be_is_refused_in_words_on_the_same_page(
        self, client, classroom, ann, assignment, form, said
    ):
        form = {"learner": ann.pseudonym, "back": ann.pseudonym, **form}

        refused = send(client, classroom, assignment, **form)

        assert refused.status_code == 400
        assert said in text(refused)
        assert "Ann Learner" in text(refused)
        assert not AssignmentOverride.objects.exists()

    def test_extra_time_is_given_once_and_taken_back(self, client, classroom, ann):
        address = reverse("teacher:extra-time", args=[classroom.public_id, ann.pseudonym])
        for _ in range(2):
            client.post(address, {"factor": "1,5", "reason": "reads slowly"})

        rule = SteeringRule.objects.get()
        assert (rule.kind, rule.value, list(rule.learners.all())) == ("time", 1.5, [ann])
        assert "1.5 times the usual" in text(client.get(page_of(classroom, ann)))
        client.post(address, {"do": "end", "rule": rule.pk})
        assert SteeringRule.objects.filter(reverts=rule).exists()

    def test_a_word_on_what_she_knows_is_shown_everywhere(self, client, classroom, ann):
        address = reverse("teacher:mastery-set", args=[classroom.public_id, ann.pseudonym])
        form = {"topic": "adding", "knows": "yes", "reason": "told me at the board"}
        for _ in range(2):
            shown = text(client.post(address, form, follow=True))

        assert StatedMastery.objects.count() == 1
        assert "Knows “Adding”" in shown
        assert "told me at the board" in shown
        grid = text(client.get(reverse("teacher:classroom", args=[classroom.public_id])))
        assert "mastered (set by teacher)" in grid
        file = client.get(reverse("teacher:export-csv", args=[classroom.public_id, "bands"]))
        assert "mastered (set by teacher)" in file.content.decode()
        client.force_login(ann.user)
        for place in ("map", "reviews", "how"):
            told = text(client.get(f"/learn/{place}/"))
            assert "told me at the board" not in told
        assert "set by teacher" in text(client.get("/learn/map/"))
        api = client.get(
            reverse("api:mastery", args=[ann.pseudonym]), {"course": classroom.course.slug}
        ).json()
        adding = next(one for one in api["concepts"] if one["concept"] == "adding")
        assert (adding["band"], adding["set_by_teacher"]) == ("mastered", True)
        assert adding["estimated_band"] == "not-enough-evidence"

    def test_the_reason_of_another_class_stays_there(self, client, classroom, ann, organisation):
        address = reverse("teacher:mastery-set", args=[classroom.public_id, ann.pseudonym])
        client.post(address, {"topic": "adding", "knows": "no", "reason": "copied it all"})
        colleague = make_user(organisation=organisation, role="teacher")
        elsewhere = make_class(course=classroom.course, users=[colleague, ann.user], name="8a")
        client.force_login(colleague)

        shown = text(client.get(page_of(elsewhere, ann)))

        assert "Does not know yet: “Adding”" in shown
        assert "copied it all" not in shown
        assert "Tea Cher" not in shown


class TestAssignmentsPage:
    def test_the_class_is_given_longer(self, client, classroom, ann, assignment):
        until = (clock.now() + 5 * DAY).strftime("%Y-%m-%dT18:00")

        shown = text(send(client, classroom, assignment, do="date", whom="everybody", date=until))

        assert "The whole class" in shown
        assert AssignmentOverride.objects.get().learner is None

    def test_nobody_ticked_is_not_everybody(self, client, classroom, assignment):
        refused = send(client, classroom, assignment, do="date", date="2099-01-01T10:00")

        assert refused.status_code == 400
        assert "Tick learners" in text(refused)

    def test_names_are_hidden_on_request(self, client, classroom, ann, assignment):
        address = reverse("teacher:assignments", args=[classroom.public_id])

        assert "Ann Learner" in text(client.get(address))
        assert "Ann Learner" not in text(client.get(address, {"names": "hidden"}))

    def test_what_another_class_decided_cannot_be_undone_here(
        self, client, classroom, ann, assignment, organisation
    ):
        send(client, classroom, assignment, do="excuse", learner=ann.pseudonym)
        row = AssignmentOverride.objects.get()
        other = make_class(course=make_course(organisation=organisation), name="8a")
        teacher = make_user(organisation=organisation, role="teacher")
        class_services.admit_users(classroom=other, users=[teacher])
        client.force_login(teacher)

        undo = reverse("teacher:override-undo", args=[other.public_id, row.pk])

        assert client.post(undo).status_code == 409
        assert not AssignmentOverride.objects.filter(reverts=row).exists()
