"""Load a course folder or an archive of it: `manage.py load_course PATH --organisation SLUG`."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tutor.accounts.models import Organisation
from tutor.common import clock
from tutor.content import course_archive, course_format, services
from tutor.content.errors import CourseInvalid
from tutor.content.importing.errors import ContentUnreadable
from tutor.tracing import services as tracing_services


class Command(BaseCommand):
    help = "Check a course folder and bring the stored course to what it says."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "folder",
            type=Path,
            help="folder with course.yaml and items/*.yaml, or a zip or tar archive of it",
        )
        parser.add_argument("--organisation", required=True, help="slug of the organisation")
        parser.add_argument("--dry-run", action="store_true", help="check only, store nothing")

    def handle(self, **options: Any) -> None:
        organisation = Organisation.objects.filter(slug=options["organisation"]).first()
        if organisation is None:
            known = ", ".join(Organisation.objects.values_list("slug", flat=True)) or "none"
            message = f"No organisation {options['organisation']!r}. There are: {known}."
            raise CommandError(message)
        try:
            with course_archive.unpacked(options["folder"]) as folder:
                spec = course_format.read_course(folder)
        except CourseInvalid as error:
            raise CommandError("\n".join(error.problems)) from error
        except ContentUnreadable as error:
            raise CommandError(error.message) from error
        self.stdout.write(
            f"{spec.title}: {len(spec.concepts)} concepts, {len(spec.items)} items, "
            f"{len(spec.pictures)} pictures, no problems."
        )
        if options["dry_run"]:
            return
        loaded = services.load_course(organisation=organisation, spec=spec)
        # Without a tracer nobody could practise; this one serves until there are answers to fit.
        tracing_services.give_prior_tracer(course=loaded.course, at=clock.now())
        self.stdout.write(
            f"Loaded: {loaded.items_added} new items, {loaded.versions_added} new versions, "
            f"{loaded.items_retired} retired."
        )
