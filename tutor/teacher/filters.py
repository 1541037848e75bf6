"""What of a class is looked at. All of it stands in the address, and goes along into exports."""

import datetime as dt
import uuid
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils import timezone

from tutor.classes.models import Assignment, Classroom
from tutor.content import selectors as content_selectors
from tutor.teacher.errors import FilterUnknown
from tutor.tracing.bands import Band

# Answers are summed over so many weeks, this one included, unless the address has dates.
WEEKS = 10
PRACTISED = "practised"
# A school year and the one before; more weeks than that cannot be told apart in a picture.
LONGEST_DAYS = 730


@dataclass(frozen=True, slots=True)
class Filters:
    """What is looked at.

    Attributes:
        topics: "" for the whole course, `PRACTISED` for what somebody has answered on, or the
            public id of an assignment.
        concept, band: only the learners who are in this band of this concept; both or none.
        since, until: whole days, both included.
        concept_name: of `concept`, for people.
        are_names_hidden: for a projector.
        concept_ids: what `topics` names, None for whatever it may be.
    """

    topics: str = ""
    concept: str = ""
    concept_name: str = ""
    band: Band | None = None
    since: dt.date | None = None
    until: dt.date | None = None
    are_names_hidden: bool = False
    concept_ids: frozenset[int] | None = None
    today: dt.date = dt.date.min

    @property
    def first_day(self) -> dt.date:
        """The day from which answers are summed: a Monday unless the address says otherwise."""
        if self.since is not None:
            return self.since
        end = self.last_day
        return end - dt.timedelta(days=end.weekday(), weeks=WEEKS - 1)

    @property
    def last_day(self) -> dt.date:
        """The last day of which answers are summed."""
        return self.until or self.today

    @property
    def begins(self) -> dt.datetime:
        """The first moment of `first_day`."""
        return timezone.make_aware(dt.datetime.combine(self.first_day, dt.time()))

    @property
    def ends(self) -> dt.datetime:
        """The moment after `last_day`."""
        following = self.last_day + dt.timedelta(days=1)
        return timezone.make_aware(dt.datetime.combine(following, dt.time()))

    @property
    def query(self) -> str:
        """The part of an address that says the same, with its question mark; "" for no filter."""
        told = {
            "topics": self.topics,
            "concept": self.concept,
            "band": self.band.value if self.band else "",
            "from": self.since.isoformat() if self.since else "",
            "to": self.until.isoformat() if self.until else "",
            "names": "hidden" if self.are_names_hidden else "",
        }
        given = {name: value for name, value in told.items() if value}
        return f"?{urlencode(given)}" if given else ""

    def but(self, **changes: Any) -> "Filters":
        """Return the same with some things changed, for a link."""
        return replace(self, **changes)

    @property
    def with_names(self) -> "Filters":
        """The same with names shown."""
        return self.but(are_names_hidden=False)

    @property
    def without_names(self) -> "Filters":
        """The same with names hidden."""
        return self.but(are_names_hidden=True)

    @property
    def of_everybody(self) -> "Filters":
        """The same for all learners of the class."""
        return self.but(concept="", concept_name="", band=None)


def read(query: QueryDict, *, classroom: Classroom, at: dt.datetime) -> Filters:
    """Return the filters of an address.

    Raises:
        FilterUnknown: it names topics, a concept, a band or a day that there is not, or
            says something else of names than that they are hidden.
    """
    topics, concept = query.get("topics", ""), query.get("concept", "")
    found = Filters(
        topics=topics,
        concept=concept,
        band=_read_band(query.get("band", "")),
        since=_read_day(query.get("from", "")),
        until=_read_day(query.get("to", "")),
        are_names_hidden=of_names(query).are_names_hidden,
        concept_ids=_read_topics(topics, classroom),
        today=timezone.localdate(at),
    )
    if bool(concept) != bool(found.band):
        message = "Choose a topic and a band together: who is in that band of that topic."
        raise FilterUnknown(message, concept=concept[:80], band=query.get("band", "")[:80])
    if concept:
        course = classroom.course
        bank = content_selectors.get_bank(course_id=course.pk, revision=course.revision)
        if concept not in bank.concept_slugs:
            raise FilterUnknown("This course has no such topic.", concept=concept[:80])
        found = found.but(concept_name=bank.concept_names[bank.concept_slugs.index(concept)])
    if found.first_day > found.last_day:
        message = "The first day is after the last one. Swap them, or leave one out."
        raise FilterUnknown(message, first=str(found.first_day), last=str(found.last_day))
    if (found.last_day - found.first_day).days > LONGEST_DAYS:
        message = f"Choose at most {LONGEST_DAYS} days at a time."
        raise FilterUnknown(message, first=str(found.first_day), last=str(found.last_day))
    return found


def of_names(query: QueryDict) -> Filters:
    """Return only what an address says of names, for a page that has nothing else to choose.

    Raises:
        FilterUnknown: it says anything but that they are hidden; shown ones cannot be taken back.
    """
    text = query.get("names", "")
    if text not in {"", "hidden"}:
        raise FilterUnknown("Names are hidden, or left out here.", names=text[:80])
    return Filters(are_names_hidden=text == "hidden")


def _read_band(text: str) -> Band | None:
    if not text:
        return None
    try:
        return Band(text)
    except ValueError as error:
        known = ", ".join(band.value for band in Band)
        raise FilterUnknown(f"There is no such band. Known: {known}.", band=text[:80]) from error


def _read_day(text: str) -> dt.date | None:
    if not text:
        return None
    try:
        day = dt.date.fromisoformat(text)
    except ValueError as error:
        raise FilterUnknown("Write a day as 2026-03-31.", day=text[:80]) from error
    if not 1970 <= day.year <= 2999:
        raise FilterUnknown("Choose a day of these centuries.", day=text[:80])
    return day


def _read_topics(text: str, classroom: Classroom) -> frozenset[int] | None:
    if text in {"", PRACTISED}:
        return None
    try:
        public_id = uuid.UUID(text)
    except ValueError as error:
        raise FilterUnknown("There is no such choice of topics.", topics=text[:80]) from error
    assignment = Assignment.objects.filter(classroom=classroom, public_id=public_id).first()
    if assignment is None:
        raise FilterUnknown("This class has no such assignment.", topics=text[:80])
    return frozenset(assignment.concepts.values_list("pk", flat=True)) or None
