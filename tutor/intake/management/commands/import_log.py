"""Import a log of answers: `manage.py import_log FORMAT PATH`."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.text import slugify

from tutor.accounts.models import Organisation, User
from tutor.common import clock
from tutor.common.errors import TutorError
from tutor.content.errors import CourseInvalid
from tutor.intake import usecases
from tutor.intake.bars import StageBars
from tutor.responses.importing import formats, naming
from tutor.responses.importing.plan import ImportPlan


class Command(BaseCommand):
    help = (
        "Import a log: parse it, show the plan, write the answers, fit the tracer, fold everybody. "
        "Importing the same again adds nothing; an import that was cut off goes on."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("format", choices=sorted(formats.FORMATS))
        parser.add_argument("path", type=Path, help="the CSV file, or the DBE-KT22 folder")
        parser.add_argument("--organisation", help="slug; needed where there are several")
        parser.add_argument("--course", help="slug of the course (default: from the file's name)")
        parser.add_argument("--title", help="title of a new course")
        parser.add_argument("--dry-run", action="store_true", help="show the plan, write nothing")
        parser.add_argument("--rejects", type=Path, help="where rejected rows go")
        parser.add_argument("--no-fit", action="store_true", help="keep the tracer as it is")
        parser.add_argument(
            "--enrol",
            nargs="+",
            metavar="USERNAME",
            default=[],
            help="accounts to put into a class of the course, to practise on it or to teach it",
        )

    def handle(self, **options: Any) -> None:
        try:
            self._import(options)
        except TutorError as error:
            raise CommandError(error.message) from error
        except CourseInvalid as error:
            raise CommandError("\n".join(error.problems)) from error

    def _import(self, options: dict[str, Any]) -> None:
        organisation = self._organisation(options["organisation"])
        users = self._users(organisation, options["enrol"])
        source = self._source(options)
        rejects = options["rejects"] or Path(f"{source.path.resolve().stem}.rejects.csv")

        def decide(planned: ImportPlan) -> bool:
            self._show(planned, rejects)
            return not options["dry_run"]

        with StageBars() as bars:
            done = usecases.import_log(
                organisation=organisation,
                source=source,
                at=clock.now(),
                rejects=rejects,
                on_plan=decide,
                may_fit=not options["no_fit"],
                enrol=users,
                progress=bars.show,
            )
        if done is None:
            self.stdout.write("Dry run: nothing was imported.")
            return
        run = done.run
        self.stdout.write(f"{run.rows_added} answers added, {run.rows_known} were there already.")
        if done.was_fitted:
            self.stdout.write(f"{done.tracer} is live; everybody's answers are folded.")
        if users:
            names = ", ".join(user.username for user in users)
            self.stdout.write(f"Class “{run.course}”: {names}. Sign in to practise.")

    def _organisation(self, slug: str | None) -> Organisation:
        """Return the organisation meant; where there is none yet, a new one that is not saved."""
        if slug is not None:
            found = Organisation.objects.filter(slug=slug).first()
            if found is None:
                message = f"There is no organisation {slug!r}."
                raise CommandError(message)
            return found
        organisations = list(Organisation.objects.order_by("slug"))
        if len(organisations) > 1:
            slugs = ", ".join(organisation.slug for organisation in organisations)
            message = f"There are several organisations; add --organisation and one of {slugs}."
            raise CommandError(message)
        return organisations[0] if organisations else Organisation(slug="school", name="School")

    def _users(self, organisation: Organisation, names: list[str]) -> list[User]:
        users = list(User.objects.filter(username__in=names, organisation=organisation.pk))
        unknown = sorted(set(names) - {user.username for user in users})
        if unknown:
            message = f"No account in this organisation is called {', '.join(unknown)}."
            raise CommandError(message)
        return users

    def _source(self, options: dict[str, Any]) -> usecases.LogSource:
        slug = options["course"] or slugify(options["path"].resolve().stem)[: naming.LONGEST]
        if slug != naming.slug_of(slug or "log"):
            if options["course"]:
                message = f"{slug!r} is no slug: use letters, digits, - and _, at most 80."
                raise CommandError(message)
            slug = "log"
        return usecases.LogSource(
            path=options["path"],
            format=options["format"],
            slug=slug,
            title=(options["title"] or slug.replace("-", " ").replace("_", " ").title())[:200],
        )

    def _show(self, planned: ImportPlan, rejects: Path) -> None:
        what = "is new" if planned.course_new else f"gets {planned.items_new} new items"
        self.stdout.write(
            f"Course {planned.course} {what}: {planned.items} items answered, {planned.concepts} "
            f"concepts, {planned.prerequisites} prerequisite links.\n"
            f"{planned.answers} answers of {planned.learners} learners "
            f"({planned.learners_new} new), {planned.answers_known} already in the log, "
            f"{planned.mean_correct:.1%} right, from {planned.first_at} to {planned.last_at}.\n"
            f"{planned.rejects} rows rejected."
        )
        if planned.rejects:
            first = planned.first_reject
            self.stdout.write(
                f"Rejected rows, with line, field, value and reason: {rejects}\n"
                f"The first is line {first.line}: {first.field or 'row'} {first.value[:60]!r}: "
                f"{first.reason}."
            )
        for warning in planned.warnings:
            self.stdout.write(f"Note: {warning}")
