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
from tutor.content import selectors, services, statuses, storing
from tutor.content.graph import CycleFound
from tutor.content.models import (
    Concept,
    Course,
    Item,
    ItemVersion,
    ItemVersionConcept,
    Misconception,
    Prerequisite,
)
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

    def test_puts_concepts_into_teaching_order(self, course):
        bank = selectors.get_bank(course_id=course.pk, revision=course.revision)
        pks = [int(pk) for pk in bank.concept_ids]

        assert bank.order_concepts([str(pk) for pk in reversed(pks)]) == pks
        assert bank.order_concepts([max(pks) + 1]) == []

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
        assert Item.objects.get(slug="name-sum").status == Item.Status.PROVISIONAL
        bank = selectors.get_bank(course_id=course.pk, revision=back.course.revision)
        assert Item.objects.get(slug="name-sum").pk in bank.item_ids

    @pytest.mark.parametrize("change", [{}, {"solution": "It is so."}])
    def test_leaves_retired_what_a_person_has_retired(self, organisation, course, change):
        item = Item.objects.get(slug="name-sum")
        statuses.change_statuses(
            changes={item.pk: Item.Status.RETIRED},
            reason="Outdated.",
            actor=make_learner(organisation=organisation).user,
        )

        spec = with_item(small_course_spec(), "name-sum", **change)
        loaded = services.load_course(organisation=organisation, spec=spec)

        item.refresh_from_db()
        assert loaded.versions_added == len(change)
        assert item.status == Item.Status.RETIRED

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

    def test_writes_names_and_order_that_changed(self, organisation, course):
        adding, doubling, naming = small_course_spec().concepts
        other = dataclasses.replace(
            small_course_spec(),
            concepts=(naming, dataclasses.replace(adding, name="Sums"), doubling),
            misconceptions=(
                *small_course_spec().misconceptions[1:],
                dataclasses.replace(small_course_spec().misconceptions[0], feedback="Look again."),
            ),
        )
        before = dict(Concept.objects.values_list("slug", "pk"))

        loaded = services.load_course(organisation=organisation, spec=other)

        concepts = Concept.objects.filter(course=course).order_by("position")
        assert [(c.slug, c.name) for c in concepts][:2] == [
            ("naming", naming.name),
            ("adding", "Sums"),
        ]
        assert {c.slug: c.pk for c in concepts} == before
        changed = Misconception.objects.get(slug=small_course_spec().misconceptions[0].slug)
        assert changed.feedback == "Look again."
        assert loaded.course.revision > course.revision


def many_items(count, *, stem="Work it and mark it."):
    """A course of `count` items, each with two concepts."""
    item = next(item for item in small_course_spec().items if item.kind == "number")
    return dataclasses.replace(
        small_course_spec(),
        items=tuple(
            dataclasses.replace(
                item, slug=f"item-{number}", stem=stem, concepts=("adding", "naming")
            )
            for number in range(count)
        ),
    )


class TestLoadManyItems:
    """More items than one statement takes."""

    COUNT = 2 * storing.CHUNK + 7

    def test_keeps_every_item_with_its_own_version_and_concepts(self, organisation):
        spec = many_items(self.COUNT)

        loaded = services.load_course(organisation=organisation, spec=spec)

        assert (loaded.items_added, loaded.versions_added) == (self.COUNT, self.COUNT)
        items = Item.objects.select_related("current").order_by("pk")
        assert [item.slug for item in items] == [item.slug for item in spec.items]
        assert all(item.current.item_id == item.pk for item in items)
        assert all(item.current.body["slug"] == item.slug for item in items)
        links = ItemVersionConcept.objects.order_by("version", "position")
        assert list(links.values_list("version", "concept__slug")) == [
            (item.current_id, slug) for item in items for slug in ("adding", "naming")
        ]

    def test_makes_versions_retires_and_takes_back_beyond_one_statement(self, organisation):
        spec = many_items(self.COUNT)
        services.load_course(organisation=organisation, spec=spec)

        fewer = dataclasses.replace(spec, items=spec.items[-3:])
        assert services.load_course(organisation=organisation, spec=fewer).items_retired == (
            self.COUNT - 3
        )
        assert Item.objects.filter(status=Item.Status.RETIRED).count() == self.COUNT - 3

        back = services.load_course(organisation=organisation, spec=spec)
        assert (back.items_added, back.versions_added) == (0, 0)
        assert not Item.objects.exclude(status=Item.Status.PROVISIONAL).exists()

        other = services.load_course(
            organisation=organisation, spec=many_items(self.COUNT, stem="Otherwise.")
        )
        assert (other.items_added, other.versions_added) == (0, self.COUNT)
        current = Item.objects.values_list("current__number", "current__body__stem").distinct()
        assert list(current) == [(2, "Otherwise.")]

    def test_asks_the_database_no_more_often_for_more_items(
        self, organisation, django_assert_max_num_queries
    ):
        with django_assert_max_num_queries(100):
            services.load_course(organisation=organisation, spec=many_items(self.COUNT))
        with django_assert_max_num_queries(40):
            services.load_course(organisation=organisation, spec=many_items(self.COUNT))
