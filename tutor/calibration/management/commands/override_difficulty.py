"""Decide by hand how hard an item is: `manage.py override_difficulty --course SLUG --item SLUG`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tutor.accounts.models import User
from tutor.calibration import overrides, showing
from tutor.calibration.models import CalibrationRun
from tutor.common.errors import TutorError
from tutor.content.models import Course, ItemVersion
from tutor.tracing.management.courses import add_course_arguments, choose_courses


class Command(BaseCommand):
    help = (
        "Set an item's difficulty by hand on the scale of the calibration in use, keep the one "
        "that a calibration found, or lift what was decided. Every decision is stored with its "
        "reason, and holds until it is lifted. Without --set, --keep and --lift: show the history."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_course_arguments(parser)
        parser.add_argument("--item", required=True, help="slug")
        parser.add_argument("--item-version", type=int, help="number; the current one without it")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--set", type=float, metavar="LOGITS", help="larger is harder")
        what.add_argument("--keep", type=int, metavar="NUMBER", help="of a calibration")
        what.add_argument("--lift", action="store_true", help="let the calibration say it again")
        parser.add_argument("--se", type=float, help="with --set: how sure, in logits")
        parser.add_argument(
            "--answers-move-it",
            action="store_true",
            help="with --set: what to expect before any answer; without it, used as it is",
        )
        parser.add_argument("--reason", default="", help="why, for others")
        parser.add_argument("--as", dest="actor", metavar="USERNAME", help="who decides")

    def handle(self, **options: Any) -> None:
        courses = choose_courses(options)
        if len(courses) != 1:
            raise CommandError("Name one course: --course SLUG.")
        version = self._choose(courses[0], options)
        if options["set"] is None and options["keep"] is None and not options["lift"]:
            for line in showing.as_text(*showing.tabulate_history(version.item)):
                self.stdout.write(line)
            return
        try:
            decided = self._decide(courses[0], version, options)
        except TutorError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{version}: {decided}")
        self.stdout.write(
            "It holds from the next promotion on. Where a calibration is in use, that is on the "
            "list of work; manage.py promote_calibration does it at once."
        )

    def _decide(self, course: Course, version: ItemVersion, options: dict[str, Any]) -> object:
        who: dict[str, Any] = {"reason": options["reason"], "actor": self._actor(course, options)}
        if options["lift"]:
            return overrides.lift(version=version, **who)
        if options["keep"] is not None:
            run = CalibrationRun.objects.filter(course=course, number=options["keep"]).first()
            if run is None:
                raise CommandError(f"{course.slug} has no calibration {options['keep']}.")
            return overrides.keep_difficulty(version=version, run=run, **who)
        if options["se"] is None:
            raise CommandError("Say how sure that is: --se LOGITS.")
        return overrides.set_difficulty(
            version=version,
            difficulty=options["set"],
            se=options["se"],
            is_held=not options["answers_move_it"],
            **who,
        )

    def _choose(self, course: Course, options: dict[str, Any]) -> ItemVersion:
        rows = ItemVersion.objects.filter(item__course=course, item__slug=options["item"])
        rows = rows.select_related("item__course").order_by("-number")
        if options["item_version"] is not None:
            rows = rows.filter(number=options["item_version"])
        version = rows.first()
        if version is None:
            raise CommandError(f"{course.slug} has no such item, or no such version of it.")
        return version

    def _actor(self, course: Course, options: dict[str, Any]) -> User | None:
        if options["actor"] is None:
            return None
        found = User.objects.filter(username=options["actor"]).first()
        own = found is not None and (
            found.is_superuser or found.organisation_id == course.organisation_id
        )
        if found is None or not own or not found.may_administer:
            raise CommandError(f"{options['actor']} is nobody who administers {course.slug}.")
        return found
