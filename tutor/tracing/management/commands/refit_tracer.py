"""Fit a course's tracer on its answers: `manage.py refit_tracer --course SLUG`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from tutor.common import clock
from tutor.common.errors import TutorError
from tutor.content.models import Course
from tutor.registry import selectors as registry_selectors
from tutor.tracing import adoption
from tutor.tracing.management.courses import add_course_arguments, choose_courses


class Command(BaseCommand):
    help = (
        "Fit a new tracer version on a course's log, fold everybody under it and switch to it. "
        "Learners go on meanwhile. With too few answers the tracer stays."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_course_arguments(parser)

    def handle(self, **options: Any) -> None:
        courses = choose_courses(options)
        if not courses:
            raise CommandError("There is no course yet: manage.py load_course loads one.")
        for course in courses:
            try:
                self._refit(course)
            except TutorError as error:
                raise CommandError(error.message) from error

    def _refit(self, course: Course) -> None:
        before = registry_selectors.get_live_tracer(course_id=course.pk)
        with (
            tqdm(total=100, desc=f"{course.slug}: fit", unit=" %", disable=None) as fit,
            tqdm(
                total=adoption.count_learners(course=course),
                desc=f"{course.slug}: fold",
                unit=" learners",
                disable=None,
            ) as fold,
        ):
            version = adoption.fit_and_adopt(
                course=course,
                at=clock.now(),
                reason="refitted",
                progress=fold.update,
                fitting=fit.update,
            )
        if before is not None and version.pk == before.pk:
            self.stdout.write(
                f"{course.slug}: v{version.number} stays; nothing new was learnt from its answers."
            )
        else:
            self.stdout.write(f"{course.slug}: v{version.number} is live.")
