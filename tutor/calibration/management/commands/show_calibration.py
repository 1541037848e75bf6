"""Show what a calibration says: `manage.py show_calibration --course SLUG [--number N]`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tutor.calibration import selectors, showing
from tutor.calibration.models import CalibrationRun
from tutor.tracing.management.courses import add_course_arguments, choose_courses


class Command(BaseCommand):
    help = (
        "Show a calibration's conditions, its items with what was decided by hand, and how items "
        "compare between groups of learners. Changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_course_arguments(parser)
        parser.add_argument("--number", type=int, help="of the calibration; the newest without it")
        parser.add_argument("--most", type=int, default=20, help="comparisons to show")

    def handle(self, **options: Any) -> None:
        courses = choose_courses(options)
        if len(courses) != 1:
            raise CommandError("Name one course: --course SLUG.")
        runs = CalibrationRun.objects.filter(course=courses[0]).order_by("-number")
        if options["number"] is not None:
            runs = runs.filter(number=options["number"])
        run = runs.first()
        if run is None:
            raise CommandError(f"{courses[0].slug} has no such calibration.")
        used = selectors.get_pinned_run(course_id=run.course_id) == run
        self.stdout.write(
            f"{courses[0].slug}: calibration {run.number} of {run.created_at:%Y-%m-%d %H:%M}, "
            f"{'in use' if used else 'not in use'}, from {run.census['calibrated']} first attempts."
        )
        for line in showing.describe_gates(run):
            self.stdout.write(line)
        self._table(*showing.tabulate_items(run))
        for line in showing.describe_groups(run):
            self.stdout.write(line)
        self._table(*showing.tabulate_groups(run, most=options["most"]))

    def _table(self, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
        for line in showing.as_text(columns, rows) if rows else ():
            self.stdout.write(line)
