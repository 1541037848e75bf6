"""A course that comes in from elsewhere: stored, and given what it takes to practise on it."""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Mapping

from django.db import transaction

from tutor.accounts.models import Organisation, User
from tutor.classes import services as class_services
from tutor.classes.models import Classroom
from tutor.content import selectors as content_selectors
from tutor.content import services as content_services
from tutor.content.course_format import CourseSpec
from tutor.content.models import Course
from tutor.tracing import services


@transaction.atomic
def store_course(
    *, organisation: Organisation, spec: CourseSpec, at: dt.datetime
) -> content_services.CourseLoaded:
    """Bring the stored course to what `spec` says and give it a tracer if it has none.

    All or nothing. Without a tracer nobody could practise; the first one serves until there are
    answers to fit.

    Raises:
        CycleFound: the prerequisites run in a circle.
    """
    organisation.save()
    loaded = content_services.load_course(organisation=organisation, spec=spec)
    services.give_prior_tracer(course=loaded.course, at=at)
    return loaded


def with_prerequisites(spec: CourseSpec, requires: Mapping[str, Iterable[str]]) -> CourseSpec:
    """Return the course with these prerequisites, by slug; concepts it has not are passed over."""
    known = {concept.slug for concept in spec.concepts}
    concepts = tuple(
        dataclasses.replace(
            concept,
            requires=tuple(slug for slug in requires.get(concept.slug, ()) if slug in known),
        )
        for concept in spec.concepts
    )
    return dataclasses.replace(spec, concepts=concepts)


def with_stored_prerequisites(*, organisation: Organisation, spec: CourseSpec) -> CourseSpec:
    """Return the course with the prerequisites that are stored of it.

    Content without prerequisites says nothing about those that somebody has added since.
    """
    course = Course.objects.filter(organisation=organisation.pk, slug=spec.slug).first()
    if course is None:
        return spec
    return with_prerequisites(spec, content_selectors.read_prerequisites(course=course))


def open_class(*, course: Course, users: Iterable[User]) -> Classroom:
    """Put the users into the class named after the course, which is made if it is not there."""
    classroom = class_services.ensure_class(
        organisation=course.organisation, name=course.title, course=course
    )
    class_services.admit_users(classroom=classroom, users=users)
    return classroom
