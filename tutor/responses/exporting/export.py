"""An export from beginning to end: read, written beside its name, put on record, named."""

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction

from tutor.accounts import services as account_services
from tutor.responses import selectors as response_selectors
from tutor.responses.exporting import csv_file, dictionary, parquet_file, selectors
from tutor.responses.exporting.choice import Choice
from tutor.responses.exporting.columns import columns_of
from tutor.responses.exporting.errors import ExportInvalid, NothingToExport
from tutor.responses.exporting.pseudonyms import Pseudonyms
from tutor.responses.exporting.records import Record, Records
from tutor.responses.exporting.staging import staged
from tutor.responses.exporting.summary import Summary

WRITERS: dict[str, Callable[..., None]] = {
    ".csv": csv_file.write_csv,
    ".csv.gz": csv_file.write_gzipped_csv,
    ".parquet": parquet_file.write_parquet,
}
ACTION = "log-exported"
# Called with how many answers are read and how many there are.
Progress = Callable[[int, int], object]


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: the log, the two files that describe it, and what they say of it."""

    path: Path
    described: tuple[Path, Path]
    facts: dict[str, Any]


def export_log(
    *,
    choice: Choice,
    path: Path,
    at: dt.datetime,
    licence: str = "",
    creator: str = "",
    may_replace: bool = False,
    progress: Progress = lambda *_: None,
) -> Exported:
    """Write the chosen answers to `path`, and what its columns mean to two files beside it.

    The kind of file follows from the name: see `WRITERS`. Whatever goes wrong, nothing is there
    under these names that was not there before. The audit log knows of every file that is.

    Args:
        choice: which answers, and what is told of them.
        path: PATH.columns.md and PATH.columns.json are written beside it.
        at: now; stands in the description and not in the log, so that equal logs are equal files.
        licence: the terms under which others may use the file.
        creator: who is to be cited.
        may_replace: whether files of these names may be replaced.
        progress: see `Progress`.

    Raises:
        ExportInvalid, ExportNotWritten, NothingToExport: nothing was exported.
    """
    write = _writer_for(path)
    described = (_beside(path, "columns.md"), _beside(path, "columns.json"))
    columns = columns_of(choice)
    summary = Summary(columns)

    def facts() -> dict[str, Any]:
        return dictionary.facts_of(choice=choice, summary=summary, licence=licence, creator=creator)

    with staged([*described, path], may_replace=may_replace) as stage:
        for_people, for_programs, log = stage.drafts
        with log.open("wb") as file:
            batches = _iterate_records(choice, summary, progress)
            write(file, columns=columns, batches=batches, facts=facts)
        told = {
            **facts(),
            "made_at": at.isoformat(timespec="seconds"),
            "file": _file_facts(log, name=path.name),
        }
        for_people.write_text(dictionary.as_markdown(columns=columns, facts=told), encoding="utf-8")
        for_programs.write_text(
            dictionary.as_json(columns=columns, facts=told, items=summary.items()),
            encoding="utf-8",
        )
        with transaction.atomic():
            _put_on_record(choice, told, at=at)
            stage.take_names()
    return Exported(path=path, described=described, facts=told)


def _writer_for(path: Path) -> Callable[..., None]:
    for ending, write in WRITERS.items():
        if path.name.lower().endswith(ending) and len(path.name) > len(ending):
            return write
    endings = ", ".join(WRITERS)
    raise ExportInvalid(
        f"{path.name!r} does not say what to write; let the name end in one of {endings}."
    )


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(f"{path.name}.{ending}")


def _iterate_records(
    choice: Choice, summary: Summary, progress: Progress
) -> Iterator[list[Record]]:
    """Yield the rows of the file, by pseudonym: the order of the database tells who came when."""
    course = choice.course
    newest_id = response_selectors.get_newest_id(course_id=course.pk)
    names = Pseudonyms(organisation=course.organisation, course=course.slug, salt=choice.salt)
    learners = sorted(
        selectors.count_by_learner(choice=choice, newest_id=newest_id),
        key=lambda learner: names.of_learner(learner.pseudonym),
    )
    if not learners:
        raise NothingToExport(_nothing(choice))
    total = sum(learner.answers for learner in learners)
    asked = selectors.read_asked(course_id=course.pk)
    records = Records(choice=choice, names=names, learners=learners, asked=asked)
    for answers in selectors.iterate_answers(choice=choice, newest_id=newest_id, learners=learners):
        made = records.make(answers)
        summary.add(made)
        progress(summary.answers, total)
        yield made


def _nothing(choice: Choice) -> str:
    if choice.classes or choice.since or choice.until:
        return f"No answer of the course {choice.course.slug} is of these classes and times."
    return f"The course {choice.course.slug} has no answers."


def _file_facts(written: Path, *, name: str) -> dict[str, Any]:
    with written.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"name": name, "bytes": written.stat().st_size, "sha256": digest}


def _put_on_record(choice: Choice, told: dict[str, Any], *, at: dt.datetime) -> None:
    account_services.record_audit(
        at=at,
        action=ACTION,
        organisation=choice.course.organisation,
        subject=choice.course.slug,
        facts={
            "choice": told["choice"],
            "class_ids": [str(classroom.public_id) for classroom in choice.classes],
            "counts": told["counts"],
            "file": told["file"],
        },
    )
