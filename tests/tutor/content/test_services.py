"""Loading a course: what changes, what stays, what is refused."""

import dataclasses

import pytest
from django.db.models import Q

from tests.factories import (
    answer_current,
    make_learner,
    make_organisation,
    small_course_spec,
    start_session,
)
from tutor.content import selectors, services
from tutor.content.graph import CycleFound
from tutor.content.models import Concept, Course, Item, ItemVersion, Prerequisite
from tutor.responses.models import Response

pytestmark = pytest.mark.django_db


def with_item(spec, slug, **fields):
    """The course with one item changed."""
    items = [
        dataclasses.replace(item, **fields) if item.slug == slug else item for item in spec.items
    ]
    return dataclasses.replace(spec, items=tuple(items))


def without_items(spec, *slugs):
    return dataclasses.replace(
        spec, items=tuple(item for item in spec.items if item.slug not in slugs)
    )


def rows_of(course):
    """Everything stored of a course that somebody might see."""
    return {
        "course": Course.objects.filter(pk=course.pk).values("title", "revision").get(),
        "concepts": list(Concept.objects.order_by("pk").values()),
        "edges": set(Prerequisite.objects.values_list("concept", "requires")),
        "items": list(Item.objects.order_by("pk").values()),
        "versions": list(ItemVersion.objects.order_by("pk").values()),
    }


class TestLoadCourse:
    def test_stores_concepts_in_teaching_order_with_their_prerequisites(self, course):
        concepts = Concept.objects.filter(course=course).order_by("position")

        assert [c.slug for c in concepts] == ["adding", "doubling", "naming"]
        assert set(Prerequisite.objects.values_list("concept__slug", "requires__slug")) == {
            ("doubling", "adding")
        }

    def test_changes_nothing_when_loaded_again(self, organisation, course):
        before = rows_of(course)

        loaded = services.load_course(organisation=organisation, spec=small_course_spec())

        assert rows_of(course) == before
        assert (loaded.items_added, loaded.versions_added, loaded.items_retired) == (0, 0, 0)

    def test_keeps_the_old_version_and_its_answers_when_an_item_changes(self, organisation, course):
        learner = make_learner(organisation=organisation)
        session = start_session(learner=learner, course=course)
        slug = session.current.item_version.item.slug
        answer_current(session)
        old = ItemVersion.objects.get(item__slug=slug)

        changed = with_item(small_course_spec(), slug, solution="It is so.")
        loaded = services.load_course(organisation=organisation, spec=changed)

        new = ItemVersion.objects.get(item__slug=slug, number=2)
        assert loaded.versions_added == 1
        assert (new.item.current, new.body["solution"]) == (new, "It is so.")
        assert ItemVersion.objects.get(pk=old.pk).body == old.body
        assert Response.objects.get().item_version == old
        assert selectors.get_bank(course_id=course.pk, revision=loaded.course.revision).lineage[
            new.pk
        ] == (new.pk, old.pk)

    def test_gives_a_changed_item_to_those_who_read_the_course_next(self, organisation, course):
        before = course.revision
        selectors.get_bank(course_id=course.pk, revision=before)

        changed = with_item(small_course_spec(), "name-sum", solution="It is so.")
        course = services.load_course(organisation=organisation, spec=changed).course

        bank = selectors.get_bank(course_id=course.pk, revision=course.revision)
        new = ItemVersion.objects.get(number=2)
        assert course.revision > before
        assert new.pk in bank.version_ids

    def test_goes_back_to_an_earlier_wording_as_a_third_version(self, organisation, course):
        services.load_course(
            organisation=organisation,
            spec=with_item(small_course_spec(), "name-sum", solution="It is so."),
        )
        services.load_course(organisation=organisation, spec=small_course_spec())

        numbers = ItemVersion.objects.filter(item__slug="name-sum").values_list("number", flat=True)
        assert sorted(numbers) == [1, 2, 3]

    def test_retires_an_item_that_is_gone_and_takes_it_back(self, organisation, course):
        fewer = without_items(small_course_spec(), "name-sum")

        loaded = services.load_course(organisation=organisation, spec=fewer)
        assert loaded.items_retired == 1
        assert Item.objects.get(slug="name-sum").status == Item.Status.RETIRED
        bank = selectors.get_bank(course_id=course.pk, revision=loaded.course.revision)
        assert Item.objects.get(slug="name-sum").pk not in bank.item_ids

        back = services.load_course(organisation=organisation, spec=small_course_spec())
        assert back.versions_added == 0
        assert Item.objects.get(slug="name-sum").status == Item.Status.OPERATIONAL
        bank = selectors.get_bank(course_id=course.pk, revision=back.course.revision)
        assert Item.objects.get(slug="name-sum").pk in bank.item_ids

    def test_refuses_a_circle_and_names_it(self, organisation):
        adding, doubling, naming = small_course_spec().concepts
        circle = dataclasses.replace(
            small_course_spec(),
            concepts=(dataclasses.replace(adding, requires=("doubling",)), doubling, naming),
        )

        with pytest.raises(CycleFound) as caught:
            services.load_course(organisation=organisation, spec=circle)
        assert "adding" in str(caught.value)
        assert "doubling" in str(caught.value)
        assert "naming" not in str(caught.value)
        assert not Course.objects.exists()

    def test_leaves_the_same_course_of_another_organisation_alone(self, course):
        other = services.load_course(
            organisation=make_organisation(), spec=without_items(small_course_spec(), "name-sum")
        ).course

        assert other.pk != course.pk
        assert not Item.objects.filter(Q(course=course) & Q(status=Item.Status.RETIRED)).exists()

    def test_keeps_a_concept_that_is_gone_behind_the_others(self, organisation, course):
        _, doubling, naming = small_course_spec().concepts
        shorter = dataclasses.replace(
            without_items(
                small_course_spec(), *(i.slug for i in small_course_spec().items if "add" in i.slug)
            ),
            concepts=(dataclasses.replace(doubling, requires=()), naming),
        )

        loaded = services.load_course(organisation=organisation, spec=shorter)

        bank = selectors.get_bank(course_id=course.pk, revision=loaded.course.revision)
        assert bank.concept_slugs == ("doubling", "naming", "adding")
        assert bank.requires == ()
