"""Use a calibration: `manage.py promote_calibration --course SLUG [--dry-run]`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from tutor.calibration import comparing, promoting, selectors
from tutor.calibration.models import CalibrationRun
from tutor.common import clock
from tutor.common.errors import TutorError
from tutor.content.models import Course
from tutor.tracing import adoption
from tutor.tracing.management.courses import add_course_arguments, choose_courses


class Command(BaseCommand):
    help = (
        "Show what a calibration would change, fold everybody under it and switch to it. Learners "
        "go on meanwhile. With --dry-run only show it. manage.py rollback_calibration goes back."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_course_arguments(parser)
        parser.add_argument("--number", type=int, help="of the calibration; the newest without it")
        parser.add_argument("--dry-run", action="store_true", help="only show what would change")
        parser.add_argument("--force", action="store_true", help="also if a gate failed")

    def handle(self, **options: Any) -> None:
        courses = choose_courses(options)
        if len(courses) != 1:
            raise CommandError("Name one course: --course SLUG.")
        course = courses[0]
        run = self._choose(course, options["number"])
        at = clock.now()
        try:
            ready = promoting.prepare(course=course, run=run, force=options["force"])
            for line in comparing.explain(course=course, ready=ready, at=at):
                self.stdout.write(line)
            if options["dry_run"]:
                self.stdout.write("Nothing was changed.")
                return
            with tqdm(
                total=adoption.count_learners(course=course),
                desc=f"{course.slug}: fold",
                unit=" learners",
                disable=None,
            ) as bar:
                version = promoting.promote(
                    course=course, run=run, at=at, force=options["force"], progress=bar.update
                )
        except TutorError as error:
            raise CommandError(error.message) from error
        self.stdout.write(
            f"{course.slug}: calibration {run.number} is in use, by v{version.number}."
        )

    def _choose(self, course: Course, number: int | None) -> CalibrationRun:
        if number is None:
            run = selectors.get_newest_run(course_id=course.pk)
        else:
            run = CalibrationRun.objects.filter(course=course, number=number).first()
        if run is None:
            message = (
                f"{course.slug} has no such calibration: manage.py calibrate_course makes one."
            )
            raise CommandError(message)
        return run
