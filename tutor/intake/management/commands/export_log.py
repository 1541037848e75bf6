"""Export a course's answers for others: `manage.py export_log COURSE OUT`."""

import datetime as dt
import secrets
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from tutor.classes.models import Classroom
from tutor.common import clock
from tutor.common.errors import TutorError
from tutor.content.models import Course
from tutor.responses.exporting import export
from tutor.responses.exporting.choice import Choice, Times
from tutor.responses.exporting.export import Exported


class Command(BaseCommand):
    help = (
        "Write a course's answers as CSV or Parquet under pseudonyms, with a description of the "
        "columns beside it. import_log reads all that it writes, python -m kt_models the plain CSV."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("course", help="slug of the course")
        parser.add_argument(
            "out", type=Path, help=f"file to write; its name ends in {', '.join(export.WRITERS)}"
        )
        parser.add_argument("--organisation", help="slug; needed where several have such a course")
        parser.add_argument(
            "--class",
            dest="classes",
            action="append",
            metavar="NAME",
            default=[],
            help="only learners of this class; may be given several times",
        )
        parser.add_argument(
            "--since", type=_moment, metavar="TIME", help="only answers from then on (ISO 8601)"
        )
        parser.add_argument(
            "--until", type=_moment, metavar="TIME", help="only answers before then (ISO 8601)"
        )
        parser.add_argument(
            "--group", action="store_true", help="add a column with a pseudonym of the class"
        )
        parser.add_argument(
            "--class-names", action="store_true", help="add it with the name of the class"
        )
        parser.add_argument(
            "--answers", action="store_true", help="add the answers as they were given, as JSON"
        )
        times = parser.add_mutually_exclusive_group()
        times.add_argument(
            "--shift-times",
            action="store_true",
            help="move each learner's times back by 0 to 364 days",
        )
        times.add_argument("--no-times", action="store_true", help="leave the times out")
        names = parser.add_mutually_exclusive_group()
        names.add_argument("--salt", default="", help="pseudonyms of their own, for one recipient")
        names.add_argument(
            "--fresh-pseudonyms",
            action="store_true",
            help="pseudonyms of this file alone",
        )
        parser.add_argument("--licence", default="", help="the terms of use, for the description")
        parser.add_argument("--creator", default="", help="who is to be cited")
        parser.add_argument("--force", action="store_true", help="replace files that are there")

    def handle(self, **options: Any) -> None:
        choice = self._choice(options)
        self._warn(choice)
        try:
            with tqdm(unit=" answers", desc="Exporting", disable=None) as bar:

                def show(done: int, total: int) -> None:
                    bar.total = total
                    bar.update(done - bar.n)

                done = export.export_log(
                    choice=choice,
                    path=options["out"],
                    at=clock.now(),
                    licence=options["licence"],
                    creator=options["creator"],
                    may_replace=options["force"],
                    progress=show,
                )
        except TutorError as error:
            raise CommandError(error.message) from error
        self._tell(done)

    def _choice(self, options: dict[str, Any]) -> Choice:
        course = self._course(options["course"], options["organisation"])
        times = Times.EXACT
        if options["shift_times"] or options["no_times"]:
            times = Times.SHIFTED if options["shift_times"] else Times.NONE
        return Choice(
            course=course,
            classes=self._classes(course, options["classes"]),
            since=options["since"],
            until=options["until"],
            salt=secrets.token_hex(16) if options["fresh_pseudonyms"] else options["salt"],
            times=times,
            has_group=options["group"] or options["class_names"],
            has_class_names=options["class_names"],
            has_answers=options["answers"],
        )

    def _course(self, slug: str, organisation: str | None) -> Course:
        courses = Course.objects.select_related("organisation").order_by(
            "slug", "organisation__slug"
        )
        if organisation is not None:
            courses = courses.filter(organisation__slug=organisation)
        found = [course for course in courses if course.slug == slug]
        if len(found) > 1:
            owners = ", ".join(course.organisation.slug for course in found)
            message = f"Several have a course {slug}; add --organisation and one of {owners}."
            raise CommandError(message)
        if not found:
            where = "" if organisation is None else f" in the organisation {organisation!r}"
            there = ", ".join(dict.fromkeys(course.slug for course in courses)) or "none"
            message = f"There is no course {slug!r}{where}. There are: {there}."
            raise CommandError(message)
        return found[0]

    def _classes(self, course: Course, names: list[str]) -> tuple[Classroom, ...]:
        classes = list(Classroom.objects.filter(course=course).order_by("name", "pk"))
        unknown = sorted(set(names) - {classroom.name for classroom in classes})
        if unknown:
            there = ", ".join(dict.fromkeys(classroom.name for classroom in classes)) or "none"
            message = (
                f"The course {course.slug} has no class {', '.join(map(repr, unknown))}. "
                f"There are: {there}."
            )
            raise CommandError(message)
        return tuple(classroom for classroom in classes if classroom.name in names)

    def _warn(self, choice: Choice) -> None:
        if choice.has_answers:
            self.stderr.write(
                "Warning: answers as they were typed, and other columns of logs that were "
                "imported, may name people. Read them before you pass the file on."
            )
        if choice.has_class_names:
            self.stderr.write("Warning: the names of classes will stand in the file.")

    def _tell(self, done: Exported) -> None:
        counts, file = done.facts["counts"], done.facts["file"]
        beside = " and ".join(path.name for path in done.described)
        self.stdout.write(
            f"{counts['answers']} answers of {counts['learners']} learners on {counts['items']} "
            f"items: {done.path}, {file['bytes']} bytes.\n"
            f"SHA-256 {file['sha256']}\n"
            f"What it holds is described in {beside}.\n"
            "It is pseudonymised, not anonymous: treat it as personal data."
        )


def _moment(text: str) -> dt.datetime:
    """Return an ISO 8601 moment; UTC where no zone is given."""
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        message = f"{text!r} is no time; write 2026-09-01 or 2026-09-01T08:30:00+02:00"
        raise ArgumentTypeError(message) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
