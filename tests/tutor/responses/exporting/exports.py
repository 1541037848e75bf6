"""Exports made in tests, and logs told apart from the names of their learners."""

import csv
import datetime as dt
import gzip
import io
import itertools
from collections import Counter, defaultdict
from pathlib import Path

import pyarrow.parquet as pq
from django.core.management import call_command

from tests.factories import AT
from tutor.content.models import Course, ItemVersionConcept
from tutor.responses.exporting.choice import Choice
from tutor.responses.exporting.export import Exported, export_log
from tutor.responses.models import Response

LATER = AT + dt.timedelta(days=200)


def export(course: Course, path: Path, *, at: dt.datetime = LATER, **options) -> Exported:
    """Export with the entries of `Choice` and of `export_log` that `options` name."""
    names = ("licence", "creator", "may_replace", "progress")
    others = {name: options.pop(name) for name in names if name in options}
    return export_log(choice=Choice(course=course, **options), path=path, at=at, **others)


def run_command(*arguments: object) -> tuple[str, str]:
    """Run `manage.py export_log`; return what it printed and what it warned of."""
    out, warned = io.StringIO(), io.StringIO()
    call_command("export_log", *map(str, arguments), stdout=out, stderr=warned)
    return out.getvalue(), warned.getvalue()


def histories_of(course: Course) -> Counter:
    """The standing histories of a course, each with how many learners have it.

    Read from the table itself and put in order here, not by what the export reads with.
    """
    concepts = defaultdict(list)
    for link in ItemVersionConcept.objects.select_related("concept").order_by("position"):
        concepts[link.version_id].append(link.concept.slug)
    stored = list(Response.objects.filter(course=course).select_related("item_version__item"))
    replaced = {response.corrects_id for response in stored}
    histories = defaultdict(list)
    for response in sorted(stored, key=lambda one: (one.answered_at, one.pk)):
        if response.pk not in replaced:
            histories[response.learner_id].append(
                (
                    response.item_version.item.slug,
                    repr(response.credit),
                    response.answered_at,
                    response.elapsed_ms,
                    response.hints_seen,
                    response.attempt,
                    response.is_pilot,
                    tuple(concepts[response.item_version_id]),
                )
            )
    return Counter(tuple(history) for history in histories.values())


def text_of(path: Path) -> str:
    """The CSV in a plain or packed file."""
    raw = path.read_bytes()
    return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text_of(path), newline="")))


def without_names(path: Path) -> tuple[object, list[object]]:
    """The file apart from pseudonyms: its head, and the learners' blocks, whoever they are.

    The blocks are the bytes of a CSV, the values of a Parquet.
    """
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        head: object = table.schema.remove_metadata()
        rows = [tuple(row.values()) for row in table.to_pylist()]
        grouped = itertools.groupby(rows, key=lambda row: row[0])
        blocks = [repr([row[1:] for row in own]) for _, own in grouped]
    else:
        head, *lines = text_of(path).splitlines(keepends=True)
        grouped = itertools.groupby(lines, key=lambda line: line.split(",", 1)[0])
        blocks = ["".join(line.split(",", 1)[1] for line in own) for _, own in grouped]
    return head, sorted(blocks)
