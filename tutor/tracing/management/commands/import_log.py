"""Import a log of answers: `manage.py import_log FORMAT PATH`."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.text import slugify
from tqdm import tqdm

from tutor.accounts.models import Organisation, User
from tutor.classes import services as class_services
from tutor.common import clock
from tutor.common.errors import TutorError
from tutor.content.errors import CourseInvalid
from tutor.content.models import Course
from tutor.responses.importing import apply, formats, naming, plan
from tutor.responses.importing.incoming import Incoming
from tutor.responses.models import LogImport
from tutor.tracing import adoption


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
        incoming = self._read(organisation, options)
        self._write_rejects(incoming, options)
        formats.check_not_empty(incoming=incoming)
        planned = plan.make_plan(organisation=organisation, incoming=incoming)
        self._show(planned)
        if options["dry_run"]:
            self.stdout.write("Dry run: nothing was imported.")
            return
        organisation.save()
        run = self._apply(organisation, incoming, planned)
        self.stdout.write(f"{run.rows_added} answers added, {run.rows_known} were there already.")
        self._trace(run.course, may_fit=not options["no_fit"])
        if users:
            self._enrol(run.course, users)

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

    def _read(self, organisation: Organisation, options: dict[str, Any]) -> Incoming:
        slug = options["course"] or slugify(options["path"].resolve().stem)[: naming.LONGEST]
        if slug != naming.slug_of(slug or "log"):
            if options["course"]:
                message = f"{slug!r} is no slug: use letters, digits, - and _, at most 80."
                raise CommandError(message)
            slug = "log"
        self.stdout.write(f"Reading {options['path']} …")
        return formats.read(
            options["format"],
            options["path"],
            organisation=organisation,
            slug=slug,
            title=(options["title"] or slug.replace("-", " ").replace("_", " ").title())[:200],
            at=clock.now(),
        )

    def _show(self, planned: plan.ImportPlan) -> None:
        what = "is new" if planned.course_new else f"gets {planned.items_new} new items"
        self.stdout.write(
            f"Course {planned.course} {what}: {planned.items} items answered, {planned.concepts} "
            f"concepts, {planned.prerequisites} prerequisite links.\n"
            f"{planned.answers} answers of {planned.learners} learners "
            f"({planned.learners_new} new), {planned.answers_known} already in the log, "
            f"{planned.mean_correct:.1%} right, from {planned.first_at} to {planned.last_at}.\n"
            f"{planned.rejects} rows rejected."
        )
        for warning in planned.warnings:
            self.stdout.write(f"Note: {warning}")

    def _write_rejects(self, incoming: Incoming, options: dict[str, Any]) -> None:
        if not incoming.rejects:
            return
        path = options["rejects"] or Path(f"{options['path'].resolve().stem}.rejects.csv")
        try:
            plan.write_rejects(rejects=incoming.rejects, path=path)
        except OSError as error:
            message = (
                f"{len(incoming.rejects)} rows are rejected and cannot be written to {path} "
                f"({error.strerror}); name another file with --rejects."
            )
            raise CommandError(message) from error
        first = incoming.rejects[0]
        self.stdout.write(
            f"Rejected rows, with line, field, value and reason: {path}\n"
            f"The first is line {first.line}: {first.field or 'row'} {first.value[:60]!r}: "
            f"{first.reason}."
        )

    def _apply(
        self, organisation: Organisation, incoming: Incoming, planned: plan.ImportPlan
    ) -> LogImport:
        with tqdm(total=planned.answers, unit=" answers", disable=None, desc="Writing") as bar:
            return apply.apply(
                organisation=organisation,
                incoming=incoming,
                plan=planned,
                at=clock.now(),
                progress=bar.update,
            )

    def _trace(self, course: Course, *, may_fit: bool) -> None:
        """Fit what has not been fitted on all imports, and fold whoever is behind."""
        if not (may_fit and adoption.is_fit_due(course=course)):
            adoption.give_tracer_and_fold(course=course, at=clock.now())
            return
        learners = adoption.count_learners(course=course)
        self.stdout.write("Fitting the tracer …")
        with (
            tqdm(total=100, unit=" %", disable=None, desc="Fitting") as fitting,
            tqdm(total=learners, unit=" learners", disable=None, desc="Folding") as folding,
        ):
            version = adoption.fit_and_adopt(
                course=course,
                at=clock.now(),
                reason="import",
                progress=folding.update,
                fitting=fitting.update,
            )
        self.stdout.write(f"{version} is live; everybody's answers are folded.")

    def _enrol(self, course: Course, users: list[User]) -> None:
        classroom = class_services.ensure_class(
            organisation=course.organisation, name=course.title, course=course
        )
        class_services.admit_users(classroom=classroom, users=users)
        names = ", ".join(user.username for user in users)
        self.stdout.write(f"Class “{classroom.name}”: {names}. Sign in to practise.")
