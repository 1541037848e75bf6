"""Calibrate a course's items: `manage.py calibrate_course [--course SLUG]`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from tutor.calibration import engine, running, showing
from tutor.calibration.errors import NothingToCalibrate
from tutor.calibration.models import CalibrationRun
from tutor.common import clock
from tutor.common.errors import TutorError
from tutor.content.models import Course
from tutor.responses import grouping
from tutor.tracing.management.courses import add_course_arguments, choose_courses


class Command(BaseCommand):
    help = (
        "Calibrate the items of a course on unassisted first attempts and store the run, on the "
        "scale of the one in use. Nothing changes for learners: manage.py promote_calibration "
        "shows what would, and does it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_course_arguments(parser)
        parser.add_argument("--model", choices=[str(m) for m in engine.ItemModel], default="2pl")
        parser.add_argument("--engine", choices=[str(e) for e in engine.Engine], default="py-irt")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--again", action="store_true", help="also without new answers")
        parser.add_argument(
            "--group-by",
            choices=[str(by) for by in grouping.By],
            default="auto",
            help="groups of learners that items are compared between: the column of imported logs, "
            "the classes, or the first of the two that names two groups",
        )

    def handle(self, **options: Any) -> None:
        courses = choose_courses(options)
        if not courses:
            raise CommandError("There is no course yet: manage.py load_course loads one.")
        for course in courses:
            try:
                self._calibrate(course, options)
            except NothingToCalibrate as error:
                self.stdout.write(f"{course.slug}: {error.message}")
            except TutorError as error:
                raise CommandError(f"{course.slug}: {error.message}") from error

    def _calibrate(self, course: Course, options: dict[str, Any]) -> None:
        settings = engine.Settings(
            model=engine.ItemModel(options["model"]),
            engine=engine.Engine(options["engine"]),
            seed=options["seed"],
        )
        with tqdm(total=100, desc=course.slug, unit=" %", disable=None, leave=False) as bar:

            def tell(step: str, hundredths: int) -> None:
                bar.set_postfix_str(step)
                bar.update(hundredths - bar.n)

            run = running.calibrate_course(
                course=course,
                at=clock.now(),
                settings=settings,
                again=options["again"],
                group_by=grouping.By(options["group_by"]),
                progress=tell,
            )
        self._report(course, run)

    def _report(self, course: Course, run: CalibrationRun) -> None:
        census = run.census
        self.stdout.write(
            f"{course.slug}: calibration {run.number} of {run.items.count()} item versions from "
            f"{census['calibrated']} first attempts of {census['learners']} learners."
        )
        for line in (*showing.describe_gates(run), *showing.describe_groups(run)):
            self.stdout.write(line)
