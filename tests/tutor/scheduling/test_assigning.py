"""An assignment that could not be worked on is refused before anybody is given it."""

import dataclasses
import math

import pytest
from django.urls import reverse

from tests.factories import AT, make_class, make_learner, make_user, small_course_spec
from tests.tutor.histories import tracer_of
from tests.tutor.scheduling.test_ruling import ask, reach
from tutor.classes.errors import ConceptOfAnotherCourse
from tutor.classes.models import Assignment
from tutor.common import cache
from tutor.content import services as content_services
from tutor.content.models import Concept, Item
from tutor.registry import selectors as registry_selectors
from tutor.scheduling import assigning
from tutor.scheduling.errors import InfeasibleAssignment, InfeasibleRule
from tutor.scheduling.models import SteeringRule

pytestmark = pytest.mark.django_db


@pytest.fixture
def classroom(course, learner):
    return make_class(course=course, users=[learner.user])


@pytest.fixture
def dependent(course):
    return next(row for row in Concept.objects.filter(course=course) if row.prerequisites.exists())


def assign(classroom, *concepts, **fields):
    return assigning.create_assignment(
        classroom=classroom, title="Goal", opens_at=AT, at=AT, concepts=concepts, **fields
    )


def take_out_of_use(course, slug):
    Item.objects.filter(course=course, current__concepts__slug=slug).update(status="retired")
    content_services.raise_revision(course=course)
    course.refresh_from_db()


def test_what_can_be_worked_on_is_stored(classroom, dependent):
    found = assign(classroom, dependent, items_per_session=7)

    assert list(found.concepts.all()) == [dependent]
    assert found.items_per_session == 7


def test_a_concept_without_questions_is_named_with_the_difficulty_to_write(classroom, course):
    take_out_of_use(course, "adding")
    adding = Concept.objects.get(course=course, slug="adding")

    with pytest.raises(InfeasibleAssignment) as refused:
        assign(classroom, adding)

    tracer = tracer_of(course)
    # Without answers every offset is what an author's 0 means less the author's difficulty.
    of_zero = (tracer.item_offsets + tracer.bank.difficulty)[0]
    easy = of_zero - math.log(0.75 / 0.25)
    assert refused.value.message.startswith(
        f"“{adding.name}” has no question in use: write one of difficulty {easy:+.1f} first, "
        "which 75% of those who are new to it"
    )
    assert not Assignment.objects.exists()


def test_a_course_of_which_nothing_is_in_use_cannot_be_assigned(classroom, course):
    assign(classroom)
    Item.objects.filter(course=course).update(status="draft")
    content_services.raise_revision(course=course)

    with pytest.raises(InfeasibleAssignment, match="The course has no question in use"):
        assign(classroom)

    assert Assignment.objects.count() == 1


def test_what_is_banned_is_named_with_its_difficulty(classroom, course):
    adding = Concept.objects.get(course=course, slug="adding")
    ask(classroom, "ban", concept=adding)
    levels = Item.objects.filter(course=course, current__concepts=adding).values_list(
        "current__author_difficulty", flat=True
    )

    with pytest.raises(InfeasibleAssignment) as refused:
        assign(classroom, adding)

    text = refused.value.message
    assert text.startswith(f"“{adding.name}” could not be given, all {len(levels)} questions (")
    assert f"difficulty {min(levels):+.1f}" in text
    assert text.endswith("): it is banned.")


def test_what_a_rule_locks_on_the_way_is_named(classroom, dependent):
    needed = dependent.prerequisites.first().requires
    ask(classroom, "quota", concept=needed, value=2)

    with pytest.raises(InfeasibleAssignment, match=f"“{dependent.name}” needs “{needed.name}”"):
        assign(classroom, dependent)

    assert not Assignment.objects.exists()


def test_not_where_everybody_has_what_is_locked(classroom, course, learner, dependent):
    needed = dependent.prerequisites.first().requires
    reach(learner, course, needed)
    ask(classroom, "ban", concept=needed)

    assign(classroom, dependent)
    classroom.enrolments.create(learner=make_learner(organisation=course.organisation))

    with pytest.raises(InfeasibleAssignment, match=f"needs “{needed.name}”"):
        assign(classroom, dependent)


def test_whom_it_cannot_be_given_to_is_named(classroom, course, learner):
    other = make_learner(organisation=course.organisation)
    classroom.enrolments.create(learner=other)
    spec = small_course_spec()
    heard = [
        dataclasses.replace(item, needs=("sound",)) if "adding" in item.concepts else item
        for item in spec.items
    ]
    content_services.load_course(
        organisation=course.organisation, spec=dataclasses.replace(spec, items=heard)
    )
    ask(classroom, "bar", value=["sound"], learners=[learner])

    with pytest.raises(InfeasibleAssignment) as refused:
        assign(classroom, Concept.objects.get(course=course, slug="adding"))

    assert "it needs what the learner cannot be given" in refused.value.message
    assert refused.value.message.endswith(f"(for {learner.label}).")


def test_the_rule_is_refused_where_the_assignment_was_first(classroom, dependent):
    assign(classroom, dependent)

    with pytest.raises(InfeasibleRule):
        ask(classroom, "ban", concept=dependent.prerequisites.first().requires)

    assert not SteeringRule.objects.exists()


def test_a_concept_of_another_course_is_that_first(classroom, organisation):
    other = content_services.load_course(
        organisation=organisation, spec=dataclasses.replace(small_course_spec(), slug="other")
    ).course

    with pytest.raises(ConceptOfAnotherCourse):
        assign(classroom, Concept.objects.filter(course=other).first())


class TestAdmin:
    @pytest.fixture
    def administrator(self, organisation, client):
        found = make_user(organisation=organisation, role="administrator", name="Ad Min")
        client.force_login(found)
        return found

    def fields(self, classroom, *concepts, title="Goal"):
        return {
            "classroom": classroom.pk,
            "title": title,
            "concepts": [concept.pk for concept in concepts],
            "opens_at_0": "2026-03-01",
            "opens_at_1": "08:00:00",
            "items_per_session": 5,
        }

    def test_refuses_a_new_one_and_a_change_and_says_why(
        self, administrator, classroom, course, client, dependent
    ):
        needed = dependent.prerequisites.first().requires
        first = assign(classroom, needed)
        ask(classroom, "quota", concept=needed, value=2)
        change = reverse("admin:classes_assignment_change", args=[first.pk])

        refused = [
            client.post(address, self.fields(classroom, dependent))
            for address in (reverse("admin:classes_assignment_add"), change)
        ]

        for sent in refused:
            assert sent.status_code == 200
            assert f"“{dependent.name}” needs “{needed.name}”" in sent.content.decode()
        assert list(first.concepts.all()) == [needed]
        assert Assignment.objects.count() == 1

    def test_says_so_where_the_course_has_no_tracer(
        self, administrator, classroom, client, dependent, monkeypatch
    ):
        needed = dependent.prerequisites.first().requires
        ask(classroom, "quota", concept=needed, value=2)
        monkeypatch.setattr(registry_selectors, "get_live_tracer", lambda *, course_id: None)
        cache.clear_all()

        sent = client.post(
            reverse("admin:classes_assignment_add"), self.fields(classroom, dependent)
        )

        assert sent.status_code == 200
        assert "This course has no tracer yet." in sent.content.decode()

    def test_lets_dates_and_titles_change_where_the_course_has_changed_since(
        self, administrator, classroom, course, client
    ):
        adding = Concept.objects.get(course=course, slug="adding")
        first = assign(classroom, adding)
        take_out_of_use(course, "adding")

        sent = client.post(
            reverse("admin:classes_assignment_change", args=[first.pk]),
            self.fields(classroom, adding, title="Renamed"),
        )

        first.refresh_from_db()
        assert (sent.status_code, first.title) == (302, "Renamed")
