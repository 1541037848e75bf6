"""Use a tracer version: `manage.py promote_tracer --course SLUG --number N [--dry-run]`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from tutor.common import clock
from tutor.common.errors import TutorError
from tutor.content.models import Course
from tutor.registry import selectors as registry_selectors
from tutor.registry.models import TracerVersion
from tutor.tracing import adoption, comparing, promoting
from tutor.tracing.management.courses import add_course_arguments, choose_courses


class Command(BaseCommand):
    help = (
        "Fold everybody under a tracer version, show what it changes and switch to it. Learners go "
        "on meanwhile. With --dry-run only show it. manage.py rollback_tracer goes back."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_course_arguments(parser)
        parser.add_argument(
            "--number", type=int, help="of the version; the newest training's without it"
        )
        parser.add_argument("--dry-run", action="store_true", help="only show what would change")
        parser.add_argument(
            "--force", metavar="REASON", default="", help="also if a gate failed, and why"
        )

    def handle(self, **options: Any) -> None:
        courses = choose_courses(options)
        if len(courses) != 1:
            raise CommandError("Name one course: --course SLUG.")
        course, at = courses[0], clock.now()
        version = self._choose(course, options["number"])

        def show(found: TracerVersion) -> None:
            for line in comparing.explain(course=course, version=found, at=at):
                self.stdout.write(line)

        try:
            with tqdm(
                total=adoption.count_learners(course=course),
                desc=f"{course.slug}: fold",
                unit=" learners",
                disable=None,
            ) as bar:
                if options["dry_run"]:
                    folded = promoting.fold_in_shadow(
                        course=course, tracer=version, at=at, progress=bar.update
                    )
                    show(folded)
                    self.stdout.write("Nothing was changed.")
                    return
                live = promoting.promote(
                    course=course,
                    tracer=version,
                    at=at,
                    forced_because=options["force"],
                    progress=bar.update,
                    looking=show,
                )
        except TutorError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{course.slug}: v{live.number} is live.")

    def _choose(self, course: Course, number: int | None) -> TracerVersion:
        if number is None:
            found = registry_selectors.get_newest_candidate(course_id=course.pk)
        else:
            found = TracerVersion.objects.filter(course=course, number=number).first()
        if found is None:
            message = (
                f"{course.slug} has no such tracer version: manage.py train_network makes one."
            )
            raise CommandError(message)
        return found
