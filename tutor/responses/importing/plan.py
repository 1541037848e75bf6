"""What applying an import would do: counted, shown, and then asked for."""

import csv
import datetime as dt
import itertools
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tutor.accounts.models import Learner, Organisation
from tutor.accounts.services import source_key
from tutor.content.models import Course, Item
from tutor.responses.importing.errors import RejectsNotWritten
from tutor.responses.importing.incoming import Incoming, IncomingAnswer, Reject
from tutor.responses.models import Response

# Fixed: the same answer of the same log has the same key on every machine.
KEYS = uuid.UUID("6f0e2f2b-3a52-5e0c-9b06-9d3f7f0f4c11")
# So much of a value stands in the file of rejects.
LONGEST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """The counts that an administrator sees before anything is written."""

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
    first_reject: Reject | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the plan for JSON."""
        return asdict(self)


def make_plan(*, organisation: Organisation, incoming: Incoming) -> ImportPlan:
    """Return what applying `incoming` would do. Reads only; the organisation may be unsaved."""
    answers = incoming.answers
    course = _find_course(organisation, incoming)
    stored = set(Item.objects.filter(course=course).values_list("slug", flat=True))
    known = sum(1 for _ in iterate_known(organisation=organisation, incoming=incoming))
    learners = {answer.learner for answer in answers}
    times = [answer.answered_at for answer in answers]
    return ImportPlan(
        format=incoming.format,
        course=incoming.course.slug,
        course_new=course is None,
        items_new=sum(item.slug not in stored for item in incoming.course.items),
        answers=len(answers),
        answers_known=known,
        learners=len(learners),
        learners_new=len(learners) - _count_known_learners(organisation, incoming, learners),
        items=len({answer.item for answer in answers}),
        concepts=len(incoming.course.concepts),
        prerequisites=sum(len(concept.requires) for concept in incoming.course.concepts),
        mean_correct=sum(a.credit for a in answers) / len(answers) if answers else 0.0,
        first_at=_day(min(times, default=None)),
        last_at=_day(max(times, default=None)),
        rejects=len(incoming.rejects),
        warnings=[*incoming.course_warnings, *incoming.warnings, *_repeats(answers)],
        first_reject=incoming.rejects[0] if incoming.rejects else None,
    )


def _find_course(organisation: Organisation, incoming: Incoming) -> Course | None:
    return Course.objects.filter(organisation=organisation.pk, slug=incoming.course.slug).first()


def _day(moment: dt.datetime | None) -> str:
    return "" if moment is None else moment.date().isoformat()


def _repeats(answers: list[IncomingAnswer]) -> list[str]:
    counts = Counter((a.learner, a.item, a.answered_at.replace(microsecond=0)) for a in answers)
    repeated = sum(count - 1 for count in counts.values() if count > 1)
    if not repeated:
        return []
    return [f"{repeated} answers repeat a learner, item and second; all of them are kept."]


def client_keys(*, incoming: Incoming) -> Iterator[tuple[uuid.UUID, IncomingAnswer]]:
    """Yield every answer with its client key, by learner.

    The key is made from what the row says and how often it said so before, so that importing the
    file again, or a longer one that begins with it, finds what is there.
    """
    origin = f"{incoming.source}\x00{incoming.course.slug}"
    for learner, own in itertools.groupby(incoming.answers, key=lambda answer: answer.learner):
        seen: Counter[str] = Counter()
        for answer in own:
            said = "\x00".join((origin, learner, answer.item, str(answer.answered_at)))
            seen[said] += 1
            yield uuid.uuid5(KEYS, f"{said}\x00{seen[said]}"), answer


def iterate_known(*, organisation: Organisation, incoming: Incoming) -> Iterator[uuid.UUID]:
    """Yield the client keys that the log has already."""
    course = _find_course(organisation, incoming)
    if course is None:
        return
    stored = set(
        Response.objects.filter(course=course).values_list("client_key", flat=True).iterator()
    )
    for key, _ in client_keys(incoming=incoming):
        if key in stored:
            yield key


def _count_known_learners(
    organisation: Organisation, incoming: Incoming, learners: set[str]
) -> int:
    keys = {
        source_key(organisation=organisation, source=incoming.source, external_id=learner)
        for learner in learners
    }
    stored = Learner.objects.filter(organisation=organisation.pk).exclude(source_key="")
    return len(keys & set(stored.values_list("source_key", flat=True)))


def write_rejects(*, rejects: list[Reject], path: Path) -> None:
    """Write the rows that were not taken, with line, field, value and reason.

    Raises:
        RejectsNotWritten: the file cannot be written.
    """
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["line", "field", "value", "reason"])
            writer.writerows((r.line, r.field, r.value[:LONGEST_SHOWN], r.reason) for r in rejects)
    except OSError as error:
        raise RejectsNotWritten(
            f"{len(rejects)} rows are rejected and cannot be written to {path} "
            f"({error.strerror}); name another file with --rejects."
        ) from error
