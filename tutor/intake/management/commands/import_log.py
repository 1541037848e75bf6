"""Import a log of answers: `manage.py import_log FORMAT PATH`."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.text import slugify

from tutor.common import clock
from tutor.common.errors import TutorError
from tutor.content.errors import CourseInvalid
from tutor.intake import usecases
from tutor.intake.bars import StageBars
from tutor.responses.importing import formats, kinds, looking, naming
from tutor.responses.importing import mapping as mappings
from tutor.responses.importing.plan import ImportPlan
from tutor.tracing.management.choosing import (
    add_school_arguments,
    choose_organisation,
    choose_users,
)

CLASS_HELP = "put the log's learners into a class of this name, so that a teacher sees them"


class Command(BaseCommand):
    help = (
        f"FORMAT is {', '.join((kinds.AUTO, *formats.FORMATS))}. "
        "Import a log: parse it, show the plan, write the answers, fit the tracer, fold everybody. "
        "Importing the same again adds nothing; an import that was cut off goes on."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("format", choices=(kinds.AUTO, *formats.FORMATS), metavar="FORMAT")
        parser.add_argument("path", type=Path, help="a file, as it is or packed, or a folder")
        add_school_arguments(parser)
        parser.add_argument("--course", help="slug of the course (default: from the file's name)")
        parser.add_argument("--title", help="title of a new course")
        parser.add_argument("--dry-run", action="store_true", help="show the plan, write nothing")
        parser.add_argument("--mapping", type=Path, help="JSON file that says what columns mean")
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="FIELD=COLUMN",
            help="what one column means, for example learner=user_id; beats guess and --mapping",
        )
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="ENTRY=VALUE",
            help="another entry of the mapping, for example time_zone=Europe/Berlin",
        )
        parser.add_argument("--save-mapping", type=Path, help="write the mapping used, as JSON")
        parser.add_argument("--rejects", type=Path, help="where rejected rows go")
        parser.add_argument("--no-fit", action="store_true", help="keep the tracer as it is")
        parser.add_argument("--class", dest="class_name", default="", help=CLASS_HELP)
        parser.add_argument(
            "--learner-map",
            type=Path,
            help="write the log's names beside the pseudonyms, which stand together nowhere else",
        )

    def handle(self, **options: Any) -> None:
        try:
            self._import(options)
        except TutorError as error:
            raise CommandError(error.message) from error
        except CourseInvalid as error:
            raise CommandError("\n".join(error.problems)) from error

    def _import(self, options: dict[str, Any]) -> None:
        organisation = choose_organisation(options["organisation"])
        users = choose_users(organisation, options["enrol"])
        source = self._source(options)
        source = self._look(source, read_named(options["map"]), options["save_mapping"])
        rejects = options["rejects"] or Path(f"{source.path.resolve().stem}.rejects.csv")

        bars = StageBars()

        def decide(planned: ImportPlan) -> bool:
            bars.close()
            self._show(planned, rejects)
            return not options["dry_run"]

        with bars:
            done = usecases.import_log(
                organisation=organisation,
                source=source,
                at=clock.now(),
                rejects=rejects,
                on_plan=decide,
                then=usecases.Afterwards(
                    may_fit=not options["no_fit"],
                    enrol=tuple(users),
                    class_name=options["class_name"][:200],
                    learner_map=options["learner_map"],
                ),
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
            title = options["class_name"] or run.course
            self.stdout.write(f"Class “{title}”: {names}. Sign in to practise.")

    def _source(self, options: dict[str, Any]) -> usecases.LogSource:
        slug = options["course"] or slugify(options["path"].resolve().stem)[: naming.LONGEST]
        if slug != naming.slug_of(slug or "log"):
            if options["course"]:
                message = f"{slug!r} is no slug: use letters, digits, - and _, at most 100."
                raise CommandError(message)
            slug = "log"
        given = mappings.read_mapping(options["mapping"]) if options["mapping"] else None
        return usecases.LogSource(
            path=options["path"],
            format=options["format"],
            mapping=read_settings(given, options["set"]),
            slug=slug,
            title=(options["title"] or slug.replace("-", " ").replace("_", " ").title())[:200],
        )

    def _look(
        self, source: usecases.LogSource, columns: dict[str, tuple[str, ...]], save_to: Path | None
    ) -> usecases.LogSource:
        """Show what the input is taken for; stop where something has to be named first."""
        found = looking.look(
            source.path, format=source.format, mapping=source.mapping, named=columns
        )
        self.stdout.write(f"{source.path} is read as {found.format}.")
        if found.header and found.mapping is not None:
            self.stdout.write("\n".join(mapping_lines(found.header, found.sample, found.mapping)))
        if save_to is not None:
            self._save_mapping(found.mapping, save_to)
        if found.problems:
            raise CommandError(
                f"{' '.join(found.problems)}\nColumns: {', '.join(found.header)}.\nSay it with "
                "--map FIELD=COLUMN or --set ENTRY=VALUE, or edit what --save-mapping writes and "
                "give that as --mapping."
            )
        return replace(source, format=found.format, mapping=found.mapping)

    def _save_mapping(self, found: mappings.ColumnMapping | None, path: Path) -> None:
        if found is None:
            raise CommandError("This format needs no mapping; there is none to save.")
        try:
            mappings.write_mapping(found, path)
        except OSError as error:
            message = f"The mapping cannot be written to {path} ({error.strerror})."
            raise CommandError(message) from error
        self.stdout.write(f"The mapping stands in {path}.")

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
            first = planned.first_rejects[0]
            self.stdout.write(
                f"Rejected rows, with line, field, value and reason: {rejects}\n"
                f"The first is line {first.place}: {first.field or 'row'} {first.value[:60]!r}: "
                f"{first.reason}."
            )
        if planned.then_seconds:
            self.stdout.write(
                "After the writing the tracer is fitted and everybody's answers are folded: about "
                f"{planned.then_seconds:.0f} seconds."
            )
        for warning in planned.warnings:
            self.stdout.write(f"Note: {warning}")


def mapping_lines(
    header: Sequence[str], sample: Sequence[Sequence[str]], mapping: mappings.ColumnMapping
) -> list[str]:
    """Return the mapping as lines, each with what stands in the first rows."""
    lines = []
    for field, columns in mapping.columns.items():
        place = header.index(columns[0]) if columns[0] in header else len(header)
        cells = dict.fromkeys(row[place] for row in sample if place < len(row) and row[place])
        lines.append(f"  {field:<12} {' + '.join(columns)}: {', '.join([*cells][:3])}")
    special = {name: value for name, value in mapping.special().items() if value != ""}
    if "elapsed_ms" in mapping.columns:
        special["elapsed_unit"] = mapping.elapsed_unit
    special["full_score"] = mapping.full_score
    lines += [f"  {name:<12} {value}" for name, value in special.items() if name != "delimiter"]
    return lines


def read_named(entries: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return field -> columns from entries such as `learner=user_id`."""
    columns: dict[str, tuple[str, ...]] = {}
    for entry in entries:
        name, sign, column = entry.partition("=")
        if not sign or not column.strip():
            message = f"--map {entry!r}: write FIELD=COLUMN, for example learner=user_id."
            raise CommandError(message)
        parts = column.split("+") if name in mappings.SEVERAL else [column]
        columns[name] = tuple(part.strip() for part in parts)
    return columns


def read_settings(
    mapping: mappings.ColumnMapping | None, entries: Sequence[str]
) -> mappings.ColumnMapping | None:
    """Return the mapping with entries such as `time_unit=milliseconds` set."""
    if not entries:
        return mapping
    data = (mapping or mappings.ColumnMapping()).to_dict()
    for entry in entries:
        name, _, value = entry.partition("=")
        data[name] = _setting(name, value)
    return mappings.from_dict(data)


def _setting(name: str, value: str) -> object:
    if name == "keep":
        return [part.strip() for part in value.split(",") if part.strip()]
    if name == "merge_skills":
        return {"true": True, "false": False}.get(value.lower(), value)
    if name == "full_score":
        try:
            return float(value)
        except ValueError:
            return value
    return value
