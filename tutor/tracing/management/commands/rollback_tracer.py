"""Go back to the tracer that was in use before: `manage.py rollback_tracer --course SLUG`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from tutor.common import clock
from tutor.common.errors import TutorError
from tutor.tracing import adoption, promoting
from tutor.tracing.management.courses import add_course_arguments, choose_courses


class Command(BaseCommand):
    help = (
        "Switch a course back to the fit and the network that were in use before the present ones; "
        "the calibration in use stays. Done twice, it leads to where one was."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_course_arguments(parser)

    def handle(self, **options: Any) -> None:
        courses = choose_courses(options)
        if len(courses) != 1:
            raise CommandError("Name one course: --course SLUG.")
        course = courses[0]
        try:
            with tqdm(
                total=adoption.count_learners(course=course),
                desc=f"{course.slug}: fold",
                unit=" learners",
                disable=None,
            ) as bar:
                version = promoting.roll_back(course=course, at=clock.now(), progress=bar.update)
        except TutorError as error:
            raise CommandError(error.message) from error
        deep = version.provenance.get("network") if "deep" in version.body else None
        with_it = "without a network" if deep is None else f"network {deep}"
        self.stdout.write(f"{course.slug}: v{version.number} is live again, {with_it}.")
