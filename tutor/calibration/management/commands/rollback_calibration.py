"""Go back to what was in use before: `manage.py rollback_calibration --course SLUG`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from tutor.calibration import promoting
from tutor.common import clock
from tutor.common.errors import TutorError
from tutor.tracing import adoption
from tutor.tracing.management.courses import add_course_arguments, choose_courses


class Command(BaseCommand):
    help = (
        "Switch a course back to the calibration that was in use before the present one, or to "
        "none; a refit since then stays. Done twice, it leads to where one was."
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
        pinned = version.body.get("calibration")
        with_it = "without a calibration" if pinned is None else f"calibration {pinned['number']}"
        self.stdout.write(f"{course.slug}: v{version.number} is live again, {with_it}.")
