"""What the commands about tracers share: which courses are meant."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from tutor.content.models import Course
from tutor.registry import selectors as registry_selectors
from tutor.tracing import engine, selectors


def add_course_arguments(parser: CommandParser) -> None:
    """Let the command be told one course instead of all."""
    parser.add_argument("--course", help="slug of one course; all courses without it")
    parser.add_argument("--organisation", help="slug, where two organisations have such a course")


def choose_courses(options: dict[str, Any]) -> list[Course]:
    """Return the courses that the options name.

    Raises:
        CommandError: there is none.
    """
    courses = Course.objects.order_by("organisation", "slug")
    if options["organisation"]:
        courses = courses.filter(organisation__slug=options["organisation"])
    if options["course"]:
        courses = courses.filter(slug=options["course"])
    chosen = list(courses)
    if not chosen and (options["course"] or options["organisation"]):
        known = ", ".join(Course.objects.order_by("slug").values_list("slug", flat=True)) or "none"
        message = f"There is no such course. There are: {known}."
        raise CommandError(message)
    return chosen


def get_tracer(course: Course) -> engine.CourseTracer | None:
    """Return the course's live tracer, if it has one."""
    if registry_selectors.get_live_tracer(course_id=course.pk) is None:
        return None
    return selectors.get_tracer(course_id=course.pk, revision=course.revision)
