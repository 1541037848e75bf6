"""What applying an import would do: counted, shown, and then asked for."""

import csv
import hashlib
import itertools
import os
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tutor.accounts.models import Learner, Organisation
from tutor.accounts.services import source_key
from tutor.content.models import Course, Item
from tutor.responses.importing.cells import to_moment
from tutor.responses.importing.errors import RejectsNotWritten
from tutor.responses.importing.incoming import Incoming, Reject
from tutor.responses.importing.naming import slug_of
from tutor.responses.importing.staging import StagedAnswer, days_of
from tutor.responses.models import LogImport, Response

# Fixed: the same answer of the same log has the same key on every machine.
KEYS = uuid.UUID("6f0e2f2b-3a52-5e0c-9b06-9d3f7f0f4c11")
# Learners whose stored keys are held at a time while known answers are counted.
LEARNERS_AT_ONCE = 200
SHOWN_REJECTS = 5


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """The counts that an administrator sees before anything is written.

    Attributes:
        answers: rows that can be taken, those already in the log included.
        first_at: day of the first answer, ISO 8601; empty where there is none.
        first_rejects: the first rows that are not taken, at most `SHOWN_REJECTS`.
        then_seconds: about how long what follows the writing takes: fit and folding.
    """

    format: str
    course: str
    course_new: bool
    items_new: int
    answers: int
    answers_known: int
    learners: int
    learners_new: int
    items: int
    concepts: int
    prerequisites: int
    mean_correct: float
    first_at: str
    last_at: str
    rejects: int
    warnings: list[str]
    first_rejects: list[Reject] = field(default_factory=list)
    then_seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return the plan for JSON, without what stood in rejected cells: that may name people."""
        plan = asdict(self)
        for reject in plan["first_rejects"]:
            del reject["value"]
        return plan


def make_plan(*, organisation: Organisation, incoming: Incoming) -> ImportPlan:
    """Return what applying `incoming` would do. Reads only; the organisation may be unsaved."""
    staging = incoming.staging
    counts = staging.counts()
    course = _find_course(organisation, incoming)
    stored = set(Item.objects.filter(course=course).values_list("slug", flat=True))
    learners, _ = staging.answered()
    known_learners = _known_learners(organisation, incoming, learners)
    known = _count_known(course, incoming, known_learners)
    first, last = days_of((counts.first_at, counts.last_at))
    return ImportPlan(
        format=incoming.format,
        course=incoming.course.slug,
        course_new=course is None,
        items_new=sum(item.slug not in stored for item in incoming.course.items),
        answers=counts.answers,
        answers_known=known,
        learners=counts.learners,
        learners_new=counts.learners - len(known_learners),
        items=counts.items,
        concepts=len(incoming.course.concepts),
        prerequisites=sum(len(concept.requires) for concept in incoming.course.concepts),
        mean_correct=counts.mean_credit,
        first_at=first,
        last_at=last,
        rejects=staging.count_rejects(),
        warnings=[
            *incoming.course_warnings,
            *incoming.warnings,
            *_repeats(incoming),
            *_on_trial(course, incoming),
            *_same_file(course, incoming, new=counts.answers - known),
        ],
        first_rejects=list(itertools.islice(staging.iterate_rejects(), SHOWN_REJECTS)),
    )


def _find_course(organisation: Organisation, incoming: Incoming) -> Course | None:
    return Course.objects.filter(organisation=organisation.pk, slug=incoming.course.slug).first()


def _same_file(course: Course | None, incoming: Incoming, *, new: int) -> list[str]:
    """Warn where a file that was imported would come in again, as under another time zone."""
    earlier = LogImport.objects.filter(course=course, source_hash=incoming.source_hash)
    if course is None or not new or not earlier.filter(finished_at__isnull=False).exists():
        return []
    warning = (
        f"This very file was imported before, and {new} of its answers are not recognised: "
        "under other columns or another time zone they would count twice."
    )
    return [warning]


def _repeats(incoming: Incoming) -> list[str]:
    repeated, for_skills = incoming.staging.count_repeats()
    found = []
    if for_skills:
        found.append(
            f"{for_skills} answers repeat across skills of one problem: an answer then predicts "
            "its own copy. Set merge_skills in the mapping to take each once."
        )
    if repeated:
        found.append(f"{repeated} answers repeat a learner, item and second; all of them are kept.")
    return found


def _on_trial(course: Course | None, incoming: Incoming) -> list[str]:
    """Say how many answers calibrate their items and count in nobody's mastery."""
    tried = Item.objects.filter(course=course, status__in=Item.ON_TRIAL) if course else ()
    slugs = {item.slug for item in tried}
    names = {name for name in incoming.staging.items if slug_of(name) in slugs}
    count = incoming.staging.count_on_trial(names)
    text = "answers were given while their item was tried out, or to items that are tried out here"
    return [f"{count} {text}: they calibrate the item and count in nobody's mastery."] * bool(count)


def iterate_keyed(*, incoming: Incoming) -> Iterator[tuple[str, StagedAnswer]]:
    """Yield every answer with its client key (32 hex digits), by learner, in fold order.

    The key is a UUID of version 5 made from what the row says and how often it said so before,
    so that importing the file again, or a longer one that begins with it, finds what is there.
    """
    staging = incoming.staging
    slugs = [slug_of(name) for name in staging.items]
    begin = f"{incoming.source}\x00{incoming.course.slug}\x00"
    origin = hashlib.sha1(KEYS.bytes + begin.encode(), usedforsecurity=False)
    own = origin
    learner, at, moment = -1, -1, ""
    seen: dict[int, int] = {}
    for answer in staging.iterate():
        if answer.learner != learner:
            learner, at = answer.learner, -1
            own = origin.copy()
            own.update(f"{staging.learners[learner]}\x00".encode())
        if answer.at != at:
            at, moment = answer.at, str(to_moment(answer.at))
            seen.clear()
        count = seen[answer.item] = seen.get(answer.item, 0) + 1
        digest = own.copy()
        digest.update(f"{slugs[answer.item]}\x00{moment}\x00{count}".encode())
        yield _uuid5(digest.digest()), answer


def _uuid5(digest: bytes) -> str:
    """Return the UUID of version 5 that a SHA-1 makes (RFC 9562, 5.5), without its dashes."""
    text = digest.hex()
    return f"{text[:12]}5{text[13:16]}{'89ab'[int(text[16], 16) & 3]}{text[17:32]}"


def _count_known(course: Course | None, incoming: Incoming, known: dict[int, int]) -> int:
    """Return how many answers the log has already; `known` is place -> id of known learners."""
    if course is None or not known:
        return 0
    count = 0
    by_learner = itertools.groupby(
        iterate_keyed(incoming=incoming), key=lambda kept: kept[1].learner
    )
    for group in _batches(by_learner):
        wanted = [known[learner] for learner in group if learner in known]
        rows = Response.objects.filter(course=course, learner__in=wanted)
        stored = {key.hex for key in rows.values_list("client_key", flat=True).iterator()}
        count += sum(key in stored for keys in group.values() for key in keys)
    return count


def _batches(
    by_learner: Iterator[tuple[int, Iterator[tuple[str, StagedAnswer]]]],
) -> Iterator[dict[int, list[str]]]:
    batch: dict[int, list[str]] = {}
    for learner, own in by_learner:
        batch[learner] = [key for key, _ in own]
        if len(batch) >= LEARNERS_AT_ONCE:
            yield batch
            batch = {}
    if batch:
        yield batch


def _known_learners(
    organisation: Organisation, incoming: Incoming, learners: set[int]
) -> dict[int, int]:
    """Return place in the staging -> learner id, for those who are there already."""
    if organisation.pk is None:
        return {}
    rows = Learner.objects.filter(organisation=organisation.pk).exclude(source_key="")
    stored = dict(rows.values_list("source_key", "pk").iterator())
    if not stored:
        return {}
    keys = {
        place: source_key(
            organisation=organisation,
            source=incoming.source,
            external_id=incoming.staging.learners[place],
        )
        for place in learners
    }
    return {place: stored[key] for place, key in keys.items() if key in stored}


def write_rejects(*, incoming: Incoming, path: Path) -> None:
    """Write the rows that were not taken, with line, field, value and reason.

    In a folder or archive the line is preceded by its file.

    Raises:
        RejectsNotWritten: the file cannot be written.
    """
    try:
        # Rejected cells may name people: the file is its owner's alone.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(  # noqa: PTH123 - a handle
            handle, "w", newline="", encoding="utf-8", errors="backslashreplace"
        ) as file:
            writer = csv.writer(file)
            writer.writerow(["line", "field", "value", "reason"])
            for reject in incoming.staging.iterate_rejects():
                writer.writerow((reject.place, reject.field, reject.value, reject.reason))
    except OSError as error:
        raise RejectsNotWritten(
            f"{incoming.staging.count_rejects()} rows are rejected and cannot be written to {path} "
            f"({error.strerror}); name another file with --rejects."
        ) from error
