"""Let an artificial crowd answer a course's items: `manage.py ask_crowd --course SLUG`."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from tutor.calibration import crowd
from tutor.common.errors import TutorError
from tutor.tracing.management.courses import add_course_arguments, choose_courses


class Command(BaseCommand):
    help = (
        "Ask every respondent of TUTOR_CROWD_ENDPOINTS every item of a course once. The next "
        "calibration weighs what they found hard as a prior of items that are not known yet."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_course_arguments(parser)

    def handle(self, **options: Any) -> None:
        courses = choose_courses(options)
        if len(courses) != 1:
            raise CommandError("Name one course: --course SLUG.")
        course, endpoints = courses[0], settings.CROWD_ENDPOINTS
        total = len(endpoints) * len(crowd.list_askable(course=course))
        try:
            with tqdm(total=total, desc=course.slug, unit=" questions", disable=None) as bar:
                done = crowd.ask_crowd(course=course, endpoints=endpoints, progress=bar.update)
        except TutorError as error:
            raise CommandError(error.message) from error
        self.stdout.write(
            f"{course.slug}: {done.stored} answers stored, {done.known} known before, "
            f"{done.failed} questions without an answer that can be read."
        )
