"""Forecast now: `manage.py forecast_goals --course SLUG`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from tutor.common import clock
from tutor.common.alone import alone
from tutor.outlook import nights
from tutor.outlook.models import OutlookVersion
from tutor.responses import columns
from tutor.tracing.management.courses import add_course_arguments, choose_courses


class Command(BaseCommand):
    help = (
        "Forecast who reaches the running assignments of a course, as the night would; says what "
        "the forecasts are by."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_course_arguments(parser)

    def handle(self, **options: Any) -> None:
        with alone(nights.LOCK) as is_alone:
            if not is_alone:
                raise CommandError("Another process is forecasting: try again later.")
            for course in choose_courses(options):
                with tqdm(
                    total=len(columns.count_standing(course_id=course.pk)),
                    desc=f"{course.slug}: learning",
                    unit=" learners",
                    disable=None,
                ) as bar:
                    made = nights.forecast_course(
                        course=course, at=clock.now(), progress=bar.update
                    )
                newest = OutlookVersion.objects.filter(course=course).order_by("-pk").first()
                by = "the rule of thumb" if newest is None or not newest.counts else str(newest)
                self.stdout.write(f"{course.slug}: {made} forecasts by {by}")
