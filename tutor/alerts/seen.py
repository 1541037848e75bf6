"""A class as alerts are noticed in it, and what an alert is. Data in and data out."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from tutor.alerts.kinds import Kind
from tutor.alerts.past import Past
from tutor.alerts.reading import Answer, Looked
from tutor.alerts.thresholds import Thresholds
from tutor.classes import terms
from tutor.classes.models import Assignment
from tutor.tracing.bands import Band

DAY = dt.timedelta(days=1)
# A date as near as this comes before everything but calls for help and learners who are stuck.
NEAR_DAYS = 3.0


@dataclass(frozen=True, slots=True)
class Alert:
    """One reason why somebody needs their teacher.

    Attributes:
        kind: which.
        learner_id: who; None for the whole class.
        names: what it is about; something new among them calls again.
        facts: numbers and words, as JSON values: `wording` makes sentences of them.
        weight: within a kind the larger comes first.
        text: what the learner wrote; not kept with an action.
    """

    kind: Kind
    learner_id: int | None
    names: tuple[str, ...]
    facts: dict[str, Any]
    weight: float
    text: str = ""

    @property
    def urgency(self) -> tuple[float, float, str]:
        """The smaller, the more urgent."""
        rank = float(self.kind.rank)
        if self.kind is Kind.RISK and self.facts["days_left"] <= NEAR_DAYS:
            rank = Kind.STUCK.rank + 0.5
        return rank, -self.weight, self.names[0]

    @property
    def evidence(self) -> dict[str, Any]:
        """What is kept with an action."""
        return {**self.facts, "names": list(self.names)}


@dataclass(frozen=True, slots=True)
class Seen:
    """A class of those looked at, with its thresholds and what was done."""

    looked: Looked
    class_id: int
    limits: Thresholds
    past: Past
    rows: dict[int, int] = field(default_factory=dict)

    @property
    def at(self) -> dt.datetime:
        """The moment."""
        return self.looked.at

    @property
    def members(self) -> list[int]:
        """The ids of the class's learners."""
        return list(self.looked.members[self.class_id])

    def rank(self, learner_id: int, concept_id: int) -> int:
        """Return the rank of the band shown; -1 of a concept that the course has no more."""
        column = self.looked.bank.index_of_concept.get(concept_id)
        if column is None:
            return -1
        return int(self.looked.masteries.rank[self.rows[learner_id], column])

    def is_mastered(self, learner_id: int, concept_id: int) -> bool:
        """Test whether the band shown is "mastered"."""
        return self.rank(learner_id, concept_id) == Band.MASTERED.rank

    def answers_on(self, learner_id: int, concept_id: int) -> int:
        """Return the evidence behind the band."""
        column = self.looked.bank.index_of_concept[concept_id]
        return int(self.looked.masteries.evidence_n[self.rows[learner_id], column])

    def topic(self, concept_id: int | None) -> dict[str, Any]:
        """Return a concept as facts name it; empty without one."""
        bank = self.looked.bank
        if concept_id is None or concept_id not in bank.index_of_concept:
            return {}
        place = bank.index_of_concept[concept_id]
        return {"slug": bank.concept_slugs[place], "topic": bank.concept_names[place]}

    def is_stated(self, learner_id: int, concept_id: int) -> bool:
        """Test whether a teacher's word is shown and not the estimate."""
        column = self.looked.bank.index_of_concept[concept_id]
        return bool(self.looked.masteries.is_stated[self.rows[learner_id], column])

    def unfinished(self, learner_id: int) -> list[Assignment]:
        """Return the assignments that run for a learner and are not mastered, as each has them."""
        course, found = self.looked.course, []
        for row in self.looked.running[self.class_id]:
            own = terms.find(
                assignment=row,
                learner_id=learner_id,
                course_id=course.pk,
                revision=course.revision,
            )
            asked = self.looked.practicable.intersection(own.goal or self.looked.practicable)
            left = any(not self.is_mastered(learner_id, pk) for pk in asked - own.excused)
            if own.is_running(self.at) and left:
                found.append(row)
        return found

    def recent(self, kind: Kind, learner_id: int) -> list[Answer]:
        """Return the newest answers, the newest first, since somebody acted on this kind."""
        since = self.past.since(kind, learner_id)
        own = self.looked.recent.get(learner_id, ())
        return [one for one in own if since is None or one.at > since]
