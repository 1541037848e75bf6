"""The answers to export, by learner, in fold order, and never many of them at a time."""

import itertools
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

from django.db.models import Count, Exists, ExpressionWrapper, F, OuterRef, QuerySet, TextField

from tutor.accounts.models import Learner
from tutor.classes.models import Enrolment
from tutor.content.models import Concept, ItemVersion, ItemVersionConcept
from tutor.responses.exporting.choice import Choice
from tutor.responses.models import Response
from tutor.responses.selectors import FOLD_ORDER

# So many answers are held at a time. One learner may have more: theirs are never held.
BATCH = 10_000
CHUNK = 2_000
# SQLite and PostgreSQL take this many values in one query without complaint.
MOST_LEARNERS = 500
# As the driver gives it: what Django does to it takes as long as all the rest of the query.
_AS_STORED = ExpressionWrapper(F("answered_at"), output_field=TextField())
# The columns of an answer, in this order; `answer` after them where it is asked for.
ANSWER = (
    *("learner", "item_version", "credit", "moment"),
    *("elapsed_ms", "hints_seen", "attempt", "is_pilot"),
)


_Thing = TypeVar("_Thing")


class Asked(NamedTuple):
    """What an item version is called and what it exercises, the main concept first."""

    item: str
    concepts: tuple[str, ...]


class Counted(NamedTuple):
    """A learner and how many answers of theirs are chosen."""

    learner_id: int
    pseudonym: uuid.UUID
    answers: int


def batched(things: Iterable[_Thing], size: int) -> Iterator[list[_Thing]]:
    """Yield the things in lists of `size`, the last one shorter."""
    iterator = iter(things)
    while some := list(itertools.islice(iterator, size)):
        yield some


def list_chosen(*, choice: Choice, newest_id: int) -> QuerySet[Response]:
    """Return the standing answers as of the row `newest_id`.

    What comes in later, corrections too, does not count: reading takes a while, and its parts
    have to be of one log.
    """
    # The sum hides the bound from the planner: SQLite would follow it through the whole course
    # for every few learners, instead of the index by learner.
    until_then = Response.objects.annotate(number=F("pk") + 0).filter(number__lte=newest_id)
    corrected = until_then.filter(corrects=OuterRef("pk"))
    rows = until_then.filter(~Exists(corrected), course=choice.course)
    if choice.classes:
        members = Enrolment.objects.filter(classroom__in=choice.classes).values("learner")
        rows = rows.filter(learner__in=members)
    if choice.since is not None:
        rows = rows.filter(answered_at__gte=choice.since)
    if choice.until is not None:
        rows = rows.filter(answered_at__lt=choice.until)
    return rows


def count_by_learner(*, choice: Choice, newest_id: int) -> list[Counted]:
    """Return who has chosen answers and how many."""
    own = Response.objects.filter(learner=OuterRef("pk"), course=choice.course)
    learners = dict(Learner.objects.filter(Exists(own)).values_list("pk", "pseudonym"))
    rows = list_chosen(choice=choice, newest_id=newest_id).order_by("learner")
    found: list[Counted] = []
    for some in batched(learners, MOST_LEARNERS):
        # A few learners at a time: that goes by the index, and nothing is sorted.
        counts = rows.filter(learner__in=some).values_list("learner").annotate(Count("pk"))
        found.extend(Counted(learner, learners[learner], count) for learner, count in counts)
    return found


def iterate_answers(
    *, choice: Choice, newest_id: int, learners: Sequence[Counted]
) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the chosen answers, some at a time, each as `ANSWER` says.

    The learners come in the order given, each one's answers in fold order.
    """
    rows = list_chosen(choice=choice, newest_id=newest_id).order_by("learner", *FOLD_ORDER)
    values = rows.annotate(moment=_AS_STORED).values_list(
        *ANSWER, *(["answer"] if choice.has_answers else [])
    )
    for batch in _batches(learners):
        found = values.filter(learner__in=[learner.learner_id for learner in batch])
        answers = found.iterator(chunk_size=CHUNK)
        if len(batch) > 1:
            places = {learner.learner_id: place for place, learner in enumerate(batch)}
            yield sorted(answers, key=lambda answer: places[answer[0]])
        else:
            yield from batched(answers, CHUNK)


def _batches(learners: Sequence[Counted]) -> Iterator[list[Counted]]:
    """Yield learners that together have at most `BATCH` answers, or one who alone has more."""
    batch: list[Counted] = []
    answers = 0
    for learner in learners:
        if batch and (answers + learner.answers > BATCH or len(batch) == MOST_LEARNERS):
            yield batch
            batch, answers = [], 0
        batch.append(learner)
        answers += learner.answers
    if batch:
        yield batch


def read_asked(*, course_id: int) -> dict[int, Asked]:
    """Return item version -> what it is called and exercises, for every version of the course."""
    concepts: dict[int, list[str]] = defaultdict(list)
    links = ItemVersionConcept.objects.filter(version__item__course=course_id)
    for version, slug in links.order_by("position").values_list("version", "concept__slug"):
        concepts[version].append(slug)
    versions = ItemVersion.objects.filter(item__course=course_id)
    return {
        version: Asked(item=slug, concepts=tuple(concepts[version]))
        for version, slug in versions.values_list("pk", "item__slug")
    }


def list_concepts(*, course_id: int) -> list[tuple[str, str]]:
    """Return slug and name of the course's concepts, in its order."""
    rows = Concept.objects.filter(course=course_id).order_by("position")
    return list(rows.values_list("slug", "name"))


def read_groups(*, choice: Choice) -> dict[int, list[tuple[uuid.UUID, str]]]:
    """Return learner -> public id and name of their classes of the course, of the chosen if any."""
    rows = Enrolment.objects.filter(classroom__course=choice.course)
    if choice.classes:
        rows = rows.filter(classroom__in=choice.classes)
    groups: dict[int, list[tuple[uuid.UUID, str]]] = defaultdict(list)
    named = rows.order_by("classroom").values_list(
        "learner", "classroom__public_id", "classroom__name"
    )
    for learner, public_id, name in named:
        groups[learner].append((public_id, name))
    return groups
