"""Import content: `manage.py import_content oatutor|junyi|edges PATH`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from tutor.accounts.models import Organisation, User
from tutor.common import clock
from tutor.common.errors import TutorError
from tutor.content import selectors as content_selectors
from tutor.content import services as content_services
from tutor.content.course_format import CourseSpec
from tutor.content.importing import (
    edges,
    junyi,
    names,
    oatutor,
    oatutor_files,
    oatutor_pictures,
    oatutor_plans,
    sources,
    summary,
    untangling,
)
from tutor.content.importing.listed import Listed, write_listed
from tutor.content.models import Concept, Course
from tutor.tracing import new_courses
from tutor.tracing.management import choosing


class Command(BaseCommand):
    help = (
        "Import content: OATutor's problems as courses to practise, Junyi's table of exercises as "
        "a course of concepts, or prerequisites (edges) for a course that is stored. What cannot "
        "be taken is listed with the reason. Importing the same again changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("format", choices=("oatutor", "junyi", "edges"))
        parser.add_argument(
            "path", type=Path, help="OATutor's folder or an archive of it; else a CSV file"
        )
        choosing.add_school_arguments(parser)
        parser.add_argument(
            "--course",
            nargs="+",
            metavar="SLUG",
            default=[],
            help="oatutor: one or several courses, by slug or title (all without it); "
            "junyi: the new course's slug; edges: the stored course",
        )
        parser.add_argument("--title", help="junyi: title of the new course")
        parser.add_argument("--list", action="store_true", help="oatutor: name the courses, stop")
        parser.add_argument("--dry-run", action="store_true", help="show the plan, write nothing")
        parser.add_argument(
            "--listed", type=Path, help="where to list what is left out (NAME.listed.csv)"
        )
        parser.add_argument(
            "--prerequisites", type=Path, help="oatutor: CSV of pairs concept, requires"
        )
        parser.add_argument(
            "--alternatives",
            type=Path,
            help="oatutor: CSV of problem, picture, alternative; what pictures show, in words",
        )
        parser.add_argument(
            "--drop-cycles",
            action="store_true",
            help="leave out the fewest pairs that break every circle, instead of refusing",
        )
        parser.add_argument(
            "--extend", action="store_true", help="edges: add to the stored ones, replace none"
        )

    def handle(self, **options: Any) -> None:
        try:
            organisation = choosing.choose_organisation(options["organisation"])
            users = choosing.choose_users(organisation, options["enrol"])
            run = {"oatutor": self._oatutor, "junyi": self._junyi, "edges": self._edges}
            run[options["format"]](organisation, users, options)
        except TutorError as error:
            raise CommandError(error.message) from error

    def _oatutor(
        self, organisation: Organisation, users: list[User], options: dict[str, Any]
    ) -> None:
        self.stdout.write(f"Reading {options['path']} …")
        content = oatutor_files.find_content(sources.open_files(options["path"]))
        plans = oatutor_plans.read_plans(content.read_json(oatutor_files.PLANS))
        skills = oatutor_files.read_skills(content)
        chosen = oatutor_plans.choose(plans, options["course"])
        counts = oatutor.count_steps(chosen, skills)
        if options["list"]:
            for plan in chosen:
                used, steps = counts[plan.slug]
                self.stdout.write(
                    f"{plan.slug}: {plan.title} ({plan.language}), {plan.lessons} lessons, "
                    f"{used} skills, {steps} steps"
                )
            return
        total = oatutor.count_all(chosen, skills)
        with tqdm(total=total, unit=" steps", disable=None, desc="Converting") as bar:
            converted = oatutor.convert(
                content,
                plans=chosen,
                skills=skills,
                alternatives=_alternatives(options["alternatives"]),
                progress=bar.update,
            )
        courses = self._connect(organisation, converted.courses, options)
        self._show(courses)
        share = converted.taken / converted.steps if converted.steps else 0.0
        self.stdout.write(
            f"{converted.taken} of {converted.steps} steps can be taken ({share:.1%})."
        )
        self._list(converted, options)
        self._store(organisation, users, [c for c in courses if c.items], options)

    def _connect(
        self, organisation: Organisation, courses: Sequence[CourseSpec], options: dict[str, Any]
    ) -> list[CourseSpec]:
        """Return the courses with the prerequisites of the file, else with those stored."""
        if options["prerequisites"] is None:
            return [
                new_courses.with_stored_prerequisites(organisation=organisation, spec=course)
                for course in courses
            ]
        table = edges.read_edges(options["prerequisites"])
        self.stdout.write(f"{options['prerequisites'].name}: {table.reading}.")
        connected: list[CourseSpec] = []
        for course in courses:
            found = untangling.untangle(
                edges=table.edges,
                concepts={concept.slug: concept.name for concept in course.concepts},
                drop_cycles=options["drop_cycles"],
            )
            for line in summary.prerequisite_lines(found):
                self.stdout.write(f"{course.slug}: {line}")
            connected.append(new_courses.with_prerequisites(course, found.requires))
        return connected

    def _junyi(
        self, organisation: Organisation, users: list[User], options: dict[str, Any]
    ) -> None:
        slug = _one_course(options, default="junyi")
        if slug != names.log_slug(slug):
            message = f"{slug!r} is no slug: use letters, digits, - and _, at most 100."
            raise CommandError(message)
        table = junyi.read(
            options["path"],
            slug=slug,
            title=(options["title"] or "Junyi Academy: exercises")[: names.LONGEST_NAME],
            drop_cycles=options["drop_cycles"],
        )
        self.stdout.write(f"{table.rows} exercises in {options['path'].name}.")
        if table.repeated:
            self.stdout.write(f"Named twice, taken once: {', '.join(table.repeated)}.")
        for line in summary.prerequisite_lines(table.prerequisites):
            self.stdout.write(line)
        self._show([table.course])
        self._store(organisation, users, [table.course], options)

    def _edges(
        self, organisation: Organisation, users: list[User], options: dict[str, Any]
    ) -> None:
        course = _stored_course(organisation, _one_course(options, default=None))
        concepts = Concept.objects.filter(course=course).order_by("position")
        stored = content_selectors.read_prerequisites(course=course)
        table = edges.read_edges(options["path"])
        self.stdout.write(f"{options['path'].name}: {table.reading}.")
        found = untangling.untangle(
            edges=table.edges,
            concepts=dict(concepts.values_list("slug", "name")),
            drop_cycles=options["drop_cycles"],
            before=[(slug, required) for slug, own in stored.items() for required in own]
            if options["extend"]
            else (),
        )
        for line in summary.prerequisite_lines(found):
            self.stdout.write(line)
        if table.edges and not found.edges:
            message = f"None of the names is a concept of {course.slug}; nothing was changed."
            raise CommandError(message)
        if options["dry_run"]:
            self.stdout.write("Dry run: nothing was changed.")
            return
        changed = content_services.set_prerequisites(course=course, requires=found.requires)
        self.stdout.write(
            f"{course.slug} has {found.edges} prerequisite links."
            if changed
            else f"{course.slug} has these prerequisites already."
        )
        self._enrol(course, users)

    def _show(self, courses: Sequence[CourseSpec]) -> None:
        for line in summary.course_lines(courses):
            self.stdout.write(line)

    def _list(self, converted: oatutor.Converted, options: dict[str, Any]) -> None:
        rows: tuple[Listed, ...] = (*converted.listed, *converted.notes)
        if not rows:
            return
        for heading, own in (("Left out", converted.listed), ("With a loss", converted.notes)):
            if own:
                self.stdout.write(f"{heading}:")
            for line in summary.reason_lines(own):
                self.stdout.write(line)
        stem = options["path"].resolve().name.split(".")[0] or "content"
        path = options["listed"] or Path(f"{stem}.listed.csv")
        try:
            write_listed(rows=rows, path=path)
        except OSError as error:
            message = f"{path} cannot be written ({error.strerror}); name another with --listed."
            raise CommandError(message) from error
        self.stdout.write(f"Each with problem, step, reason and detail: {path}")

    def _store(
        self,
        organisation: Organisation,
        users: list[User],
        courses: Sequence[CourseSpec],
        options: dict[str, Any],
    ) -> None:
        if not courses:
            raise CommandError("Nothing to import: no step can be taken.")
        if options["dry_run"]:
            self.stdout.write("Dry run: nothing was imported.")
            return
        for spec in courses:
            loaded = new_courses.store_course(organisation=organisation, spec=spec, at=clock.now())
            self.stdout.write(
                f"{spec.slug}: {loaded.items_added} new items, {loaded.versions_added} new "
                f"versions, {loaded.items_retired} retired."
            )
            self._enrol(loaded.course, users)

    def _enrol(self, course: Course, users: list[User]) -> None:
        if users:
            classroom = new_courses.open_class(course=course, users=users)
            told = ", ".join(user.username for user in users)
            self.stdout.write(f"Class “{classroom.name}”: {told}. Sign in to practise.")


def _alternatives(path: Path | None) -> dict[tuple[str, str], str]:
    return {} if path is None else oatutor_pictures.read_alternatives(path)


def _one_course(options: dict[str, Any], *, default: str | None) -> str:
    wanted = options["course"] or ([default] if default else [])
    if len(wanted) != 1:
        raise CommandError("Name one course with --course SLUG.")
    return str(wanted[0])


def _stored_course(organisation: Organisation, slug: str) -> Course:
    courses = Course.objects.filter(organisation=organisation.pk)
    course = courses.filter(slug=slug).first()
    if course is None:
        known = ", ".join(courses.order_by("slug").values_list("slug", flat=True)) or "none"
        message = f"There is no course {slug!r}. There are: {known}."
        raise CommandError(message)
    return course
